"""Steps of conjugate gradients on a row's least squares: cheap where the factors are many.

    A x = b     A = Y'W Y + D,   b = Y'W t + pull,   D = diag(penalty)

It is the row that ``least_squares`` solves exactly, without offsets. Here A is never formed: a step
reads the row's part of Y once and costs 4 n d, where the exact solution costs n d^2 + d^3 / 3. The
steps start from the row's last solution (Takács, Pilászy & Tikk 2011), and are conditioned by D and
what a row of such weight adds to it on average. Where Y'Y is diagonal, that is nearly all of A: on
MovieLens 1M three steps leave a five hundredth of the distance.
"""

from typing import NamedTuple

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.cholesky import BLOCK
from matinee.kernels.dense_batches import dense_batches, padded
from matinee.kernels.device_steps import VECTORS, batch_steps, steps_memory
from matinee.kernels.devices import Device, accelerator, check_memory
from matinee.kernels.jit import inlined, kernel, read_only
from matinee.kernels.least_squares import Penalty, penalties, penalties_of
from matinee.kernels.threads import run_rows

ROW_COST = 20.0  # of a row, beside the cost of its ratings
NEAR = 1 << 20  # bytes of Y that stay in the cache while a row takes its steps


@kernel
def weight_at(weights, j, last):
    """The weight of rating j, 1 where there are no weights, and 0 from ``last`` on."""
    if j >= last:
        return np.float32(0.0)
    return np.float32(1.0) if weights.size == 0 else weights[j]


@kernel
def target_at(targets, j):
    """The target of rating j, 0 where there are no targets."""
    return np.float32(0.0) if targets.size == 0 else targets[j]


@kernel
def push_errors(Y, rows, weights, targets, x, sums, out):
    """out = Y'W (targets - Y x) over the listed rows of Y, four of them at a time.

    Sums run over blocks in float32 (``sums``) and are gathered in float64 (``out``).
    """
    d, n = Y.shape[1], rows.size
    out[:] = 0.0
    for first in range(0, n, BLOCK):
        last = min(first + BLOCK, n)
        sums[:] = 0.0
        for j in range(first, last, 4):
            j1, j2, j3 = min(j + 1, n - 1), min(j + 2, n - 1), min(j + 3, n - 1)
            r0, r1, r2, r3 = rows[j], rows[j1], rows[j2], rows[j3]
            e0, e1 = target_at(targets, j), target_at(targets, j1)
            e2, e3 = target_at(targets, j2), target_at(targets, j3)
            for f in range(d):
                e0 -= Y[r0, f] * x[f]
                e1 -= Y[r1, f] * x[f]
                e2 -= Y[r2, f] * x[f]
                e3 -= Y[r3, f] * x[f]
            e0 *= weight_at(weights, j, last)
            e1 *= weight_at(weights, j + 1, last)
            e2 *= weight_at(weights, j + 2, last)
            e3 *= weight_at(weights, j + 3, last)
            for f in range(d):
                sums[f] += (e0 * Y[r0, f] + e1 * Y[r1, f]) + (e2 * Y[r2, f] + e3 * Y[r3, f])
        for f in range(d):
            out[f] += sums[f]


@kernel
def gather(Y, rows, out):
    """The listed rows of Y, one below the other, in the first of ``out``."""
    for j in range(rows.size):
        row = rows[j]  # out here, or the copy would not be vectorized: out might be rows
        for f in range(Y.shape[1]):
            out[j, f] = Y[row, f]


@inlined
def take_steps(Y, rows, weights, targets, pull, D, over, n_steps, sums, x):
    """Up to ``n_steps`` from x (d,) float32 towards the solution, which may come before them.

    ``over`` (d,) is one over the diagonal that conditions the steps; ``pull`` is (d,), D too.
    """
    d = D.size
    p, left, Ap = np.empty(d, np.float32), np.empty(d), np.empty(d)
    push_errors(Y, rows, weights, targets, x, sums, left)
    square = 0.0  # of what is left, b - A x, as the conditioner measures it
    for f in range(d):
        left[f] += pull[f] - D[f] * x[f]
        p[f] = over[f] * left[f]
        square += over[f] * left[f] * left[f]
    for _ in range(n_steps):
        push_errors(Y, rows, weights, targets[:0], p, sums, Ap)
        curvature = 0.0
        for f in range(d):
            Ap[f] = D[f] * p[f] - Ap[f]
            curvature += p[f] * Ap[f]
        if curvature <= 0.0:
            return
        length, before, square = square / curvature, square, 0.0
        for f in range(d):
            x[f] += length * p[f]
            left[f] -= length * Ap[f]
            square += over[f] * left[f] * left[f]
        for f in range(d):
            p[f] = over[f] * left[f] + square / before * p[f]


