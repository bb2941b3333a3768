"""Changes to the catalogue and to what is known of users. All of them need the token."""

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from matinee.errors import UnknownId
from matinee.feedback.catalog_changes import ItemChange
from matinee.server.dependencies import snapshot_of, state_of
from matinee.server.json_route import JsonRoute
from matinee.server.problems import Problem
from matinee.server.responses import respond
from matinee.server.schemas.catalog import (
    ItemEntry,
    ItemsChanged,
    ItemsRequest,
    UserChanged,
    UserFeatures,
)
from matinee.server.schemas.identifiers import ItemInPath, UserInPath

router = APIRouter(tags=["catalogue"], route_class=JsonRoute)


@router.post("/v1/items", response_model=ItemsChanged)
async def upsert_items(request: Request, body: ItemsRequest) -> Response:
    """Add items, or replace what is known of them; they answer from the next request on."""
    changes = {one.item_id: one.change() for one in body.items}
    if len(changes) < len(body.items):
        raise Problem(422, "items: an item stands twice in the list")
    return await changed(request, changes)


@router.put("/v1/items/{item}", response_model=ItemsChanged)
async def upsert_item(request: Request, item: ItemInPath, body: ItemEntry) -> Response:
    """Add an item, or replace what is known of it; it answers from the next request on."""
    return await changed(request, {item: body.change()})


@router.delete("/v1/items/{item}", response_model=ItemsChanged)
async def delete_item(request: Request, item: ItemInPath) -> Response:
    """Leave an item out of lists and searches at once, and out of the next refit."""
    state = state_of(request)
    if item not in state.main.model.items:
        raise UnknownId(f"there is no item {item!r}")
    return await changed(request, {item: ItemChange(hidden=True, deleted=True)})


@router.put("/v1/users/{user}", response_model=UserChanged)
async def set_features(request: Request, user: UserInPath, body: UserFeatures) -> Response:
    """Store what is known of a user beside ratings; it counts while they have no ratings."""
    state, snapshot = state_of(request), snapshot_of(request)
    snapshot.model.fold_in_features(body.features)  # raises for what the model does not know
    seq = await asyncio.to_thread(state.store.write_profile, user, body.features)
    state.changes.note_profile(user, seq)
    state.announce(seq)
    content = {"user": user, "features": body.features}
    return respond(request, snapshot, "store", content)


async def changed(request: Request, changes: Mapping[str, ItemChange]) -> Response:
    """The response after some changes to the catalogue."""
    snapshot = await asyncio.to_thread(state_of(request).change_items, changes)
    return respond(request, snapshot, "store", {"items": list(changes)})
