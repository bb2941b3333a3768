"""LightFM (Kula 2015): WARP."""

from typing import Any

from contenders import Contender, Fitted, dot, threads

DISTRIBUTION = "lightfm"
CONTENDERS = (
    Contender(
        "lightfm-warp",
        ("lists",),
        {"no_components": 64, "epochs": 10, "random_state": 0},
        heavy=True,
        learns="positives",
    ),
)


def prepare(ratings: Any, n_users: int, n_items: int) -> Any:
    """A COO matrix."""
    from scipy.sparse import coo_matrix

    return coo_matrix((ratings.rating, (ratings.user, ratings.item)), (n_users, n_items))


def fit(matrix: Any, settings: dict[str, Any]) -> Fitted:
    """Fit with the WARP loss."""
    from lightfm import LightFM

    given = dict(settings)
    passes = {"epochs": given.pop("epochs"), "num_threads": threads()}
    model = LightFM(loss="warp", **given).fit(matrix, **passes)
    (user_bias, users), (item_bias, items) = (
        model.get_user_representations(),
        model.get_item_representations(),
    )
    return dot(users, items, user_bias, item_bias)._replace(predict=None)
