"""Non-negative least squares on a row of zeros where nothing was rated."""

from dataclasses import dataclass

import numpy as np

from matinee.data.ratings import Rows
from matinee.kernels.blas import gram
from matinee.row_solvers.embeddings import Embeddings
from matinee.tastes.canonical import Freedom


@dataclass(frozen=True)
class ZeroFilled:
    """Non-negative least squares on a row whose absent ratings are zeros.

        min over p >= 0   sum over all items (r_j - p . q_j)^2,      r_j = 0 where not rated

    Lawson & Hanson 1974, by scipy, on the triangular factor of sum_j q_j q_j'.
    """

    ordered: bool = False  # whether the factors have an order that is to stay, as from an SVD

    @property
    def freedom(self) -> Freedom:
        return "none" if self.ordered else "order"

    def solve(self, rated: Rows, mean: float, items: Embeddings, users: Embeddings) -> None:
        from scipy.linalg import solve_triangular
        from scipy.optimize import nnls

        factor = np.linalg.cholesky(self._gram(items))
        for row in np.flatnonzero(rated.counts).tolist():
            columns, values = rated.row(row)
            b = values.astype(np.float64) @ items.factors[columns]
            users.factors[row] = nnls(factor.T, solve_triangular(factor, b, lower=True))[0]

    def parts(
        self, rated: np.ndarray, t: np.ndarray, items: Embeddings, target: int, person: Embeddings
    ) -> np.ndarray:
        free = person.factors[0] > 0  # a factor held at zero takes no part
        Q, q = items.factors[rated].astype(np.float64), items.factors[target].astype(np.float64)
        A = self._gram(items)[np.ix_(free, free)]
        result: np.ndarray = t * (Q[:, free] @ np.linalg.solve(A, q[free]))
        return result

    @staticmethod
    def _gram(items: Embeddings) -> np.ndarray:
        G = gram(items.factors)
        return np.asarray(G + np.eye(len(G)) * (1e-9 * np.trace(G) + 1e-12))
