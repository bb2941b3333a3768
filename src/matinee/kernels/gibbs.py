"""One Gibbs step: every row drawn from its posterior, given the other side.

    x | ratings ~ N(A^-1 b, noise A^-1)

with A and b of the row solve, and as its penalty the noise over the prior variance. A row of few
ratings is drawn in the dual, as a draw x0 from the prior that is corrected by the ratings:

    x = x0 + D^-1 Y' (Y D^-1 Y' + W^-1)^-1 (t - Y x0 - e),   x0 ~ N(0, noise D^-1)
                                                             e ~ N(0, noise W^-1)
"""

import numpy as np

from matinee.kernels.cholesky import BLOCK, Work, cholesky_solve, solve_upper
from matinee.kernels.device_rows import draw_rows_on
from matinee.kernels.devices import accelerator
from matinee.kernels.jit import kernel
from matinee.kernels.least_squares import (
    Penalty,
    Terms,
    dual_is_cheaper,
    normal_equations,
    penalties,
    solve_few,
)
from matinee.kernels.random import fill_normal
from matinee.kernels.threads import run_rows


def draw_rows(terms: Terms, penalty: Penalty, scale: float, seed: int, draw: int) -> np.ndarray:
    """Draws (n_rows, d) float32 of the rows with these ratings; zeros where there are none.

    ``scale`` is the standard deviation of a rating around its score: where A = U'U and z is
    standard normal, scale U^-1 z has covariance scale^2 A^-1. The random numbers belong to (seed,
    draw, row), whichever thread or device draws the row; in the dual those of x0 come first.
    """
    counts, d = terms.counts, terms.Y.shape[1]
    X = np.zeros((len(counts), d), np.float32)
    if (device := accelerator()) is not None:
        draw_rows_on(device, terms, penalty, scale, seed, draw, X)
        return X
    numbers = scale, np.uint64(seed), np.uint64(draw)

    def draw_range(start: int, stop: int) -> None:
        _draw_rows(start, stop, terms, penalty, *numbers, Work.of(d), Work.of(d), X)

    run_rows(draw_range, counts * d + d**2 / 3)
    return X


@kernel
def _draw_rows(start, stop, terms, penalty, scale, seed, draw, work, few, X):
    """``draw_rows`` for rows start..stop."""
    indptr, indices, values, weights, offset, Y = terms
    d = Y.shape[1]
    Z = np.empty((d, few.A.shape[1]), np.float32)
    z = np.zeros(work.x.size + BLOCK)
    x = work.x
    for row in range(start, stop):
        first, n = indptr[row], indptr[row + 1] - indptr[row]
        if n == 0:
            continue
        in_dual = dual_is_cheaper(n, d) and not penalty.has_base
        if in_dual and penalties(penalty, n, work.diagonal) > 0.0:
            fill_normal(seed, draw, np.uint64(row), z[: d + n])
            for f in range(d):
                z[f] *= scale / np.sqrt(work.diagonal[f])
            for j in range(n):
                col = indices[first + j]
                weight = 1.0 if weights.size == 0 else weights[first + j]
                drawn = scale * z[d + j] / np.sqrt(weight)
                for f in range(d):
                    drawn += z[f] * Y[col, f]
                few.b[j] = np.float32(values[first + j] - drawn) - offset[col]
            solve_few(Y, indices, weights, first, n, work, few, Z)
            for f in range(d):
                X[row, f] = x[f] + z[f]
        else:
            normal_equations(terms, first, n, penalty, work)
            cholesky_solve(work)
            fill_normal(seed, draw, np.uint64(row), z[:d])
            for f in range(d, x.size):
                z[f] = 0.0
            solve_upper(work.A, d, work.inverse, z)
            for f in range(d):
                X[row, f] = x[f] + scale * z[f]
