"""cmfrec (Cortes): explicit and implicit factorization by ALS, with and without signs."""

from typing import Any

import numpy as np

from contenders import Contender, Fitted, dot, threads

DISTRIBUTION = "cmfrec"
CONTENDERS = (
    Contender("cmfrec-als", ("ratings",), {"k": 40, "verbose": False}),
    Contender(
        "cmfrec-als-tuned",
        ("ratings",),
        {"k": 40, "lambda_": 0.09, "scale_lam": True, "niter": 20, "verbose": False},
    ),
    Contender(
        "cmfrec-nonnegative",
        ("ratings",),
        {
            "k": 15,
            "lambda_": 0.1,
            "scale_lam": True,
            "nonneg": True,
            "center": False,
            "user_bias": False,
            "item_bias": False,
            "verbose": False,
        },
    ),
    Contender(
        "cmfrec-implicit",
        ("lists",),
        {"implicit": True, "k": 40, "lambda_": 1.0, "alpha": 1.0, "verbose": False},
        learns="positives",
    ),
)


def prepare(ratings: Any, n_users: int, n_items: int) -> Any:
    """A COO matrix, which keeps our row numbers."""
    from scipy.sparse import coo_matrix

    return coo_matrix((ratings.rating, (ratings.user, ratings.item)), (n_users, n_items))


def fit(matrix: Any, settings: dict[str, Any]) -> Fitted:
    """Fit CMF or CMF_implicit."""
    import cmfrec

    given = {**settings, "nthreads": threads()}
    if given.pop("implicit", False):
        model = cmfrec.CMF_implicit(**given).fit(matrix)
        return dot(model.A_, model.B_)._replace(predict=None)
    model = cmfrec.CMF(**given).fit(matrix)
    return Fitted(lambda user, item: np.asarray(model.predict(user, item)))
