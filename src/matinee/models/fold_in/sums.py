"""Sums over histories and over all items, in a fixed order."""

from functools import partial

import numpy as np

from matinee.kernels.factors import sum_rows
from matinee.kernels.jit import read_only
from matinee.kernels.threads import one_blas_thread, run_all, run_rows
from matinee.ratings import Rows

GRAM_PARTS, GRAM_PIECE = 64, 8192  # most parts of a Gram matrix; rows taken to float64 at once


def sums(rated: Rows, Z: np.ndarray) -> np.ndarray:
    """sum_j z_j over each row's columns j: (n_rows, k) float32 for Z (n_cols, k)."""
    S = np.zeros((len(rated.counts), Z.shape[1]), np.float32)
    inputs = (
        read_only(rated.indptr, np.int64),
        read_only(rated.indices, np.int32),
        read_only(Z, np.float32),
    )
    run_rows(sum_rows, rated.counts + 1.0, *inputs, S)
    return S


def gram(Y: np.ndarray) -> np.ndarray:
    """Y' Y in float64, (d, d) for Y (n, d).

    Parts whose number depends on n alone are summed side by side, a piece in float64 at a time, so
    the bits are the same at any number of threads.
    """
    n, d = Y.shape
    ends = np.linspace(0, n, min(GRAM_PARTS, n // GRAM_PIECE + 1) + 1).astype(int)
    sums = np.zeros((len(ends) - 1, d, d))

    def add(part: int) -> None:
        for first in range(ends[part], ends[part + 1], GRAM_PIECE):
            piece = Y[first : min(first + GRAM_PIECE, ends[part + 1])].astype(np.float64)
            sums[part] += piece.T @ piece

    with one_blas_thread():
        run_all([partial(add, part) for part in range(len(sums))])
    total: np.ndarray = sums.sum(axis=0)
    return total


def rotated(Y: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Y (n, d) times a matrix (d, d), in float32, pieces of rows side by side."""
    out = np.empty_like(Y)

    def rotate(first: int) -> None:
        out[first : first + GRAM_PIECE] = Y[first : first + GRAM_PIECE] @ rotation

    with one_blas_thread():
        run_all([partial(rotate, first) for first in range(0, len(Y), GRAM_PIECE)])
    return out
