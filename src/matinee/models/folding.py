"""What models with sides share: who stands in for strangers, and how newcomers are folded in."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matinee.data.ratings import Rows
from matinee.explain.explanation import Term
from matinee.models.model import Model
from matinee.models.person import Person
from matinee.row_solvers import FoldIn, LeastSquares
from matinee.row_solvers.embeddings import Embeddings


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class FoldingModel(Model):
    """A model of a mean and two sides, with the row solve that folds people in."""

    global_mean: float
    user_embeddings: Embeddings
    item_embeddings: Embeddings
    fold: FoldIn

    @cached_property
    def average_user(self) -> Embeddings:
        """The average trained user, who stands in for whoever is unknown."""
        return self.user_embeddings.mean(self.seen.counts > 0)

    def solve(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        return self.solve_many(Rows(np.array([0, len(items)]), items, ratings))

    def solve_many(self, rated: Rows) -> Embeddings:
        sides = self.average_user.take(np.zeros(len(rated.counts), dtype=int))
        if len(rated.indices):
            self.fold.solve(rated, self.global_mean, self.item_embeddings, sides)
        return sides

    def solve_without_each(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        found = None
        if isinstance(self.fold, LeastSquares):
            t = ratings.astype(np.float64) - self.global_mean - self.item_embeddings.bias[items]
            found = self.fold.without_each(items, t, self.item_embeddings)
        if found is None:
            return super().solve_without_each(items, ratings)
        sides = self.average_user.take(np.zeros(len(items), dtype=int))
        sides.factors[:] = found[:, : sides.n_factors]
        if found.shape[1] > sides.n_factors:
            sides.bias[:] = found[:, -1]
        return sides

    def embeddings_of(self, user: int) -> Embeddings:
        return self.user_embeddings.row(user)

    def rating_terms(self, person: Person, parts: Sequence[float] | np.ndarray) -> list[Term]:
        """What each rating of a person's history adds, as terms."""
        told = "you gave {:g}" if self.kind == "rating" else "you chose it"
        titles = [self.catalog.label(one) for one in self.items.ids[person.items]]
        return [
            Term(title, float(part), "rating", told.format(stars))
            for title, part, stars in zip(titles, parts, person.ratings, strict=True)
        ]
