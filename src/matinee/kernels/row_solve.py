"""The one row solve, for many rows side by side: training and folding in are this.

    x = argmin  sum_j w_j (t_j - y_j . x)^2 + x' (D + base + n slope) x - 2 pull . x    lower <= x

Rows run side by side, and the sums of a popular row are made side by side too.
"""

from typing import NamedTuple

import numpy as np

from matinee.kernels.cholesky import Work, cholesky_solve
from matinee.kernels.device_rows import solve_rows_on
from matinee.kernels.devices import accelerator
from matinee.kernels.jit import inlined, kernel, read_only
from matinee.kernels.least_squares import (
    Penalty,
    Regularizer,
    Terms,
    add_pull,
    bounds_of,
    dual_is_cheaper,
    normal_equations,
    penalties,
    solve_bounded,
    solve_few,
)
from matinee.kernels.normal_sums import solve_sums, sum_row
from matinee.kernels.threads import RANGES_PER_THREAD, n_threads, run_rows

POPULAR = 20_000  # ratings of a row that are worth the work of several threads


class Dual(NamedTuple):
    """What rows with few ratings are solved on, in as many unknowns as they have ratings."""

    Y: np.ndarray  # (n_cols, d) float32, or (0, d) where all rows are solved in d unknowns
    penalty: Penalty  # diagonal, in the basis of Y

    @classmethod
    def of(cls, Y: np.ndarray, penalty: Penalty) -> "Dual":
        """Contiguous, of one type, and read-only."""
        return cls(read_only(Y, np.float32), penalty)


def solve_rows(terms: Terms, regularizer: Regularizer, dual: Dual, X: np.ndarray) -> bool:
    """Overwrite the rows of X (n_rows, d) float32 that have ratings with their solutions.

    Returns whether rows with few ratings were solved on ``dual``, so that they are in its basis.

    Without bounds the solution is ridge regression by Cholesky. With bounds of 0, ``sweeps`` passes
    of coordinate descent improve a row from where it is, and 0 sweeps solve it exactly. Rows
    without ratings are left.

    A row that has more of the ratings than a thread would take at a time is solved by all threads
    together: each sums some of the tiles of its matrix. Every number is still summed by one thread,
    in the same order, so the bits are the same whichever thread sums it.

    Another device, where one is chosen, solves dense batches of rows instead, but for bounded rows
    that are to be exact.
    """
    exact_bounds = regularizer.lower is not None and regularizer.sweeps == 0
    if (device := accelerator()) is not None and not exact_bounds:
        solve_rows_on(device, terms, regularizer, X)
        return False
    counts, d, threads = terms.counts, X.shape[1], n_threads()
    most = max(POPULAR, int(counts.sum()) // (threads * RANGES_PER_THREAD))
    if threads == 1:
        most = int(counts.max(initial=0))
    for row in np.flatnonzero(counts > most).tolist():
        solve_sums(sum_row(terms.of_row(row)), regularizer.of_row(row), X[row : row + 1])
    cost = np.where(counts > most, 0.0, counts * d + d**2 / 3)
    unbounded = dual if regularizer.lower is None else None  # the dual knows no bounds

    def solve(start: int, stop: int) -> None:
        work, other = Work.of(d), Work.of(d)
        _solve_rows(start, stop, terms, *regularizer, unbounded, most, work, other, X)

    run_rows(solve, cost)
    return unbounded is not None


@kernel
def _solve_rows(start, stop, terms, penalty, pull, lower, sweeps, dual, most, work, other, X):
    """``solve_rows`` for rows start..stop; those with more than ``most`` ratings are left.

    Without bounds ``lower`` is None, and with them ``dual`` is: a kernel is compiled without what
    an argument of None rules out.
    """
    indptr, d = terms.indptr, X.shape[1]
    if dual is not None:
        Z = np.empty((d, other.A.shape[1]), np.float32)
    if lower is not None:
        bounds = bounds_of(d)
    for row in range(start, stop):
        first, n = indptr[row], indptr[row + 1] - indptr[row]
        if n == 0 or n > most:
            continue
        few = False
        if dual is not None:
            few = is_solved_in_dual(dual, n, work.diagonal)
            if few:
                subtract_offset(terms.values, terms.offset, terms.indices, first, n, other.b)
                solve_few(dual.Y, terms.indices, terms.weights, first, n, work, other, Z)
        if not few:
            normal_equations(terms, first, n, penalty, work)
            add_pull(pull, row, work)
            if lower is None:
                cholesky_solve(work)
            else:
                solve_bounded(X, row, lower, sweeps, work, other, bounds)
        for f in range(d):
            X[row, f] = work.x[f]


@inlined
def is_solved_in_dual(dual, n, diagonal):
    """Whether a row is solved in its n unknowns; then ``diagonal`` (d,) has its penalties."""
    cheaper = dual.Y.shape[0] > 0 and dual_is_cheaper(n, diagonal.size)
    return cheaper and penalties(dual.penalty, n, diagonal) > 0.0


@inlined
def subtract_offset(values, offset, indices, first, n, out):
    """Leave in ``out`` the n targets from ``first`` on."""
    for j in range(n):
        out[j] = values[first + j] - offset[indices[first + j]]
