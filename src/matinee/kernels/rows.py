"""Sparse rows: sums over what each row lists, the same ratings by column, what a row holds."""

import numpy as np

from matinee.data.rows import Rows, indptr_of
from matinee.kernels import tiles
from matinee.kernels.jit import inlined, kernel, read_only
from matinee.kernels.threads import run_rows
from matinee.kernels.tiles import AT_ONCE
from matinee.kernels.vectors import ROWS

ROWS_AT_ONCE = 1 << 16  # rows whose sums are held in float64


def row_sums(rated: Rows, Z: np.ndarray) -> np.ndarray:
    """sum_j z_j over the columns j of each row: (n_rows, k) float32 for Z (n_cols, k)."""
    n, k = len(rated.indptr) - 1, Z.shape[1]
    S = np.zeros((n, k), np.float32)
    for first in range(0, n, ROWS_AT_ONCE):
        piece = slice(first, first + ROWS_AT_ONCE)
        total = np.zeros((len(S[piece]), k))
        add_row_sums(total, rated._replace(indptr=rated.indptr[first : piece.stop + 1]), Z)
        S[piece] = total
    return S


def add_row_sums(S: np.ndarray, rated: Rows, Z: np.ndarray) -> None:
    """S += sum_j z_j over the columns j of each row, for S (n_rows, k) float64, Z (n_cols, k)."""
    run_rows(
        _add_row_sums,
        rated.counts + 1.0,
        read_only(rated.indptr, np.int64),
        read_only(rated.indices, np.int32),
        read_only(Z, np.float32),
        S,
    )


@kernel
def _add_row_sums(start, stop, indptr, indices, Z, S):
    """``add_row_sums`` for rows start..stop; each row is added in the order of its list."""
    k = S.shape[1]
    parts = -(-k // (AT_ONCE * ROWS))
    for u in range(start, stop):
        first, last = indptr[u], indptr[u + 1]
        if k >= ROWS:
            for part in range(parts):
                f, g = part * k // parts, (part + 1) * k // parts
                tiles.add_listed(Z, indices, first, last, S, u, f, g)
        else:
            for j in range(first, last):
                for f in range(k):
                    S[u, f] += Z[indices[j], f]


def by_columns(rated: Rows, n_columns: int, column_of: np.ndarray | None = None) -> Rows:
    """The ratings by column, rows ascending within each: (n_columns, n_rows).

    ``column_of`` (n,) gives each column of ``rated`` a new number; those below 0 are left out.
    """
    indices = rated.indices if column_of is None else column_of[rated.indices]
    indptr = indptr_of(indices if column_of is None else indices[indices >= 0], n_columns)
    rows = np.empty(int(indptr[-1]), np.int32)
    values = np.empty(len(rows), np.float32)
    _by_columns(
        read_only(rated.indptr, np.int64),
        read_only(indices, np.int32),
        read_only(rated.values, np.float32),
        indptr[:-1].copy(),
        rows,
        values,
    )
    return Rows(indptr, rows, values)


@kernel
def _by_columns(indptr, indices, values, at, rows, by_column):
    """Fill ``rows`` and the values ``by_column``; column c begins at ``at[c]``, which moves on."""
    for row in range(indptr.size - 1):
        for j in range(indptr[row], indptr[row + 1]):
            col = indices[j]
            if col >= 0:
                rows[at[col]], by_column[at[col]] = row, values[j]
                at[col] += 1


@inlined
def has(items, item):
    """Whether an ascending array holds an item."""
    low, high = 0, items.size
    while low < high:
        middle = (low + high) // 2
        if items[middle] < item:
            low = middle + 1
        else:
            high = middle
    return low < items.size and items[low] == item
