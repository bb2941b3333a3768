"""Lists that are the same for everybody."""

import asyncio
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from matinee.data.condition_texts import conditions_of
from matinee.lists.list_rules import ListRules
from matinee.server.dependencies import snapshot_of, state_of
from matinee.server.item_filter import ItemFilter
from matinee.server.item_orders import ORDERS, OrderContext
from matinee.server.middleware.response_cache import Dependency
from matinee.server.presenters.items import ordered_items
from matinee.server.presenters.recommendations import allowed_items
from matinee.server.responses import respond
from matinee.server.routes.parameters import Exclude, Genre, Length, Offset, Where, Year
from matinee.server.schemas.lists import ItemListResponse

router = APIRouter(tags=["items"])

Days = Annotated[
    float, Query(gt=0, le=3650, allow_inf_nan=False, description="How far back trending looks.")
]


@router.get("/v1/lists/{order}", response_model=ItemListResponse)
async def item_list(
    request: Request,
    order: Literal["popular", "latest", "trending"],
    n: Length = 10,
    offset: Offset = 0,
    genre: Genre = None,
    year_from: Year = None,
    year_to: Year = None,
    exclude: Exclude = None,
    where: Where = None,
    days: Days = 7.0,
) -> Response:
    """The most popular items, the latest, or those that are trending."""
    state, snapshot = state_of(request), snapshot_of(request)
    item_filter = ItemFilter(genre or (), year_from, year_to, None, exclude or ())
    rules = ListRules(where=conditions_of(where or (), "where"))
    allowed = allowed_items(snapshot, item_filter, rules)
    context = OrderContext(snapshot, state.store, days)
    rows, values = await asyncio.to_thread(ORDERS[order], context)
    listed = np.isin(rows, allowed)
    part = slice(offset, offset + n)
    content = {
        "order": order,
        "items": ordered_items(snapshot, rows[listed][part], values[listed][part], offset + 1),
    }
    stable = Dependency() if order != "trending" else None
    return respond(request, snapshot, "model", content, stable)