class Positives(NamedTuple):
    """Positives of many rows, and their targets: each term is w (target - y . x)^2."""

    indptr: np.ndarray  # (n_rows + 1,) int64
    indices: np.ndarray  # (n_ratings,) int32 rows of Y
    weights: np.ndarray  # (n_ratings,) float32, or (0,) where all weigh one
    targets: np.ndarray  # (n_ratings,) float32
    Y: np.ndarray  # (n_cols, d) float32

    @classmethod
    def of(cls, rated: Rows, weights: np.ndarray | None, Y: np.ndarray) -> "Positives":
        """Contiguous, of these types, and read-only; the values of ``rated`` are the targets."""
        return cls(
            read_only(rated.indptr, np.int64),
            read_only(rated.indices, np.int32),
            read_only(np.empty(0) if weights is None else weights, np.float32),
            read_only(rated.values, np.float32),
            read_only(Y, np.float32),
        )


def improve_rows(
    positives: Positives,
    penalty: Penalty,
    pull: np.ndarray | None,
    typical: np.ndarray,
    n_steps: int,
    X: np.ndarray,
) -> None:
    """Take up to ``n_steps`` steps from each row of X (n_rows, d) float32 towards its solution.

    ``pull`` (n_rows, d) draws a row besides its ratings. ``typical`` (d,) is the average over Y of
    the square of each factor. The objective never rises. Rows without ratings are left. Another
    device, where one is chosen, takes the same steps on dense batches.
    """
    counts = np.diff(positives.indptr)
    if (device := accelerator()) is not None:
        _improve_rows_on(device, positives, penalty, pull, typical, n_steps, X)
        return
    run_rows(
        _improve_rows,
        counts * (1.0 + n_steps) + ROW_COST,
        positives,
        penalty,
        read_only(np.empty((0, 0)) if pull is None else pull, np.float32),
        typical,
        n_steps,
        X,
    )


@kernel
def _improve_rows(start, stop, positives, penalty, pull, typical, n_steps, X):
    """``improve_rows`` for rows start..stop."""
    indptr, indices, weights, targets, Y = positives
    d = Y.shape[1]
    x, sums = np.empty(d, np.float32), np.empty(d, np.float32)
    row_pull, D, over = np.empty(d), np.empty(d), np.empty(d)
    near = np.empty((NEAR // (4 * d), d), np.float32)
    in_order = np.empty(near.shape[0], np.int32)
    for f in range(d):  # by loops: np.zeros and np.arange are functions more to compile
        row_pull[f] = 0.0
    for j in range(in_order.size):
        in_order[j] = j
    for row in range(start, stop):
        span = slice(indptr[row], indptr[row + 1])
        rows, w = indices[span], weights[span]
        if rows.size == 0:
            continue
        penalties(penalty, rows.size, D)
        weight = 0.0
        for j in range(rows.size):
            weight += weight_at(w, j, rows.size)
        for f in range(d):
            x[f] = X[row, f]
            over[f] = 1.0 / (D[f] + weight * typical[f])
        for f in range(pull.shape[1]):
            row_pull[f] = pull[row, f]
        rated_Y, places = Y, rows
        if rows.size <= in_order.size:  # read from memory once, and not at every step
            gather(Y, rows, near)
            rated_Y, places = near, in_order[: rows.size]
        take_steps(rated_Y, places, w, targets[span], row_pull, D, over, n_steps, sums, x)
        for f in range(d):
            X[row, f] = x[f]


def _improve_rows_on(
    device: Device,
    positives: Positives,
    penalty: Penalty,
    pull: np.ndarray | None,
    typical: np.ndarray,
    n_steps: int,
    X: np.ndarray,
) -> None:
    """``improve_rows`` on a device, on batches of rows of nearly the same length."""
    indptr, indices, weights, targets, Y = positives
    d, counts = Y.shape[1], np.diff(indptr)
    longest = int(counts.max(initial=1))
    check_memory(device, steps_memory(longest, d), "a step of conjugate gradients")
    steps = batch_steps(device, Y, n_steps)
    for rows, width in dense_batches(counts, beside=VECTORS):
        place, w = padded(indptr, weights, rows, width)
        D = penalties_of(penalty, counts[rows], d).astype(np.float32)
        over = 1 / (D + w.sum(axis=1, keepdims=True) * typical)
        row_pull = np.zeros_like(D) if pull is None else pull[rows]
        X[rows] = steps(indices[place], w, targets[place], row_pull, D, over, X[rows])
