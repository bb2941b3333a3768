"""Non-negative least squares on a row of zeros where nothing was rated."""

from dataclasses import dataclass

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.blas import row_products, solve_each
from matinee.row_solvers.base import summed_products
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
    def summed(self) -> str | None:
        return "factors"

    @property
    def freedom(self) -> Freedom:
        return "none" if self.ordered else "order"

    def solve(self, rated: Rows, mean: float, items: Embeddings, users: Embeddings) -> None:
        from scipy.linalg import solve_triangular
        from scipy.optimize import nnls

        factor = np.linalg.cholesky(self._matrix(items))
        for row in np.flatnonzero(rated.counts).tolist():
            columns, values = rated.row(row)
            b = values.astype(np.float64) @ items.factors[columns]
            users.factors[row] = nnls(factor.T, solve_triangular(factor, b, lower=True))[0]

    def parts(
        self,
        rated: Rows,
        items: Embeddings,
        targets: np.ndarray,
        person: Embeddings,
        products: np.ndarray | None = None,
    ) -> np.ndarray:
        free = person.factors[0] > 0  # a factor held at zero takes no part
        sides = (items.factors[rows].astype(np.float64) for rows in (rated.indices, targets))
        Q, q = (side[:, free] for side in sides)
        A = self._matrix(items, products)[np.ix_(free, free)]
        result: np.ndarray = rated.values * row_products(solve_each(A, q), Q)
        return result

    def _matrix(self, items: Embeddings, products: np.ndarray | None = None) -> np.ndarray:
        """Q'Q and a trace of the identity, so that it is never singular: (k, k)."""
        G = summed_products(self, items) if products is None else products
        assert G is not None
        return np.asarray(G + np.eye(len(G)) * (1e-9 * np.trace(G) + 1e-12))
