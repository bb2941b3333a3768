"""One side of a factor model: the factors and biases of all users, or of all items."""

from typing import NamedTuple

import numpy as np


class Side(NamedTuple):
    """Factors (n, n_factors) and biases (n,) of users or items, float32.

    Items may have ``implicit`` factors too (n, n_factors): what it says of someone's taste that
    they rated the item at all, whatever they gave.
    """

    factors: np.ndarray
    bias: np.ndarray
    implicit: np.ndarray | None = None

    @classmethod
    def zeros(cls, n: int, n_factors: int) -> "Side":
        return cls(np.zeros((n, n_factors), np.float32), np.zeros(n, np.float32))

    @property
    def n_factors(self) -> int:
        return int(self.factors.shape[1])

    def with_implicit(self) -> "Side":
        """This side with implicit factors of zero."""
        return self._replace(implicit=np.zeros_like(self.factors))

    def row(self, r: int) -> "Side":
        """The side that holds row ``r`` alone."""
        return self.take(np.array([r]))

    def take(self, rows: np.ndarray) -> "Side":
        """The side that holds ``rows``, in that order."""
        implicit = None if self.implicit is None else self.implicit[rows]
        return Side(self.factors[rows], self.bias[rows], implicit)

    def copy(self) -> "Side":
        return self.take(np.arange(len(self.bias)))

    def fill(self, other: "Side") -> None:
        """Overwrite these arrays with those of a side of the same shape."""
        for mine, theirs in zip(self, other, strict=True):
            if mine is not None:
                mine[:] = theirs

    def mean(self, rows: np.ndarray) -> "Side":
        """The average of the marked rows, as a side of one row; zeros when none is marked."""
        if not rows.any():
            return Side.zeros(1, self.n_factors)
        return Side(
            self.factors[rows].mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32),
            self.bias[rows].mean(keepdims=True, dtype=np.float64).astype(np.float32),
        )

    def completed(self, known: np.ndarray) -> "Side":
        """This side, frozen, with the average of the known rows in place of the others."""
        average = self.mean(known)
        factors = np.where(known[:, None], self.factors, average.factors).astype(np.float32)
        bias = np.where(known, self.bias, average.bias).astype(np.float32)
        return Side(factors, bias, self.implicit).frozen()

    def frozen(self) -> "Side":
        """This side, its arrays read-only from now on."""
        for array in self:
            if array is not None:
                array.flags.writeable = False
        return self
