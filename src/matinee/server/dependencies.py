"""What route functions depend on: the server's state, the model to use, and worker threads."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from matinee.errors import UnknownId
from matinee.server.lifecycle import ServerState
from matinee.server.person_resolver import PersonResolver
from matinee.server.snapshot import ModelSnapshot

T = TypeVar("T")

MAX_INLINE_SCORES = 200_000  # more are computed on a worker thread
MAX_INLINE_EXPLANATIONS = 20


def state_of(request: Request) -> ServerState:
    """The state of the server that received a request."""
    state: ServerState = request.app.state.matinee
    return state


def resolver_of(request: Request) -> PersonResolver:
    """The person resolver of the server that received a request."""
    resolver: PersonResolver = request.app.state.resolver
    return resolver


def snapshot_of(request: Request, beside: bool = False, user: str | None = None) -> ModelSnapshot:
    """The model to answer from: that of a user's arm, where a user is given.

    Raises UnknownId when there is no model beside the main one.
    """
    state = state_of(request)
    if not beside:
        return state.main if user is None else state.model_of(user)
    if state.beside is None:
        raise UnknownId("there is no model beside this one; serve with --beside MODEL")
    return state.beside


async def compute(task: Callable[[], T], *, scores: int = 0, explanations: int = 0) -> T:
    """The result of a task, given about how many scores and explanations it computes.

    Small tasks run at once; large ones on a worker thread, so that other requests are served.
    """
    if scores <= MAX_INLINE_SCORES and explanations <= MAX_INLINE_EXPLANATIONS:
        return task()
    return await asyncio.to_thread(task)
