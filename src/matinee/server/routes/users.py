"""Users: search, export, similar users, and erasure."""

import asyncio

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from matinee.display.plain_data import JsonObject
from matinee.errors import UnknownId
from matinee.feedback.history import is_trained
from matinee.server.cursor import decode_cursor, encode_cursor
from matinee.server.dependencies import compute, resolver_of, snapshot_of, state_of
from matinee.server.lifecycle import ServerState
from matinee.server.middleware.response_cache import Dependency
from matinee.server.presenters.users import ranked_users, user_export
from matinee.server.responses import respond
from matinee.server.routes.parameters import Cursor, Length, Search
from matinee.server.schemas.identifiers import UserInPath
from matinee.server.schemas.users import (
    ErasureResponse,
    SimilarUsersResponse,
    UserResponse,
    UsersResponse,
)
from matinee.server.snapshot import ModelSnapshot

router = APIRouter(tags=["users"])


@router.get("/v1/users", response_model=UsersResponse)
async def users(
    request: Request, q: Search = "", n: Length = 10, cursor: Cursor = None
) -> Response:
    """Users whose id contains a text; without a text, a sample from least to most active."""
    state, snapshot = state_of(request), snapshot_of(request)
    offset = decode_cursor(cursor, snapshot.version, q) if cursor else 0

    def task() -> list[str]:
        return search_users(state, snapshot, q) if q else sample_users(state, snapshot, n)

    matches = await compute(task, scores=len(snapshot.model.users))
    end = offset + n
    content = {
        "users": [
            {"user": user, "n_ratings": len(snapshot.model.rated(user))}
            for user in matches[offset:end]
        ],
        "total": len(matches),
        "next_cursor": encode_cursor(end, snapshot.version, q) if end < len(matches) else None,
    }
    return respond(request, snapshot, "model", content)


@router.get("/v1/users/{user}", response_model=UserResponse)
async def export(request: Request, user: UserInPath) -> Response:
    """Everything stored about a user: trained ratings, later events, and their tastes."""
    state, snapshot = state_of(request), snapshot_of(request)
    person = await resolver_of(request).by_id(snapshot, user)
    content = await asyncio.to_thread(user_export, state, snapshot, person)
    if not any(content[one] for one in ("ratings", "events", "actions", "features")):
        raise UnknownId(f"nothing is known of user {user!r}")
    return respond(request, snapshot, person.strategy, content)


@router.get("/v1/users/{user}/similar", response_model=SimilarUsersResponse)
async def similar_users(request: Request, user: UserInPath, n: Length = 10) -> Response:
    """The trained users most similar to one."""
    state, snapshot = state_of(request), snapshot_of(request)
    model, stamp = snapshot.model, state.changes.stamp(user)
    if not is_trained(model, state.changes, user):
        raise UnknownId(f"the model was not trained on ratings of user {user!r}")
    n_erased = len(state.changes.erased)

    def task() -> list[JsonObject]:
        rows, similarities = model.nearest("user", model.user_row(user), n + n_erased)
        ids = model.users.ids[rows].tolist()
        pairs = zip(ids, similarities.tolist(), strict=True)
        trained = [(one, value) for one, value in pairs if is_trained(model, state.changes, one)]
        return ranked_users(trained[:n])

    users = await compute(task, scores=len(model.users) * 10)
    content = {"user": user, "users": users}
    return respond(request, snapshot, "model", content, Dependency(user, stamp))


@router.delete("/v1/users/{user}", response_model=ErasureResponse)
async def erase(request: Request, user: UserInPath) -> Response:
    """Erase a user: delete their events and disregard their trained ratings. Needs the token."""
    state, snapshot = state_of(request), snapshot_of(request)
    trained = is_trained(snapshot.model, state.changes, user)
    seq, n_deleted = await asyncio.to_thread(state.store.erase, user)
    state.changes.note_erased(user, seq)
    state.announce(seq)
    content = {"user": user, "events_deleted": n_deleted, "needs_refit": trained}
    return respond(request, snapshot, "store", content)


def search_users(state: ServerState, snapshot: ModelSnapshot, text: str) -> list[str]:
    """Users whose id contains a text: trained ones in model order, then those with feedback."""
    model, changes = snapshot.model, state.changes
    trained = [user for user in model.users if text in user and is_trained(model, changes, user)]
    new = (user for user in changes.last_events if text in user and user not in model.users)
    return trained + sorted(new)


def sample_users(state: ServerState, snapshot: ModelSnapshot, n: int) -> list[str]:
    """Up to ``n`` trained users at even steps from the least to the most active."""
    model = snapshot.model
    order = np.argsort(model.seen.counts, kind="stable")
    order = order[model.seen.counts[order] > 0]
    rows = order[np.linspace(0, len(order) - 1, min(n, len(order))).astype(int)]
    return [user for user in model.users.ids[rows] if is_trained(model, state.changes, user)]
