"""What people choose to rate, whatever they give: features of users and items for priors.

    C = D_u^-1/2 (1 where rated, 0 elsewhere) D_i^-1/2 = U S V'       D: numbers of ratings

A user's features are sum_j v_j / sqrt(n_u) over the n_u items rated, an item's likewise with U over
its users. Vectors are shifted so that the features of those who have ratings average 0, and scaled
so that they have variance 1. Only training ratings count as choices.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from matinee.algorithms.truncated_svd import leading_vectors
from matinee.ratings import Ratings

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Choices(NamedTuple):
    """Features of all users and items; those without ratings have zeros."""

    of_users: np.ndarray  # (n_users, n_features)
    of_items: np.ndarray  # (n_items, n_features)
    vectors: np.ndarray  # (n_items, n_features): what a user's choice of an item adds, x sqrt(n_u)

    @classmethod
    def of(cls, train: Ratings, n_features: int) -> "Choices":
        """The features of ``n_features`` singular vectors, or of as many as there are."""
        n = min(n_features, train.n_users - 1, train.n_items - 1)
        if n < 1:
            nothing = np.zeros((train.n_items, 0))
            return cls(np.zeros((train.n_users, 0)), nothing, nothing)
        R = train.csr().astype(np.float64)
        R.data[:] = 1.0
        C = R.copy()
        C.data /= np.sqrt(train.by_user.counts[train.user] * train.by_item.counts[train.item])
        U, _, V = leading_vectors(C, n, float((C.data**2).sum()))
        of_users, vectors = _summed(R, V)
        of_items, _ = _summed(R.T.tocsr(), U)
        return cls(of_users, of_items, vectors)


def _summed(R: "csr_array", V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features of the rows of R, and the shifted and scaled vectors that they are sums of."""
    counts = np.asarray(R.sum(axis=1)).ravel()
    root, known = np.sqrt(np.maximum(counts, 1.0)), counts > 0
    sums = (R @ V) / root[:, None]
    shift = sums.sum(axis=0) / root[known].sum()
    sums[known] -= np.multiply.outer(root[known], shift)
    deviation = np.sqrt((sums**2).sum(axis=0) / known.sum())
    deviation[deviation < 1e-9] = np.inf  # a feature that tells nobody apart
    chosen = np.asarray(R.sum(axis=0)).ravel() > 0
    return sums / deviation, np.where(chosen[:, None], (V - shift) / deviation, 0.0)
