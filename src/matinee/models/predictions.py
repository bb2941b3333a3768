"""Predicted ratings of (user, item) pairs, with the unknown ones marked, and their intervals."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import numpy as np

from matinee.data.ids import as_id
from matinee.data.rows import indptr_of
from matinee.display.tables import Table
from matinee.display.text import counted
from matinee.errors import BadSetting
from matinee.models.capabilities import INTERVALS
from matinee.models.fitted import Fitted
from matinee.row_solvers.person import Person
from matinee.sources.pairs import Pairs, read_pairs


class Predictions(Table):
    """Columns ``user_id, item_id, rating, known``; also a numpy array of the ratings.

    ``rating`` is clipped to the scale, ``score`` (n,) is not; a model of preferences has ``score``
    as its column instead. ``actual`` are the ratings of the pairs, a column where these are known.
    ``known`` is False where the user or the item had no training rating and counted as the average
    one. One prediction is a float too.
    """

    def __init__(
        self,
        pairs: Pairs,
        user_id: Sequence[str],
        score: np.ndarray,
        rating: np.ndarray | None,
        known: np.ndarray,
        id_types: Mapping[str, str | None] | None = None,
    ) -> None:
        predicted = {"score": score} if rating is None else {"rating": rating}
        actual = {} if pairs.ratings is None else {"actual": pairs.ratings}
        numbers = {name: values.astype(float) for name, values in (predicted | actual).items()}
        ids = {"user_id": user_id, "item_id": [as_id(item) for item in pairs.items]}
        super().__init__({**ids, **numbers, "known": known}, id_types=id_types)
        self.score = score
        self._predicted = score if rating is None else rating

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._predicted, dtype=dtype)  # type: ignore[call-overload,no-any-return]

    def __float__(self) -> float:
        (predicted,) = self._predicted.tolist()
        return float(predicted)


def predictions(model: Fitted, users: object, items: object) -> Predictions:
    """Predicted ratings of pairs, as ``Model.predict`` states them. Raises as it does."""
    pairs = pairs_of(users, items)
    rows = model.items.rows(pairs.items.tolist())
    scores, known = np.empty(len(rows), np.float32), np.zeros(len(rows), bool)
    for user, at in by_user(pairs):
        scores[at] = _scores_of(model, user, rows[at])
        known[at] = isinstance(user, Person) or len(model.rated(user)) > 0
    return Predictions(
        pairs,
        user_id=[model.name_of(user) for user in pairs.users.tolist()],
        score=scores,
        rating=model.clipped(scores) if model.kind == "rating" else None,
        known=known & (rows >= 0) & (model.item_counts[rows] > 0),
        id_types=model.id_types,
    )


def _scores_of(model: Fitted, user: object, rows: np.ndarray) -> np.ndarray:
    """Unclipped scores (n,) of a user for items by row, -1 being the average item."""
    scores = np.empty(len(rows), np.float32)
    known = rows >= 0
    if known.any():
        scores[known] = model.score_people([user], rows[known])[0]
    if not known.all():
        everything = model.score_people([user], model.rated_items)
        scores[~known] = everything.mean(dtype=np.float64)
    return scores


def intervals(model: Fitted, users: object, items: object, level: float) -> Table:
    """Where the ratings of pairs will lie, as ``Model.interval`` states it. Raises as it does."""
    if not model.has_intervals:
        raise INTERVALS.missing(model.algorithm)
    if not 0 < level < 1:
        raise BadSetting(f"level is {level}; it must lie between 0 and 1")
    pairs = pairs_of(users, items)
    rows = np.array([model.item_row(item) for item in pairs.items], dtype=np.int64)
    rating, reach = np.empty(len(rows)), np.empty(len(rows))
    for user, at in by_user(pairs):
        person = model.person(user)
        rating[at] = model.clipped(model.score_people([user], rows[at])[0])
        reach[at] = model.reach(person, rows[at], level)
    ends = {"low": rating - reach, "high": rating + reach}
    ids = {
        "user_id": np.array([model.name_of(one) for one in pairs.users], dtype=object),
        "item_id": model.items.ids[rows],
    }
    return Table(
        ids | {"rating": rating} | {name: model.clipped(end) for name, end in ends.items()},
        id_types=model.id_types,
    )


def pairs_of(users: object, items: object = None) -> Pairs:
    """Users with their items, a single one of either repeated; or a source of pairs alone.

    Raises BadSetting for two sequences of different lengths, and as ``read_pairs`` does.
    """
    if items is None:
        return read_pairs(users)
    who, what = as_objects(users), as_objects(items)
    if len(who) != len(what) and is_many(users) and is_many(items):
        raise BadSetting(
            f"{counted(len(who), 'user')} and {counted(len(what), 'item')} make no pairs; give as "
            "many of both, or one id alone to go with each of the others"
        )
    return Pairs(*np.broadcast_arrays(who, what))


def by_user(pairs: Pairs) -> Iterator[tuple[object, np.ndarray]]:
    """Each user once, with the positions (n,) of their pairs."""
    number: dict[object, int] = {}
    users = [one if isinstance(one, Person) else as_id(one) for one in pairs.users.tolist()]
    code = np.array([number.setdefault(one, len(number)) for one in users], dtype=np.int64)
    order, indptr = np.argsort(code, kind="stable"), indptr_of(code, len(number))
    return ((user, order[indptr[n] : indptr[n + 1]]) for user, n in number.items())


def is_many(values: object) -> bool:
    """Whether a value stands for several ids or people, not for one."""
    return isinstance(values, Iterable) and not isinstance(values, str | Person)


def as_objects(values: object) -> np.ndarray:
    """One value, or an iterable of them, as an object array (n,)."""
    listed = list(cast(Iterable[object], values)) if is_many(values) else [values]
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array
