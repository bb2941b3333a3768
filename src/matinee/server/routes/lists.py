"""Recommendations: for a user, for somebody new, for many."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from matinee.models import Person
from matinee.server import answered
from matinee.server.answers import Holds, answer
from matinee.server.asked import Batch, Filtered, ForSomeone
from matinee.server.cursors import cursor_to, offset_of
from matinee.server.filters import Filter
from matinee.server.ids import UserInPath
from matinee.server.limits import DEEPEST, MOST_REASONS
from matinee.server.lists import best_of, listed
from matinee.server.newcomers import someone
from matinee.server.problems import Problem
from matinee.server.reasons import view_of
from matinee.server.routes.parameters import (
    Beside,
    Cursor,
    Genre,
    Items,
    Length,
    Offset,
    Why,
    Year,
)
from matinee.server.serving import Serving
from matinee.server.working import people_of, serving_of, state_of, work

router = APIRouter(tags=["recommendations"])


@router.get("/v1/users/{user}/recommendations", response_model=answered.ListAnswer)
async def recommendations(
    request: Request,
    user: UserInPath,
    n: Length = 10,
    offset: Offset = 0,
    cursor: Cursor = None,
    why: Why = None,
    exclude_seen: bool = True,
    genre: Genre = None,
    year_from: Year = None,
    year_to: Year = None,
    items: Items = None,
    beside: Beside = False,
    fallback: Annotated[bool, Query(description="Answer strangers with what is popular.")] = True,
) -> Response:
    """The best items for a user, with reasons where asked for."""
    state, serving = state_of(request), serving_of(request, beside)
    stamp = state.changes.stamp(user)
    person = await people_of(request).find(serving, user, fallback)
    if cursor is not None:
        offset = offset_of(cursor, serving.version, stamp)
    check_depth(offset, n)
    candidates = Filter(genre or (), year_from, year_to, items).rows(serving)
    found = await list_for(serving, person, n, offset, why, candidates, exclude_seen)
    supports_warm_start = len(found) == n and offset + n < DEEPEST
    following = cursor_to(offset + n, serving.version, stamp) if supports_warm_start else None
    content: dict[str, Any] = {"user": user, "items": found, "next_cursor": following}
    if person.unknown_items:
        content["unknown_items"] = person.unknown_items
    counted = state.metrics.lists.labels(person.strategy).inc
    return answer(request, serving, person.strategy, content, Holds(user, stamp), counted)


@router.post("/v1/recommendations", response_model=answered.ListAnswer)
async def recommendations_for_someone(request: Request, body: ForSomeone) -> Response:
    """The best items for somebody new: by ratings, by points for tastes, or by features."""
    serving = serving_of(request)
    check_depth(body.offset, body.n)
    person = await someone(request, serving, body)
    candidates = filter_of(body).rows(serving)
    found = await list_for(
        serving, person, body.n, body.offset, body.why, candidates, body.exclude_seen
    )
    content = {
        "user": person.name,
        "items": found,
        "next_cursor": None,
        "unknown_items": person.unknown_items,
    }
    counted = state_of(request).metrics.lists.labels(person.strategy).inc
    return answer(request, serving, person.strategy, content, count=counted)


@router.post("/v1/recommendations:batch", response_model=answered.BatchAnswer)
async def recommendations_for_many(request: Request, body: Batch) -> Response:
    """The best items for each of many users, in their order."""
    serving = serving_of(request)
    if view_of(serving.model, body.why) and len(body.users) * body.n > MOST_REASONS:
        raise Problem(
            422,
            f"{len(body.users)} lists of {body.n} are too many with reasons; users times n is at "
            f"most {MOST_REASONS:,}",
        )
    people = [await people_of(request).find(serving, user) for user in body.users]
    candidates = filter_of(body).rows(serving)
    counter = state_of(request).metrics.lists
    lists = []
    for user, person in zip(body.users, people, strict=True):
        found = await list_for(
            serving, person, body.n, 0, body.why, candidates, body.exclude_seen, len(people)
        )
        counter.labels(person.strategy).inc()
        lists.append({"user": user, "strategy": person.strategy, "items": found})
    strategies = {one.strategy for one in people}
    strategy = strategies.pop() if len(strategies) == 1 else "mixed"
    return answer(request, serving, strategy, {"lists": lists})


async def list_for(
    serving: Serving,
    person: Person,
    n: int,
    offset: int,
    why: str | None,
    candidates: np.ndarray,
    exclude_seen: bool,
    n_people: int = 1,
) -> list[dict[str, Any]]:
    """The list of a person, computed where it keeps nobody waiting."""
    by = view_of(serving.model, why)

    def compute() -> list[dict[str, Any]]:
        rows, scores = best_of(serving, person, n, offset, candidates, exclude_seen)
        return listed(serving, person, rows, scores, offset + 1, by)

    scores = len(candidates) * n_people
    return await work(compute, scores=scores, reasons=n * n_people if by else 0)


def check_depth(offset: int, n: int) -> None:
    """Raise Problem unless a list goes no deeper than lists go."""
    if offset + n > DEEPEST:
        raise Problem(422, f"offset + n is {offset + n}; a list goes {DEEPEST} deep")


def filter_of(body: Filtered) -> Filter:
    """The conditions that a body names."""
    return Filter(body.genre, body.year_from, body.year_to, body.items, body.exclude)
