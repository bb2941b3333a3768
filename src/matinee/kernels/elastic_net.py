"""Sparse non-negative regressions of each column of a matrix on the others, from its Gram matrix.

    min over w >= 0 with w_j = 0   1/2 |x_j - X w|^2 + l1 sum_i w_i + 1/2 sum_i l2_i w_i^2

Coordinate descent with an active set (Friedman, Hastie & Tibshirani 2010): only the columns whose
weights may leave 0 take part, by covariance updates, so X itself is never read. Rows of the Gram
matrix that have products with many columns are kept dense as well, since adding these vectorises.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from matinee.kernels.heap import keep_best
from matinee.kernels.jit import inlined, kernel, read_only
from matinee.kernels.sparse import Sparse
from matinee.kernels.threads import (
    RANGES_PER_THREAD,
    equal_cost_ranges,
    n_threads,
    run_all,
    run_rows,
)

TOLERANCE = 1e-4  # of |x_j|^2: changes of the objective that are not worth another step
FIRST = 32  # columns that enter the active set at first; then it may double each time
DENSE = 4  # rows with products in one of so many columns are kept dense
NONE = np.int64(0)  # a plain 0 is of another type, for which helpers would be compiled again
MOST_SWEEPS = 1000  # over the active set; a bound that is hardly ever met


class Penalized(NamedTuple):
    """A Gram matrix by rows, and the penalties."""

    indptr: np.ndarray  # (n + 1,) int64
    columns: np.ndarray  # (n_entries,) int32
    products: np.ndarray  # (n_entries,) float32: x_i . x_k
    dense: np.ndarray  # (n_dense, n) float32: some of the rows
    dense_row: np.ndarray  # (n,) int32: where a row is among these, or -1
    diagonal: np.ndarray  # (n,) float64
    l1: float
    l2: np.ndarray  # (n,) float64
    tolerance: float


def sparse_regressions(
    gram: Sparse, l1: float, l2: np.ndarray, tolerance: float = TOLERANCE
) -> Sparse:
    """The weights of each column's regression on the others, heaviest first.

    Args:
        gram: X'X (n, n) with entries of at least 0, each row's once.
        l1: penalty on weights, above 0, in the unit of the products.
        l2: penalty (n,) on the squares of weights, likewise.
        tolerance: see ``TOLERANCE``.

    Returns:
        Row j holds the columns that column j is regressed on, and their weights.
    """
    rows = gram.frozen()
    n = len(rows.indptr) - 1
    diagonal, cost = np.zeros(n), np.ones(n)
    run_rows(_diagonal_and_cost, rows.counts + 1.0, *rows, l1, diagonal, cost)
    problem = Penalized(
        *rows,
        *dense_rows(rows),
        read_only(diagonal, np.float64),
        l1,
        read_only(l2, np.float64),
        tolerance,
    )
    ranges = equal_cost_ranges(cost, n_threads() * RANGES_PER_THREAD)
    parts: list[tuple[np.ndarray, ...]] = [()] * len(ranges)

    def run(place: int, start: int, stop: int) -> None:
        parts[place] = _sparse_regressions(start, stop, problem)

    run_all([partial(run, place, *one) for place, one in enumerate(ranges)])
    parts = [(counts, *(one[: counts.sum()] for one in both)) for counts, *both in parts]
    counts, indices, values = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Sparse(np.r_[0, np.cumsum(counts)], indices, values)


def dense_rows(gram: Sparse) -> tuple[np.ndarray, np.ndarray]:
    """The rows with entries in one of DENSE columns, (n_dense, n) float32; where each of all is.

    The second result, (n,) int32, is -1 for the rows that are not dense.
    """
    n = len(gram.counts)
    often = np.flatnonzero(gram.counts * DENSE >= n)
    dense, place = np.zeros((len(often), n), np.float32), np.full(n, -1, np.int32)
    place[often] = np.arange(len(often))
    for row, of in zip(dense, often.tolist(), strict=True):
        span = slice(gram.indptr[of], gram.indptr[of + 1])
        row[gram.indices[span]] = gram.values[span]
    return read_only(dense, np.float32), read_only(place, np.int32)


@kernel
def _diagonal_and_cost(start, stop, indptr, columns, products, l1, diagonal, cost):
    for j in range(start, stop):
        for entry in range(indptr[j], indptr[j + 1]):
            if columns[entry] == j:
                diagonal[j] = products[entry]
            if products[entry] > l1:
                cost[j] += 1.0


@kernel
def _sparse_regressions(start, stop, problem):
    # Returns how many weights each of the columns start..stop has, their columns, and the weights;
    # the last two have room to spare. Nothing is sliced, as a slice is a page of code to compile.
    n = len(problem.diagonal)
    gradient = np.empty(n)
    weights, place = nothing_active(n)
    candidates, active = np.empty(n, np.int32), np.empty(n, np.int32)
    violators, gains = np.empty(n, np.int32), np.empty(n, np.float32)
    best, best_gains = np.empty(n, np.int32), np.empty(n, np.float32)
    products = np.empty((FIRST, FIRST), np.float32)  # of the columns in the active set
    counts = np.empty(stop - start, np.int64)
    columns, values, size = np.empty(stop - start, np.int32), np.empty(stop - start, np.float32), 0
    for j in range(start, stop):
        n_candidates = start_column(j, problem, gradient, candidates)
        n_active = NONE
        while True:
            n_violators = find_violators(
                candidates, n_candidates, j, problem, gradient, place, violators, gains
            )
            most = min(n, max(FIRST, n_active))
            n_new = keep_best(gains, violators, n_violators, best, best_gains, most)
            if n_new == 0:
                break
            entered = n_active
            if n_active + n_new > len(products):
                products = np.empty((2 * (n_active + n_new), 2 * (n_active + n_new)), np.float32)
                entered = NONE
            for k in range(n_new):
                active[n_active + k] = best[k]
            n_active += n_new
            for k in range(entered, n_active):
                enter(active, k, problem, place, products)
            descend(j, active, n_active, problem, products, gradient, weights)
        for k in range(n_active):
            i = active[k]
            gains[i], weights[i], place[i] = weights[i], 0.0, -1
        n_weights = keep_best(gains, active, n_active, best, best_gains, n_active)
        if size + n_weights > len(columns):
            columns, values = longer(columns, values, n_weights)
        for k in range(n_weights):
            columns[size + k], values[size + k] = best[k], best_gains[k]
        counts[j - start] = n_weights
        size += n_weights
    return counts, columns, values


@inlined
def nothing_active(n):
    """Weights (n,) of 0, and the place (n,) of each column in the active set: -1, as it is empty.

    Filled by a loop: np.zeros and np.full are functions more to compile.
    """
    weights, place = np.empty(n), np.empty(n, np.int32)
    for i in range(n):
        weights[i], place[i] = 0.0, -1
    return weights, place


@inlined
def start_column(j, problem, gradient, candidates):
    """Fill ``gradient`` (n,) with x_i . x_j - l1 where it is above 0, else with minus infinity.

    As products and weights are at least 0, no other column can have a weight. Fills the first of
    ``candidates`` (n,) with those that can, and returns how many.
    """
    for i in range(len(gradient)):
        gradient[i] = -np.inf
    n_candidates = NONE
    for entry in range(problem.indptr[j], problem.indptr[j + 1]):
        i, pull = problem.columns[entry], problem.products[entry] - problem.l1
        if i != j and pull > 0.0:
            gradient[i] = pull
            candidates[n_candidates] = i
            n_candidates += 1
    return n_candidates


@inlined
def find_violators(candidates, n, j, problem, gradient, place, violators, gains):
    """The inactive ones of n candidates that would gain enough by leaving 0; returns how many.

    They are the first of ``violators`` (n,), and ``gains`` (n,) has the gain of each column.
    """
    enough, n_violators = problem.tolerance * problem.diagonal[j], NONE
    for k in range(n):
        i = candidates[k]
        if place[i] < 0 and gradient[i] > 0.0:
            gain = gradient[i] * gradient[i] / (problem.diagonal[i] + problem.l2[i])
            if gain > enough:
                violators[n_violators], gains[i] = i, gain
                n_violators += 1
    return n_violators


@inlined
def enter(active, n_active, problem, place, products):
    """Make ``active[n_active]`` the last of the active set, with its products with the others."""
    i = active[n_active]
    place[i] = n_active
    row = problem.dense_row[i]
    if row >= 0:
        for k in range(n_active + 1):
            products[n_active, k] = products[k, n_active] = problem.dense[row, active[k]]
        return
    for k in range(n_active + 1):
        products[n_active, k] = products[k, n_active] = 0.0
    for entry in range(problem.indptr[i], problem.indptr[i + 1]):
        other = place[problem.columns[entry]]
        if other >= 0:
            products[n_active, other] = products[other, n_active] = problem.products[entry]


@inlined
def descend(j, active, n, problem, products, gradient, weights):
    """Minimise over the weights of the n columns in the active set.

    Then bring ``gradient``, x_i . (x_j - X w) - l1, up to date for all columns.
    """
    enough = problem.tolerance * problem.diagonal[j]
    own, before = np.empty(n), np.empty(n)
    for k in range(n):
        own[k], before[k] = gradient[active[k]], weights[active[k]]
    for _ in range(MOST_SWEEPS):
        gain = 0.0
        for k in range(n):
            i = active[k]
            curvature = problem.diagonal[i] + problem.l2[i]
            weight = max(0.0, (own[k] + problem.diagonal[i] * weights[i]) / curvature)
            change = weight - weights[i]
            if change != 0.0:
                weights[i] = weight
                gain = max(gain, change * change * curvature)
                for m in range(n):
                    own[m] -= change * products[k, m]
        if gain < enough:
            break
    for k in range(n):
        change = weights[active[k]] - before[k]
        if change != 0.0:
            follow(active[k], change, problem, gradient)


@inlined
def follow(i, change, problem, gradient):
    """Bring the gradient of all columns up to date with a change of the weight of column i."""
    row = problem.dense_row[i]
    if row >= 0:
        for other in range(len(gradient)):
            gradient[other] -= change * problem.dense[row, other]
        return
    for entry in range(problem.indptr[i], problem.indptr[i + 1]):
        gradient[problem.columns[entry]] -= change * problem.products[entry]


@inlined
def longer(columns, values, more):
    """Arrays with room for twice as much, and at least for so many more."""
    size = 2 * len(columns) + more
    longer_columns, longer_values = np.empty(size, np.int32), np.empty(size, np.float32)
    for place in range(len(columns)):
        longer_columns[place], longer_values[place] = columns[place], values[place]
    return longer_columns, longer_values
