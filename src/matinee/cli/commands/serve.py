"""``matinee serve MODEL``: the API and the page."""

import time
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matinee.cli.console import say
from matinee.cli.options.model import model_argument
from matinee.cli.options.numbers import Whole
from matinee.cli.options.token import chosen_token, token_file_option, token_option
from matinee.display.optional import SERVE
from matinee.display.text import counted, seconds
from matinee.errors import BadSetting, check_known

if TYPE_CHECKING:
    from matinee.server.process import ServerInfo
    from matinee.server.settings import ServerSettings


@click.command("serve")
@model_argument
@click.option(
    "--port",
    type=Whole(0, 65535),
    default=8765,
    show_default=True,
    help="Port; 0 finds a free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; a public one needs --token.",
)
@token_option
@token_file_option
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A host name of the server; may be given again.",
)
@click.option(
    "--store",
    envvar="MATINEE_STORE",
    show_envvar=True,
    metavar="PLACE",
    help="Where feedback goes: a file (SQLite), or postgresql://...; a file beside "
    "MODEL unless given.",
)
@click.option(
    "--lists",
    envvar="MATINEE_LISTS",
    show_envvar=True,
    metavar="PLACE",
    help="Lists of all users made ahead by matinee recommend --all: Parquet, or postgresql://...",
)
@click.option("--beside", metavar="MODEL", help="Another model, to compare with.")
@click.option(
    "--arm",
    "arms",
    multiple=True,
    metavar="NAME=MODEL",
    help="A further model for a share of the users, as large as that of MODEL; may be given again.",
)
@click.option(
    "--arm-lists",
    "arm_lists",
    multiple=True,
    metavar="NAME=PLACE",
    help="As --lists, of the model of an --arm; may be given again.",
)
@click.option(
    "--workers",
    type=Whole(1, 256),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that serve, about one for each core; they share the store.",
)
@click.option("--json-log", is_flag=True, help="Log one JSON object a line.")
@click.option("--record", metavar="FILE", help="A record of matinee compare to show.")
@click.option("--k-curve", "curve", metavar="FILE", help="Output of matinee k-curve --json.")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@click.pass_context
def command(
    context: click.Context,
    model_path: str,
    port: int,
    host: str,
    token: str | None,
    token_file: str | None,
    hosts: tuple[str, ...],
    store: str | None,
    lists: str | None,
    beside: str | None,
    arms: tuple[str, ...],
    arm_lists: tuple[str, ...],
    workers: int,
    json_log: bool,
    record: str | None,
    curve: str | None,
    show: bool,
) -> None:
    """Serve a model over HTTP, with a web page.

    Answers come from the model, and from feedback that counts at once. GET /openapi.json
    describes the API. Stop with Ctrl-C.
    """
    SERVE.require("this command")
    from matinee.server.arms import MAIN
    from matinee.server.evaluation_record import EvaluationRecord
    from matinee.server.settings import Endpoint, ServerSettings

    paths = arms_of(arms)
    places = lists_of_arms(arm_lists, paths) | ({} if lists is None else {MAIN: lists})
    evaluation = EvaluationRecord.read(path_of(record), path_of(curve))
    endpoint = Endpoint(host, port, chosen_token(context, token, token_file), hosts)
    settings = ServerSettings(
        Path(model_path),
        endpoint,
        store,
        path_of(beside),
        paths,
        workers,
        json_log,
        evaluation,
        lists=places,
    )
    start(settings, show)


def arms_of(texts: tuple[str, ...]) -> dict[str, Path]:
    """Folders of models by name, from ``NAME=MODEL``. Raises BadSetting."""
    from matinee.server.arms import check_arm_name

    named = by_name("--arm", texts, "NAME=MODEL, such as blend=models/blend")
    return {check_arm_name(name): Path(place) for name, place in named.items()}


def lists_of_arms(texts: tuple[str, ...], arms: Mapping[str, Path]) -> dict[str, str]:
    """Places of lists by the names of arms, from ``NAME=PLACE``. Raises BadSetting."""
    places = by_name("--arm-lists", texts, "NAME=PLACE, such as blend=lists/blend.parquet")
    for name in places:
        check_known("--arm", name, arms)
    return places


def by_name(option: str, texts: tuple[str, ...], form: str) -> dict[str, str]:
    """The values of an option that is given once for each name. Raises BadSetting."""
    values: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not value:
            raise BadSetting(f"{option} is {text!r}; write {form}")
        if name in values:
            raise BadSetting(f"{option} names {name!r} twice")
        values[name] = value
    return values


def path_of(text: str | None) -> Path | None:
    """A path, where one is given."""
    return None if text is None else Path(text)


def start(settings: "ServerSettings", show: bool = False) -> None:
    """Serve until interrupted and report where; with ``show``, open the page in a browser."""
    started = time.perf_counter()
    from matinee.server.process import serve

    def on_ready(server: "ServerInfo") -> None:
        feedback = f"; {counted(server.n_events, 'event')} of feedback" if server.n_events else ""
        say(f"{server.model}{feedback}")
        say(f"ready in {seconds(time.perf_counter() - started)}: {server.url}  (stop with Ctrl-C)")
        if settings.endpoint.token is None:
            say(f"requests that change the model need the token {server.token}")
        if show:
            webbrowser.open(f"{server.url}/#token={server.token}")

    serve(settings, on_ready)
