"""Least squares on choices: the fold-in of implicit ALS and BPR."""

from dataclasses import dataclass, replace

import numpy as np

from matinee.kernels.conjugate_gradients import improve_rows
from matinee.kernels.jit import read_only
from matinee.kernels.least_squares import penalty_of, solve_rows
from matinee.kernels.threads import run_rows
from matinee.models.fold_in.sums import gram, rotated
from matinee.models.side import Side
from matinee.ratings import Rows
from matinee.tastes.canonical import Freedom

ROW_COST = 20.0  # of steps of conjugate gradients, beside that of the ratings


@dataclass(frozen=True)
class ImplicitLeastSquares:
    """Least squares on what was chosen, and more weakly on all that was not.

        min over p   sum_j w_j (target - p . q_j)^2 + unobserved sum over all items (p . q_i)^2
                     + reg (n + unobserved n_items)^reg_power |p|^2,       w_j = 1 + by_rating r_j

    Every rating is a positive, whatever its value (Hu, Koren & Volinsky 2008; with the penalty of
    Rendle et al. 2021). The sum over all items is one matrix, unobserved Q'Q, for all rows: in the
    basis of its eigenvectors it is a diagonal, and joins the penalty. ``n_steps`` of conjugate
    gradients from the row as it is stand in for the exact solution while training; 0 means exact.
    """

    reg: float
    unobserved: float
    reg_power: float = 1.0
    by_rating: float = 0.0
    target: float = 1.0
    n_steps: int = 0

    @property
    def freedom(self) -> Freedom:
        return "turn"

    def solve(
        self, rated: Rows, mean: float, items: Side, users: Side, toward: Side | None = None
    ) -> None:
        """As every fold-in; the penalty is on how far a row is from its row of ``toward``."""
        d, n_items = items.n_factors, len(items.factors)
        common, basis = np.linalg.eigh(self.unobserved * gram(items.factors))
        common, rotation = np.maximum(common, 0.0), basis.astype(np.float32)
        all_cells = self.unobserved * n_items
        penalty = penalty_of(
            np.full(d, self.reg), np.full(d, self.reg_power), all_cells, diagonal=common
        )
        pull = np.empty((0, 0))
        if toward is not None:
            drawn = rotated(toward.factors, rotation)
            pull = self.penalties(rated, n_items)[:, None] * drawn
        pull = read_only(pull, np.float32)
        indptr, indices = read_only(rated.indptr, np.int64), read_only(rated.indices, np.int32)
        weights = self._weights(rated.values) if self.by_rating else np.empty(0)
        weights = read_only(weights, np.float32)
        Y = read_only(rotated(items.factors, rotation), np.float32)
        if self.n_steps:
            X = rotated(users.factors, rotation)
            cost = rated.counts * (1.0 + self.n_steps) + ROW_COST
            run_rows(improve_rows, cost, indptr, indices, weights, np.float32(self.target), Y,
                     penalty, pull, common / all_cells, self.n_steps, X)  # fmt: skip
        else:
            X = np.zeros_like(users.factors)
            cost = rated.counts * d + d**2 / 3
            values = read_only(np.full(len(indices), self.target), np.float32)
            offset = read_only(np.zeros(n_items), np.float32)
            run_rows(solve_rows, cost, indptr, indices, values, weights, offset, Y, penalty,
                     pull, np.full(d, -np.inf), 0, X)  # fmt: skip
        chosen = (rated.counts > 0)[:, None]
        np.copyto(users.factors, rotated(X, rotation.T), where=chosen)

    def parts(
        self, rated: np.ndarray, t: np.ndarray, items: Side, target: int, person: Side
    ) -> np.ndarray:
        Y, y = items.factors[rated].astype(np.float64), items.factors[target].astype(np.float64)
        n_items = len(items.factors)
        w = self._weights(t + items.bias[rated])
        A = Y.T @ (w[:, None] * Y) + self.unobserved * gram(items.factors)
        A += np.eye(len(y)) * self.reg * (len(rated) + self.unobserved * n_items) ** self.reg_power
        result: np.ndarray = self.target * w * (Y @ np.linalg.solve(A, y))
        return result

    def penalties(self, rated: Rows, n_items: int) -> np.ndarray:
        """The penalty on |p|^2 of each row: (n_rows,)."""
        n = rated.counts + self.unobserved * n_items
        return np.asarray(self.reg * n**self.reg_power)

    def exactly(self) -> "ImplicitLeastSquares":
        """The same solve without a shortcut: what folds in, and ends a fit."""
        return replace(self, n_steps=0)

    def _weights(self, ratings: np.ndarray) -> np.ndarray:
        return 1.0 + self.by_rating * ratings.astype(np.float64)
