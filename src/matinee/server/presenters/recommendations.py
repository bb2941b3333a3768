"""Recommendation lists as the API shows them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from matinee.models import Model, Person
from matinee.models.retrieval import best_items
from matinee.server.presenters.explanations import short_explanation
from matinee.server.presenters.items import item_summary
from matinee.server.snapshot import ModelSnapshot

DIGITS = 4  # of a score


@dataclass(frozen=True)
class ListRequest:
    """Which part of the ranking to list: ``n`` entries after the best ``offset``."""

    n: int
    offset: int = 0
    view: str | None = None  # of the reasons; None omits them
    exclude_seen: bool = True
    stars_weight: float | None = None  # of the stars against the choice; None: as learned
    caution: float | None = None  # from safe (above 0) to adventurous; None: the model's

    def model_of(self, snapshot: ModelSnapshot) -> Model:
        """The model that lists. Raises BadSetting where it cannot weigh as requested."""
        return snapshot.model.weighed(self.stars_weight, self.caution)


def top_items(
    snapshot: ModelSnapshot, person: Person, candidates: np.ndarray, request: ListRequest
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and scores of the best candidates for a person, best first.

    ``candidates`` are item rows, ascending. Returns int32 and float32 arrays of at most
    ``request.n`` entries.
    """
    model = request.model_of(snapshot)
    seen = model.rated_by if request.exclude_seen else None
    n_ranked = request.offset + request.n
    ranker = model.ranker
    (rows,), (scores,) = best_items(
        ranker.scorer(candidates),
        ranker.from_stars([person]),
        candidates,
        n_ranked,
        seen,
        len(model.items),
    )
    filled = rows >= 0
    return rows[filled][request.offset :], scores[filled][request.offset :]


def recommended_items(
    snapshot: ModelSnapshot,
    person: Person,
    rows: np.ndarray,
    scores: np.ndarray,
    first_rank: int = 1,
) -> list[dict[str, Any]]:
    """The entries of a list: summary, rank, score and predicted rating of each item."""
    predicted = snapshot.model.predicted(person, rows)
    return [
        {
            "rank": rank,
            **item_summary(snapshot, row),
            "score": round(float(score), DIGITS),
            "predicted": round(float(rating), DIGITS),
        }
        for rank, (row, score, rating) in enumerate(
            zip(rows.tolist(), scores.tolist(), predicted, strict=True), start=first_rank
        )
    ]


def recommendations(
    snapshot: ModelSnapshot, person: Person, candidates: np.ndarray, request: ListRequest
) -> list[dict[str, Any]]:
    """The list for a person, with reasons where a view is requested."""
    rows, scores = top_items(snapshot, person, candidates, request)
    entries = recommended_items(snapshot, person, rows, scores, request.offset + 1)
    if request.view is not None:
        item_ids = [entry["item_id"] for entry in entries]
        explanations = request.model_of(snapshot).explain_each(person, item_ids, request.view)
        for entry, explanation in zip(entries, explanations, strict=True):
            entry["why"] = short_explanation(explanation)
    return entries
