"""A penalty that differs by factor and grows with the ratings of a row, as learned variances do."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class MatrixPenalty:
    """p' (base + n slope) p for the factors p of a row of n ratings.

    ``base`` is the noise over the variance of the row's factors. ``slope`` is how unsure the
    factors of a rating's other side are, by their covariance: a product with a number that may be
    off says less. Both are diagonal while factors are learned, and turn with them afterwards.
    """

    base: np.ndarray  # (n_factors, n_factors) float64
    slope: np.ndarray  # (n_factors, n_factors) float64

    def __post_init__(self) -> None:
        for array in (self.base, self.slope):
            array.flags.writeable = False

    def rotated(self, rotation: np.ndarray) -> "MatrixPenalty":
        """The same penalty on factors times an orthogonal matrix (k, k)."""
        return MatrixPenalty(*(rotation.T @ one @ rotation for one in (self.base, self.slope)))
