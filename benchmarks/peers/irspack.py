"""irspack (Ohtsuki): implicit ALS with frequency-scaled regularisation, and neighbourhoods."""

from typing import Any

import numpy as np

from contenders import Contender, Fitted, threads

DISTRIBUTION = "irspack"
CONTENDERS = (
    Contender(
        "irspack-ials-64",
        ("lists",),
        {"n_components": 64, "alpha0": 0.5, "reg": 0.005, "train_epochs": 16},
        learns="positives",
    ),
    Contender(
        "irspack-ials-128",
        ("lists",),
        {"n_components": 128, "alpha0": 0.5, "reg": 0.005, "train_epochs": 16},
        learns="positives",
    ),
)


def prepare(ratings: Any, n_users: int, n_items: int) -> Any:
    """A CSR matrix."""
    from scipy.sparse import csr_matrix

    cells = (ratings.rating.astype(float), (ratings.user, ratings.item))
    return csr_matrix(cells, (n_users, n_items))


def fit(matrix: Any, settings: dict[str, Any]) -> Fitted:
    """Fit the recommender named ``model``; IALSRecommender where none is."""
    import irspack

    given = dict(settings)
    kind = getattr(irspack, given.pop("model", "IALSRecommender"))
    model = kind(matrix, n_threads=threads(), **given)
    model.learn()
    return Fitted(scores=lambda users: np.asarray(model.get_score(users)))
