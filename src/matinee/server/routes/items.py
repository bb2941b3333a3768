"""Items: found, looked at, and compared."""

from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from matinee.models import FactorModel
from matinee.server import answered
from matinee.server.answers import Holds, answer
from matinee.server.cursors import cursor_to, offset_of
from matinee.server.filters import Filter
from matinee.server.ids import ItemInPath
from matinee.server.lists import entry
from matinee.server.routes.parameters import Cursor, Genre, Length, Search, Year
from matinee.server.serving import Serving
from matinee.server.working import serving_of, work

router = APIRouter(tags=["items"])


@router.get("/v1/items", response_model=answered.ItemsAnswer)
async def items(
    request: Request,
    q: Search = "",
    n: Length = 10,
    cursor: Cursor = None,
    genre: Genre = None,
    year_from: Year = None,
    year_to: Year = None,
) -> Response:
    """Items whose title, year or id holds all the words, the most rated first."""
    serving = serving_of(request)
    bound = (serving.version, q, genre, year_from, year_to)
    offset = offset_of(cursor, *bound) if cursor else 0
    allowed = Filter(genre or (), year_from, year_to).rows(serving)

    def compute() -> list[int]:
        return search(serving, q, allowed)

    found = await work(compute, scores=len(serving.model.items) * 10)
    shown = [with_count(serving, row) for row in found[offset : offset + n]]
    following = cursor_to(offset + n, *bound) if offset + n < len(found) else None
    content = {"items": shown, "total": len(found), "next_cursor": following}
    return answer(request, serving, "model", content, Holds())


@router.get("/v1/items/{item}", response_model=answered.ItemAnswer)
async def item(request: Request, item: ItemInPath) -> Response:
    """All about one item."""
    serving = serving_of(request)
    model = serving.model
    row = model.items.row(item)
    rated = model.seen.values[model.seen.indices == row]
    content = {
        **with_count(serving, row),
        "features": {name: list(values) for name, values in model.catalog[item].features.items()},
        "mean_rating": float(rated.mean(dtype=np.float64)) if len(rated) else None,
        "tastes": tastes_of(serving, row),
    }
    return answer(request, serving, "model", content, Holds())


@router.get("/v1/items/{item}/similar", response_model=answered.SimilarAnswer)
async def similar(request: Request, item: ItemInPath, n: Length = 10) -> Response:
    """The items most like one."""
    serving = serving_of(request)
    model = serving.model
    row = model.items.row(item)

    def compute() -> tuple[np.ndarray, np.ndarray]:
        return model.nearest("item", row, n)

    rows, similarity = await work(compute, scores=len(model.items) * 10)
    found = [
        {"rank": rank, **entry(serving, one), "similarity": round(float(alike), 4)}
        for rank, (one, alike) in enumerate(zip(rows, similarity, strict=True), start=1)
    ]
    content = {"item": entry(serving, row), "items": found}
    return answer(request, serving, "model", content, Holds())


def search(serving: Serving, text: str, allowed: np.ndarray) -> list[int]:
    """Rows of the items that hold all words of a text, whole beginnings first, then by ratings."""
    may = np.zeros(len(serving.model.items), dtype=bool)
    may[allowed] = True
    words = text.casefold().split()
    texts = serving.search_texts
    found = [
        row
        for row in serving.by_count.tolist()
        if may[row] and all(word in texts[row] for word in words)
    ]
    start = text.casefold().strip()
    return sorted(found, key=lambda row: not texts[row].startswith(start))


def with_count(serving: Serving, row: int) -> dict[str, Any]:
    """An item in short, and how many rated it."""
    return {**entry(serving, row), "n_ratings": int(serving.model.item_counts[row])}


def tastes_of(serving: Serving, row: int) -> list[dict[str, Any]]:
    """How an item stands on each taste, the largest first."""
    model = serving.model
    if not isinstance(model, FactorModel) or not model.n_factors:
        return []
    weights = model.item_factors[row]
    tastes = model.tastes()
    return [
        {"number": f, "name": tastes[f].name, "weight": round(float(weights[f]), 4)}
        for f in np.argsort(-np.abs(weights), kind="stable").tolist()
    ]
