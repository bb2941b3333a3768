"""One Gibbs step: every row drawn from its posterior, given the other side.

    x | ratings ~ N(A^-1 b, noise A^-1)

with A and b of the row solve, and as its penalty the noise over the prior variance.
"""

import numpy as np

from matinee.kernels.cholesky import cholesky_solve, solve_upper, workspace
from matinee.kernels.device_rows import draw_rows_on
from matinee.kernels.devices import accelerator
from matinee.kernels.jit import kernel
from matinee.kernels.least_squares import Penalty, Terms, normal_equations
from matinee.kernels.random import fill_normal
from matinee.kernels.threads import run_rows


def draw_rows(terms: Terms, penalty: Penalty, scale: float, seed: int, draw: int) -> np.ndarray:
    """Draws (n_rows, d) float32 of the rows with these ratings; zeros where there are none.

    ``scale`` is the standard deviation of a rating around its score: where A = U'U and z is
    standard normal, scale U^-1 z has covariance scale^2 A^-1. The random numbers belong to (seed,
    draw, row), whichever thread or device draws the row.
    """
    counts, d = terms.counts, terms.Y.shape[1]
    X = np.zeros((len(counts), d), np.float32)
    if (device := accelerator()) is not None:
        draw_rows_on(device, terms, penalty, scale, seed, draw, X)
        return X
    numbers = scale, np.uint64(seed), np.uint64(draw)
    run_rows(_draw_rows, counts * d + d**2 / 3, terms, penalty, *numbers, X)
    return X


@kernel
def _draw_rows(start, stop, terms, penalty, scale, seed, draw, X):
    """``draw_rows`` for rows start..stop."""
    indptr, indices, values, weights, offset, Y = terms
    d = Y.shape[1]
    work = workspace(d)
    z = np.zeros(work.x.size)
    for row in range(start, stop):
        span = slice(indptr[row], indptr[row + 1])
        if indptr[row] == indptr[row + 1]:
            continue
        normal_equations(Y, offset, indices[span], values[span], weights[span], penalty, work)
        cholesky_solve(work)
        fill_normal(seed, draw, np.uint64(row), z[:d])
        solve_upper(work.A, d, work.inverse, z)
        for f in range(d):
            X[row, f] = work.x[f] + scale * z[f]
