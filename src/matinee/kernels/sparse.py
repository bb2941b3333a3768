"""Sparse matrices as the drivers of kernels take them."""

from typing import NamedTuple

import numpy as np

from matinee.kernels.jit import read_only


class Sparse(NamedTuple):
    """A sparse matrix by rows: row r holds ``values[indptr[r]:indptr[r + 1]]``."""

    indptr: np.ndarray  # (n_rows + 1,) int64
    indices: np.ndarray  # (n_entries,) int32: the column of each entry
    values: np.ndarray  # (n_entries,) float32

    @property
    def counts(self) -> np.ndarray:
        """How many entries each row has: int64 (n_rows,)."""
        return np.diff(self.indptr)

    def frozen(self) -> "Sparse":
        """The same matrix in the types that kernels are compiled for."""
        return Sparse(
            read_only(self.indptr, np.int64),
            read_only(self.indices, np.int32),
            read_only(self.values, np.float32),
        )


def pair_costs(by_row: Sparse, column_counts: np.ndarray) -> np.ndarray:
    """Work (n_rows,) of comparing each row with those it meets: the entries of all its columns."""
    entries = np.r_[0, np.cumsum(column_counts[by_row.indices], dtype=np.float64)]
    return np.asarray(np.diff(entries[by_row.indptr]))
