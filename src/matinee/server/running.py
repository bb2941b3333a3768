"""A server process: from a model folder to a listening socket, and back to nothing."""

import ipaddress
import logging
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from matinee.display.text import counted
from matinee.errors import BadSetting, MatineeError
from matinee.feedback.places import store_beside
from matinee.feedback.store import Store
from matinee.kernels.blas import hold_blas
from matinee.server.app import make_app
from matinee.server.measured import Measured
from matinee.server.security import Rules
from matinee.server.state import State

SHORTEST_TOKEN = 16  # characters
DRAIN_SECONDS = 10  # that running requests have when the server is told to stop


@dataclass(frozen=True)
class Place:
    """Where to serve, and to whom."""

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    hosts: Sequence[str] = ()  # names that the server is reached by

    def rules(self) -> Rules:
        """Who may ask. Raises BadSetting for a public place without a token, or a short one."""
        public = not is_loopback(self.host)
        if public and self.token is None:
            raise BadSetting(
                f"--host {self.host} can be reached from other machines, so it needs a token: "
                "set MATINEE_TOKEN or give --token"
            )
        if self.token is not None and len(self.token) < SHORTEST_TOKEN:
            raise BadSetting(
                f"the token has {counted(len(self.token), 'character')}; it must have at least "
                f"{SHORTEST_TOKEN}"
            )
        names = {name.lower() for name in (*self.hosts, self.host)}
        return Rules(self.token or secrets.token_urlsafe(24), public, frozenset(names))

    def listen(self) -> socket.socket:
        """A socket that listens here. Raises MatineeError where it cannot."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((self.host, self.port))
        except OSError as error:
            listening.close()
            raise MatineeError(
                f"cannot listen on {self.host} port {self.port}: {error.strerror}; "
                "choose another with --port (0 finds a free one)"
            ) from error
        listening.listen(1024)
        return listening


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Ready:
    """A server that is about to answer."""

    url: str
    token: str
    state: State


def config_of(app: FastAPI) -> uvicorn.Config:
    """How a server runs: it logs no requests, as their paths hold ids, and tells not what it is."""
    return uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def log_to_stderr() -> None:
    """Let the server's own log, which names nobody, go to standard error."""
    log = logging.getLogger("matinee")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)


def serve(
    model: Path,
    place: Place,
    store: str | Path | None = None,
    beside: Path | None = None,
    measured: Measured | None = None,
    ready: Callable[[Ready], object] = lambda ready: None,
) -> None:
    """Serve a model until the process is told to stop; ``ready`` is called before the first answer.

    Raises MatineeError when the model, the store or the port cannot be had.
    """
    rules = place.rules()
    hold_blas()
    log_to_stderr()
    with (
        closing(place.listen()) as listening,
        closing(Store.at(store if store is not None else store_beside(model))) as opened,
    ):
        state = State(model, opened, beside, measured or Measured())
        app = make_app(state, rules)
        port = listening.getsockname()[1]
        shown = f"[{place.host}]" if ":" in place.host else place.host
        ready(Ready(f"http://{shown}:{port}", rules.token, state))
        uvicorn.Server(config_of(app)).run(sockets=[listening])
