"""Items solved in the dual: with so few ratings that these are fewer unknowns than the factors.

They are solved on their users' factors directly, as in memory, since normal equations would not
give the same bits. Their ratings are few, and kept in memory.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from matinee.data.packed import PackedRatings
from matinee.data.rows import Rows, indptr_of
from matinee.kernels.blas import PIECE
from matinee.kernels.least_squares import Regularizer, dual_rows
from matinee.kernels.row_solve import Dual, solve_rows
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.implicit_least_squares import rotate_back
from matinee.training.alternating import Alternation


@dataclass(frozen=True, eq=False)
class DualItems:
    """The items solved in the dual, and which are not."""

    plan: Alternation
    ratings: PackedRatings
    in_dual: np.ndarray  # (n_items,) bool

    @classmethod
    def of(cls, plan: Alternation, ratings: PackedRatings) -> "DualItems":
        """Those of some ratings, where the plan's solve makes a difference."""
        counts = ratings.item_counts
        in_dual = np.zeros(len(counts), dtype=bool)
        if plan.fit_items.has_dual:
            d = plan.fit_items.width(plan.n_factors)
            in_dual = dual_rows(counts, d) & (counts > 0)
        return cls(plan, ratings, in_dual)

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self.in_dual.any())

    @property
    def others(self) -> np.ndarray:
        """The rows of the other items that have ratings: (n,) int64."""
        return np.flatnonzero(~self.in_dual & (self.ratings.item_counts > 0))

    @cached_property
    def rated(self) -> Rows:
        """The ratings of these items by item: row numbers of users, ascending."""
        user, item, value = [], [], []
        for first, stop in self.ratings.blocks():
            rated = self.ratings.by_user.block(first, stop)
            in_dual = self.in_dual[rated.indices]
            users = np.repeat(np.arange(first, stop, dtype=np.int32), rated.counts)
            user.append(users[in_dual])
            item.append(rated.indices[in_dual])
            value.append(rated.values[in_dual])
        columns = np.concatenate(item)
        order = np.argsort(columns, kind="stable")
        indptr = indptr_of(columns, len(self.in_dual))
        return Rows(indptr, np.concatenate(user)[order], np.concatenate(value)[order])

    def solve(
        self, mean: float, users: Embeddings, products: np.ndarray, items: Embeddings
    ) -> None:
        """Solve these items on all users' factors, given ``products``, P'P (k, k)."""
        fit, k = self.plan.fit_items, self.plan.n_factors
        needed, places = np.unique(self.rated.indices, return_inverse=True)
        rated = self.rated._replace(indices=places.astype(np.int32))
        penalty, rotation = fit.dual_penalty(k, len(users.bias), products)
        factors = _taken(users.factors, needed, rotation)
        terms = fit.terms(rated, mean, Embeddings(factors, users.bias[needed]))
        X = fit.rows_of(items)
        solve_rows(
            terms,
            Regularizer.of(penalty, fit.pull(None), fit.lower(k), 0),
            Dual.of(terms.Y, penalty),
            X,
        )
        if rotation is not None:
            rotate_back(X, rated.counts, rotation)
        whole = fit.rows_of(items)
        whole[self.in_dual] = X[self.in_dual]
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
