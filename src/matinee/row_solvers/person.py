"""A person that a model can answer for: a user of the training data, or a newcomer folded in."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matinee.data.ids import IdMap, as_id
from matinee.data.scale import Scale, checked_rating
from matinee.display.text import counted
from matinee.errors import BadRatings
from matinee.row_solvers.embeddings import Embeddings


@dataclass(frozen=True, eq=False)
class Person:
    """One person: what they rated and what the model makes of it."""

    name: str
    items: np.ndarray  # (n,) int32 rows of the items they rated, ascending
    ratings: np.ndarray  # (n,) float32, in stars
    embeddings: Embeddings  # their bias and factors: a side of one row
    strategy: str  # "personal": trained; "folded_in", "tastes", "features": see newcomers.py;
    # "popular": nothing is known, and the average person answers
    unknown_items: tuple[str, ...] = ()  # ids in their history that the model does not know
    choice: Embeddings | None = None  # of the model's choice part, where not of their ratings

    def __repr__(self) -> str:
        return f"<Person {self.name!r}: {counted(len(self.items), 'rating')}, {self.strategy}>"


def numbered_history(
    history: Mapping[object, float], items: IdMap, scale: Scale
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Item rows (n,), ascending, and ratings (n,) of ``{item id: rating}``, and the unknown ids.

    Raises BadRatings for a rating that is no finite number or lies outside the scale, UnknownId
    when there are items and none of them is known.
    """
    if not isinstance(history, Mapping):
        raise BadRatings(
            f"a history is {{item id: rating}}, such as {{'313': 5}}, not {type(history).__name__}"
        )
    ids = [as_id(item) for item in history]
    ratings = np.array(
        [checked_rating(item, value, scale) for item, value in history.items()], dtype=np.float32
    )
    rows = items.rows(ids)
    unknown = tuple(one for one, row in zip(ids, rows, strict=True) if row < 0)
    if unknown and len(unknown) == len(ids):
        items.row(unknown[0])  # raises, and offers the nearest
    order = np.argsort(rows, kind="stable")[len(unknown) :]
    return rows[order], ratings[order], unknown
