"""The best few of many, by a heap whose root is the worst of those it holds (Williams 1964).

An entry is a row and its weight. It ranks before those of less weight, and of the same weight and
a higher row, so the order is total and the result does not depend on the order of the entries.
"""

import numpy as np

from matinee.kernels.jit import kernel

ROOT = np.int64(0)


@kernel
def keep_best(weights, candidates, n_candidates, best, best_weights, most):
    """Fill ``best`` with the candidates of most weight above 0, the best first; how many.

    ``weights`` (n_rows,) are read at the first ``n_candidates`` of the candidates, which are rows.
    At most ``most`` are kept.
    """
    n = ROOT  # and not 0, whose type is another: all of it would be compiled again
    for k in range(n_candidates):
        row = candidates[k]
        weight = weights[row]
        if weight <= 0.0:
            continue
        if n < most:
            best[n], best_weights[n] = row, weight
            n += 1
            if n == most:
                for place in range(n // 2 - 1, -1, -1):
                    sink(best, best_weights, place, n)
        elif outranks(weight, row, best_weights[0], best[0]):
            best[0], best_weights[0] = row, weight
            sink(best, best_weights, ROOT, n)
    if n < most:
        for place in range(n // 2 - 1, -1, -1):
            sink(best, best_weights, place, n)
    for last in range(n - 1, 0, -1):  # the worst of those left goes to the end
        swap(best, best_weights, ROOT, last)
        sink(best, best_weights, ROOT, last)
    return n


@kernel
def outranks(weight, row, other_weight, other):
    """Whether an entry is heavier than another, or as heavy with a lower row."""
    return weight > other_weight or (weight == other_weight and row < other)


@kernel
def sink(rows, weights, place, n):
    """Let an entry sink in a heap of n until none below it is worse."""
    while 2 * place + 1 < n:
        child = 2 * place + 1
        if child + 1 < n and outranks(
            weights[child], rows[child], weights[child + 1], rows[child + 1]
        ):
            child += 1
        if not outranks(weights[place], rows[place], weights[child], rows[child]):
            return
        swap(rows, weights, place, child)
        place = child


@kernel
def swap(rows, weights, one, other):
    """Exchange two entries."""
    rows[one], rows[other] = rows[other], rows[one]
    weights[one], weights[other] = weights[other], weights[one]
