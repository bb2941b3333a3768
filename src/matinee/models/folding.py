"""What models with sides share: who stands in for strangers, and how newcomers are folded in."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matinee.explanation import Term
from matinee.models.fold_in import FoldIn, LeastSquares
from matinee.models.model import Model
from matinee.models.people import Person
from matinee.models.side import Side
from matinee.ratings import Rows


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class FoldingModel(Model):
    """A model of a mean and two sides, with the row solve that folds people in."""

    global_mean: float
    user_side: Side
    item_side: Side
    fold: FoldIn

    @cached_property
    def average_user(self) -> Side:
        """The average trained user, who stands in for whoever is unknown."""
        return self.user_side.mean(self.seen.counts > 0)

    def solve(self, items: np.ndarray, ratings: np.ndarray) -> Side:
        return self.solve_many(Rows(np.array([0, len(items)]), items, ratings))

    def solve_many(self, rated: Rows) -> Side:
        sides = self.average_user.take(np.zeros(len(rated.counts), dtype=int))
        if len(rated.indices):
            self.fold.solve(rated, self.global_mean, self.item_side, sides)
        return sides

    def solve_without_each(self, items: np.ndarray, ratings: np.ndarray) -> Side:
        found = None
        if isinstance(self.fold, LeastSquares):
            t = ratings.astype(np.float64) - self.global_mean - self.item_side.bias[items]
            found = self.fold.without_each(items, t, self.item_side)
        if found is None:
            return super().solve_without_each(items, ratings)
        sides = self.average_user.take(np.zeros(len(items), dtype=int))
        sides.factors[:] = found[:, : sides.n_factors]
        if found.shape[1] > sides.n_factors:
            sides.bias[:] = found[:, -1]
        return sides

    def side_of(self, user: int) -> Side:
        return self.user_side.row(user)

    def rating_terms(self, person: Person, parts: Sequence[float] | np.ndarray) -> list[Term]:
        """What each rating of a person's history adds, as terms."""
        told = "you gave {:g}" if self.kind == "rating" else "you chose it"
        titles = [self.catalog.label(one) for one in self.items.ids[person.items]]
        return [
            Term(title, float(part), "rating", told.format(stars))
            for title, part, stars in zip(titles, parts, person.ratings, strict=True)
        ]
