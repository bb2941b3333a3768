"""Matinee, a recommender that explains itself: ratings in, recommendations out, with reasons.

    import matinee
    ratings = matinee.read_ratings("ml-latest-small.zip")
    model = matinee.fit(ratings)
    print(model.recommend("42"))
    print(model.explain("42", "260"))

This file is the list of public names. Each is imported when it is first used, so that
``import matinee`` is quick and does not load the compiler.
"""

from importlib import import_module

__version__ = "0.1.0"

HOMES = {
    "matinee.errors": [
        "BadModel",
        "BadRatings",
        "BadSetting",
        "DataWarning",
        "Diverged",
        "MatineeError",
        "UnknownId",
    ],
    "matinee.data.ids": ["IdMap"],
    "matinee.data.catalog": ["Catalog", "Item"],
    "matinee.data.ratings": ["Ratings"],
    "matinee.data.scale": ["Scale"],
    "matinee.sources": ["read_catalog", "read_ratings"],
    "matinee.data.packed": ["PackedRatings"],
    "matinee.sources.packing.pack": ["pack"],
    "matinee.sources.sample": ["sample"],
    "matinee.sources.synthetic": ["checkerboard", "planted", "uniform"],
    "matinee.algorithms": [
        "ALGORITHMS",
        "BPR",
        "BayesianMF",
        "Bias",
        "Blend",
        "ContentBased",
        "EASE",
        "Hybrid",
        "ImplicitALS",
        "ItemKNN",
        "MF",
        "MultVAE",
        "NMF",
        "NeuralMF",
        "Popularity",
        "RP3beta",
        "SLIM",
        "SVDpp",
        "SlopeOne",
        "TruncatedSVD",
        "UserKNN",
    ],
    "matinee.algorithms.default": ["default_algorithm", "fit"],
    "matinee.explain.contrast": ["Contrast"],
    "matinee.explain.counterfactual": ["Counterfactual"],
    "matinee.explain.what_if": ["WhatIf"],
    "matinee.models": ["FactorModel", "Model", "Person", "load"],
    "matinee.models.interview": ["Interview"],
    "matinee.models.group": ["recommend_together"],
    "matinee.splitting": ["Split"],
    "matinee.kernels.devices": ["on_device"],
    "matinee.evaluation.evaluate": ["cross_validate", "evaluate"],
    "matinee.evaluation.compare": ["compare"],
    "matinee.evaluation.judged": ["evaluate_lists", "evaluate_predictions"],
    "matinee.evaluation.contract": ["check_algorithm"],
    "matinee.models.matching": ["match_tastes"],
    "matinee.tuning.k_curve": ["k_curve"],
    "matinee.tuning.stability": ["taste_stability"],
    "matinee.tuning.auto": ["auto"],
    "matinee.tuning.tune": ["tune"],
}
MODULES = ("charts", "report", "splitting")  # public by their own names
HOME_OF = {name: home for home, names in HOMES.items() for name in names}

__all__ = sorted(HOME_OF)


def __getattr__(name: str) -> object:
    if name in HOME_OF:
        return getattr(import_module(HOME_OF[name]), name)
    if name in MODULES:
        return import_module(f"{__name__}.{name}")
    from matinee.errors import did_you_mean

    hint = did_you_mean(name, [*HOME_OF, *MODULES])
    raise AttributeError(f"module 'matinee' has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return [*__all__, *MODULES, "__version__"]
