"""Comparing sparse vectors: similarities, mean differences, and inner products.

Vectors of items have users for coordinates, those of users have items. Each row is compared with
all others through the coordinates they share, in a scratch of one entry per row, and keeps its
best: no n x n matrix is made, except by ``inner_products``, whose result is one.
"""

from typing import NamedTuple

import numpy as np

from matinee.kernels.jit import kernel, read_only
from matinee.kernels.sparse import Sparse, pair_costs
from matinee.kernels.threads import run_rows

N, XY, XX, YY, X, Y = range(6)  # sums over the coordinates that two vectors share
CORRELATIONS = 2.0**16  # values between 0 and 1 that a correlation is rounded to


class Comparison(NamedTuple):
    """How two vectors are compared."""

    pearson: bool = False  # correlate over the shared coordinates; else a cosine
    shrinkage: float = 0.0  # shared coordinates at which a similarity counts half
    amplification: float = 1.0  # power of a similarity


class Vectors(NamedTuple):
    """Sparse vectors by coordinate (c: indptr[c]..indptr[c + 1]), and how to compare with them."""

    indptr: np.ndarray  # (n_coordinates + 1,) int64
    rows: np.ndarray  # (n_entries,) int32: the row of each entry
    values: np.ndarray  # (n_entries,) float32
    norms: np.ndarray  # (n_rows,) float64: what a product with each row is divided by
    pearson: bool  # norms are not used then
    shrinkage: float
    amplification: float

    @classmethod
    def of(cls, by_column: Sparse, norms: np.ndarray, comparison: Comparison) -> "Vectors":
        """Vectors (n_rows,) from their matrix by coordinate, in the types kernels take."""
        return cls(*by_column.frozen(), read_only(norms, np.float64), *comparison)


