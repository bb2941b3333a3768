"""Dense products with the same bits at any number of threads.

BLAS may add in another order when it has more threads, so it is held to one. Tall matrices are cut
into pieces of rows instead, which our threads take side by side.
"""

from contextlib import AbstractContextManager
from functools import cache, partial
from threading import Lock
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from matinee.kernels.threads import run_all

PIECE = 8192  # rows multiplied at once; sums over pieces keep their order, whichever thread has one
WAVE = 32  # pieces at work at once


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


class _OneThread:
    """Holds BLAS to one thread while any caller is inside; the last to leave releases it."""

    def __init__(self) -> None:
        self.lock, self.inside = Lock(), 0
        self.limit: Any = None

    def __enter__(self) -> None:
        with self.lock:
            if self.inside == 0:
                self.limit = _blas().limit(limits=1, user_api="blas")
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.limit.restore_original_limits()


_one_thread = _OneThread()


def one_blas_thread() -> AbstractContextManager[None]:
    """Hold BLAS to one thread, whose sums have one order; ours share the cores already.

    It may be entered again inside itself, and by several threads at once.
    """
    return _one_thread


def hold_blas() -> None:
    """Hold BLAS to one thread for the rest of the process.

    For a server, where entering ``one_blas_thread`` for each product would cost more.
    """
    _one_thread.__enter__()


def gram(Y: np.ndarray) -> np.ndarray:
    """Y'Y in float64, (d, d) for Y (n, d)."""
    total = np.zeros((Y.shape[1], Y.shape[1]))
    add_gram(total, Y)
    return total


def add_gram(total: np.ndarray, Y: np.ndarray) -> None:
    """total += Y'Y, piece by piece, for total (d, d) float64 and Y (n, d).

    The bits are those of a longer Y that is added in parts, as long as each part but the last is a
    whole number of pieces.
    """
    products = np.zeros((WAVE, *total.shape))

    def multiply(first: int, place: int) -> None:
        piece = Y[first : first + PIECE].astype(np.float64)
        np.matmul(piece.T, piece, out=products[place])

    firsts = range(0, len(Y), PIECE)
    for wave in range(0, len(firsts), WAVE):
        wave_firsts = firsts[wave : wave + WAVE]
        with one_blas_thread():
            run_all([partial(multiply, first, place) for place, first in enumerate(wave_firsts)])
        for product in products[: len(wave_firsts)]:
            total += product


def solve_shared(A: np.ndarray, S: np.ndarray) -> np.ndarray:
    """A^-1 s for each row s of S (n, d), with one symmetric A (d, d) for all: (n, d) float32.

    Raises LinAlgError for a singular A.
    """
    out, inverse = np.empty(S.shape, np.float32), np.linalg.inv(A)

    def multiply(first: int) -> None:
        piece = slice(first, first + PIECE)
        out[piece] = S[piece].astype(np.float64) @ inverse

    with one_blas_thread():
        run_all([partial(multiply, first) for first in range(0, len(S), PIECE)])
    return out


def solve_each(A: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """A^-1 y for each row y of Y (n, d): (n, d), the bits of a row as if it were alone.

    A is inverted once. Raises LinAlgError for a singular A (d, d).
    """
    with one_blas_thread():
        return row_products(Y, np.linalg.inv(A))


def row_products(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """X Y' (n, m) of X (n, d) and Y (m, d), the bits of a row as if it were alone."""
    return np.asarray(np.matmul(Y, X[:, :, None])[:, :, 0])


def rotated(
    Y: np.ndarray,
    rotation: np.ndarray,
    out: np.ndarray | None = None,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Y (n, d) times ``rotation`` (d, d): (n, d) float32.

    ``out`` may be Y itself. Where ``rows`` are marked, bool (n,), the others of ``out`` stay.
    """
    out = np.empty_like(Y) if out is None else out

    def rotate(first: int) -> None:
        piece = slice(first, first + PIECE)
        where = True if rows is None else rows[piece, None]
        np.copyto(out[piece], Y[piece] @ rotation, where=where)

    with one_blas_thread():
        run_all([partial(rotate, first) for first in range(0, len(Y), PIECE)])
    return out
