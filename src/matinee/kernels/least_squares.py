"""The normal equations of a row: regularised least squares on the other side's factors.

    x = argmin  sum_j w_j (t_j - y_j . x)^2 + x' (D + base + n slope) x - 2 pull . x
    A x = b     A = Y'W Y + D + base + n slope,   b = Y'W t + pull,   t_j = rating_j - offset_j
      x = D^-1 Y' (Y D^-1 Y' + W^-1)^-1 t          with D alone: the dual, in n unknowns

D = diag(penalty). What all rows share is in ``base``; for implicit feedback it is the weight of all
unobserved cells, which is diagonal in the right basis and so goes into the D of the dual. ``slope``
is what each rating adds to the penalty.

``row_solve`` solves many rows, for training and for folding in; ``normal_sums`` makes the same sums
of ratings that come in parts; ``normal_matrix`` is A in float64, for explanations. Sums run over
blocks of ratings in float32 and are gathered in float64, so a row with a million ratings stays
exact. Matrices are padded to whole vectors (see ``tiles``), the padding being zero.
"""

from typing import NamedTuple

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.cholesky import (
    BLOCK,
    add_products,
    cholesky,
    padded_width,
    solve_upper,
)
from matinee.kernels.jit import inlined, kernel, read_only
from matinee.kernels.nonnegative import active_set, bounded_sweep
from matinee.kernels.vectors import LANES


class Penalty(NamedTuple):
    """What is added to the sums over a row of n ratings; make one with ``penalty_of``.

    penalty_f = diagonal[f] + reg[f] * (n + more)**power[f], and the matrix  base + n slope
    """

    reg: np.ndarray  # (d,) float64
    power: np.ndarray  # (d,) float64
    more: float
    diagonal: np.ndarray  # (d,) float64
    base: np.ndarray  # (width, width) float64, padded
    slope: np.ndarray  # (width, width) float64, padded: what each rating adds
    has_base: bool  # or a slope


def penalty_of(
    reg: np.ndarray,
    power: np.ndarray,
    more: float = 0.0,
    base: np.ndarray | None = None,
    diagonal: np.ndarray | None = None,
    slope: np.ndarray | None = None,
) -> Penalty:
    """The penalty with a ``base`` (d, d), a ``diagonal`` (d,), a ``slope`` (d, d), or none."""
    d = len(reg)
    width = padded_width(d)
    rooms = np.zeros((2, width, width))
    for room, matrix in zip(rooms, (base, slope), strict=True):
        if matrix is not None:
            room[:d, :d] = matrix
    diagonal = np.zeros(d) if diagonal is None else diagonal
    reg, power, diagonal, padded_base, padded_slope = (
        read_only(array, np.float64) for array in (reg, power, diagonal, *rooms)
    )
    has_base = bool(rooms.any())
    return Penalty(reg, power, float(more), diagonal, padded_base, padded_slope, has_base)


class Terms(NamedTuple):
    """The ratings of many rows as kernels take them: each term is w (value - offset - y . x)^2."""

    indptr: np.ndarray  # (n_rows + 1,) int64
    indices: np.ndarray  # (n_ratings,) int32 rows of Y
    values: np.ndarray  # (n_ratings,) float32
    weights: np.ndarray  # (n_ratings,) float32, or (0,) where all weigh one
    offset: np.ndarray  # (n_cols,) float32
    Y: np.ndarray  # (n_cols, d) float32

    @classmethod
    def of(cls, rated: Rows, offset: np.ndarray, Y: np.ndarray) -> "Terms":
        """Contiguous, of these types, and read-only; copied only where they are not."""
        weights = np.empty(0) if rated.weights is None else rated.weights
        return cls(
            read_only(rated.indptr, np.int64),
            read_only(rated.indices, np.int32),
            read_only(rated.values, np.float32),
            read_only(weights, np.float32),
            read_only(offset, np.float32),
            read_only(Y, np.float32),
        )

    @property
    def counts(self) -> np.ndarray:
        """Ratings of each row: (n_rows,) int64."""
        return np.diff(self.indptr)

    def of_row(self, row: int) -> "Terms":
        """The terms of one row alone."""
        span = slice(self.indptr[row], self.indptr[row + 1])
        return self._replace(
            indptr=self.indptr[row : row + 2] - self.indptr[row],
            indices=self.indices[span],
            values=self.values[span],
            weights=self.weights[span],
        )


