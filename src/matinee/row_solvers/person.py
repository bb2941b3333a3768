"""A person that a model can answer for: a user of the training data, or a newcomer folded in."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matinee.data.ids import IdMap, as_id
from matinee.data.rows import Rows
from matinee.data.sample_weights import checked_weight
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
    weights: np.ndarray | None = None  # (n,) float32 of the ratings; None where all weigh one
    tastes: tuple[str, ...] = ()  # those they stated, as sentences call them
    rates: bool = False  # whether a model of choices knows them by stars that they gave

    @property
    def history(self) -> Rows:
        """What they rated, as a matrix of one row."""
        return Rows.single(self.items, self.ratings, self.weights)

    def __repr__(self) -> str:
        return f"<Person {self.name!r}: {counted(len(self.items), 'rating')}, {self.strategy}>"


def numbered_history(
    history: Mapping[object, float],
    items: IdMap,
    scale: Scale,
    sample_weight: Mapping[object, float] | None = None,
) -> tuple[Rows, tuple[str, ...]]:
    """``{item id: rating}`` as a matrix of one row, and the unknown ids.

    ``sample_weight`` is ``{item id: weight}`` for the ratings that do not weigh one. Raises
    BadRatings for a rating that is no finite number or lies outside the scale, and for a weight
    that is not finite and above 0 or of no rating; UnknownId when there are items and none of them
    is known.
    """
    if not isinstance(history, Mapping):
        raise no_history(history, items, scale)
    ids = [as_id(item) for item in history]
    ratings = np.array(
        [checked_rating(item, value, scale) for item, value in history.items()], dtype=np.float32
    )
    rows = items.rows(ids)
    unknown = tuple(one for one, row in zip(ids, rows, strict=True) if row < 0)
    if unknown and len(unknown) == len(ids):
        items.row(unknown[0])  # raises, and offers the nearest
    order = np.argsort(rows, kind="stable")[len(unknown) :]
    weights = None
    if sample_weight is not None and len(sample_weight):
        weights = np.array(_weights_of(ids, sample_weight), dtype=np.float32)[order]
    return Rows.single(rows[order], ratings[order], weights), unknown


def no_history(given: object, items: IdMap, scale: Scale) -> BadRatings:
    """The error for what is no history; rows of a matrix are named with the way from them."""
    example = f"{{{items.ids[0]!r}: {scale.high:g}}}" if len(items) else "{}"
    rows = (
        "; of a sparse row of a matrix over these items it is "
        "dict(zip(model.items.ids[row.indices], row.data))"
    )
    is_row = type(given).__module__.startswith("scipy.sparse")
    return BadRatings(
        f"a history is {{item id: rating}}, such as {example}, not {type(given).__name__}"
        f"{rows if is_row else ''}"
    )


def _weights_of(ids: list[str], sample_weight: Mapping[object, float]) -> list[float]:
    """The weight of each item's rating: one where none is given."""
    if not isinstance(sample_weight, Mapping):
        raise BadRatings(
            f"the sample_weight of a history is {{item id: weight}}, such as {{{ids[0]!r}: 2}}, "
            f"not {type(sample_weight).__name__}"
        )
    weights = dict.fromkeys(ids, 1.0)
    for item, weight in sample_weight.items():
        if as_id(item) not in weights:
            raise BadRatings(f"sample_weight has item {item!r}, which is not in the history")
        weights[as_id(item)] = checked_weight(item, weight)
    return list(weights.values())
