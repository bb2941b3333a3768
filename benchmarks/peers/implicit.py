"""implicit (Frederickson): ALS by conjugate gradient, BPR, and item neighbourhoods."""

from typing import Any

import numpy as np

from contenders import Contender, Fitted, dot, threads

DISTRIBUTION = "implicit"


def contender(name: str, settings: dict[str, Any], heavy: bool = False) -> Contender:
    """A contender for lists; implicit asks for BLAS to be held to one thread."""
    return Contender(name, ("lists",), settings, heavy, learns="positives", blas_threads=1)


CONTENDERS = (
    contender(
        "implicit-als-64",
        {
            "model": "als.AlternatingLeastSquares",
            "factors": 64,
            "alpha": 3.0,
            "regularization": 50.0,
            "random_state": 0,
        },
    ),
    contender(
        "implicit-als-128",
        {
            "model": "als.AlternatingLeastSquares",
            "factors": 128,
            "alpha": 10.0,
            "regularization": 100.0,
            "random_state": 0,
        },
    ),
    contender("implicit-als-defaults", {"model": "als.AlternatingLeastSquares", "random_state": 0}),
    contender(
        "implicit-bpr", {"model": "bpr.BayesianPersonalizedRanking", "random_state": 0}, heavy=True
    ),
    contender("implicit-bm25-knn", {"model": "nearest_neighbours.BM25Recommender", "K": 100}),
)


def prepare(ratings: Any, n_users: int, n_items: int) -> Any:
    """A CSR matrix."""
    from scipy.sparse import csr_matrix

    return csr_matrix((ratings.rating, (ratings.user, ratings.item)), (n_users, n_items))


def fit(matrix: Any, settings: dict[str, Any]) -> Fitted:
    """Fit the named model."""
    from importlib import import_module

    given = dict(settings)
    module, name = given.pop("model").split(".")
    home = "implicit.nearest_neighbours" if module.startswith("near") else f"implicit.cpu.{module}"
    model = getattr(import_module(home), name)(num_threads=threads(), **given)
    model.fit(matrix, show_progress=False)

    def recommend(users: np.ndarray, n: int) -> object:
        return model.recommend(users, matrix[users], N=n)

    if module.startswith("near"):
        return Fitted(
            scores=lambda users: np.asarray((matrix[users] @ model.similarity).todense()),
            recommend=recommend,
        )
    return dot(model.user_factors, model.item_factors)._replace(predict=None, recommend=recommend)
