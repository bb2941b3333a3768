"""Recommendations: for a user, for a new person, and for many users."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from matinee.display.plain_data import JsonObject
from matinee.lists.list_rules import NO_RULES
from matinee.models import Person
from matinee.server.arms import new_recommendation_id
from matinee.server.cursor import decode_cursor, encode_cursor
from matinee.server.dependencies import compute, resolver_of, snapshot_of, state_of
from matinee.server.item_filter import ItemFilter
from matinee.server.json_route import JsonRoute
from matinee.server.lifecycle import ServerState
from matinee.server.limits import MAX_BATCH_EXPLANATIONS, MAX_LIST_DEPTH
from matinee.server.middleware.response_cache import Dependency
from matinee.server.prepared_lists import ListAnswer, prepared_list
from matinee.server.presenters.explanations import ReasonsRequest, requested_reasons
from matinee.server.presenters.recommendations import ListRequest, allowed_items, recommendations
from matinee.server.problems import Problem
from matinee.server.query_memo import memoized_query
from matinee.server.responses import Members, respond
from matinee.server.routes.parameters import (
    Beside,
    Caution,
    Cursor,
    Exclude,
    Genre,
    Items,
    Length,
    Offset,
    RuleQuery,
    StarsWeight,
    Why,
    Year,
)
from matinee.server.schemas.identifiers import UserInPath
from matinee.server.schemas.recommendations import (
    BatchRequest,
    BatchResponse,
    ItemConditions,
    RecommendationsRequest,
    RecommendationsResponse,
)
from matinee.server.snapshot import ModelSnapshot

router = APIRouter(tags=["recommendations"], route_class=JsonRoute)


@router.get(
    "/v1/users/{user}/recommendations",
    name="recommendations",
    response_model=RecommendationsResponse,
)
@memoized_query
async def recommendations_for_user(
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
    exclude: Exclude = None,
    stars_weight: StarsWeight = None,
    caution: Caution = None,
    rules: RuleQuery = NO_RULES,
    beside: Beside = False,
    fallback: Annotated[
        bool, Query(description="Recommend popular items to unknown users, instead of a 404.")
    ] = True,
) -> Response:
    """The best items for a user, with reasons on request."""
    state, snapshot = state_of(request), snapshot_of(request, beside, user)
    stamp = state.changes.stamp(user)
    if cursor is not None:
        offset = decode_cursor(cursor, snapshot.version, stamp)
    check_depth(offset, n)
    item_filter = ItemFilter(genre or (), year_from, year_to, items, exclude or ())
    candidates = allowed_items(snapshot, item_filter, rules)
    if exclude_seen:
        candidates = await resolver_of(request).without_hidden(snapshot, user, candidates)
    reasons = requested_reasons(snapshot.model, why)
    requested = ListRequest(n, offset, reasons, exclude_seen, stars_weight, caution, rules)
    resolved = partial(resolver_of(request).by_id, snapshot, user, fallback)
    answer = await list_of(state, snapshot, user, resolved, candidates, requested)
    person, has_more = answer.person, answer.has_more and offset + n < MAX_LIST_DEPTH
    next_cursor = encode_cursor(offset + n, snapshot.version, stamp) if has_more else None
    content: JsonObject = {
        "user": user,
        "items": answer.entries,
        "next_cursor": next_cursor,
        "source": answer.source,
    }
    if person.unknown_items:
        content["unknown_items"] = person.unknown_items
    on_send = list_members(state, snapshot, person.strategy)
    return respond(request, snapshot, person.strategy, content, Dependency(user, stamp), on_send)


@router.post("/v1/recommendations", response_model=RecommendationsResponse)
async def recommendations_for_someone(request: Request, body: RecommendationsRequest) -> Response:
    """The best items for a new person: by ratings, by points for tastes, or by features."""
    state, snapshot = state_of(request), snapshot_of(request, user=body.user)
    check_depth(body.offset, body.n)
    candidates = allowed_items(snapshot, filter_of(body), body.rules())
    if body.user is not None and body.exclude_seen:
        candidates = await resolver_of(request).without_hidden(snapshot, body.user, candidates)
    reasons = requested_reasons(snapshot.model, body.why)
    requested = list_request(body, reasons, body.offset)
    resolved = partial(resolver_of(request).by_changed_reference, snapshot, body)
    user = body.unchanged_user
    answer = await list_of(state, snapshot, user, resolved, candidates, requested)
    person = answer.person
    content = {
        "user": person.name,
        "items": answer.entries,
        "next_cursor": None,
        "source": answer.source,
        "unknown_items": person.unknown_items,
    }
    on_send = list_members(state, snapshot, person.strategy)
    return respond(request, snapshot, person.strategy, content, on_send=on_send)


@router.post("/v1/recommendations:batch", response_model=BatchResponse)
async def recommendations_for_many(request: Request, body: BatchRequest) -> Response:
    """The best items for each of many users, in their order."""
    snapshot = snapshot_of(request)
    reasons = requested_reasons(snapshot.model, body.why)
    if reasons and len(body.users) * body.n > MAX_BATCH_EXPLANATIONS:
        raise Problem(
            422,
            f"{len(body.users)} lists of {body.n} are too many with reasons; users times n is at "
            f"most {MAX_BATCH_EXPLANATIONS:,}",
        )
    state, resolver, n_users = state_of(request), resolver_of(request), len(body.users)
    requested = list_request(body, reasons)
    candidates: dict[ModelSnapshot, np.ndarray] = {}
    lists: list[JsonObject] = []
    for user in body.users:
        own = state.model_of(user)
        if own not in candidates:
            candidates[own] = allowed_items(own, filter_of(body), body.rules())
        allowed, resolved = candidates[own], partial(resolver.by_id, own, user)
        if body.exclude_seen:
            allowed = await resolver.without_hidden(own, user, allowed)
        answer = await list_of(state, own, user, resolved, allowed, requested, n_users)
        strategy = answer.person.strategy
        members = {"source": answer.source, **list_members(state, own, strategy)()}
        lists.append({"user": user, "strategy": strategy, "items": answer.entries, **members})
    strategies = {one["strategy"] for one in lists}
    strategy = strategies.pop() if len(strategies) == 1 else "mixed"
    return respond(request, snapshot, strategy, {"lists": lists})


def list_members(state: ServerState, snapshot: ModelSnapshot, strategy: str) -> Members:
    """What a list has anew each time it is sent: an id, which is counted."""
    counter = state.metrics.lists.labels(strategy)

    def members() -> JsonObject:
        counter.inc()
        return {"arm": snapshot.name, "recommendation_id": new_recommendation_id(snapshot)}

    return members


async def list_of(
    state: ServerState,
    snapshot: ModelSnapshot,
    user: str | None,
    resolved: Callable[[], Awaitable[Person]],
    candidates: np.ndarray,
    request: ListRequest,
    n_lists: int = 1,
) -> ListAnswer:
    """The list of a user as it was made ahead, or else computed for the person who is resolved.

    ``user`` is None for anybody else than a user as they are known.
    """
    if user is not None:
        prepared = await prepared_list(state, snapshot, user, candidates, request)
        if prepared is not None:
            return prepared
    person = await resolved()
    entries = await compute_list(state, snapshot, person, candidates, request, n_lists)
    return ListAnswer(person, entries, "computed", len(entries) == request.n)


async def compute_list(
    state: ServerState,
    snapshot: ModelSnapshot,
    person: Person,
    candidates: np.ndarray,
    request: ListRequest,
    n_lists: int = 1,
) -> list[JsonObject]:
    """The list of a person, timed; on a worker thread where ``n_lists`` such lists take long."""

    def task() -> list[JsonObject]:
        return recommendations(snapshot, person, candidates, request)

    n_explanations = request.n * n_lists if request.reasons else 0
    with state.metrics.list_seconds.labels(snapshot.name).time():
        return await compute(task, scores=len(candidates) * n_lists, explanations=n_explanations)


def check_depth(offset: int, n: int) -> None:
    """Raise Problem for a list beyond the greatest depth."""
    if offset + n > MAX_LIST_DEPTH:
        raise Problem(422, f"offset + n is {offset + n}; a list goes {MAX_LIST_DEPTH} deep")


def list_request(
    body: RecommendationsRequest | BatchRequest, reasons: ReasonsRequest | None, offset: int = 0
) -> ListRequest:
    """The list that a request body describes."""
    weights = body.stars_weight, body.caution
    return ListRequest(body.n, offset, reasons, body.exclude_seen, *weights, body.rules())


def filter_of(body: ItemConditions) -> ItemFilter:
    """The item filter that a request body describes."""
    return ItemFilter(body.genre, body.year_from, body.year_to, body.items, body.exclude)
