"""Least squares around the implicit part of a user's factors: the fold-in of SVD++."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.blas import row_products
from matinee.kernels.rows import row_sums
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.least_squares import LeastSquares


@dataclass(frozen=True)
class AroundImplicit(LeastSquares):
    """Least squares around the implicit part of a user's factors: that of SVD++ (Koren 2008).

        factors = p + s,   s = sum_j z_j / sqrt(n),   p the least-squares solution for t_j - s . q_j

    z_j are the items' implicit factors.
    """

    def solve(
        self,
        rated: Rows,
        mean: float,
        items: Embeddings,
        users: Embeddings,
        toward: Embeddings | None = None,
    ) -> None:
        S = implicit_part(rated, items)
        row_of = np.repeat(np.arange(len(S)), rated.counts)
        expected = np.einsum("nf,nf->n", S[row_of], items.factors[rated.indices])
        super().solve(rated._replace(values=rated.values - expected), mean, items, users, toward)
        users.factors[rated.counts > 0] += S[rated.counts > 0]

    def without_each(self, rated: Rows, items: Embeddings) -> np.ndarray | None:
        return None  # one item less changes the implicit part, and so all targets

    def parts(
        self,
        rated: Rows,
        items: Embeddings,
        targets: np.ndarray,
        person: Embeddings,
        products: np.ndarray | None = None,
    ) -> np.ndarray:
        n, columns = len(rated.indices), rated.indices
        ones = rated._replace(values=np.ones(n))
        weights = super().parts(ones, items, targets, person, products)
        explained = row_products(weights, items.factors[columns].T)
        beyond = items.factors[targets] - explained  # what s adds directly
        Z = cast(np.ndarray, items.implicit)[columns]
        result: np.ndarray = weights * rated.values + row_products(beyond, Z) / np.sqrt(n)
        return result


def implicit_part(rated: Rows, items: Embeddings) -> np.ndarray:
    """s = sum_j z_j / sqrt(n) over each row's items: (n_rows, n_factors) float32, 0 without any."""
    root = np.sqrt(np.maximum(rated.counts, 1)).astype(np.float32)
    result: np.ndarray = row_sums(rated, cast(np.ndarray, items.implicit)) / root[:, None]
    return result
