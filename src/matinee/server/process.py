"""A server process: from settings to a listening socket, until it is told to stop."""

import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI

from matinee.disk.temporary_folders import temporary_folder
from matinee.errors import BadSetting, MatineeError
from matinee.feedback.store import Store
from matinee.garbage import search_for_garbage_seldom
from matinee.kernels.blas import hold_blas
from matinee.server.app import make_app
from matinee.server.connections import ConnectionLimits, LimitedConnection
from matinee.server.lifecycle import ServerState
from matinee.server.middleware.security import AccessPolicy
from matinee.server.prometheus import METRICS_FOLDER
from matinee.server.settings import ServerSettings
from matinee.server.workers import Supervisor, WorkerLink

DRAIN_SECONDS = 10  # for running requests to finish on shutdown


@dataclass(frozen=True)
class ServerInfo:
    """Where a started server answers, and what it holds."""

    url: str
    token: str
    model: str  # in words
    n_events: int  # of feedback


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


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the traceback of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as JSON."""
        fields = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def log_to_stderr(as_json: bool = False) -> None:
    """Send the log of this package, which holds no ids, to standard error."""
    log = logging.getLogger("matinee")
    if not log.handlers:
        handler = logging.StreamHandler()
        plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
        handler.setFormatter(JsonFormatter() if as_json else plain)
        log.addHandler(handler)
        log.setLevel(logging.INFO)


OnReady = Callable[[ServerInfo], object]


def serve(settings: ServerSettings, on_ready: OnReady = lambda info: None) -> None:
    """Serve until the process is told to stop; calls ``on_ready`` before the first response.

    Raises MatineeError when the model, the store or the port is not available.
    """
    policy = settings.endpoint.access_policy()
    if settings.workers > 1 and not hasattr(signal, "SIGHUP"):
        raise BadSetting("several workers need the signals of POSIX; serve with one")
    listeners = settings.endpoint.listeners(settings.workers)
    with ExitStack() as open_sockets:
        for listener in listeners:
            open_sockets.enter_context(listener)
        if settings.workers == 1:
            run(settings, policy, listeners[0], on_ready)
            return
        Store.at(settings.store_place).close()  # creates it before the workers would, all at once
        with metrics_folder():
            arguments = (settings, policy)
            Supervisor(run_worker, listeners, arguments).run(on_ready)


def run(
    settings: ServerSettings,
    policy: AccessPolicy,
    listener: socket.socket,
    on_ready: OnReady,
    link: WorkerLink | None = None,
) -> None:
    """Serve requests that arrive at a socket until the process is told to stop."""
    hold_blas()
    search_for_garbage_seldom()
    log_to_stderr(settings.json_log)
    with closing(Store.at(settings.store_place)) as store:
        state = ServerState(
            settings.model,
            store,
            settings.beside,
            settings.evaluation,
            settings.arms,
            link,
            settings.lists,
        )
        with closing(state):
            app = make_app(state, policy)
            url = settings.endpoint.url(listener)
            description, n_events = repr(state.main.model), store.count()
            on_ready(ServerInfo(url, policy.token, description, n_events))
            uvicorn.Server(uvicorn_config(app, settings.limits)).run(sockets=[listener])


def run_worker(
    listener: socket.socket, link: WorkerLink, settings: ServerSettings, policy: AccessPolicy
) -> None:
    """Serve as one of several processes."""
    link.stop_with_supervisor()
    try:
        run(settings, policy, listener, link.ready.send, link)
    except MatineeError as error:
        link.ready.send(MatineeError(str(error)))


@contextmanager
def metrics_folder() -> Iterator[None]:
    """A folder in which workers share their counters, made known to those started meanwhile."""
    with temporary_folder(prefix="matinee-metrics-") as folder:
        os.environ[METRICS_FOLDER] = str(folder)
        try:
            yield
        finally:
            del os.environ[METRICS_FOLDER]
