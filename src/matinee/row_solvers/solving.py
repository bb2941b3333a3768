"""All rows of a side solved: rows side by side, and the sums of a popular one side by side too."""

from functools import partial

import numpy as np

from matinee.data.ratings import Rows
from matinee.kernels.jit import read_only
from matinee.kernels.least_squares import Penalty, solve_rows
from matinee.kernels.normal_sums import NormalSums, add_part, solve_sums
from matinee.kernels.threads import RANGES_PER_THREAD, n_threads, run_all, run_rows
from matinee.row_solvers.base import Terms

POPULAR = 20_000  # ratings of a row that are worth the work of several threads


def solve_every(
    rated: Rows,
    terms: Terms,
    penalty: Penalty,
    pull: np.ndarray,
    lower: np.ndarray,
    sweeps: int,
    short: tuple[np.ndarray, Penalty],
    X: np.ndarray,
) -> None:
    """Solve the rows of X (n_rows, d) that have ratings; see ``solve_rows``.

    A row that has more of the ratings than a thread would take at a time is solved by all threads
    together: each sums some of the tiles of its matrix. Every number is still summed by one thread,
    in the same order, so the bits are the same whoever does it.
    """
    counts, d, threads = rated.counts, X.shape[1], n_threads()
    most = max(POPULAR, int(counts.sum()) // (threads * RANGES_PER_THREAD))
    if threads == 1:
        most = int(counts.max(initial=0))
    indptr, indices = read_only(rated.indptr, np.int64), read_only(rated.indices, np.int32)
    for row in np.flatnonzero(counts > most):
        here, own = slice(indptr[row], indptr[row + 1]), slice(row, row + 1)
        sums = NormalSums.zeros(1, d)
        sums.n[0] = counts[row]
        given = indices[here], terms.values[here], terms.weights[here], terms.offset, terms.Y
        run_all(
            [
                partial(add_part, part, threads, *given, sums.A[0], sums.b[0])
                for part in range(threads)
            ]
        )
        solve_sums(0, 1, sums, penalty, pull[own], lower, sweeps, X[own])
    cost = np.where(counts > most, 0.0, counts * d + d**2 / 3)
    run_rows(
        solve_rows, cost, indptr, indices, *terms, penalty, pull, lower, sweeps, *short, most, X
    )
