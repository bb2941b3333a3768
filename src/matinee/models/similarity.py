"""What makes two users or two items alike."""

from typing import NamedTuple

import numpy as np

from matinee.kernels.similarities import Comparison

SIMILARITIES = ("adjusted", "cosine", "pearson")


class Similarity(NamedTuple):
    """Which numbers of a rating are compared, and what their products are divided by.

        adjusted    cosine of the deviations from the biases, each over all of its ratings
        cosine      cosine of the ratings; of preferences, common / (n_i^(1 - a) n_j^a)
        pearson     correlation of the ratings that two have in common
                    each times n / (n + shrinkage) for n ratings in common, all that to the
                    power of ``amplification`` (Breese, Heckerman & Kadie 1998)

    a = ``asymmetry`` is 1/2 for the cosine; more demotes popular neighbours (Aiolli 2013).
    """

    kind: str
    shrinkage: float
    amplification: float = 1.0
    asymmetry: float = 0.5
    binary: bool = False  # preferences: whatever was rated counts 1

    @property
    def comparison(self) -> Comparison:
        """How kernels compare two vectors."""
        return Comparison(self.kind == "pearson", self.shrinkage, self.amplification)

    def values(self, ratings: np.ndarray, deviations: np.ndarray) -> np.ndarray:
        """The number compared of each rating: (n_ratings,)."""
        if self.binary:
            return np.ones_like(ratings)
        return deviations if self.kind == "adjusted" else ratings

    def norms(self, row: np.ndarray, values: np.ndarray, n: int, *, neighbor: bool) -> np.ndarray:
        """What products with each of n rows are divided by, (n,): as the neighbour, or as the row.

        ``row`` and ``values`` are (n_ratings,).
        """
        squares = np.bincount(row, values.astype(np.float64) ** 2, minlength=n)
        power: np.ndarray = squares ** (self.asymmetry if neighbor else 1 - self.asymmetry)
        return power
