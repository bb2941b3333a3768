"""``matinee serve MODEL``: the API and the page."""

import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matinee.cli.extras import wants
from matinee.cli.model import model_argument
from matinee.cli.talk import say, seconds

if TYPE_CHECKING:
    from matinee.server.running import Ready

TOKEN_VARIABLE = "MATINEE_TOKEN"


@click.command("serve")
@model_argument
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True,
              help="0 finds a free one.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True,
              help="Beyond this machine only with a token.")  # fmt: skip
@click.option("--token", envvar=TOKEN_VARIABLE, show_envvar=True,
              help="What to send as Authorization: Bearer; made up when not given.")  # fmt: skip
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME",
              help="A name that the server is reached by; may be given again.")  # fmt: skip
@click.option("--store", envvar="MATINEE_STORE", show_envvar=True, metavar="PLACE",
              help="Where feedback goes: a file (SQLite), or postgresql://...; a file beside "
              "MODEL unless given.")  # fmt: skip
@click.option("--beside", metavar="MODEL", help="Another model, to compare with.")
@click.option("--record", metavar="FILE", help="What compare and tune recorded, to show.")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def command(
    model_path: str, port: int, host: str, token: str | None, hosts: tuple[str, ...],
    store: str | None, beside: str | None, record: str | None, show: bool,
) -> None:  # fmt: skip
    """Answer over HTTP, from a model and from feedback that counts at once; with a page to look at.

    GET /openapi.json says what can be asked. Stop with Ctrl-C.
    """
    start(model_path, port, host, token, hosts, store, beside, record, show)


def start(
    model: str, port: int = 8765, host: str = "127.0.0.1", token: str | None = None,
    hosts: tuple[str, ...] = (), store: str | None = None, beside: str | None = None,
    record: str | None = None, show: bool = False,
) -> None:  # fmt: skip
    """Serve until interrupted."""
    started = time.perf_counter()
    wants("serve", "fastapi", "uvicorn", "sqlalchemy", "prometheus_client")
    from matinee.server.running import Place, serve

    def ready(it: "Ready") -> None:
        events = it.state.store.count()
        kept = f"; {events:,} events of feedback" if events else ""
        say(f"{it.state.main.model!r}{kept}")
        say(f"ready in {seconds(time.perf_counter() - started)}: {it.url}  (stop with Ctrl-C)")
        if token is None:
            say(f"what changes the model needs the token {it.token}")
        if show:
            webbrowser.open(f"{it.url}/#token={it.token}")

    place = Place(host, port, token, hosts)
    serve(
        Path(model), place, store, Path(beside) if beside else None,
        Path(record) if record else None, ready,
    )  # fmt: skip
