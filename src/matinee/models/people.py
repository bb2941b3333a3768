"""People a model can answer for: users of the training data, and newcomers folded in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matinee.errors import BadRatings, UnknownId
from matinee.ids import IdMap, as_id
from matinee.kernels.threads import one_blas_thread
from matinee.models.fold_in import FoldIn
from matinee.models.side import Side
from matinee.ratings import Rows, Scale


@dataclass(frozen=True, eq=False)
class Person:
    """One person: what they rated and what the model makes of it."""

    name: str
    items: np.ndarray  # (n,) int32 rows of the items they rated, ascending
    ratings: np.ndarray  # (n,) float32, in stars
    side: Side  # their bias and factors: a side of one row
    strategy: str  # "personal": trained; "folded_in": from their history; "popular": average
    unknown_items: tuple[str, ...] = ()  # ids in their history that the model does not know

    def __repr__(self) -> str:
        return f"<Person {self.name!r}: {len(self.items)} ratings, {self.strategy}>"


@dataclass(frozen=True, eq=False)
class People:
    """The people's side of a factor model."""

    users: IdMap
    items: IdMap
    mean: float
    user_side: Side
    item_side: Side
    seen: Rows
    fold: FoldIn
    scale: Scale
    kind: str

    @property
    def average(self) -> Side:
        """The average trained user, as a side of one row; stands in for whoever is unknown."""
        return self.user_side.mean(self.seen.counts > 0)

    def scores(self, people: Side, items: Side) -> np.ndarray:
        """Scores (n_people, n_items) float32."""
        with one_blas_thread():
            scores: np.ndarray = people.factors @ items.factors.T
        scores += np.float32(self.mean) + people.bias[:, None]
        scores += items.bias
        return scores

    def name(self, user: object) -> str:
        """What to call a user: the id, or a folded-in person's name."""
        return user.name if isinstance(user, Person) else as_id(user)

    def person(self, user: object) -> Person:
        """The person behind an id. Raises UnknownId when there is no rating to know them by."""
        if isinstance(user, Person):
            return user
        row = self.require(user)
        items, ratings = self.seen.row(row)
        return Person(as_id(user), items, ratings, self.user_side.row(row), "personal")

    def require(self, user: object) -> int:
        """Row number of a user with training ratings; -1 for a folded-in person."""
        if isinstance(user, Person):
            return -1
        row = self.users.row(user)
        if self.seen.indptr[row] == self.seen.indptr[row + 1]:
            raise UnknownId(
                f"user {as_id(user)!r} has no rating in the training data; "
                "fold in their ratings (model.fold_in) to recommend to them"
            )
        return row

    def side(self, users: Sequence[object]) -> tuple[Side, np.ndarray]:
        """Factors and biases of several people, and which of them are known (bool)."""
        ids = [None if isinstance(user, Person) else as_id(user) for user in users]
        folded = np.array([one is None for one in ids], dtype=bool)
        rows = self.users.rows(one if one is not None else "" for one in ids)
        rows[folded] = -1
        known = rows >= 0
        known[known] = self.seen.counts[rows[known]] > 0
        average = self.average
        factors = np.where(known[:, None], self.user_side.factors[rows], average.factors)
        bias = np.where(known, self.user_side.bias[rows], average.bias)
        for place in np.flatnonzero(folded):
            factors[place], bias[place] = users[place].side.factors[0], users[place].side.bias[0]  # type: ignore[attr-defined]
        return Side(factors, bias), known | folded

    def rated(self, users: Sequence[object]) -> list[np.ndarray]:
        """Rows of the items that each person has rated, ascending."""
        return [self.person(user).items for user in users]

    def fold_in(self, history: Mapping[object, float]) -> Person:
        """The person with this history; see ``FactorModel.fold_in``."""
        ids = [as_id(item) for item in history]
        ratings = np.array([self._rating(item, value) for item, value in history.items()])
        rows = self.items.rows(ids)
        unknown = tuple(one for one, row in zip(ids, rows, strict=True) if row < 0)
        if unknown and len(unknown) == len(ids):
            self.items.row(unknown[0])  # says which and offers the nearest
        order = np.argsort(rows, kind="stable")[len(unknown) :]
        rated = Rows(
            np.array([0, len(order)]), rows[order], ratings[order].astype(np.float32)
        )
        if len(order) == 0:
            return Person("newcomer", rated.indices, rated.values, self.average, "popular")
        side = self.average.copy()
        self.fold.solve(rated, self.mean, self.item_side, side)
        return Person("newcomer", rated.indices, rated.values, side, "folded_in", unknown)

    def _rating(self, item: object, value: object) -> float:
        try:
            rating = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise BadRatings(f"the rating of item {item!r} is {value!r}, not a number") from None
        low, high = self.scale
        if self.kind == "rating" and not low <= rating <= high:
            raise BadRatings(f"the rating of item {item!r} is {rating:g}, outside {self.scale}")
        if not np.isfinite(rating):
            raise BadRatings(f"the rating of item {item!r} is {rating}, not a finite number")
        return rating
