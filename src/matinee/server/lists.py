"""Lists of items, as the API shows them."""

from typing import Any

import numpy as np

from matinee.models import Person
from matinee.models.retrieval import best_items
from matinee.server.reasons import why
from matinee.server.serving import Serving

DIGITS = 4  # of a score in JSON


def entry(serving: Serving, row: int) -> dict[str, Any]:
    """What the catalogue says of the item in a row, in short."""
    item_id = serving.model.items.ids[row]
    item = serving.model.catalog[item_id]
    return {
        "item_id": item_id,
        "title": item.title,
        "year": item.year,
        "genres": list(item.genres),
    }


def best_of(
    serving: Serving,
    person: Person,
    n: int,
    offset: int,
    candidates: np.ndarray,
    exclude_seen: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and scores of the ``n`` items after the best ``offset`` for a person, best first."""
    model = serving.model
    seen = model.rated_by if exclude_seen else None
    found, scores = best_items(
        model.scorer(candidates), [person], candidates, offset + n, seen, len(model.items)
    )
    filled = found[0] >= 0
    return found[0][filled][offset:], scores[0][filled][offset:]


def listed(
    serving: Serving,
    person: Person,
    rows: np.ndarray,
    scores: np.ndarray,
    first_rank: int = 1,
    by: str | None = None,
) -> list[dict[str, Any]]:
    """A list for a person; with reasons in the view ``by``, where one is given."""
    model = serving.model
    predicted = model.clipped(scores)
    entries = []
    for place, (row, score) in enumerate(zip(rows.tolist(), scores.tolist(), strict=True)):
        one = {"rank": first_rank + place, **entry(serving, row)}
        one["score"] = round(score, DIGITS)
        one["predicted"] = round(float(predicted[place]), DIGITS)
        entries.append(one)
    if by is not None:
        reasons = model.explain_each(person, [one["item_id"] for one in entries], by)
        for one, explanation in zip(entries, reasons, strict=True):
            one["why"] = why(explanation)
    return entries
