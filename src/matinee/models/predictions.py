"""Predicted ratings of (user, item) pairs, with the unknown ones marked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import numpy as np

from matinee.data.ids import as_id
from matinee.data.ratings import indptr_of
from matinee.display.tables import Table
from matinee.display.text import counted
from matinee.errors import BadSetting
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
