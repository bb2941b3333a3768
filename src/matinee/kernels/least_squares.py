"""The one row solve: regularised least squares of a row's ratings on the other side's factors.

    x = argmin  sum_j (t_j - y_j . x)^2 + sum_f penalty_f x_f^2          t_j = rating_j - offset_j
    A x = b     A = sum_j y_j y_j' + diag(penalty),   b = sum_j t_j y_j

Training, folding in a newcomer and explaining a score all call it. Sums run over blocks of ratings
in float32 and are gathered in float64, so a row with a million ratings stays exact.
"""

import numpy as np

from matinee.kernels.jit import kernel

BLOCK = 64  # ratings summed in float32 before they are added to the float64 totals
MAX_PIVOTS = 200  # active-set changes tried per row before coordinate descent finishes it


@kernel
def add_block(Y, rows, targets, panel, partial, A, b):
    """Add up to BLOCK rows of Y to the upper triangle of A (d, d) and to b (d,)."""
    n, d = rows.size, Y.shape[1]
    for j in range(n):
        panel[j, :] = Y[rows[j]]
    n8 = (n + 7) // 8 * 8
    panel[n:n8, :] = 0.0
    for f in range(d):
        for g in range(f, d):
            partial[g] = 0.0
        for j in range(0, n8, 8):
            y0, y1, y2, y3 = panel[j, f], panel[j + 1, f], panel[j + 2, f], panel[j + 3, f]
            y4, y5, y6, y7 = panel[j + 4, f], panel[j + 5, f], panel[j + 6, f], panel[j + 7, f]
            for g in range(f, d):
                partial[g] += (
                    (y0 * panel[j, g] + y1 * panel[j + 1, g])
                    + (y2 * panel[j + 2, g] + y3 * panel[j + 3, g])
                ) + (
                    (y4 * panel[j + 4, g] + y5 * panel[j + 5, g])
                    + (y6 * panel[j + 6, g] + y7 * panel[j + 7, g])
                )
        for g in range(f, d):
            A[f, g] += partial[g]
        total = 0.0
        for j in range(n):
            total += targets[j] * panel[j, f]
        b[f] += total


@kernel
def normal_equations(Y, offset, indices, values, penalty, panel, partial, targets, A, b):
    """Fill A (d, d; upper triangle) and b (d,) for one row's ratings."""
    A[:, :] = 0.0
    b[:] = 0.0
    for first in range(0, indices.size, BLOCK):
        rows = indices[first : first + BLOCK]
        for j in range(rows.size):
            targets[j] = values[first + j] - offset[rows[j]]
        add_block(Y, rows, targets, panel, partial, A, b)
    for f in range(b.size):
        A[f, f] += penalty[f]


@kernel
def cholesky_solve(A, b, x):
    """Solve A x = b. A (d, d), of which the upper triangle is given, becomes U with A = U' U."""
    d = b.size
    for f in range(d):
        inverse = 1.0 / np.sqrt(A[f, f])
        for g in range(f, d):
            A[f, g] *= inverse
        for h in range(f + 1, d):
            scale = A[f, h]
            for g in range(h, d):
                A[h, g] -= scale * A[f, g]
    for f in range(d):
        x[f] = b[f]
    for f in range(d):  # U' y = b
        x[f] /= A[f, f]
        for g in range(f + 1, d):
            x[g] -= A[f, g] * x[f]
    for f in range(d - 1, -1, -1):  # U x = y
        total = x[f]
        for g in range(f + 1, d):
            total -= A[f, g] * x[g]
        x[f] = total / A[f, f]


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


@kernel
def passive_solve(A, b, free, part, rhs, answer, x):
    """Solve A x = b over the coordinates marked free, with the others at zero."""
    m = 0
    for f in range(b.size):
        if free[f]:
            rhs[m] = b[f]
            n = 0
            for g in range(f + 1):
                if free[g]:
                    part[n, m] = A[g, f]
                    n += 1
            m += 1
        x[f] = 0.0
    cholesky_solve(part[:m, :m], rhs[:m], answer[:m])
    m = 0
    for f in range(b.size):
        if free[f]:
            x[f] = answer[m]
            m += 1


@kernel
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


@kernel
def active_set(A, b, lower, x, free, wrong, part, rhs, answer, trial):
    """Exact minimum of x' A x / 2 - b' x with x >= lower (each 0 or -inf), from a feasible x.

    Block principal pivoting (Kim & Park 2011): all wrong coordinates change sides at once, and
    only the last of them while that does not help. Leaves the minimum in x.
    """
    for f in range(b.size):
        free[f] = lower[f] < 0.0 or x[f] > 0.0
    fewest, patience = b.size + 1, 3
    for _ in range(MAX_PIVOTS):
        passive_solve(A, b, free, part, rhs, answer, trial)
        n_wrong = mark_wrong(A, b, lower, trial, free, wrong)
        if n_wrong == 0:
            x[:] = trial
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


@kernel
def solve_rows(start, stop, indptr, indices, values, offset, Y, reg, power, lower, sweeps, X):
    """Solve rows start..stop of X (n_rows, d) on Y (n_cols, d); rows without ratings are left.

    The penalty of coordinate f in a row of n ratings is reg[f] * n**power[f].
    Without lower bounds (all -inf) the answer is the ridge solution by Cholesky. With bounds of 0,
    ``sweeps`` warm passes of coordinate descent improve the row, and 0 sweeps solve it exactly.
    """
    d = Y.shape[1]
    panel, partial = np.empty((BLOCK, d), np.float32), np.empty(d, np.float32)
    targets, penalty = np.empty(BLOCK, np.float32), np.empty(d)
    A, b, x = np.empty((d, d)), np.empty(d), np.empty(d)
    part, rhs, answer, trial = np.empty((d, d)), np.empty(d), np.empty(d), np.empty(d)
    free, wrong = np.empty(d, np.bool_), np.empty(d, np.bool_)
    bounded = lower.max() == 0.0
    for row in range(start, stop):
        here = slice(indptr[row], indptr[row + 1])
        n = indptr[row + 1] - indptr[row]
        if n == 0:
            continue
        for f in range(d):
            penalty[f] = reg[f] * float(n) ** power[f]
            x[f] = X[row, f]
        normal_equations(
            Y, offset, indices[here], values[here], penalty, panel, partial, targets, A, b
        )
        if not bounded:
            cholesky_solve(A, b, x)
        elif sweeps > 0:
            for _ in range(sweeps):
                bounded_sweep(A, b, lower, x)
        else:
            active_set(A, b, lower, x, free, wrong, part, rhs, answer, trial)
        for f in range(d):
            X[row, f] = x[f]
