"""The inverse of a large symmetric matrix, in place."""

from functools import partial

import numpy as np

from matinee.display.text import counted
from matinee.kernels.blas import one_blas_thread
from matinee.kernels.devices import Device, accelerator, check_memory
from matinee.kernels.threads import run_all

BLOCK = 256  # rows and columns eliminated at once


def invert(A: np.ndarray) -> None:
    """Replace a symmetric positive definite matrix by its inverse; n^3 operations, like LAPACK's.

    Sweeps (Beaton 1964) over blocks of columns K, in the lower triangle alone:

        A_ij <- A_ij - A_iK A_KK^-1 A_Kj,   A_iK <- A_iK A_KK^-1,   A_KK <- -A_KK^-1

    Every product is computed whole by one thread, so there are the same bits on any number of them.
    Another device, where one is chosen, does it by Cholesky.
    """
    if (device := accelerator()) is not None:
        _invert_on(device, A)
        return
    starts = range(0, len(A), BLOCK)

    def sweep(rows: slice, column: np.ndarray, pivot: np.ndarray, scaled: np.ndarray) -> None:
        scaled[rows] = column[rows] @ pivot
        A[rows, : rows.stop] -= scaled[rows] @ column[: rows.stop].T

    def reflect(rows: slice) -> None:
        A[rows, : rows.stop] *= -1.0
        A[: rows.start, rows] = A[rows, : rows.start].T
        A[rows, rows] = np.tril(A[rows, rows]) + np.tril(A[rows, rows], -1).T

    blocks = [slice(first, min(first + BLOCK, len(A))) for first in starts]
    with one_blas_thread():
        for K in blocks:
            column = np.concatenate([A[K, : K.start].T, A[K.start :, K]])
            corner = np.tril(A[K, K])
            column[K] = corner + np.tril(corner, -1).T
            pivot = np.linalg.inv(column[K])
            pivot = (pivot + pivot.T) / 2
            scaled = np.empty_like(column)
            run_all([partial(sweep, rows, column, pivot, scaled) for rows in reversed(blocks)])
            A[K, : K.start], A[K.start :, K] = scaled[: K.start].T, scaled[K.start :]
            A[K, K] = -pivot
        run_all([partial(reflect, rows) for rows in blocks])


def inverse_memory(n: int) -> int:
    """Bytes on a device while a matrix (n, n) is inverted: itself, its factor, and the solution."""
    return 5 * 8 * n * n


def _invert_on(device: Device, A: np.ndarray) -> None:
    """``invert`` on a device, by Cholesky."""
    import jax
    from jax.scipy.linalg import cho_solve

    check_memory(
        device, inverse_memory(len(A)), f"the inverse of a matrix of {counted(len(A), 'row')}"
    )
    with jax.enable_x64(True), jax.default_device(device):
        L = jax.numpy.linalg.cholesky(jax.device_put(A, device))
        A[:] = np.asarray(cho_solve((L, True), jax.numpy.eye(len(A))))
