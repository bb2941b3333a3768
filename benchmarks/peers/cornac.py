"""Cornac (Salah et al. 2020): matrix factorization by stochastic gradient descent."""

from collections import OrderedDict
from typing import Any

import numpy as np

from contenders import Contender, Fitted, dot, threads

DISTRIBUTION = "cornac"
TUNED = {
    "k": 50,
    "max_iter": 40,
    "learning_rate": 0.01,
    "lambda_reg": 0.06,
    "use_bias": True,
    "seed": 0,
}
CONTENDERS = (
    Contender("cornac-mf-tuned", ("ratings",), TUNED),
    Contender(
        "cornac-mf",
        ("ratings",),
        {
            "k": 10,
            "max_iter": 25,
            "learning_rate": 0.01,
            "lambda_reg": 0.02,
            "use_bias": True,
            "seed": 0,
        },
    ),
)


def prepare(ratings: Any, n_users: int, n_items: int) -> Any:
    """A Dataset that keeps our row numbers."""
    from cornac.data import Dataset

    users, items = (OrderedDict((row, row) for row in range(n)) for n in (n_users, n_items))
    rows = (column.astype(np.int64) for column in ratings[:2])
    return Dataset(n_users, n_items, users, items, (*rows, ratings.rating), seed=0)


def fit(dataset: Any, settings: dict[str, Any]) -> Fitted:
    """Fit MF."""
    from cornac.models import MF

    model = MF(**settings, num_threads=threads(), verbose=False).fit(dataset)
    return dot(model.u_factors, model.i_factors, model.u_biases, model.i_biases, model.global_mean)
