"""Where work is done: small work at once, large work on a thread, so that others are answered."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from matinee.errors import UnknownId
from matinee.server.people import People
from matinee.server.serving import Serving
from matinee.server.state import State

T = TypeVar("T")

SMALL_SCORES = 200_000  # scores computed at once
SMALL_REASONS = 20  # explanations given at once


async def work(do: Callable[[], T], *, scores: int = 0, reasons: int = 0) -> T:
    """The result of ``do``, which computes about so many scores and explanations."""
    if scores <= SMALL_SCORES and reasons <= SMALL_REASONS:
        return do()
    return await asyncio.to_thread(do)


def state_of(request: Request) -> State:
    """What the server that a request came to holds."""
    state: State = request.app.state.matinee
    return state


def people_of(request: Request) -> People:
    """Who finds people for that server."""
    people: People = request.app.state.people
    return people


def serving_of(request: Request, beside: bool = False) -> Serving:
    """The model that is to answer. Raises UnknownId when there is none beside."""
    state = state_of(request)
    if not beside:
        return state.main
    if state.beside is None:
        raise UnknownId("there is no model beside this one; serve with --beside MODEL")
    return state.beside