class Regularizer(NamedTuple):
    """What the solution of a row depends on besides its ratings."""

    penalty: Penalty
    pull: np.ndarray  # (n_rows, up to d) float32, added to b; or (0, 0) for nothing
    lower: np.ndarray | None  # (d,) float64: 0 where a coordinate may not be negative, else -inf;
    # None, where all may be negative, lets kernels be compiled without what bounds need
    sweeps: int  # of coordinate descent where there are bounds; 0 solves the row exactly

    @classmethod
    def of(
        cls, penalty: Penalty, pull: np.ndarray | None, lower: np.ndarray, sweeps: int
    ) -> "Regularizer":
        """Contiguous, of these types, and read-only."""
        pull = np.empty((0, 0)) if pull is None else pull
        bounds = read_only(lower, np.float64) if np.isfinite(lower).any() else None
        return cls(penalty, read_only(pull, np.float32), bounds, sweeps)

    def of_row(self, row: int) -> "Regularizer":
        """The regularizer of one row alone."""
        return self._replace(pull=self.pull[row : row + 1])


def normal_matrix(
    Y: np.ndarray, penalty: Penalty, n: float, weights: np.ndarray | None = None
) -> np.ndarray:
    """A = Y'W Y + D + base + n slope of a row of n ratings: (d, d) for its part of Y (n_rated, d).

    The formula of the kernels without their rounding to float32, for explanations.
    """
    Y = Y.astype(np.float64)
    weighted = Y if weights is None else weights[:, None] * Y
    d, diagonal = Y.shape[1], penalty.diagonal + penalty.reg * (n + penalty.more) ** penalty.power
    matrix = penalty.base + n * penalty.slope
    A: np.ndarray = Y.T @ weighted + np.diag(diagonal) + matrix[:d, :d]
    return A


@kernel
def fill_panel(terms, first, n, panel, targets, at):
    """Copy the rows of Y of n ratings, and their targets, behind the first ``at`` of the panel.

    No weights means ones; a root of the weight goes into each factor of a product. The ratings are
    those from ``first`` on: a slice of an array is a page of code to compile.
    """
    _, indices, values, weights, offset, Y = terms
    d = Y.shape[1]
    for j in range(n):
        col = indices[first + j]
        targets[at + j] = values[first + j] - offset[col]
        for f in range(d):  # no view of the row: making one costs more than it holds
            panel[at + j, f] = Y[col, f]
    if weights.size > 0:
        for j in range(n):
            root = np.sqrt(weights[first + j])
            targets[at + j] *= root
            for f in range(d):
                panel[at + j, f] *= root


@inlined
def add_panel(n, S, work):
    """A = S + the products of the first n rows of the panel, and b gets their targets' part."""
    add_targets(n, work)
    add_products(work.panel, n, work.b.size, S, work.A, 0, 1)


@inlined
def add_targets(n, work):
    """b += the sum of target times row over the first n rows of the panel."""
    d, panel, targets, sums = work.b.size, work.panel, work.targets, work.sums
    n4 = (n + 3) // 4 * 4
    for j in range(n, n4):
        targets[j] = 0.0
        for f in range(d):
            panel[j, f] = 0.0
    for f in range(d):
        sums[f] = 0.0
    for j in range(0, n4, 4):
        t0, t1, t2, t3 = targets[j], targets[j + 1], targets[j + 2], targets[j + 3]
        for f in range(d):
            sums[f] += (t0 * panel[j, f] + t1 * panel[j + 1, f]) + (
                t2 * panel[j + 2, f] + t3 * panel[j + 3, f]
            )
    for f in range(d):
        work.b[f] += sums[f]


@kernel
def penalties(penalty, n, out):
    """Fill ``out`` (d,) with the penalties of a row of n ratings; returns the smallest."""
    f, smallest = 0, np.inf
    while f < out.size:  # a power is slow, so once for a run of equal ones
        power = penalty.power[f]
        scale = (n + penalty.more) ** power
        while f < out.size and penalty.power[f] == power:
            out[f] = penalty.diagonal[f] + penalty.reg[f] * scale
            smallest = min(smallest, out[f])
            f += 1
    return smallest


