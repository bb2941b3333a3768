"""Priors of items: what their factors are expected to be before any of their ratings.

An algorithm that alternates between exact row solves leaves its items to a prior. ``NoPrior`` draws
every item toward zero; ``FeaturePrior`` toward what other items with the same features are like:

    q_i ~ N(W' f_i, .)     min ... + sum_i reg_i |q_i - W' f_i|^2 + feature_reg mean(reg) |W|^2

Given W, each item is one row solve, drawn toward its row of F W; given Q, W is a ridge regression
of Q on F (Simm et al. 2017, "Macau", at the mode instead of sampled). The column of W for biases
weighs items by their number of ratings, so that it is right for what people watch. Items without
ratings are W' f_i.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.sparse import csr_array

from matinee.data.rows import Rows
from matinee.models.hybrid import expected
from matinee.row_solvers import ImplicitLeastSquares, LeastSquares
from matinee.row_solvers.embeddings import Embeddings

TOLERANCE = 1e-5  # of a column of W: its residual against that of the start, from zero
MOST_STEPS = 500  # of conjugate gradients
RowSolve = LeastSquares | ImplicitLeastSquares


class ItemPrior(Protocol):
    """How an algorithm solves its items."""

    learns_unrated: bool  # whether items without ratings get factors of their own

    def solve(
        self, fold: RowSolve, rated: Rows, mean: float, users: Embeddings, items: Embeddings
    ) -> None:
        """Write into ``items`` the solution of each row of ``rated``."""


class NoPrior:
    """Items are drawn toward zero, and those without ratings are left."""

    learns_unrated = False

    def solve(
        self, fold: RowSolve, rated: Rows, mean: float, users: Embeddings, items: Embeddings
    ) -> None:
        fold.solve(rated, mean, users, items)


NO_PRIOR: ItemPrior = NoPrior()


@dataclass(eq=False)
class FeaturePrior:
    """Items are drawn toward what their features say; W is learned again after each solve."""

    F: csr_array  # (n_items, n_features)
    reg: float  # in items of average weight that are assumed to have no features' effect
    nonnegative: bool
    W: np.ndarray  # (n_features, n_factors + 1) float32: effects on factors and on the bias
    learns_unrated = True

    def solve(
        self, fold: RowSolve, rated: Rows, mean: float, users: Embeddings, items: Embeddings
    ) -> None:
        fold.solve(rated, mean, users, items, expected(self.F, self.W))
        self.learn(items, rated, fold.penalties(rated, len(users.bias)))

    def learn(self, items: Embeddings, rated: Rows, penalties: np.ndarray) -> None:
        """Fit W to the items with ratings, and set the others to what it says of them.

        ``penalties`` (n_items,) are the weights of the items.
        """
        warm = rated.counts > 0
        Q = np.column_stack([items.factors, items.bias]).astype(np.float64)
        weights = np.repeat((warm * penalties)[:, None], Q.shape[1], axis=1)
        weights[:, -1] = rated.counts
        self.W = ridge(self.F, weights, Q, self.reg, self.W)
        guess = expected(self.F, self.W, self.nonnegative)
        items.factors[~warm], items.bias[~warm] = guess.factors[~warm], guess.bias[~warm]


def ridge(
    F: csr_array, weights: np.ndarray, Q: np.ndarray, reg: float, start: np.ndarray
) -> np.ndarray:
    """argmin over W of  sum_i w_i (q_i - W' f_i)^2 + reg |W|^2, for each column of Q (n_items, d).

    The weights (n_items, d) of a column are scaled to average 1 over the items that have any; the
    first row of W is free of penalty. Conjugate gradients with the diagonal as preconditioner, all
    columns of W side by side, from ``start``: F stays sparse, however many features there are.
    Returns (n_features, d) float32.
    """
    G = F.astype(np.float64)
    penalty = np.full(G.shape[1], float(reg))
    penalty[0] = 0.0
    weights = weights * ((weights > 0).sum(axis=0) / weights.sum(axis=0))

    def times(W: np.ndarray) -> np.ndarray:
        return np.asarray(G.T @ (weights * (G @ W)) + penalty[:, None] * W)

    diagonal = G.multiply(G).T @ weights + penalty[:, None]
    b = G.T @ (weights * Q)
    W = start.astype(np.float64)
    r = b - times(W)
    enough = TOLERANCE**2 * (b * b / diagonal).sum(axis=0)
    z = r / diagonal
    p, rho = z.copy(), (r * z).sum(axis=0)
    for _ in range(MOST_STEPS):
        if (rho <= enough).all():
            break
        Ap = times(p)
        step = rho / np.maximum((p * Ap).sum(axis=0), 1e-300)
        W += step * p
        r -= step * Ap
        z = r / diagonal
        new = (r * z).sum(axis=0)
        p = z + new / np.maximum(rho, 1e-300) * p
        rho = new
    return W.astype(np.float32)
