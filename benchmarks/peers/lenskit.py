"""LensKit (Ekstrand 2020): biased ALS, neighbourhoods, and FunkSVD."""

from typing import Any

import numpy as np

from contenders import Contender, Fitted

DISTRIBUTION = "lenskit"
CONTENDERS = (
    Contender(
        "lenskit-item-knn",
        ("ratings",),
        {"scorer": "knn.ItemKNNScorer", "max_nbrs": 20},
        heavy=True,
    ),
    Contender("lenskit-biased-mf", ("ratings",), {"scorer": "als.BiasedMFScorer"}, heavy=True),
)


def prepare(ratings: Any, n_users: int, n_items: int) -> Any:
    """A LensKit Dataset."""
    import pandas as pd
    from lenskit.data import from_interactions_df

    columns = dict(zip(("user_id", "item_id", "rating"), ratings, strict=True))
    return from_interactions_df(pd.DataFrame(columns))


def fit(dataset: Any, settings: dict[str, Any]) -> Fitted:
    """Train the named scorer."""
    from importlib import import_module

    from lenskit.data import ItemList, RecQuery

    given = {name: value for name, value in settings.items() if name != "scorer"}
    module, name = settings["scorer"].split(".")
    scorer = getattr(import_module(f"lenskit.{module}"), name)(**given)
    scorer.train(dataset)

    def predict(user: np.ndarray, item: np.ndarray) -> np.ndarray:
        out = np.full(len(user), np.nan)
        order = np.argsort(user, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(user[order])) + 1):
            who = int(user[rows[0]])
            query = RecQuery(user_id=who, user_items=dataset.user_row(who))
            out[rows] = scorer(query, ItemList(item_ids=item[rows])).scores()
        return out

    return Fitted(predict)