def penalties_of(penalty: Penalty, counts: np.ndarray, d: int) -> np.ndarray:
    """The penalties (n_rows, d) float64 of rows of so many ratings."""
    different, which = np.unique(counts, return_inverse=True)
    by_count = np.empty((len(different), d))
    for n, out in zip(different.tolist(), by_count, strict=True):
        penalties(penalty, n, out)
    return np.asarray(by_count[which])


@inlined
def normal_equations(terms, first, n, penalty, work):
    """Fill A (upper triangle) and b for a row of the n ratings from ``first`` on, one or more."""
    for f in range(work.b.size):
        work.b[f] = 0.0
    for done in range(0, n, BLOCK):
        size = min(n - done, BLOCK)
        fill_panel(terms, first + done, size, work.panel, work.targets, 0)
        add_panel(size, work.nothing if done == 0 else work.A, work)
    add_penalty(penalty, n, work)


@inlined
def add_penalty(penalty, n, work):
    """Add to A what a row of n ratings has besides its ratings."""
    A, d = work.A, work.b.size
    if penalty.has_base:
        for f in range(d):
            for g in range(f, d):
                A[f, g] += penalty.base[f, g] + n * penalty.slope[f, g]
    penalties(penalty, n, work.diagonal)
    for f in range(d):
        A[f, f] += work.diagonal[f]


@inlined
def add_pull(pull, row, work):
    """Add to b what a row has besides its ratings: row ``row`` of the pull, if there is any."""
    for f in range(pull.shape[1]):
        work.b[f] += pull[row, f]


@inlined
def solve_few(Y, indices, weights, first, n, work, few, Z):
    """Leave in work.x the solution for a row of the n ratings from ``first`` on, by n equations.

    There are up to BLOCK of them, and their targets are in few.b. The penalties are in ``work``;
    ``few`` is a workspace of n or more, and Z (d, its width) float32 gets D^-1/2 Y'. Rows of Y, in
    the basis of the dual, are copied whole before they are turned: so the time to fetch them hides.
    """
    d = work.diagonal.size
    K, a, x, panel, diagonal = few.A, few.x, work.x, few.panel, work.diagonal
    for j in range(n):
        col = indices[first + j]
        for f in range(d):
            panel[j, f] = Y[col, f]
    for f in range(d):
        root = np.float32(1.0 / np.sqrt(diagonal[f]))
        for j in range(n):
            Z[f, j] = root * panel[j, f]
        for j in range(n, (n + LANES - 1) // LANES * LANES):
            Z[f, j] = 0.0
    add_products(Z, d, n, few.nothing, K, 0, 1)
    for j in range(n):
        K[j, j] += 1.0 if weights.size == 0 else 1.0 / weights[first + j]
    cholesky(K, n, few.b, few.inverse, a)
    solve_upper(K, n, few.inverse, a)
    x[:] = 0.0
    for j in range(n):
        times = a[j]
        for f in range(d):
            x[f] += times * panel[j, f]
    for f in range(d):
        x[f] /= diagonal[f]


class Bounds(NamedTuple):
    """Room for a solve with lower bounds: (d,) each."""

    free: np.ndarray
    wrong: np.ndarray
    trial: np.ndarray


@inlined
def bounds_of(d):
    """Room for d unknowns."""
    return Bounds(np.empty(d, np.bool_), np.empty(d, np.bool_), np.empty(d))


@inlined
def solve_bounded(X, row, lower, sweeps, work, other, bounds):
    """Leave in work.x the solution of A x = b with x >= lower, from a row of X (n_rows, d)."""
    for f in range(work.b.size):
        work.x[f] = X[row, f]
    if sweeps > 0:
        for _ in range(sweeps):
            bounded_sweep(work.A, work.b, lower, work.x)
    else:
        active_set(work.A, work.b, lower, work.x, bounds.free, bounds.wrong, other, bounds.trial)


@kernel
def dual_is_cheaper(n, d):
    """Whether a row of n ratings is solved faster in n unknowns than in d."""
    return n <= BLOCK and 4 * n <= 3 * d


def dual_rows(counts: np.ndarray, d: int) -> np.ndarray:
    """Which rows of so many ratings are solved in the dual, in n unknowns: (n_rows,) bool."""
    cheaper = np.array([dual_is_cheaper(n, d) for n in range(BLOCK + 2)])
    return np.asarray(cheaper[np.minimum(counts, BLOCK + 1)])
