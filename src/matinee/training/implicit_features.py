"""Features of users and items from what was rated at all, whatever the ratings, for priors.

    C = D_u^-1/2 (1 where rated, 0 elsewhere) D_i^-1/2 = U S V'       D: numbers of ratings

A user's features are sum_j v_j / sqrt(n_u) over the n_u items rated, an item's likewise with U over
its users. Those of all who have ratings average 0 and have variance 1: an item's by taking off the
average; a user's by shifting the v_j, so that they stay a sum over the items rated, which a model
can hold and explain. Only training ratings count.
"""

from typing import Any, NamedTuple

import numpy as np

from matinee.data.ratings import Ratings
from matinee.training.singular_vectors import nearly_leading_vectors


class ImplicitFeatures(NamedTuple):
    """Features of all users and items; those without ratings have zeros."""

    of_users: np.ndarray  # (n_users, n_features)
    of_items: np.ndarray  # (n_items, n_features)
    vectors: np.ndarray  # (n_items, n_features): what rating an item adds to a user's, x sqrt(n_u)

    @classmethod
    def of(cls, train: Ratings, n_features: int) -> "ImplicitFeatures":
        """The features of ``n_features`` singular vectors, or of as many as there are."""
        n = min(n_features, train.n_users - 1, train.n_items - 1)
        if n < 1:
            nothing = np.zeros((train.n_items, 0))
            return cls(np.zeros((train.n_users, 0)), nothing, nothing)
        R = train.csr().astype(np.float64)
        R.data[:] = 1.0
        C: Any = R.copy()
        C.data /= np.sqrt(train.by_user.counts[train.user] * train.by_item.counts[train.item])
        U, _, V = nearly_leading_vectors(C, n)
        user_root = np.sqrt(train.by_user.counts)[:, None]
        item_root = np.sqrt(train.by_item.counts)[:, None]
        of_users = R @ V / np.maximum(user_root, 1.0)
        shift = of_users.sum(axis=0) / user_root.sum()
        of_users -= user_root * shift
        of_items = R.T @ U / np.maximum(item_root, 1.0)
        of_items -= (item_root > 0) * of_items.sum(axis=0) / (item_root > 0).sum()
        deviation = _deviation(of_users, user_root)
        vectors = (item_root > 0) * (V - shift) / deviation
        return cls(of_users / deviation, of_items / _deviation(of_items, item_root), vectors)


def _deviation(features: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Standard deviations (n_features,) over rows with ratings; infinite for constant features."""
    deviation: np.ndarray = np.sqrt((features**2).sum(axis=0) / (root > 0).sum())
    return np.where(deviation > 1e-9, deviation, np.inf)
