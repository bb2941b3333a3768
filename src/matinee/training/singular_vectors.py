"""The leading singular vectors of a matrix that is never formed."""

from typing import TYPE_CHECKING

import numpy as np

from matinee.kernels.blas import one_blas_thread

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator

OVERSAMPLING = 20  # vectors of the subspace beyond those that are wanted
PASSES = 4  # over the matrix, each of which raises the leading vectors above the others


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
    return _with_signs(U[:, order], s[order], Vt[order].T)


def nearly_leading_vectors(A: "csr_array", n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U (n_rows, n), s (n,) and V (n_cols, n), nearly those of ``leading_vectors``.

    By a few passes of subspace iteration (Halko et al. 2011). Vectors whose singular values are
    close to each other are mixed: it takes hundreds of passes to tell them apart.
    """
    transposed = A.T.tocsr()
    size = min(n + OVERSAMPLING, *A.shape)
    V = np.random.default_rng(0).normal(size=(A.shape[1], size))
    with one_blas_thread():
        for _ in range(PASSES):
            V = np.linalg.qr(transposed @ (A @ V))[0]
        U, s, Wt = np.linalg.svd(A @ V, full_matrices=False)
        return _with_signs(U[:, :n], s[:n], V @ Wt[:n].T)


def _with_signs(
    U: np.ndarray, s: np.ndarray, V: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The vectors with the largest entry of each column of V made positive."""
    sign = np.sign(V[np.abs(V).argmax(axis=0), np.arange(len(s))])
    return U * sign, s, V * sign
