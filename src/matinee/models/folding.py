"""Models with embeddings of users and items, which a row solve folds new users into."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matinee.data.rows import Rows
from matinee.explain.term import CHOSE, Label
from matinee.explain.term_table import TermTable
from matinee.models.model import Model
from matinee.row_solvers import FoldIn, LeastSquares, PosteriorMean
from matinee.row_solvers.base import summed_products
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class FoldingModel(Model):
    """A mean, the embeddings of users and items, and the row solve that folds users in."""

    global_mean: float
    user_embeddings: Embeddings
    item_embeddings: Embeddings
    fold: FoldIn

    @property
    def precomputed(self) -> tuple[str, ...]:
        return (*super().precomputed, "average_user")

    @cached_property
    def average_user(self) -> Embeddings:
        """The average trained user, one row, who stands in for unknown users."""
        return self.user_embeddings.mean(self.seen.counts > 0).frozen()

    @cached_property
    def summed_products(self) -> np.ndarray | None:
        """Y'Y (k, k) of what the row solve sums over all items; None where it sums nothing."""
        return summed_products(self.fold, self.item_embeddings)

    @property
    def takes_weights(self) -> bool:
        return isinstance(self.fold, LeastSquares | PosteriorMean)

    def solve(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        return self.solve_many(Rows.single(items, ratings))

    def solve_many(self, rated: Rows) -> Embeddings:
        solved = self.average_user.take(np.zeros(len(rated.counts), dtype=int))
        if len(rated.indices):
            self.fold.solve(rated, self.global_mean, self.item_embeddings, solved)
        return solved

    def solve_without_each(self, rated: Rows) -> Embeddings:
        rows = None
        if isinstance(self.fold, LeastSquares):
            bias = self.item_embeddings.bias[rated.indices]
            t = rated.values.astype(np.float64) - self.global_mean - bias
            rows = self.fold.without_each(rated._replace(values=t), self.item_embeddings)
        if rows is None:
            return super().solve_without_each(rated)
        solved = self.average_user.take(np.zeros(len(rows), dtype=int))
        solved.factors[:] = rows[:, : solved.n_factors]
        if rows.shape[1] > solved.n_factors:
            solved.bias[:] = rows[:, -1]
        return solved

    def embeddings_of(self, user: int) -> Embeddings:
        return self.user_embeddings.row(user)

    def rating_terms(self, person: Person, parts: np.ndarray) -> TermTable:
        """What each rating of a person adds to items, ``parts`` (n_items, n_ratings), as terms."""
        return TermTable(rating_labels(self, person), parts)


def rating_labels(model: Model, person: Person) -> list[Label]:
    """What the term of each rating of a person is called: (n_ratings,)."""
    ids, stars = model.items.ids[person.items].tolist(), person.ratings.tolist()
    chosen, middle = model.kind == "preference", model.scale.middle
    gave_stars = not chosen or person.rates
    details = {given: f"you gave {given:g}" if gave_stars else CHOSE for given in set(stars)}
    return [
        Label(model.catalog.called(one), "rating", details[given], "", chosen, given < middle)
        for one, given in zip(ids, stars, strict=True)
    ]
