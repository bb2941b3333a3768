"""Minima of x' A x / 2 - b' x with x >= 0 in some coordinates."""

import numpy as np

from matinee.kernels.cholesky import cholesky, solve_upper
from matinee.kernels.jit import inlined, kernel

NONE = np.int64(0)  # a plain 0 is of another type, for which all would be compiled again
MAX_PIVOTS = 200  # active-set changes tried per row before coordinate descent finishes it


@kernel
def slope(A, b, x, f):
    """Derivative of x' A x / 2 - b' x in coordinate f; the upper triangle of A is read."""
    total = -b[f]
    for g in range(f):
        total += A[g, f] * x[g]
    for g in range(f, b.size):
        total += A[f, g] * x[g]
    return total


@kernel
def bounded_sweep(A, b, lower, x):
    """One pass of coordinate descent on x' A x / 2 - b' x with x >= lower.

    Returns the largest change of a coordinate. Each step is an exact minimum, so the objective
    never rises.
    """
    change = 0.0
    for f in range(b.size):
        new = max(x[f] - slope(A, b, x, f) / A[f, f], lower[f])
        change = max(change, abs(new - x[f]))
        x[f] = new
    return change


@inlined
def passive_solve(A, b, free, part, x):
    """Solve A x = b over the coordinates marked free, with the others at zero; A is kept."""
    U, rhs = part.A, part.b
    U[:, :] = 0.0
    m = NONE
    for f in range(b.size):
        x[f] = 0.0
        if free[f]:
            rhs[m] = b[f]
            n = 0
            for g in range(f + 1):
                if free[g]:
                    U[n, m] = A[g, f]
                    n += 1
            m += 1
    if m == NONE:
        return
    cholesky(U, m, rhs, part.inverse, part.x)
    solve_upper(U, m, part.inverse, part.x)
    m = NONE
    for f in range(b.size):
        if free[f]:
            x[f] = part.x[m]
            m += 1


@inlined
def mark_wrong(A, b, lower, x, free, wrong):
    """Mark coordinates on the wrong side: free and negative, or at 0 where rising would help."""
    n_wrong = 0
    for f in range(b.size):
        wrong[f] = False
        if lower[f] == 0.0:
            helps = not free[f] and slope(A, b, x, f) < -1e-9 * abs(b[f])
            wrong[f] = helps or (free[f] and x[f] < 0.0)
            n_wrong += wrong[f]
    return n_wrong


@inlined
def active_set(A, b, lower, x, free, wrong, part, trial):
    """Exact minimum of x' A x / 2 - b' x with x >= lower (each 0 or -inf), from a feasible x.

    Block principal pivoting (Kim & Park 2011): all wrong coordinates change sides at once, and
    only the last of them while that does not help. Leaves the minimum in x.
    """
    for f in range(b.size):
        free[f] = lower[f] < 0.0 or x[f] > 0.0
    fewest, patience = b.size + 1, 3
    for _ in range(MAX_PIVOTS):
        passive_solve(A, b, free, part, trial)
        n_wrong = mark_wrong(A, b, lower, trial, free, wrong)
        if n_wrong == 0:
            for f in range(b.size):
                x[f] = trial[f]
            return
        patience = 3 if n_wrong < fewest else patience - 1
        fewest = min(fewest, n_wrong)
        for f in range(b.size - 1, -1, -1):
            if wrong[f]:
                free[f] = not free[f]
                if patience < 0:
                    break
    for _ in range(MAX_PIVOTS):
        if bounded_sweep(A, b, lower, x) == 0.0:
            return
