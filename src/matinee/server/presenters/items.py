"""Items as the API shows them."""

from itertools import islice

import numpy as np

from matinee.display.plain_data import JsonObject
from matinee.feedback.history import is_trained
from matinee.models import FactorModel
from matinee.server.lifecycle import ServerState
from matinee.server.snapshot import ModelSnapshot

DIGITS = 4  # of a taste's weight


def item_summary(snapshot: ModelSnapshot, row: int) -> JsonObject:
    """What identifies the item in a row: id, title, year and genres."""
    item_id = snapshot.model.items.ids[row]
    item = snapshot.model.catalog[item_id]
    return {
        "item_id": item_id,
        "title": item.title,
        "year": item.year,
        "genres": list(item.genres),
    }


def item_with_count(snapshot: ModelSnapshot, row: int) -> JsonObject:
    """The summary of an item, and its number of ratings."""
    return {**item_summary(snapshot, row), "n_ratings": int(snapshot.model.item_counts[row])}


def item_details(snapshot: ModelSnapshot, row: int) -> JsonObject:
    """Everything about one item."""
    model = snapshot.model
    features = model.catalog[model.items.ids[row]].features
    ratings = model.seen.values[model.seen.indices == row]
    return {
        **item_with_count(snapshot, row),
        "features": {name: list(values) for name, values in features.items()},
        "mean_rating": float(ratings.mean(dtype=np.float64)) if len(ratings) else None,
        "tastes": item_tastes(snapshot, row),
    }


def item_tastes(snapshot: ModelSnapshot, row: int) -> list[JsonObject]:
    """The weight of an item on each taste, the largest first; empty without factors."""
    model = snapshot.model
    if not isinstance(model, FactorModel) or not model.n_factors:
        return []
    weights = model.item_factors[row]
    tastes = model.tastes()
    return [
        {"number": f, "name": tastes[f].name, "weight": round(float(weights[f]), DIGITS)}
        for f in np.argsort(-np.abs(weights), kind="stable").tolist()
    ]


def ordered_items(
    snapshot: ModelSnapshot, rows: np.ndarray, values: np.ndarray, first_rank: int
) -> list[JsonObject]:
    """Ranked summaries of items with the number that orders them."""
    pairs = zip(rows.tolist(), values.tolist(), strict=True)
    return [
        {"rank": rank, **item_summary(snapshot, row), "value": value}
        for rank, (row, value) in enumerate(pairs, start=first_rank)
    ]


def similar_items(
    snapshot: ModelSnapshot, rows: np.ndarray, similarities: np.ndarray
) -> list[JsonObject]:
    """Ranked summaries of the most similar items."""
    return [
        {
            "rank": rank,
            **item_summary(snapshot, row),
            "similarity": round(float(similarity), DIGITS),
        }
        for rank, (row, similarity) in enumerate(zip(rows, similarities, strict=True), start=1)
    ]


def raters_of(state: ServerState, snapshot: ModelSnapshot, row: int, n: int) -> JsonObject:
    """The ``n`` users who rated an item highest, and the number of each rating.

    Among those who rated alike, the ones with fewest ratings first; erased users are left out.
    """
    model, changes = snapshot.model, state.changes
    places = np.flatnonzero(model.seen.indices == row)
    users = np.searchsorted(model.seen.indptr, places, side="right") - 1
    ratings = model.seen.values[places]
    order = np.lexsort((model.seen.counts[users], -ratings)).tolist()
    known = (
        {"user": model.users.ids[users[place]], "rating": float(ratings[place])}
        for place in order
        if is_trained(model, changes, model.users.ids[users[place]])
    )
    marks, counts = np.unique(ratings, return_counts=True)
    spread = [
        {"rating": float(mark), "n": int(count)} for mark, count in zip(marks, counts, strict=True)
    ]
    users_shown = list(islice(known, n))
    return {"item": item_summary(snapshot, row), "users": users_shown, "spread": spread}
