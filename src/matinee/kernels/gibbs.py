"""One Gibbs step: every row drawn from its posterior, given the other side.

    x | ratings ~ N(A^-1 b, noise A^-1)

with A and b of the row solve, and as its penalty the noise over the prior variance.
"""

import numpy as np

from matinee.kernels.cholesky import cholesky_solve, solve_upper, workspace
from matinee.kernels.jit import kernel
from matinee.kernels.least_squares import normal_equations
from matinee.kernels.random import fill_normal


@kernel
def draw_rows(
    start, stop, indptr, indices, values, weights, offset, Y, penalty, scale, seed, draw, X
):
    """Draw rows start..stop of X (n_rows, d) given Y (n_cols, d); rows without ratings are left.

    ``scale`` is the standard deviation of a rating around its score: where A = U' U and z is
    standard normal, scale U^-1 z has covariance scale^2 A^-1. The random numbers belong to (seed,
    draw, row), whoever draws the row.
    """
    d = Y.shape[1]
    work = workspace(d)
    z = np.zeros(work.x.size)
    for row in range(start, stop):
        here = slice(indptr[row], indptr[row + 1])
        if indptr[row] == indptr[row + 1]:
            continue
        normal_equations(Y, offset, indices[here], values[here], weights[here], penalty, work)
        cholesky_solve(work)
        fill_normal(seed, draw, np.uint64(row), z[:d])
        solve_upper(work.A, d, work.inverse, z)
        for f in range(d):
            X[row, f] = work.x[f] + scale * z[f]
