"""Projection on singular vectors: the fold-in of a truncated SVD."""

from dataclasses import dataclass

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.blas import row_products
from matinee.row_solvers.embeddings import Embeddings
from matinee.tastes.canonical import Freedom


@dataclass(frozen=True)
class Projection:
    """Projection of a filled row on singular vectors: the fold-in of a truncated SVD.

        m   = sum_j t_j / D,   t_j = r_j - mean - c_j,   D = n (observed), n_items (all), or no m
        p   = (Q'Q)^-1 sum_j x_j q_j,   x_j = t_j - m where rated;  -m or 0 where not

    Factors are Q = V S^1/2 T, P = U S^1/2 T for an orthogonal T.
    ``row_mean`` names D; ``dense`` says that the mean is taken from unrated cells as well.
    """

    row_mean: str  # "none", "observed" or "all"
    dense: bool
    damping: float = 0.0  # ratings of value 0 added to D

    @property
    def summed(self) -> None:
        return None

    @property
    def freedom(self) -> Freedom:
        return "rotation"

    def solve(self, rated: Rows, mean: float, items: Embeddings, users: Embeddings) -> None:
        scaled = self._scaled(items)
        for row in np.flatnonzero(rated.counts).tolist():
            columns, values = rated.row(row)
            t = values - mean - items.bias[columns].astype(np.float64)
            m = t.sum() / self._divisor(len(columns), items)
            users.bias[row] = m
            users.factors[row] = t @ scaled[columns] - m * self._centred(columns, scaled)

    def parts(
        self,
        rated: Rows,
        items: Embeddings,
        targets: np.ndarray,
        person: Embeddings,
        products: np.ndarray | None = None,
    ) -> np.ndarray:
        columns, scaled = rated.indices, self._scaled(items)
        q = items.factors[targets].astype(np.float64)
        of_mean = 1.0 - row_products(q, self._centred(columns, scaled)[None])
        by_mean = of_mean / self._divisor(len(columns), items)
        result: np.ndarray = rated.values * (row_products(q, scaled[columns]) + by_mean)
        return result

    def _divisor(self, n: int, items: Embeddings) -> float:
        count = {"none": np.inf, "observed": n, "all": len(items.bias)}[self.row_mean]
        return float(count + self.damping)

    def _centred(self, rated: np.ndarray, scaled: np.ndarray) -> np.ndarray:
        """Sum of the projected item rows of the cells that the row mean is taken from."""
        return np.asarray((scaled if self.dense else scaled[rated]).sum(axis=0))

    @staticmethod
    def _scaled(items: Embeddings) -> np.ndarray:
        Q = items.factors.astype(np.float64)
        scaled: np.ndarray = Q @ np.linalg.pinv(Q.T @ Q, hermitian=True)
        return scaled
