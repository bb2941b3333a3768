"""Rows: a sparse matrix by rows, each value with a weight where weights are given."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np


class Rows(NamedTuple):
    """A sparse matrix by rows: row r holds ``values[indptr[r]:indptr[r + 1]]``."""

    indptr: np.ndarray  # (n_rows + 1,) int64
    indices: np.ndarray  # (n_ratings,) int32 column numbers, ascending within a row
    values: np.ndarray  # (n_ratings,) float32
    weights: np.ndarray | None = None  # (n_ratings,) float32 above 0; None where all weigh one

    @classmethod
    def single(
        cls, indices: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None
    ) -> "Rows":
        """The matrix of one row, such as somebody's history: arrays (n,), columns ascending."""
        return cls(np.array([0, len(indices)]), indices, values, weights)

    @classmethod
    def joined(cls, matrices: Sequence["Rows"]) -> "Rows":
        """The rows of one matrix or more, one below the other."""
        counts = np.concatenate([one.counts for one in matrices])
        indices, values = (np.concatenate([one[at] for one in matrices]) for at in (1, 2))
        weights = None
        if any(one.weights is not None for one in matrices):
            weights = np.concatenate([one.full_weights for one in matrices])
        return cls(np.concatenate([[0], np.cumsum(counts)]), indices, values, weights)

    def row(self, r: int) -> tuple[np.ndarray, np.ndarray]:
        """Column numbers (n,) and values (n,) of one row."""
        span = slice(self.indptr[r], self.indptr[r + 1])
        return self.indices[span], self.values[span]

    def only(self, r: int) -> "Rows":
        """The matrix of row ``r`` alone, on the same memory."""
        span = slice(self.indptr[r], self.indptr[r + 1])
        weights = None if self.weights is None else self.weights[span]
        return Rows.single(*self.row(r), weights)

    def take(self, rows: np.ndarray) -> "Rows":
        """The matrix of ``rows`` (n,), in that order; those below 0 are empty."""
        first = self.indptr[rows]
        counts = np.where(rows < 0, 0, self.indptr[rows + 1] - first)
        ends = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(counts, out=ends[1:])
        where = np.arange(ends[-1]) + np.repeat(first - ends[:-1], counts)
        weights = None if self.weights is None else self.weights[where]
        return Rows(ends, self.indices[where], self.values[where], weights)

    def subset(self, keep: np.ndarray) -> "Rows":
        """The same rows with some of their values alone: keep is bool (n_ratings,)."""
        ends = np.concatenate([[0], np.cumsum(keep)])[self.indptr]
        weights = None if self.weights is None else self.weights[keep]
        return Rows(ends, self.indices[keep], self.values[keep], weights)

    def updated(self, changes: Mapping[int, float | None]) -> "Rows":
        """A matrix of one row after ``{column: value}``, None taking a value out.

        What is set weighs one; the others keep their weights.
        """
        rest = self.subset(~np.isin(self.indices, list(changes)))
        new = {column: value for column, value in changes.items() if value is not None}
        columns = np.concatenate([rest.indices, np.array(list(new), np.int32)])
        order = np.argsort(columns, kind="stable")
        values = np.concatenate([rest.values, np.array(list(new.values()), np.float32)])
        weights = None
        if rest.weights is not None:
            weights = np.concatenate([rest.weights, np.ones(len(new), np.float32)])[order]
        return Rows.single(columns[order], values[order], weights)

    @property
    def full_weights(self) -> np.ndarray:
        """The weight of each value: float32 (n_ratings,)."""
        ones = np.ones(len(self.indices), np.float32)
        return ones if self.weights is None else self.weights

    @property
    def counts(self) -> np.ndarray:
        """How many values each row holds: int64 (n_rows,)."""
        return np.diff(self.indptr)

    def parts(self) -> dict[str, np.ndarray]:
        """Arrays by their names in a model folder: ends (n_rows + 1,), the others (n_ratings,)."""
        names = ("seen_indptr", "seen_items", "seen_ratings", "seen_weights")
        arrays = zip(names, self, strict=True)
        return {name: array for name, array in arrays if array is not None}


def indptr_of(row: np.ndarray, n_rows: int) -> np.ndarray:
    """Where each row begins among entries in order of row, and the end: (n_rows + 1,) int64.

    ``row`` (n_entries,) holds the row number of each entry, in any order.
    """
    indptr = np.zeros(n_rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=n_rows), out=indptr[1:])
    return indptr


def mean_count(counts: np.ndarray) -> float:
    """The mean of the numbers of ratings (n_rows,) of those rows that have any."""
    return float(counts.sum() / np.count_nonzero(counts))
