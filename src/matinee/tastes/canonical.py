"""The canonical form: of all factors that give the same scores, those that can be read.

P Q' = (P T)(Q T)' for every orthogonal T, so factors as they are fitted have no meaning one by one.
Where a model's fold-in allows a rotation, T is the one by which each item is high on few factors
(varimax). Then signs make the more pronounced end of each factor positive, and factors are sorted
by their share of the scores' variance.

Factors are not rescaled, so that a ridge penalty stays the same for all. Cards show weights in
units of the score instead, which are comparable.
"""

from typing import Literal, NamedTuple

import numpy as np

from matinee.kernels.blas import one_blas_thread
from matinee.kernels.varimax import varimax

# What leaves the results of a fold-in as they are when it is applied to the factors of users and
# items and to implicit factors alike: any rotation, only a change of order, or neither.
Freedom = Literal["rotation", "order", "none"]

MOST_ITEMS = 5_000  # most rated items that varimax looks at; more take time and change little
NEGLIGIBLE = 1e-2  # largest entry of T - I for which factors are left as they are


class Moments(NamedTuple):
    """Averages over rows x of factors: E[x x'] (n_factors, n_factors) and E[x] (n_factors,)."""

    second: np.ndarray
    first: np.ndarray

    def rotated(self, T: np.ndarray) -> "Moments":
        """The moments of the rows T' x."""
        return Moments(T.T @ self.second @ T, self.first @ T)


def canonical_rotation(
    Q: np.ndarray, item_counts: np.ndarray, users: Moments, items: Moments, freedom: Freedom
) -> np.ndarray | None:
    """The orthogonal T (n_factors, n_factors) by which P T and Q T are canonical, or None.

    None says that they already are. Q is (n_items, n_factors), ``item_counts`` (n_items,) the
    ratings of each item.
    """
    if freedom == "none":
        return None
    T = np.eye(Q.shape[1])
    with one_blas_thread():
        if freedom == "rotation":
            most_rated = np.sort(np.argsort(-item_counts, kind="stable")[:MOST_ITEMS])
            T = varimax(Q[most_rated])
            T = T * signs(Q @ T.astype(np.float32))
        spread = variances(users.rotated(T), items.rotated(T))
    T = T[:, np.argsort(-spread, kind="stable")]
    return None if np.abs(T - np.eye(len(T))).max(initial=0.0) < NEGLIGIBLE else T


def variances(users: Moments, items: Moments) -> np.ndarray:
    """Var[p_f q_f] = E[p_f^2] E[q_f^2] - E[p_f]^2 E[q_f]^2 over users and items, (n_factors,)."""
    squares = np.diag(users.second) * np.diag(items.second)
    spread: np.ndarray = np.maximum(squares - (users.first * items.first) ** 2, 0.0)
    return spread


def signs(Q: np.ndarray) -> np.ndarray:
    """1 or -1 for each column of Q (n_items, n_factors): the sign of the sum of its cubes."""
    return np.where((Q.astype(np.float64) ** 3).sum(axis=0) < 0, -1.0, 1.0)
