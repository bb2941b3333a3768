"""Matinee's own algorithms, each with its defaults as soon as it is registered, and variants."""

import json
import warnings
from dataclasses import fields, replace
from typing import Any

import numpy as np

from contenders import Contender, Fitted
from matinee.algorithms import ALGORITHMS
from matinee.algorithms.base import Algorithm
from matinee.data.catalog import Catalog, Item
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.sources.synthetic import numbered, uniform

DISTRIBUTION = "matinee"
FEW = {"n_epochs": 4, "burn_in": 1, "n_samples": 2}  # enough for a warm-up

# Beside the defaults, where the algorithm is registered: name, algorithm, settings.
VARIANTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("mf-sgd", "mf", {"solver": "sgd"}),
    (
        "nmf-zero-filled",
        "nmf",
        {"missing": "zero", "init": "nndsvd", "n_factors": 15, "n_epochs": 800},
    ),
    (
        "truncated-svd-zero-filled",
        "truncated-svd",
        {"fill": "zero", "center": "user_all", "n_factors": 50},
    ),
    ("item-knn-preference", "item-knn", {"feedback": "preference"}),
    ("user-knn-preference", "user-knn", {"feedback": "preference"}),
    (
        "blend-preference",
        "blend",
        {
            "of": [
                {"algorithm": "ease"},
                {"algorithm": "implicit-als"},
                {"algorithm": "implicit-als", "seed": 1},
                {"algorithm": "bpr"},
            ]
        },
    ),
    ("ease-plain", "ease", {"dropout": 0.0, "reg": 500.0}),
    ("bayesian-mf-plain", "bayesian-mf", {"n_features": 0}),
    ("hybrid-preference", "hybrid", {"of": {"algorithm": "implicit-als"}}),
    ("implicit-als-64", "implicit-als", {"n_factors": 64}),
)


def contenders() -> list[Contender]:
    """Every registered algorithm with its defaults, then the variants."""
    defaults = ((name, name, {}) for name in ALGORITHMS)
    variants = (one for one in VARIANTS if one[1] in ALGORITHMS)
    return [
        Contender(
            f"matinee-{label}",
            ("ratings", "lists"),
            {"algorithm": name, **settings},
            learns="positives" if label.endswith("zero-filled") else "ratings",
        )
        for label, name, settings in (*defaults, *variants)
    ]


def algorithm_of(settings: dict[str, Any]) -> Algorithm:
    """The algorithm that ``{"algorithm": name, setting: value, ...}`` says."""
    rest = {name: value for name, value in settings.items() if name != "algorithm"}
    if isinstance(rest.get("of"), dict):
        rest["of"] = algorithm_of(rest["of"])
    elif isinstance(rest.get("of"), list | tuple):
        rest["of"] = tuple(
            algorithm_of(one) if isinstance(one, dict) else one for one in rest["of"]
        )
    return ALGORITHMS[settings["algorithm"]](**rest)


def all_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with every default filled in: what a result should be known by."""
    return {"algorithm": settings["algorithm"], **algorithm_of(settings).for_stars.settings}


def prepare(ratings: Any, n_users: int, n_items: int) -> Ratings:
    """Matinee's own form of three arrays."""
    likes_only = len(ratings.rating) > 0 and ratings.rating.max() == 1
    return numbered(n_users, n_items, *ratings, Scale(0, 1) if likes_only else Scale(1, 5))


def with_catalog(ratings: Ratings, entries: str) -> Ratings:
    """The ratings together with what is known of the items, which is JSON by row number."""
    return replace(ratings, catalog=Catalog.from_plain(json.loads(entries)))


def fit(ratings: Ratings, settings: dict[str, Any]) -> Fitted:
    """Fit one algorithm; what predicts stars ranks by them alone, as the peers of its kind do."""
    model = algorithm_of(settings).for_stars.fit(ratings)

    def recommend(users: np.ndarray, n: int) -> object:
        return model.recommend(ratings.users.ids[users].tolist(), n)

    return Fitted(
        model.predict_rows if model.kind == "rating" else None, model.score_block, recommend
    )


def warm_up(settings: dict[str, Any]) -> str:
    """Compile what the algorithm needs, on a handful of ratings; returns its kind of scores."""
    genres = ("Comedy", "Drama")
    entries = {str(row): Item(f"Film {row}", genres=(genres[row % 2],)) for row in range(30)}
    tiny = replace(uniform(40, 30, 8, seed=0), catalog=Catalog(entries))
    names = {field.name for field in fields(algorithm_of(settings))}
    few = {name: value for name, value in FEW.items() if name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of more factors than so few ratings support
        model = algorithm_of(settings | few).fit(tiny)
    model.recommend(tiny.users.ids[:3].tolist(), 3)
    if model.kind == "rating":
        model.predict_rows(tiny.user[:3], tiny.item[:3])
    model.score_block(np.arange(3, dtype=np.int32))
    return str(model.kind)


CONTENDERS = contenders()
