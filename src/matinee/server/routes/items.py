"""Items: search, details, and similar items."""

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from matinee.display.plain_data import JsonObject
from matinee.server.cursor import decode_cursor, encode_cursor
from matinee.server.dependencies import compute, snapshot_of, state_of
from matinee.server.item_filter import ItemFilter
from matinee.server.middleware.response_cache import Dependency
from matinee.server.presenters.items import (
    item_details,
    item_summary,
    item_with_count,
    raters_of,
    similar_items,
)
from matinee.server.responses import respond
from matinee.server.routes.parameters import Cursor, Genre, Length, Search, Year
from matinee.server.schemas.identifiers import ItemInPath
from matinee.server.schemas.items import (
    ItemResponse,
    ItemsResponse,
    RatersResponse,
    SimilarItemsResponse,
)
from matinee.server.snapshot import ModelSnapshot

router = APIRouter(tags=["items"])


@router.get("/v1/items", response_model=ItemsResponse)
async def items(
    request: Request,
    q: Search = "",
    n: Length = 10,
    cursor: Cursor = None,
    genre: Genre = None,
    year_from: Year = None,
    year_to: Year = None,
) -> Response:
    """Items whose title, year or id contains every word, the most rated first."""
    snapshot = snapshot_of(request)
    list_key = (snapshot.version, q, genre, year_from, year_to)
    offset = decode_cursor(cursor, *list_key) if cursor else 0
    allowed = ItemFilter(genre or (), year_from, year_to).rows(snapshot)

    def task() -> list[int]:
        return search_items(snapshot, q, allowed)

    matches = await compute(task, scores=len(snapshot.model.items) * 10)
    end = offset + n
    content = {
        "items": [item_with_count(snapshot, row) for row in matches[offset:end]],
        "total": len(matches),
        "next_cursor": encode_cursor(end, *list_key) if end < len(matches) else None,
    }
    return respond(request, snapshot, "model", content, Dependency())


@router.get("/v1/items/{item}", response_model=ItemResponse)
async def item(request: Request, item: ItemInPath) -> Response:
    """Everything about one item."""
    snapshot = snapshot_of(request)
    content = item_details(snapshot, snapshot.model.items.row(item))
    return respond(request, snapshot, "model", content, Dependency())


@router.get("/v1/items/{item}/similar", name="similar_items", response_model=SimilarItemsResponse)
async def similar(request: Request, item: ItemInPath, n: Length = 10) -> Response:
    """The items most similar to one."""
    snapshot = snapshot_of(request)
    model = snapshot.model
    row = model.items.row(item)

    def task() -> tuple[np.ndarray, np.ndarray]:
        return model.nearest("item", row, n)

    rows, similarities = await compute(task, scores=len(model.items) * 10)
    content = {
        "item": item_summary(snapshot, row),
        "items": similar_items(snapshot, rows, similarities),
    }
    return respond(request, snapshot, "model", content, Dependency())


@router.get("/v1/items/{item}/raters", response_model=RatersResponse)
async def raters(request: Request, item: ItemInPath, n: Length = 10) -> Response:
    """The users who rated an item highest in training, and how often each rating was given."""
    state, snapshot = state_of(request), snapshot_of(request)
    row = snapshot.model.items.row(item)

    def task() -> JsonObject:
        return raters_of(state, snapshot, row, n)

    content = await compute(task, scores=len(snapshot.model.seen.values))
    return respond(request, snapshot, "model", content)


def search_items(snapshot: ModelSnapshot, text: str, allowed: np.ndarray) -> list[int]:
    """Rows of the allowed items whose search text contains every word of a text.

    Items that begin with the whole text come first, then the most rated. ``allowed`` are item
    rows.
    """
    mask = np.zeros(len(snapshot.model.items), dtype=bool)
    mask[allowed] = True
    words = text.casefold().split()
    texts = snapshot.search_texts
    matches = [
        row
        for row in snapshot.by_count.tolist()
        if mask[row] and all(word in texts[row] for word in words)
    ]
    prefix = text.casefold().strip()
    return sorted(matches, key=lambda row: not texts[row].startswith(prefix))
