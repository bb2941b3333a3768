"""One side of a factor model: the factors and biases of all users, or of all items."""

from typing import NamedTuple

import numpy as np

PIECE = 8192  # rows averaged at once


class Embeddings(NamedTuple):
    """Factors (n, n_factors) and biases (n,) of users or items, float32.

    Items may have ``implicit`` factors too (n, n_factors): what it says of someone's taste that
    they rated the item at all, whatever they gave.
    """

    factors: np.ndarray
    bias: np.ndarray
    implicit: np.ndarray | None = None

    @classmethod
    def zeros(cls, n: int, n_factors: int) -> "Embeddings":
        return cls(np.zeros((n, n_factors), np.float32), np.zeros(n, np.float32))

    @property
    def n_factors(self) -> int:
        return int(self.factors.shape[1])

    def with_implicit(self) -> "Embeddings":
        """This side with implicit factors of zero."""
        return self._replace(implicit=np.zeros_like(self.factors))

    def row(self, r: int) -> "Embeddings":
        """The side that holds row ``r`` alone."""
        return self.take(np.array([r]))

    def take(self, rows: np.ndarray) -> "Embeddings":
        """The embeddings of ``rows`` (n,), in that order."""
        implicit = None if self.implicit is None else self.implicit[rows]
        return Embeddings(self.factors[rows], self.bias[rows], implicit)

    def copy(self) -> "Embeddings":
        return self.take(np.arange(len(self.bias)))

    def in_units(self, unit: float) -> "Embeddings":
        """A copy for ratings times ``unit``: biases grow by it, factors by its root."""
        root, bias = np.float32(np.sqrt(unit)), np.float32(unit) * self.bias
        implicit = None if self.implicit is None else root * self.implicit
        return Embeddings(root * self.factors, bias, implicit)

    def fill(self, other: "Embeddings") -> None:
        """Overwrite these arrays with those of a side of the same shape."""
        for mine, theirs in zip(self, other, strict=True):
            if mine is not None:
                mine[:] = theirs

    @property
    def finite(self) -> bool:
        """Whether all factors are finite numbers."""
        pieces = range(0, len(self.factors), PIECE)
        return all(np.isfinite(self.factors[first : first + PIECE]).all() for first in pieces)

    def mean(self, rows: np.ndarray) -> "Embeddings":
        """The average, one row, of the rows marked in bool (n_rows,); zeros when none is."""
        if not rows.any():
            return Embeddings.zeros(1, self.n_factors)
        factors, bias = np.zeros((1, self.n_factors)), np.zeros(1)
        for first in range(0, len(rows), PIECE):  # in this order, and no copy of all
            piece = slice(first, first + PIECE)
            factors += self.factors[piece][rows[piece]].sum(axis=0, dtype=np.float64)
            bias += self.bias[piece][rows[piece]].sum(dtype=np.float64)
        n = np.count_nonzero(rows)
        return Embeddings((factors / n).astype(np.float32), (bias / n).astype(np.float32))

    def completed(self, known: np.ndarray) -> "Embeddings":
        """These, frozen; rows not ``known``, bool (n_rows,), get the average of those that are.

        Factors that can be written are overwritten; those of a model are frozen, and copied.
        """
        factors, bias = (np.asarray(array, np.float32) for array in (self.factors, self.bias))
        if not known.all():
            average = self.mean(known)
            if not (factors.flags.writeable and bias.flags.writeable):
                factors, bias = factors.copy(), bias.copy()
            factors[~known], bias[~known] = average.factors[0], average.bias[0]
        return Embeddings(factors.view(), bias.view(), self.implicit).frozen()

    def frozen(self) -> "Embeddings":
        """This side, its arrays read-only from now on."""
        for array in self:
            if array is not None:
                array.flags.writeable = False
        return self
