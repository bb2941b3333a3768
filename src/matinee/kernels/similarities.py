"""Comparing sparse vectors: similarities, mean differences, and inner products.

Vectors of items have users for coordinates, those of users have items. A row meets the others
through the coordinates that they share, in a scratch of one entry per row (Gustavson 1978), and a
heap keeps its best. So time grows with the products of entries, not with pairs of rows, and no
n x n matrix is made, except by ``inner_products``, whose result is one.
"""

from typing import NamedTuple

import numpy as np

from matinee.kernels.heap import keep_best
from matinee.kernels.jit import inlined, kernel, read_only
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


class Lists(NamedTuple):
    """Room for the neighbours of each row, as many as it can have (row r: indptr[r] and on)."""

    indptr: np.ndarray  # (n_rows + 1,) int64
    sizes: np.ndarray  # (n_rows,) int64: how many neighbours a row has
    rows: np.ndarray  # (n_places,) int32: the best first
    weights: np.ndarray  # (n_places,) float32: above 0, and 0 where there are no more

    @classmethod
    def of(cls, by_row: Sparse, by_column: Sparse, n: int) -> "Lists":
        """Empty lists of at most n, and of no more than the entries at the row's coordinates."""
        n_rows = len(by_row.counts)
        most = np.minimum(pair_costs(by_row, by_column.counts), min(n, n_rows))
        indptr = np.r_[0, np.cumsum(most.astype(np.int64))]
        return cls(
            read_only(indptr, np.int64),
            np.zeros(n_rows, np.int64),
            np.empty(indptr[-1], np.int32),
            np.zeros(indptr[-1], np.float32),
        )

    def without_gaps(self) -> tuple[Sparse, np.ndarray]:
        """The lists as a matrix, and which places (n_places,) bool are filled."""
        filled = self.weights > 0
        indptr = np.r_[0, np.cumsum(self.sizes)]
        return Sparse(indptr, self.rows[filled], self.weights[filled]), filled


def nearest_rows(
    by_row: Sparse, by_column: Sparse, norms: tuple[np.ndarray, np.ndarray], how: Comparison, n: int
) -> Sparse:
    """The n most similar other rows of each row, and their similarities, which are above 0.

    Args:
        by_row: the vectors (n_rows, n_coordinates).
        by_column: the same matrix by coordinate.
        norms: what a product is divided by, (n_rows,) each: as the row, and as its neighbour.
        how: see ``compare``.
        n: at least 1.

    Returns:
        A matrix (n_rows, n_rows) whose rows list the most similar first, ties by lower row.
    """
    as_row, as_neighbor = norms
    lists = Lists.of(by_row, by_column, n)
    run_rows(
        _nearest_rows,
        pair_costs(by_row, by_column.counts) + 1.0,
        *by_row.frozen(),
        read_only(as_row, np.float64),
        Vectors.of(by_column, as_neighbor, how),
        lists,
    )
    return lists.without_gaps()[0]


def mean_differences(by_row: Sparse, by_column: Sparse, n: int) -> tuple[Sparse, np.ndarray]:
    """The n other rows that share most coordinates with each row.

    Returns:
        How many coordinates are shared: a matrix (n_rows, n_rows) whose rows list the most shared
        first, ties by lower row. The mean over them of x_row - x_other, float32, for each entry.
    """
    lists = Lists.of(by_row, by_column, n)
    differences = np.empty(len(lists.rows), np.float32)
    run_rows(
        _mean_differences,
        pair_costs(by_row, by_column.counts) + 1.0,
        *by_row.frozen(),
        Vectors.of(by_column, np.empty(0), Comparison(pearson=True)),
        lists,
        differences,
    )
    counts, filled = lists.without_gaps()
    return counts, differences[filled]


