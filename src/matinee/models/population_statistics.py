"""Statistics over all users of a factor model, computed in pieces.

A model folder stores them, so that a server answers without reading every user's factors.
"""

from typing import NamedTuple

import numpy as np

from matinee.kernels.blas import gram
from matinee.tastes.canonical import Moments
from matinee.tastes.cards import n_strongest

CAP_QUANTILE = 0.95  # of the users at one end of a taste; caps the strength of synthetic users
MOST_USERS = 100_000  # that the quantile is taken over
PIECE = 1 << 16  # users looked at together


class PopulationStatistics(NamedTuple):
    """How strong tastes are in the users; k is the number of factor columns."""

    moments: Moments  # of the taste factors of all users
    n_strongest: np.ndarray  # (n_factors,) int64: users whose strongest taste each one is
    mean_strength: np.ndarray  # (k,) float64: mean of |p_f| over users with ratings
    strength_cap: np.ndarray  # (k,) float64: 95th percentile of p_f at the high end

    @classmethod
    def of(
        cls, tastes: tuple[np.ndarray, np.ndarray], factors: np.ndarray, rated: np.ndarray
    ) -> "PopulationStatistics":
        """Of user and item factors as tastes (n, n_factors), and user factors (n_users, k).

        ``rated`` (n_users,) bool marks the users with ratings.
        """
        total = np.zeros(factors.shape[1])
        for first in range(0, len(factors), PIECE):
            piece = slice(first, first + PIECE)
            total += np.abs(factors[piece][rated[piece]]).sum(axis=0, dtype=np.float64)
        rows = np.flatnonzero(rated)
        sample = rows[:: max(1, len(rows) // MOST_USERS)]
        mean = total / max(len(rows), 1)
        return cls(
            moments_of(tastes[0]), n_strongest(*tastes), mean, strength_cap(factors[sample])
        ).frozen()

    def frozen(self) -> "PopulationStatistics":
        """The same, its arrays read-only from now on."""
        for array in (*self.moments, *self[1:]):
            array.flags.writeable = False
        return self


def moments_of(factors: np.ndarray) -> Moments:
    """E[x x'] (k, k) and E[x] (k,) over the rows x of ``factors`` (n, k)."""
    n = max(len(factors), 1)
    return Moments(gram(factors) / n, factors.sum(axis=0, dtype=np.float64) / n)


def strength_cap(factors: np.ndarray) -> np.ndarray:
    """The 95th percentile (k,) of each column's positive entries.

    Of the absolute values where a column has no positive entry, and 0 where it is all zero.
    """
    ends = (column[column > 0] if (column > 0).any() else -column for column in factors.T)
    return np.array([np.quantile(end, CAP_QUANTILE) if len(end) else 0.0 for end in ends])
