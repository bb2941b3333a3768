"""The one row solve: regularised least squares of a row's ratings on the other side's factors.

    x = argmin  sum_j w_j (t_j - y_j . x)^2 + x' (D + base) x - 2 pull . x
    A x = b     A = Y'W Y + D + base,   b = Y'W t + pull,   t_j = rating_j - offset_j
      x = D^-1 Y' (Y D^-1 Y' + W^-1)^-1 t       without base and pull: n unknowns, for short rows

D = diag(penalty). What all rows share is in ``base``; for implicit feedback it is the weight of all
unobserved cells, which in the right basis is diagonal and so goes into D.

Training, folding in a newcomer and explaining a score all call it. Sums run over blocks of ratings
in float32 and are gathered in float64, so a row with a million ratings stays exact. Matrices are
padded to whole vectors (see ``tiles``), the padding being zero.
"""

from typing import NamedTuple

import numpy as np

from matinee.kernels import tiles
from matinee.kernels.jit import kernel, read_only
from matinee.kernels.tiles import LANES, ROWS

BLOCK = 64  # ratings summed in float32 before they are added to the float64 totals
MAX_PIVOTS = 200  # active-set changes tried per row before coordinate descent finishes it


class Penalty(NamedTuple):
    """What is added to the sums over a row of n ratings; make one with ``penalty_of``.

    penalty_f = diagonal[f] + reg[f] * (n + more)**power[f], and the matrix ``base``
    """

    reg: np.ndarray  # (d,) float64
    power: np.ndarray  # (d,) float64
    more: float
    diagonal: np.ndarray  # (d,) float64
    base: np.ndarray  # (width, width) float64, padded
    has_base: bool


def penalty_of(
    reg: np.ndarray,
    power: np.ndarray,
    more: float = 0.0,
    base: np.ndarray | None = None,
    diagonal: np.ndarray | None = None,
) -> Penalty:
    """The penalty with a ``base`` (d, d), a ``diagonal`` (d,), or neither."""
    d = len(reg)
    width = (d + ROWS - 1) // ROWS * ROWS + ROWS
    room = np.zeros((width, width))
    if base is not None:
        room[:d, :d] = base
    diagonal = np.zeros(d) if diagonal is None else diagonal
    reg, power, diagonal, room = (
        read_only(array, np.float64) for array in (reg, power, diagonal, room)
    )
    return Penalty(reg, power, float(more), diagonal, room, bool(room.any()))


class Work(NamedTuple):
    """Where one row after another is solved; d is the true size, and the rest is padding."""

    A: np.ndarray  # (width, width): the normal matrix, its upper triangle; then U, A = U' U
    b: np.ndarray  # (d,)
    x: np.ndarray  # (width,): the solution
    inverse: np.ndarray  # (width,): one over the diagonal of U
    panel: np.ndarray  # (BLOCK, width) float32
    targets: np.ndarray  # (BLOCK,) float32
    sums: np.ndarray  # (d,) float32
    nothing: np.ndarray  # (width, width) of zeros
    diagonal: np.ndarray  # (d,): the penalties of the row


@kernel
def bottom_of(d):
    """d rounded up to whole tiles. Column bottom_of(d) of A has room for one right-hand side."""
    return (d + ROWS - 1) // ROWS * ROWS


@kernel
def workspace(d):
    """Room to solve rows of d unknowns."""
    width = bottom_of(d) + ROWS
    return Work(
        np.zeros((width, width)), np.zeros(d), np.zeros(width), np.ones(width),
        np.zeros((BLOCK, width), np.float32), np.zeros(BLOCK, np.float32), np.zeros(d, np.float32),
        np.zeros((width, width)), np.zeros(d),
    )  # fmt: skip


