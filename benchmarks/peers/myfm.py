"""myFM (Ohtsuki): Bayesian factorization machines by Gibbs sampling."""

from typing import Any

import numpy as np

from contenders import Contender, Fitted

DISTRIBUTION = "myfm"
CONTENDERS = (
    Contender("myfm-10", ("ratings",), {"rank": 10, "n_iter": 300, "random_seed": 0}, heavy=True),
)


def prepare(ratings: Any, n_users: int, n_items: int) -> Any:
    """One-hot users and items side by side."""
    return one_hot(ratings.user, ratings.item, n_users, n_items), ratings.rating, n_users, n_items


def one_hot(user: np.ndarray, item: np.ndarray, n_users: int, n_items: int) -> Any:
    """A CSR matrix with two ones a row."""
    from scipy.sparse import csr_matrix

    columns = np.stack([user, n_users + item.astype(np.int64)], axis=1).ravel()
    indptr = np.arange(0, len(columns) + 1, 2)
    return csr_matrix((np.ones(len(columns)), columns, indptr), (len(user), n_users + n_items))


def fit(prepared: Any, settings: dict[str, Any]) -> Fitted:
    """Sample, with users and items as two groups of features."""
    import myfm

    X, rating, n_users, n_items = prepared
    given = dict(settings)
    n_iter = given.pop("n_iter")
    model = myfm.MyFMRegressor(**given)
    model.fit(X, rating.astype(float), n_iter=n_iter, group_shapes=[n_users, n_items])
    return Fitted(lambda user, item: model.predict(one_hot(user, item, n_users, n_items)))
