"""Sums over histories and over all items, in a fixed order."""

from functools import partial

import numpy as np

from matinee.data.ratings import Rows
from matinee.kernels.factors import add_rows
from matinee.kernels.jit import read_only
from matinee.kernels.threads import one_blas_thread, run_all, run_rows

PIECE = 8192  # rows taken together; sums over pieces keep their order, whoever has which piece
WAVE = 32  # pieces at work at once
ROWS_AT_ONCE = 1 << 16  # rows whose sums are held in float64


def sums(rated: Rows, Z: np.ndarray) -> np.ndarray:
    """sum_j z_j over each row's columns j: (n_rows, k) float32 for Z (n_cols, k)."""
    n, k = len(rated.indptr) - 1, Z.shape[1]
    S = np.zeros((n, k), np.float32)
    for first in range(0, n, ROWS_AT_ONCE):
        here = slice(first, first + ROWS_AT_ONCE)
        total = np.zeros((len(S[here]), k))
        add_sums(total, rated._replace(indptr=rated.indptr[first : here.stop + 1]), Z)
        S[here] = total
    return S


def add_sums(S: np.ndarray, rated: Rows, Z: np.ndarray) -> None:
    """S += sum_j z_j over each row's columns j, S (n_rows, k) float64."""
    inputs = (
        read_only(rated.indptr, np.int64),
        read_only(rated.indices, np.int32),
        read_only(Z, np.float32),
    )
    run_rows(add_rows, rated.counts + 1.0, *inputs, S)


def gram(Y: np.ndarray) -> np.ndarray:
    """Y' Y in float64, (d, d) for Y (n, d)."""
    total = np.zeros((Y.shape[1], Y.shape[1]))
    add_gram(total, Y)
    return total


def add_gram(total: np.ndarray, Y: np.ndarray) -> None:
    """total += Y' Y, piece after piece: the same bits at any number of threads, and in parts.

    Parts of a larger Y begin at whole pieces.
    """
    products = np.zeros((WAVE, *total.shape))

    def multiply(first: int, place: int) -> None:
        piece = Y[first : first + PIECE].astype(np.float64)
        np.matmul(piece.T, piece, out=products[place])

    firsts = range(0, len(Y), PIECE)
    for wave in range(0, len(firsts), WAVE):
        here = firsts[wave : wave + WAVE]
        with one_blas_thread():
            run_all([partial(multiply, first, place) for place, first in enumerate(here)])
        for product in products[: len(here)]:
            total += product


def regressed(S: np.ndarray, A: np.ndarray) -> np.ndarray:
    """A^-1 s for each row s of S (n, d): float32, pieces of rows side by side."""
    out, inverse = np.empty(S.shape, np.float32), np.linalg.inv(A)

    def multiply(first: int) -> None:
        here = slice(first, first + PIECE)
        out[here] = S[here].astype(np.float64) @ inverse

    with one_blas_thread():
        run_all([partial(multiply, first) for first in range(0, len(S), PIECE)])
    return out


def rotated(Y: np.ndarray, rotation: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Y (n, d) times a matrix (d, d), in float32, pieces of rows side by side.

    ``out`` may be Y itself.
    """
    out = np.empty_like(Y) if out is None else out

    def rotate(first: int) -> None:
        out[first : first + PIECE] = Y[first : first + PIECE] @ rotation

    with one_blas_thread():
        run_all([partial(rotate, first) for first in range(0, len(Y), PIECE)])
    return out