@kernel
def add_products(panel, n, d, S, A):
    """A = S + the sum of p p' over the first n rows p of the panel, in the upper triangle."""
    width = (d + LANES - 1) // LANES * LANES
    for f in range(0, d, ROWS):
        g = f // LANES * LANES
        while g < width:
            vectors = (width - g) // LANES
            if vectors == 3 or vectors > 4:
                tiles.add_3(panel, n, f, g, S, A)
                g += 3 * LANES
            elif vectors > 1:
                tiles.add_2(panel, n, f, g, S, A)
                g += 2 * LANES
            else:
                tiles.add_1(panel, n, f, g, S, A)
                g += LANES


@kernel
def fill_panel(Y, offset, rows, values, weights, work):
    """Copy up to BLOCK rows of Y, and add their targets' part to b; no weights means ones."""
    n, d = rows.size, Y.shape[1]
    panel, targets, sums = work.panel, work.targets, work.sums
    for j in range(n):
        col = rows[j]
        targets[j] = values[j] - offset[col]
        for f in range(d):  # no view of the row: making one costs more than it holds
            panel[j, f] = Y[col, f]
    if weights.size > 0:  # the root of the weight, once in each factor of a product
        for j in range(n):
            root = np.sqrt(weights[j])
            targets[j] *= root
            for f in range(d):
                panel[j, f] *= root
    n4 = (n + 3) // 4 * 4
    panel[n:n4, :] = 0.0
    targets[n:n4] = 0.0
    sums[:] = 0.0
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
    f = 0
    while f < out.size:  # a power is slow, so once for a run of equal ones
        power = penalty.power[f]
        scale = (n + penalty.more) ** power
        while f < out.size and penalty.power[f] == power:
            out[f] = penalty.diagonal[f] + penalty.reg[f] * scale
            f += 1
    return out.min()


@kernel
def normal_equations(Y, offset, indices, values, weights, penalty, work):
    """Fill A (upper triangle) and b for a row of one rating or more; no ``weights`` means ones."""
    A, d, n = work.A, work.b.size, indices.size
    work.b[:] = 0.0
    for first in range(0, n, BLOCK):
        here = slice(first, first + BLOCK)
        rows = indices[here]
        fill_panel(Y, offset, rows, values[here], weights[here], work)
        add_products(work.panel, rows.size, d, penalty.base if first == 0 else A, A)
    penalties(penalty, n, work.diagonal)
    for f in range(d):
        A[f, f] += work.diagonal[f]


