"""A server process: from settings to a listening socket, until it is told to stop."""

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI

from matinee.feedback.store import Store, store_beside
from matinee.kernels.blas import hold_blas
from matinee.server.app import make_app
from matinee.server.connections import ConnectionLimits, LimitedConnection
from matinee.server.lifecycle import ServerState
from matinee.server.settings import ServerSettings

DRAIN_SECONDS = 10  # for running requests to finish on shutdown


@dataclass(frozen=True)
class ServerInfo:
    """Where a started server answers, and what it holds."""

    url: str
    token: str
    state: ServerState


def uvicorn_config(app: FastAPI, limits: ConnectionLimits) -> uvicorn.Config:
    """The uvicorn configuration: no access log, as paths hold ids, and no Server header.

    Malformed requests are answered, not logged: anybody may send any number of them.
    """
    connection: Any = partial(LimitedConnection, limits.within_descriptors())
    idle_seconds: Any = limits.idle_seconds  # uvicorn declares whole seconds; any number will do
    return uvicorn.Config(
        app,
        http=connection,
        ws="none",
        access_log=False,
        log_config=None,
        log_level="error",
        server_header=False,
        date_header=False,
        timeout_keep_alive=idle_seconds,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def log_to_stderr() -> None:
    """Send the log of this package, which holds no ids, to standard error."""
    log = logging.getLogger("matinee")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)


def serve(
    settings: ServerSettings, on_ready: Callable[[ServerInfo], object] = lambda info: None
) -> None:
    """Serve until the process is told to stop; calls ``on_ready`` before the first response.

    Raises MatineeError when the model, the store or the port is not available.
    """
    policy = settings.endpoint.access_policy()
    hold_blas()
    log_to_stderr()
    place = settings.store if settings.store is not None else store_beside(settings.model)
    with closing(settings.endpoint.listen()) as listener, closing(Store.at(place)) as store:
        state = ServerState(
            settings.model, store, settings.beside, settings.evaluation, settings.arms
        )
        app = make_app(state, policy)
        on_ready(ServerInfo(settings.endpoint.url(listener), policy.token, state))
        uvicorn.Server(uvicorn_config(app, settings.limits)).run(sockets=[listener])
