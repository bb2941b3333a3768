"""A server for tests: the real application on a real socket, in a thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import FastAPI

from matinee.server.app import make_app
from matinee.server.connections import DEFAULT_LIMITS, ConnectionLimits
from matinee.server.lifecycle import ServerState
from matinee.server.middleware.security import AccessPolicy
from matinee.server.process import uvicorn_config
from matinee.server.settings import Endpoint

TOKEN = "a-token-for-the-tests"
OWNER = {"Authorization": f"Bearer {TOKEN}"}


@contextmanager
def answering(
    state: ServerState,
    policy: AccessPolicy | None = None,
    app: FastAPI | None = None,
    limits: ConnectionLimits = DEFAULT_LIMITS,
) -> Iterator[httpx.Client]:
    """A client of a server that answers from ``state``."""
    listening = Endpoint(port=0).listen()
    app = app or make_app(state, policy or AccessPolicy(TOKEN))
    server = uvicorn.Server(uvicorn_config(app, limits))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