@kernel
def solve_few(Y, offset, rows, values, weights, work, few, Z):
    """Leave in work.x the solution for a row of up to BLOCK ratings, by n equations in n unknowns.

    The penalties are in ``work``; ``few`` is a workspace of n or more, and Z (d, its width) float32
    gets D^-1/2 Y'. Rows are copied whole before they are turned: so the time to fetch them hides.
    """
    n, d = rows.size, work.diagonal.size
    K, a, x, b, panel, diagonal = few.A, few.x, work.x, few.b, work.panel, work.diagonal
    for j in range(n):
        col = rows[j]
        for f in range(d):
            panel[j, f] = Y[col, f]
    for f in range(d):
        root = np.float32(1.0 / np.sqrt(diagonal[f]))
        for j in range(n):
            Z[f, j] = root * panel[j, f]
        for j in range(n, (n + LANES - 1) // LANES * LANES):
            Z[f, j] = 0.0
    add_products(Z, d, n, few.nothing, K)
    for j in range(n):
        K[j, j] += 1.0 if weights.size == 0 else 1.0 / weights[j]
        b[j] = values[j] - offset[rows[j]]
    cholesky(K, b[:n], few.inverse, a)
    solve_upper(K, n, few.inverse, a)
    x[:] = 0.0
    for j in range(n):
        times = a[j]
        for f in range(d):
            x[f] += times * panel[j, f]
    for f in range(d):
        x[f] /= diagonal[f]


@kernel
def cholesky(A, b, inverse, y):
    """Turn A, its upper triangle, into U with A = U' U, and solve U' y = b on the way.

    b stands beside A as one more column. ``inverse`` gets one over the diagonal of U.
    """
    d = b.size
    bottom = bottom_of(d)
    width = bottom + ROWS
    for f in range(bottom):
        for g in range(bottom, width):  # stale lanes could sink to denormal numbers: slow
            A[f, g] = 0.0
        if f < d:
            A[f, bottom] = b[f]
        else:
            A[f, f] = 1.0
    for f in range(0, d, ROWS):
        g = f
        while f > 0 and g < width:
            vectors = (width - g) // ROWS
            if vectors == 3 or vectors > 4:
                tiles.subtract_3(A, f, f, g, A, A)
                g += 3 * ROWS
            elif vectors > 1:
                tiles.subtract_2(A, f, f, g, A, A)
                g += 2 * ROWS
            else:
                tiles.subtract_1(A, f, f, g, A, A)
                g += ROWS
        tiles.factor_tile(A, f, inverse)
        for g in range(f + ROWS, width, ROWS):
            tiles.solve_tile(A, f, g, inverse)
    for f in range(bottom):
        y[f] = A[f, bottom]


@kernel
def solve_upper(U, d, inverse, x):
    """Solve U x = y in place, with what ``cholesky`` left; x is padded."""
    bottom = bottom_of(d)
    for f in range(bottom - ROWS, -1, -ROWS):
        tiles.solve_upper_tile(U, f, bottom, inverse, x)


@kernel
def cholesky_solve(work):
    """Leave the solution of A x = b in x; A becomes U."""
    cholesky(work.A, work.b, work.inverse, work.x)
    solve_upper(work.A, work.b.size, work.inverse, work.x)


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
def passive_solve(A, b, free, part, x):
    """Solve A x = b over the coordinates marked free, with the others at zero; A is kept."""
    U, rhs = part.A, part.b
    U[:, :] = 0.0
    m = 0
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
    if m == 0:
        return
    cholesky(U, rhs[:m], part.inverse, part.x)
    solve_upper(U, m, part.inverse, part.x)
    m = 0
    for f in range(b.size):
        if free[f]:
            x[f] = part.x[m]
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
            x[: b.size] = trial
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
def solve_rows(
    start, stop, indptr, indices, values, weights, offset, Y, penalty, pull, lower, sweeps, X
):
    """Solve rows start..stop of X (n_rows, d) on Y (n_cols, d); rows without ratings are left.

    ``weights`` go with ``values``, or there are none. ``pull`` (n_rows, up to d) is added to b:
    what draws a row besides its ratings. Without lower bounds (all -inf) the answer is the ridge
    solution by Cholesky, in whichever unknowns are fewer. With bounds of 0, ``sweeps`` warm passes
    of coordinate descent improve the row, and 0 sweeps solve it exactly.
    """
    d = Y.shape[1]
    bounded = lower.max() == 0.0
    plain = not (bounded or penalty.has_base or pull.size > 0)
    work, other = workspace(d), workspace(d)
    Z = np.zeros((d, other.A.shape[1]), np.float32)
    A, b, x = work.A, work.b, work.x
    free, wrong, trial = np.empty(d, np.bool_), np.empty(d, np.bool_), np.empty(d)
    for row in range(start, stop):
        here = slice(indptr[row], indptr[row + 1])
        rows, n = indices[here], indptr[row + 1] - indptr[row]
        if n == 0:
            continue
        few = plain and n <= BLOCK and 4 * n <= 3 * d
        if few and penalties(penalty, n, work.diagonal) > 0.0:
            solve_few(Y, offset, rows, values[here], weights[here], work, other, Z)
        else:
            normal_equations(Y, offset, rows, values[here], weights[here], penalty, work)
            for f in range(pull.shape[1]):
                b[f] += pull[row, f]
            for f in range(d):
                x[f] = X[row, f]
            if not bounded:
                cholesky_solve(work)
            elif sweeps > 0:
                for _ in range(sweeps):
                    bounded_sweep(A, b, lower, x)
            else:
                active_set(A, b, lower, x, free, wrong, other, trial)
        for f in range(d):
            X[row, f] = x[f]
