"""The canonical form: of all factors that give the same scores, those that can be read.

P Q' = (P T)(Q T)' for every orthogonal T, so factors as they are fitted have no meaning one by one.
Where a model's fold-in lets them be turned, they are turned until each item is high on few of them
(varimax). Then each faces its more pronounced end, and they stand by share of the scores' variance.

Nothing is stretched: a ridge penalty would no longer be the same for all. Cards show weights in
units of the score instead, which compare.
"""

from typing import Literal, NamedTuple

import numpy as np

from matinee.kernels.blas import one_blas_thread
from matinee.kernels.varimax import varimax

# What may be done to factors so that a fold-in gives what it gave, and always at once to users,
# items and implicit factors: any orthogonal turn, only a change of order, or neither.
Freedom = Literal["turn", "order", "none"]

MOST_ITEMS = 5_000  # the most rated ones decide on the turn; more cost time and change little
NO_TURN = 1e-2  # a turn whose entries are this near to those of the identity is none


class Moments(NamedTuple):
    """Averages over the rows x of a side: E[x x'] (n_factors, n_factors), E[x] (n_factors,)."""

    second: np.ndarray
    first: np.ndarray

    def turned(self, T: np.ndarray) -> "Moments":
        """The moments of the rows T' x."""
        return Moments(T.T @ self.second @ T, self.first @ T)


def canonical_turn(
    Q: np.ndarray, item_counts: np.ndarray, users: Moments, items: Moments, freedom: Freedom
) -> np.ndarray | None:
    """The orthogonal T (n_factors, n_factors) by which P T and Q T are canonical; None for none.

    Q (n_items, n_factors), the ratings of each item (n_items,), and the moments of both sides.
    """
    if freedom == "none":
        return None
    T = np.eye(Q.shape[1])
    with one_blas_thread():
        if freedom == "turn":
            most_rated = np.sort(np.argsort(-item_counts, kind="stable")[:MOST_ITEMS])
            T = varimax(Q[most_rated])
            T = T * faces(Q @ T.astype(np.float32))
        spread = variances(users.turned(T), items.turned(T))
    T = T[:, np.argsort(-spread, kind="stable")]
    return None if np.abs(T - np.eye(len(T))).max(initial=0.0) < NO_TURN else T


def variances(users: Moments, items: Moments) -> np.ndarray:
    """Var[p_f q_f] = E[p_f^2] E[q_f^2] - E[p_f]^2 E[q_f]^2 over users and items, (n_factors,)."""
    squares = np.diag(users.second) * np.diag(items.second)
    spread: np.ndarray = np.maximum(squares - (users.first * items.first) ** 2, 0.0)
    return spread


def faces(Q: np.ndarray) -> np.ndarray:
    """1 or -1 for each column: the sign of its sum of cubes, which its pronounced end decides."""
    return np.where((Q.astype(np.float64) ** 3).sum(axis=0) < 0, -1.0, 1.0)
