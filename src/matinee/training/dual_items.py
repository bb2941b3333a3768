"""Items with so few ratings that the row solve takes as many unknowns as they have ratings.

They are solved of their users' factors directly, as in memory. Their ratings are few, and kept.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from matinee.data.packed import PackedRatings
from matinee.data.ratings import Rows, indptr_of
from matinee.kernels.blas import PIECE
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.implicit_least_squares import short_rows, turned_back
from matinee.row_solvers.solving import solve_every
from matinee.training.alternating import Alternation


@dataclass(frozen=True, eq=False)
class ShortItems:
    """The short items, and which are none."""

    plan: Alternation
    ratings: PackedRatings
    is_short: np.ndarray  # (n_items,) bool

    @classmethod
    def of(cls, plan: Alternation, ratings: PackedRatings) -> "ShortItems":
        """Those of some ratings, where the plan's solve makes a difference."""
        counts = ratings.item_counts
        short = np.zeros(len(counts), dtype=bool)
        if plan.fit_items.shortens:
            d = plan.fit_items.width(plan.n_factors)
            short = short_rows(counts, d) & (counts > 0)
        return cls(plan, ratings, short)

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self.is_short.any())

    @property
    def others(self) -> np.ndarray:
        """The rows of the items that have ratings and are not short."""
        return np.flatnonzero(~self.is_short & (self.ratings.item_counts > 0))

    @cached_property
    def rated(self) -> Rows:
        """The ratings of the short items by item: row numbers of users, ascending."""
        user, item, value = [], [], []
        for first, stop in self.ratings.blocks():
            rated = self.ratings.by_user.block(first, stop)
            kept = self.is_short[rated.indices]
            users = np.repeat(np.arange(first, stop, dtype=np.int32), rated.counts)
            user.append(users[kept])
            item.append(rated.indices[kept])
            value.append(rated.values[kept])
        columns = np.concatenate(item)
        order = np.argsort(columns, kind="stable")
        indptr = indptr_of(columns, len(self.is_short))
        return Rows(indptr, np.concatenate(user)[order], np.concatenate(value)[order])

    def solve(
        self, mean: float, users: Embeddings, products: np.ndarray, items: Embeddings
    ) -> None:
        """Solve the short items of all users' factors, whose products P'P are given."""
        fit, k = self.plan.fit_items, self.plan.n_factors
        needed, places = np.unique(self.rated.indices, return_inverse=True)
        rated = self.rated._replace(indices=places.astype(np.int32))
        penalty, rotation = fit.short_penalty(k, len(users.bias), products)
        factors = _taken(users.factors, needed, rotation)
        terms = fit.terms(rated, mean, Embeddings(factors, users.bias[needed]))
        X = fit.rows_of(items)
        solve_every(rated, terms, penalty, fit.pull(None), fit.lower(k), 0, (terms.Y, penalty), X)
        if rotation is not None:
            turned_back(X, rated.counts, rotation)
        whole = fit.rows_of(items)
        whole[self.is_short] = X[self.is_short]
        fit.put(whole, items)


def _taken(factors: np.ndarray, rows: np.ndarray, rotation: np.ndarray | None) -> np.ndarray:
    """Some rows of factors, rotated piece by piece as ``rotated`` does all of them."""
    if rotation is None:
        return np.asarray(factors[rows])
    ends = np.searchsorted(rows, np.arange(0, len(factors) + PIECE, PIECE))
    out = np.empty((len(rows), factors.shape[1]), np.float32)
    for piece, (a, b) in enumerate(pairwise(ends.tolist())):
        if a < b:
            first = piece * PIECE
            out[a:b] = (factors[first : first + PIECE] @ rotation)[rows[a:b] - first]
    return out
