"""Cold-start users: from ratings, tastes or features to a Person.

``person.strategy`` names the way: "folded_in", "tastes", "features", or "popular" for somebody of
whom nothing is known. A trained user is "personal".
"""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from matinee.data.rows import Rows
from matinee.display.text import counted
from matinee.errors import BadSetting, UnknownId
from matinee.explain.explainable import Explainable
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person, numbered_history
from matinee.tastes import Tastes

POINTS = 10  # to share among tastes


def from_ratings(
    model: Explainable,
    histories: Mapping[str, Mapping[object, float]],
    sample_weight: Mapping[object, float] | None = None,
) -> list[Person]:
    """Solve people for their ratings, ``{name: {item id: rating}}``, all in one call.

    ``sample_weight`` is ``{item id: weight}`` for ratings that do not weigh one. Warns of unknown
    items. Raises BadRatings for a rating that is not finite or not on the scale and for a weight
    that cannot be, UnknownId for a history without a known item.
    """
    numbered = [_numbered(model, history, sample_weight) for history in histories.values()]
    if not numbered:
        return []
    unknown = [item for _, ids in numbered for item in ids]
    if unknown:
        n = sum(map(len, histories.values()))
        names = ", ".join(map(repr, unknown[:3])) + (", ..." if len(unknown) > 3 else "")
        warnings.warn(
            f"{len(unknown)} of {counted(n, 'item')} unknown and left out: {names}",
            stacklevel=3,  # where the model's method was called
        )
    solved = model.solve_many(Rows.joined([rated for rated, _ in numbered]))
    return [
        Person(
            name,
            rated.indices,
            rated.values,
            solved.row(row),
            "folded_in" if len(rated.indices) else "popular",
            unknown_items,
            weights=rated.weights,
        )
        for row, (name, (rated, unknown_items)) in enumerate(zip(histories, numbered, strict=True))
    ]


def _numbered(
    model: Explainable, history: Mapping[object, float], weights: Mapping[object, float] | None
) -> tuple[Rows, tuple[str, ...]]:
    """A history by row numbers. Raises UnknownId, which says whose title an unknown item is."""
    try:
        return numbered_history(history, model.items, model.scale, weights)
    except UnknownId:
        model.item_row(next(iter(history)))  # none is known, so the first raises
        raise


def from_tastes(
    points: Mapping[object, float], tastes: Tastes, lovers: Embeddings, average: Embeddings
) -> Embeddings:
    """Mix synthetic users of one taste each with the average user, by points.

        sum_t points_t / 10 lover_t + (points left) / 10 average user

    ``lovers`` has a row for each taste, ``average`` one row. Raises BadSetting for an unknown
    taste, one named twice, and points below 0 or above 10 in all.
    """
    share: dict[int, float] = {}
    for name, points_given in points.items():
        number = tastes.find(name, low_ends=False).number
        if number in share:
            raise BadSetting(f"taste {number} ({tastes[number].name!r}) is named twice")
        share[number] = _points(name, points_given) / POINTS
    weights = np.zeros(len(tastes))
    weights[list(share)] = list(share.values())
    if not 0 < weights.sum() <= 1 + 1e-9:
        raise BadSetting(
            f"the points add up to {POINTS * weights.sum():g}; share up to {POINTS} among tastes"
        )
    weights = np.append(weights, max(0.0, 1 - weights.sum()))
    return Embeddings(
        (weights @ np.concatenate([lovers.factors, average.factors]))[None, :].astype(np.float32),
        np.array([weights @ np.concatenate([lovers.bias, average.bias])], np.float32),
    )


def without_ratings(
    name: str,
    embeddings: Embeddings,
    strategy: str,
    choice: Embeddings | None = None,
    tastes: Sequence[str] = (),
) -> Person:
    """A person known by one row of embeddings alone, one of the choice part, and stated tastes."""
    nothing = np.empty(0, np.int32), np.empty(0, np.float32)
    return Person(name, *nothing, embeddings, strategy, choice=choice, tastes=tuple(tastes))


def _points(taste: object, given: object) -> float:
    try:
        points = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise BadSetting(f"the points for {taste!r} are {given!r}, not a number") from None
    if not 0 <= points <= POINTS:
        high = "; they choose the high end of a taste, ratings tell the low one" * (points < 0)
        raise BadSetting(
            f"the points for {taste!r} are {points:g}; they go from 0 to {POINTS}{high}"
        )
    return points
