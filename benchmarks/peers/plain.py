"""What a page of numpy does: global mean, damped biases, popularity, EASE by LAPACK."""

from typing import Any

import numpy as np

from contenders import Contender, Fitted, dot

DISTRIBUTION = "numpy"
CONTENDERS = (
    Contender("numpy-global-mean", ("ratings",), {"method": "global_mean"}),
    Contender(
        "numpy-damped-bias",
        ("ratings",),
        {"method": "damped_bias", "item_damping": 10, "user_damping": 15},
    ),
    Contender("numpy-popularity", ("lists",), {"method": "popularity"}, learns="positives"),
    Contender("numpy-ease", ("lists",), {"method": "ease", "reg": 500.0}, learns="positives"),
)


def prepare(ratings: Any, n_users: int, n_items: int) -> tuple[Any, int, int]:
    """The arrays themselves."""
    return ratings, n_users, n_items


def fit(prepared: tuple[Any, int, int], settings: dict[str, Any]) -> Fitted:
    """Fit the named method."""
    given = {name: value for name, value in settings.items() if name != "method"}
    fitted: Fitted = METHODS[settings["method"]](*prepared, **given)
    return fitted


def global_mean(ratings: Any, n_users: int, n_items: int) -> Fitted:
    """One number for all."""
    mean = float(ratings.rating.mean(dtype="f8"))
    return dot(np.zeros((n_users, 1)), np.zeros((n_items, 1)), mean=mean)


def damped_bias(
    ratings: Any, n_users: int, n_items: int, item_damping: float, user_damping: float
) -> Fitted:
    """Mean, items' biases, then users' (Koren 2010, section 2.1)."""
    user, item, rating = ratings
    mean = float(rating.mean(dtype="f8"))
    left = rating - mean
    item_bias = np.bincount(item, left, n_items) / (np.bincount(item, None, n_items) + item_damping)
    left = left - item_bias[item]
    user_bias = np.bincount(user, left, n_users) / (np.bincount(user, None, n_users) + user_damping)
    return dot(np.zeros((n_users, 1)), np.zeros((n_items, 1)), user_bias, item_bias, mean)


def popularity(ratings: Any, n_users: int, n_items: int) -> Fitted:
    """The number of training ratings of an item."""
    counts = np.bincount(ratings.item, minlength=n_items).astype(float)
    return dot(np.zeros((n_users, 1)), np.zeros((n_items, 1)), item_bias=counts)


def ease(ratings: Any, n_users: int, n_items: int, reg: float) -> Fitted:
    """Item weights in closed form, in float64 (Steck 2019)."""
    from scipy.sparse import csr_array

    X = csr_array((ratings.rating.astype(float), (ratings.user, ratings.item)), (n_users, n_items))
    G = (X.T @ X).toarray()
    G[np.diag_indices(n_items)] += reg
    P = np.linalg.inv(G)
    B = P / -np.diag(P)
    np.fill_diagonal(B, 0)
    return Fitted(scores=lambda users: np.asarray(X[users] @ B))


METHODS: dict[str, Any] = {
    "global_mean": global_mean,
    "damped_bias": damped_bias,
    "popularity": popularity,
    "ease": ease,
}
