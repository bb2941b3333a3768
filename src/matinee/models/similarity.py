"""What makes two users or two items alike."""

from typing import NamedTuple

import numpy as np

from matinee.kernels.similarities import Comparison

SIMILARITIES = ("adjusted", "cosine", "pearson")
WEIGHTINGS = ("none", "tf-idf", "bm25")
SATURATION, LENGTH_SHARE = 1.2, 0.75  # k1 and b of BM25, as is usual


class Similarity(NamedTuple):
    """Which numbers of a rating are compared, and what their products are divided by.

        adjusted    cosine of the deviations from the biases, each over all of its ratings
        cosine      cosine of the ratings; of preferences, common / (n_i^(1 - a) n_j^a)
        pearson     correlation of the ratings that two have in common
                    each times n / (n + shrinkage) for n ratings in common, all that to the
                    power of ``amplification`` (Breese, Heckerman & Kadie 1998)

    a = ``asymmetry`` is 1/2 for the cosine; more demotes popular neighbours (Aiolli 2013).

    Preferences may be weighted as words in texts are. What a row v has c of counts

        tf-idf      idf_c = log((1 + n_rows) / n_c) for n_c rows that have c
        bm25        idf_c (k1 + 1) / (k1 (1 - b + b n_v / mean of n_v) + 1), which products of rows
                    are not divided for               (Robertson & Zaragoza 2009, section 3.2)
    """

    kind: str
    shrinkage: float
    amplification: float = 1.0
    asymmetry: float = 0.5
    binary: bool = False  # preferences: whatever was rated counts 1
    weighting: str = "none"  # of preferences

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
        if self.weighting == "bm25":
            return np.ones(n)
        squares = np.bincount(row, values.astype(np.float64) ** 2, minlength=n)
        power: np.ndarray = squares ** (self.asymmetry if neighbor else 1 - self.asymmetry)
        return power

    def column_weights(self, column_counts: np.ndarray, n_rows: int) -> np.ndarray:
        """idf_c (n_columns,) of columns that so many of the rows have; 1 without weighting."""
        if self.weighting == "none":
            return np.ones(len(column_counts))
        idf: np.ndarray = np.log((1 + n_rows) / np.maximum(column_counts, 1))
        return idf

    def row_weights(self, row_counts: np.ndarray, mean_count: float) -> np.ndarray:
        """The part of BM25 that depends on the row: (n_rows,); 1 with other weightings."""
        if self.weighting != "bm25":
            return np.ones(len(row_counts))
        length = 1 - LENGTH_SHARE + LENGTH_SHARE * row_counts / mean_count
        weights: np.ndarray = (SATURATION + 1) / (SATURATION * length + 1)
        return weights
