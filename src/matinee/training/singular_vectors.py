"""The leading singular vectors of a matrix that is never formed."""

from typing import TYPE_CHECKING

import numpy as np

from matinee.kernels.blas import one_blas_thread

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator


def leading_vectors(
    A: "LinearOperator", n: int, squares: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U (n_rows, n), s (n,) and V (n_cols, n) of the n largest singular values, in falling order.

    Each column of V has its largest entry positive. ``squares`` is the sum of squares of A; a
    matrix of zeros has zeros for vectors.
    """
    from scipy.sparse.linalg import svds

    if squares == 0:
        return np.zeros((A.shape[0], n)), np.zeros(n), np.zeros((A.shape[1], n))
    first = np.random.default_rng(0).normal(size=min(A.shape))
    with one_blas_thread():
        U, s, Vt = svds(A, k=n, v0=first)
    order = np.argsort(-s, kind="stable")
    U, s, V = U[:, order], s[order], Vt[order].T
    sign = np.sign(V[np.abs(V).argmax(axis=0), np.arange(n)])
    return U * sign, s, V * sign
