"""scikit-learn and scipy as the classic tutorials use them: absent ratings are zeros."""

import warnings
from typing import Any

import numpy as np

from contenders import Contender, Fitted, dot

DISTRIBUTION = "scikit-learn"
BOTH = ("ratings", "lists")
CONTENDERS = (
    Contender(
        "sklearn-nmf-zero-filled",
        BOTH,
        {"model": "NMF", "n_components": 15, "init": "nndsvd", "max_iter": 800, "random_state": 42},
        learns="positives",
    ),
    Contender(
        "sklearn-svd-zero-filled",
        BOTH,
        {"model": "TruncatedSVD", "n_components": 50, "algorithm": "arpack", "random_state": 0},
        learns="positives",
    ),
)


def prepare(ratings: Any, n_users: int, n_items: int) -> Any:
    """A CSR matrix."""
    from scipy.sparse import csr_matrix

    cells = (ratings.rating.astype(float), (ratings.user, ratings.item))
    return csr_matrix(cells, (n_users, n_items))


def fit(matrix: Any, settings: dict[str, Any]) -> Fitted:
    """Fit the named decomposition; it minds no number of threads but that of BLAS."""
    import sklearn.decomposition

    given = {name: value for name, value in settings.items() if name != "model"}
    model = getattr(sklearn.decomposition, settings["model"])(**given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an NMF that stops at max_iter is what is measured
        users = model.fit_transform(matrix)
    return dot(np.asarray(users), model.components_.T)
