"""Users: found, exported, erased."""

import asyncio
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from matinee.errors import UnknownId
from matinee.feedback.history import is_trained, merged, through_of, trained_history
from matinee.models import FactorModel, Person
from matinee.server import answered
from matinee.server.answers import answer
from matinee.server.cursors import cursor_to, offset_of
from matinee.server.ids import UserInPath
from matinee.server.routes.parameters import Cursor, Length, Search
from matinee.server.serving import Serving
from matinee.server.state import State
from matinee.server.working import people_of, serving_of, state_of, work

router = APIRouter(tags=["users"])


@router.get("/v1/users", response_model=answered.UsersAnswer)
async def users(
    request: Request, q: Search = "", n: Length = 10, cursor: Cursor = None
) -> Response:
    """Users whose id holds some text; without a text, samples from the least to the most active."""
    state, serving = state_of(request), serving_of(request)
    offset = offset_of(cursor, serving.version, q) if cursor else 0

    def compute() -> list[str]:
        return sorted_users(state, serving, q) if q else samples(state, serving, n)

    found = await work(compute, scores=len(serving.model.users))
    shown = found[offset : offset + n]
    following = cursor_to(offset + n, serving.version, q) if offset + n < len(found) else None
    counts = {one: len(serving.model.rated(one)) for one in shown}
    listed = [{"user": one, "n_ratings": count} for one, count in counts.items()]
    content = {"users": listed, "total": len(found), "next_cursor": following}
    return answer(request, serving, "model", content)


@router.get("/v1/users/{user}", response_model=answered.UserAnswer)
async def export(request: Request, user: UserInPath) -> Response:
    """All that is kept of a user: trained ratings, later events, and what the model makes of it."""
    state, serving = state_of(request), serving_of(request)
    person = await people_of(request).find(serving, user)
    content = await asyncio.to_thread(everything_of, state, serving, person)
    if not content["ratings"] and not content["events"]:
        raise UnknownId(f"nothing is known of user {user!r}")
    return answer(request, serving, person.strategy, content)


@router.delete("/v1/users/{user}", response_model=answered.ErasedAnswer)
async def erase(request: Request, user: UserInPath) -> Response:
    """Erase a user: their events are deleted, and their trained ratings count no more."""
    state, serving = state_of(request), serving_of(request)
    trained = is_trained(serving.model, state.changes, user)
    seq, gone = await asyncio.to_thread(state.store.erase, user)
    state.changes.note_erased(user, seq)
    content = {"user": user, "events_deleted": gone, "needs_refit": trained}
    return answer(request, serving, "store", content)


def sorted_users(state: State, serving: Serving, text: str) -> list[str]:
    """Users whose id holds some text: the trained ones in order, then who came later."""
    users = serving.model.users
    trained = [
        one for one in users if text in one and is_trained(serving.model, state.changes, one)
    ]
    later = (one for one in state.changes.changed if text in one and one not in users)
    return trained + sorted(later)


def samples(state: State, serving: Serving, n: int) -> list[str]:
    """Users from the least to the most active."""
    model = serving.model
    order = np.argsort(model.seen.counts, kind="stable")
    order = order[model.seen.counts[order] > 0]
    rows = order[np.linspace(0, len(order) - 1, min(n, len(order))).astype(int)]
    return [one for one in model.users.ids[rows] if is_trained(model, state.changes, one)]


def everything_of(state: State, serving: Serving, person: Person) -> dict[str, Any]:
    """The ratings of a user with where they are from, the events, and the tastes."""
    model, user = serving.model, person.name
    trained = trained_history(model, user) if is_trained(model, state.changes, user) else {}
    events = state.store.events_of(user)
    later = state.store.events_of(user, after=through_of(model, state.store.name))
    now = merged(trained, later)
    ratings = [
        {
            "item_id": item,
            "title": model.catalog.label(item),
            "rating": rating,
            "source": "trained" if trained.get(item) == rating else "feedback",
            "known": item in model.items,
        }
        for item, rating in now.items()
    ]
    return {
        "user": user,
        "n_ratings": len(ratings),
        "mean_rating": sum(now.values()) / len(now) if now else None,
        "ratings": ratings,
        "events": [{"item_id": e.item_id, "rating": e.rating, "timestamp": e.at} for e in events],
        "tastes": tastes_of(serving, person),
    }


def tastes_of(serving: Serving, person: Person) -> list[dict[str, Any]]:
    """What each taste adds to somebody's score of an average item, the largest first."""
    model = serving.model
    if not isinstance(model, FactorModel) or not model.n_factors:
        return []
    strength = person.embeddings.factors[0] * model.item_factors.mean(axis=0)
    order = np.argsort(-np.abs(strength), kind="stable").tolist()
    tastes = model.tastes()
    return [
        {"number": f, "name": tastes[f].name, "strength": round(float(strength[f]), 4)}
        for f in order
    ]
