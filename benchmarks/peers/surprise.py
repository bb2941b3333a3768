"""Surprise (Hug 2020): SVD, SVD++, NMF, baselines and neighbourhoods."""

from collections import defaultdict
from typing import Any

import numpy as np

from contenders import Contender, Fitted, dot

DISTRIBUTION = "scikit-surprise"
BOTH = ("ratings", "lists")
CONTENDERS = (
    Contender("surprise-baseline", ("ratings",), {"model": "BaselineOnly", "verbose": False}),
    Contender("surprise-svd", BOTH, {"model": "SVD", "random_state": 0}),
    Contender(
        "surprise-svd-tuned",
        ("ratings",),
        {"model": "SVD", "n_epochs": 60, "reg_all": 0.08, "random_state": 0},
    ),
    Contender("surprise-nmf", ("ratings",), {"model": "NMF", "random_state": 0}),
    Contender(
        "surprise-svdpp",
        ("ratings",),
        {"model": "SVDpp", "cache_ratings": True, "random_state": 0},
        heavy=True,
    ),
    Contender(
        "surprise-user-knn", ("ratings",), {"model": "KNNBaseline", "verbose": False}, heavy=True
    ),
    Contender(
        "surprise-item-knn",
        ("ratings",),
        {
            "model": "KNNBaseline",
            "verbose": False,
            "sim_options": {"name": "pearson_baseline", "user_based": False},
        },
        heavy=True,
    ),
)


def prepare(ratings: Any, n_users: int, n_items: int) -> Any:
    """A Trainset of those who are rated: it takes no empty rows. Raw ids are our row numbers."""
    from surprise import Trainset

    (users, user), (items, item) = (
        np.unique(column, return_inverse=True) for column in ratings[:2]
    )
    by_user: dict[int, list[tuple[int, float]]] = defaultdict(list)
    by_item: dict[int, list[tuple[int, float]]] = defaultdict(list)
    columns = (user.tolist(), item.tolist(), ratings.rating.tolist())
    for u, i, r in zip(*columns, strict=True):
        by_user[u].append((i, r))
        by_item[i].append((u, r))
    numbers = ({int(row): number for number, row in enumerate(rows)} for rows in (users, items))
    sizes = (len(users), len(items), len(user))
    return Trainset(by_user, by_item, *sizes, (1, 5), *numbers), users, items, n_users, n_items


def fit(prepared: Any, settings: dict[str, Any]) -> Fitted:
    """Fit the named algorithm; those with factors are asked by arrays, the others pair by pair."""
    import surprise

    trainset, users, items, n_users, n_items = prepared
    given = {name: value for name, value in settings.items() if name != "model"}
    model = getattr(surprise, settings["model"])(**given).fit(trainset)
    if settings["model"] == "SVD":
        P, b = spread(n_users, users, model.pu, model.bu)
        Q, c = spread(n_items, items, model.qi, model.bi)
        return dot(P, Q, b, c, trainset.global_mean)

    number = (np.full(n_users, -1), np.full(n_items, -1))
    number[0][users], number[1][items] = np.arange(len(users)), np.arange(len(items))

    def predict(user: np.ndarray, item: np.ndarray) -> np.ndarray:
        pairs = zip(number[0][user].tolist(), number[1][item].tolist(), strict=True)
        return np.array([one(u, i) if u >= 0 and i >= 0 else np.nan for u, i in pairs])

    def one(u: int, i: int) -> float:
        try:
            found = model.estimate(u, i)
        except surprise.PredictionImpossible:
            return float("nan")
        return float(found[0] if isinstance(found, tuple) else found)

    return Fitted(predict)


def spread(n: int, rows: np.ndarray, *arrays: np.ndarray) -> list[np.ndarray]:
    """Arrays by our row numbers, zero for who is not rated."""
    out = [np.zeros((n, *array.shape[1:])) for array in arrays]
    for whole, array in zip(out, arrays, strict=True):
        whole[rows] = array
    return out