def inner_products(by_row: Sparse, by_column: Sparse) -> np.ndarray:
    """The inner product of each two rows: (n_rows, n_rows) float64."""
    n_rows = len(by_row.indptr) - 1
    out = np.zeros((n_rows, n_rows))
    rows, columns = by_row.frozen(), by_column.frozen()
    run_rows(
        _inner_products,
        pair_costs(by_row, by_column.counts) + 1.0,
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
    weights = np.zeros(len(vectors.norms), np.float32)
    coordinates, values = read_only(vector[0], np.int32), read_only(vector[1], np.float32)
    sums, others = scratch_of(vectors)
    compare(row, coordinates, values, float(norm), vectors, sums, others, weights)
    return weights


@kernel
def scratch_of(vectors):
    """Scratch to compare one vector with others at a time: their sums, and their rows."""
    n_rows = len(vectors.norms)
    return np.zeros((n_rows, 6 if vectors.pearson else 2)), np.empty(n_rows, np.int32)


@inlined
def share(coordinates, values, vectors, sums, others):
    """Add up the N, XY, ... of one vector with all that share a coordinate with it.

    ``sums`` (n_rows, 6), or (n_rows, 2) unless Pearson, has N = 0 in all rows. The rows met fill
    the first n of ``others``, (n_rows,); returns n. Set their N to 0 before the next vector.
    """
    n = np.int64(0)  # a plain 0 is of another type, for which a heap would be compiled again
    for at in range(len(coordinates)):
        x = np.float64(values[at])  # float() would leave it as it is
        for entry in range(vectors.indptr[coordinates[at]], vectors.indptr[coordinates[at] + 1]):
            other, y = vectors.rows[entry], np.float64(vectors.values[entry])
            total = sums[other]
            if total[N] == 0.0:
                total[:] = 0.0
                others[n] = other
                n += 1
            total[N] += 1.0
            total[XY] += x * y
            if vectors.pearson:
                total[XX] += x * x
                total[YY] += y * y
                total[X] += x
                total[Y] += y
    return n


@inlined
def similarity(total, norm, other_norm, vectors):
    """What two vectors are worth to each other, from the sums over what they share; at least 0.

    cosine   (xy / (norm other_norm)     n / (n + shrinkage))^amplification
    pearson  (cov(x, y) / (sd(x) sd(y))  n / (n + shrinkage))^amplification
    """
    n = total[N]
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
        xy, size = total[XY], norm * other_norm
    if size <= 0.0 or xy <= 0.0:
        return 0.0
    weight = xy / size * n / (n + vectors.shrinkage)
    return weight if vectors.amplification == 1.0 else weight**vectors.amplification


@inlined
def compare(row, coordinates, values, norm, vectors, sums, others, weights):
    """Set the weights of all that share a coordinate with one vector; the other weights stay.

    ``row`` is the vector's own row, which gets 0, or -1. ``sums`` and ``others`` are the scratch
    of ``share``, whose first n rows are those set; returns n.
    """
    n = share(coordinates, values, vectors, sums, others)
    for at in range(n):
        other = others[at]
        if other == row:
            weights[other] = 0.0
        else:
            weights[other] = similarity(sums[other], norm, vectors.norms[other], vectors)
        sums[other, N] = 0.0
    return n


@kernel
def _nearest_rows(start, stop, indptr, coordinates, values, norms, vectors, lists):
    sums, others = scratch_of(vectors)
    weights = np.empty(len(norms), np.float32)
    for row in range(start, stop):
        span, place = (
            slice(indptr[row], indptr[row + 1]),
            slice(lists.indptr[row], lists.indptr[row + 1]),
        )
        n = compare(
            row, coordinates[span], values[span], norms[row], vectors, sums, others, weights
        )
        best, best_weights = lists.rows[place], lists.weights[place]
        lists.sizes[row] = keep_best(weights, others, n, best, best_weights, len(best))


@kernel
def _mean_differences(start, stop, indptr, coordinates, values, vectors, lists, differences):
    sums, others = np.zeros((len(indptr) - 1, 6)), np.empty(len(indptr) - 1, np.int32)
    counts = np.empty(len(indptr) - 1, np.float32)
    for row in range(start, stop):
        span, place = (
            slice(indptr[row], indptr[row + 1]),
            slice(lists.indptr[row], lists.indptr[row + 1]),
        )
        n = share(coordinates[span], values[span], vectors, sums, others)
        for other in others[:n]:
            counts[other] = sums[other, N] if other != row else 0.0
        best = lists.rows[place]
        size = keep_best(counts, others, n, best, lists.weights[place], len(best))
        for at in range(size):
            total = sums[best[at]]
            differences[lists.indptr[row] + at] = (total[X] - total[Y]) / total[N]
        lists.sizes[row] = size
        for other in others[:n]:
            sums[other, N] = 0.0


@kernel
def _inner_products(start, stop, indptr, columns, values, column_indptr, rows, row_values, out):
    for i in range(start, stop):
        for at in range(indptr[i], indptr[i + 1]):
            x, column = np.float64(values[at]), columns[at]
            for entry in range(column_indptr[column], column_indptr[column + 1]):
                out[i, rows[entry]] += x * row_values[entry]