def nearest_rows(
    by_row: Sparse, by_column: Sparse, norms: tuple[np.ndarray, np.ndarray], how: Comparison, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """The n most similar other rows of each row, and their similarities.

    Args:
        by_row: the vectors (n_rows, n_coordinates).
        by_column: the same matrix by coordinate.
        norms: what a product is divided by, (n_rows,) each: as the row, and as its neighbour.
        how: see ``compare``.
        n: at most n_rows.

    Returns:
        rows (n_rows, n) int32, best first, -1 where there are no more; similarities (n_rows, n)
        float32, 0 there.
    """
    as_row, as_neighbor = norms
    n = min(n, len(as_row))
    rows, weights = np.empty((len(as_row), n), np.int32), np.empty((len(as_row), n), np.float32)
    run_rows(
        _nearest_rows,
        pair_costs(by_row, by_column.counts),
        *by_row.frozen(),
        read_only(as_row, np.float64),
        Vectors.of(by_column, as_neighbor, how),
        rows,
        weights,
    )
    return rows, weights


def mean_differences(
    by_row: Sparse, by_column: Sparse, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The n other rows that share most coordinates with each row.

    Returns:
        rows (n_rows, n) int32, most shared first, -1 where there are no more; how many coordinates
        are shared, (n_rows, n) float32; the mean over them of x_row - x_other, (n_rows, n) float32.
    """
    n_rows = len(by_row.indptr) - 1
    n = min(n, n_rows)
    rows = np.empty((n_rows, n), np.int32)
    counts, differences = np.empty((n_rows, n), np.float32), np.empty((n_rows, n), np.float32)
    run_rows(
        _mean_differences,
        pair_costs(by_row, by_column.counts),
        *by_row.frozen(),
        Vectors.of(by_column, np.empty(0), Comparison(pearson=True)),
        rows,
        counts,
        differences,
    )
    return rows, counts, differences


def inner_products(by_row: Sparse, by_column: Sparse) -> np.ndarray:
    """The inner product of each two rows: (n_rows, n_rows) float64."""
    n_rows = len(by_row.indptr) - 1
    out = np.zeros((n_rows, n_rows))
    rows, columns = by_row.frozen(), by_column.frozen()
    run_rows(
        _inner_products,
        pair_costs(by_row, by_column.counts),
        *rows,
        *columns,
        out,
    )
    return out


def similarities(
    vector: tuple[np.ndarray, np.ndarray], norm: float, row: int, vectors: Vectors
) -> np.ndarray:
    """One vector's similarity to all others: (n_rows,) float32, 0 where it is not above 0.

    The vector is its coordinates and values; ``row`` is its own row, which gets 0, or -1.
    """
    n_rows = len(vectors.norms)
    weights = np.empty(n_rows, np.float32)
    coordinates, values = read_only(vector[0], np.int32), read_only(vector[1], np.float32)
    compare(row, coordinates, values, float(norm), vectors, np.empty((n_rows, 6)), weights)
    return weights


@kernel
def share(coordinates, values, vectors, sums):
    """Fill sums (n_rows, 6) with the N, XY, ... of one vector with all the others."""
    sums[:] = 0.0
    for at in range(len(coordinates)):
        x = np.float64(values[at])  # float() would leave it as it is
        for entry in range(vectors.indptr[coordinates[at]], vectors.indptr[coordinates[at] + 1]):
            total, y = sums[vectors.rows[entry]], np.float64(vectors.values[entry])
            total[N] += 1.0
            total[XY] += x * y
            if vectors.pearson:
                total[XX] += x * x
                total[YY] += y * y
                total[X] += x
                total[Y] += y


@kernel
def compare(row, coordinates, values, norm, vectors, sums, weights):
    """Fill weights (n_rows,) with one vector's similarity to all others: 0 where not above 0.

        cosine   (xy / (norm_row norm_other)  n / (n + shrinkage))^amplification
        pearson  (cov(x, y) / (sd(x) sd(y))   n / (n + shrinkage))^amplification

    ``row`` is the vector's own row, which gets 0, or -1. ``sums`` (n_rows, 6) is scratch.
    """
    share(coordinates, values, vectors, sums)
    for other in range(len(weights)):
        weights[other] = 0.0
        total = sums[other]
        n = total[N]
        if n == 0.0 or other == row:
            continue
        if vectors.pearson:
            xy = total[XY] - total[X] * total[Y] / n
            xx = total[XX] - total[X] * total[X] / n
            yy = total[YY] - total[Y] * total[Y] / n
            # What is left of a constant vector is rounding, not variance.
            varies = xx > 1e-9 * total[XX] and yy > 1e-9 * total[YY]
            size = np.sqrt(xx * yy) if varies else 0.0
            if size > 0.0:  # so that equal correlations tie, in whatever unit the ratings are
                xy, size = np.rint(CORRELATIONS * xy / size), CORRELATIONS
        else:
            xy, size = total[XY], norm * vectors.norms[other]
        if size > 0.0 and xy > 0.0:
            weight = xy / size * n / (n + vectors.shrinkage)
            weights[other] = (
                weight if vectors.amplification == 1.0 else weight**vectors.amplification
            )


@kernel
def _nearest_rows(start, stop, indptr, coordinates, values, norms, vectors, out_rows, out_weights):
    sums = np.empty((len(norms), 6))
    weights = np.empty(len(norms), np.float32)
    for row in range(start, stop):
        span = slice(indptr[row], indptr[row + 1])
        compare(row, coordinates[span], values[span], norms[row], vectors, sums, weights)
        order = np.argsort(-weights, kind="mergesort")
        for place in range(out_rows.shape[1]):
            other = order[place]
            similar = weights[other] > 0.0
            out_rows[row, place] = other if similar else -1
            out_weights[row, place] = weights[other] if similar else 0.0


@kernel
def _mean_differences(
    start, stop, indptr, coordinates, values, vectors, out_rows, out_counts, out_differences
):
    n_rows = len(indptr) - 1
    sums = np.empty((n_rows, 6))
    for row in range(start, stop):
        span = slice(indptr[row], indptr[row + 1])
        share(coordinates[span], values[span], vectors, sums)
        sums[row, N] = 0.0
        order = np.argsort(-sums[:, N], kind="mergesort")
        for place in range(out_rows.shape[1]):
            total = sums[order[place]]
            shared = total[N] > 0.0
            out_rows[row, place] = order[place] if shared else -1
            out_counts[row, place] = total[N]
            out_differences[row, place] = (total[X] - total[Y]) / total[N] if shared else 0.0


@kernel
def _inner_products(start, stop, indptr, columns, values, column_indptr, rows, row_values, out):
    for i in range(start, stop):
        for at in range(indptr[i], indptr[i + 1]):
            x, column = np.float64(values[at]), columns[at]
            for entry in range(column_indptr[column], column_indptr[column + 1]):
                out[i, rows[entry]] += x * row_values[entry]
