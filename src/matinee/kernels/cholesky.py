"""Sums of products and the Cholesky solve, on matrices padded to whole vectors (see ``tiles``)."""

from typing import NamedTuple

import numpy as np

from matinee.kernels import tiles
from matinee.kernels.jit import inlined, kernel
from matinee.kernels.vectors import LANES, ROWS

BLOCK = 64  # ratings summed in float32 before they are added to the float64 totals


def padded_width(d: int) -> int:
    """The width of matrices of d unknowns: whole tiles, and one more beside ``bottom_of(d)``."""
    return (d + ROWS - 1) // ROWS * ROWS + ROWS


class Work(NamedTuple):
    """Where one row after another is solved; d is the true size, and the rest is padding."""

    A: np.ndarray  # (width, width): the normal matrix, its upper triangle; then U, A = U' U
    b: np.ndarray  # (d,)
    x: np.ndarray  # (width,): the solution
    inverse: np.ndarray  # (width,): one over the diagonal of U
    panel: np.ndarray  # (BLOCK, width) float32
    targets: np.ndarray  # (BLOCK,) float32
    sums: np.ndarray  # (d,) float32
    nothing: np.ndarray  # (width, width) of zeros
    diagonal: np.ndarray  # (d,): the penalties of the row

    @classmethod
    def of(cls, d: int) -> "Work":
        """Room to solve rows of d unknowns: the driver of a kernel makes it for each call."""
        width = padded_width(d)
        return cls(
            A=np.zeros((width, width)),
            b=np.zeros(d),
            x=np.zeros(width),
            inverse=np.ones(width),
            panel=np.zeros((BLOCK, width), np.float32),
            targets=np.zeros(BLOCK, np.float32),
            sums=np.zeros(d, np.float32),
            nothing=np.zeros((width, width)),
            diagonal=np.zeros(d),
        )


@kernel
def bottom_of(d):
    """d rounded up to whole tiles. Column bottom_of(d) of A has room for one right-hand side."""
    return (d + ROWS - 1) // ROWS * ROWS


@kernel
def add_products(panel, n, d, S, A, part, parts):
    """A = S + the sum of p p' over the first n rows p of the panel, in the upper triangle.

    Of its rows of tiles every ``parts``-th is summed, from ``part`` on.
    """
    width = (d + LANES - 1) // LANES * LANES
    for f in range(part * ROWS, d, parts * ROWS):
        g = f // LANES * LANES
        while g < width:
            vectors = (width - g) // LANES
            if vectors == 3 or vectors > 4:
                tiles.add_3(panel, n, f, g, S, A)
                g += 3 * LANES
            elif vectors > 1:
                tiles.add_2(panel, n, f, g, S, A)
                g += 2 * LANES
            else:
                tiles.add_1(panel, n, f, g, S, A)
                g += LANES


@kernel
def cholesky(A, d, b, inverse, y):
    """Turn A, its upper triangle, into U with A = U' U, and solve U' y = b on the way.

    b (d,) stands beside A as one more column. ``inverse`` gets one over the diagonal of U.
    """
    bottom = bottom_of(d)
    width = bottom + ROWS
    for f in range(bottom):
        for g in range(bottom, width):  # stale lanes could sink to denormal numbers: slow
            A[f, g] = 0.0
        if f < d:
            A[f, bottom] = b[f]
        else:
            A[f, f] = 1.0
    for f in range(0, d, ROWS):
        g = f
        while f > 0 and g < width:
            vectors = (width - g) // ROWS
            if vectors == 3 or vectors > 4:
                tiles.subtract_3(A, f, f, g, A, A)
                g += 3 * ROWS
            elif vectors > 1:
                tiles.subtract_2(A, f, f, g, A, A)
                g += 2 * ROWS
            else:
                tiles.subtract_1(A, f, f, g, A, A)
                g += ROWS
        tiles.factor_tile(A, f, inverse)
        for g in range(f + ROWS, width, ROWS):
            tiles.solve_tile(A, f, g, inverse)
    for f in range(bottom):
        y[f] = A[f, bottom]


@kernel
def solve_upper(U, d, inverse, x):
    """Solve U x = y in place, with what ``cholesky`` left; x is padded."""
    bottom = bottom_of(d)
    for f in range(bottom - ROWS, -1, -ROWS):
        tiles.solve_upper_tile(U, f, bottom, inverse, x)


@inlined
def cholesky_solve(work):
    """Leave the solution of A x = b in x; A becomes U."""
    cholesky(work.A, work.b.size, work.b, work.inverse, work.x)
    solve_upper(work.A, work.b.size, work.inverse, work.x)
