"""One Gibbs step: every row drawn from its posterior, given the other side.

    x | ratings ~ N(A^-1 b, noise A^-1)      A and b of the row solve, penalty = noise / prior variance
"""

import numpy as np

from matinee.kernels.jit import kernel
from matinee.kernels.least_squares import BLOCK, cholesky_solve, normal_equations
from matinee.kernels.random import fill_normal


@kernel
def add_noise(U, scale, z, x):
    """x += scale U^-1 z: for normal z its covariance grows by scale^2 A^-1, where A = U' U."""
    for f in range(z.size - 1, -1, -1):
        for g in range(f + 1, z.size):
            z[f] -= U[f, g] * z[g]
        z[f] /= U[f, f]
        x[f] += scale * z[f]


@kernel
def draw_rows(start, stop, indptr, indices, values, offset, Y, penalty, scale, seed, draw, X):
    """Draw rows start..stop of X (n_rows, d) given Y (n_cols, d); rows without ratings are left.

    ``scale`` is the standard deviation of a rating around its score. The random numbers belong to
    (seed, draw, row), whoever draws the row.
    """
    d = Y.shape[1]
    panel, partial = np.empty((BLOCK, d), np.float32), np.empty(d, np.float32)
    targets = np.empty(BLOCK, np.float32)
    A, b, x, z = np.empty((d, d)), np.empty(d), np.empty(d), np.empty(d)
    for row in range(start, stop):
        here = slice(indptr[row], indptr[row + 1])
        if indptr[row] == indptr[row + 1]:
            continue
        normal_equations(
            Y, offset, indices[here], values[here], penalty, panel, partial, targets, A, b
        )
        cholesky_solve(A, b, x)
        fill_normal(seed, draw, np.uint64(row), z)
        add_noise(A, scale, z, x)
        for f in range(d):
            X[row, f] = x[f]
