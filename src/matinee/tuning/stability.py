"""The stability of tastes over refits with other seeds, or on bootstrap samples of the ratings."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import combinations

import numpy as np

from matinee.algorithms import Algorithm
from matinee.algorithms.from_model import algorithm_of, ratings_of
from matinee.data.ratings import Ratings
from matinee.display.steps import OnStep, logged, quiet
from matinee.errors import Advice, BadSetting, Option, known_arguments
from matinee.evaluation.compare import time_left
from matinee.models import FactorModel, Model
from matinee.models.factor import with_tastes
from matinee.tastes.labels import supported
from matinee.tastes.matching import match_factors

WAYS = ("seeds", "samples")


@known_arguments
def taste_stability(
    what: Algorithm | Model,
    ratings: Ratings | None = None,
    n_refits: int = 5,
    *,
    how: str = "seeds",
    on_step: OnStep = quiet,
) -> FactorModel:
    """The model, with the stability of each taste: its mean absolute cosine with those of refits.

    Refits have the same settings. With ``how="seeds"`` they differ in the seed; with
    ``how="samples"`` also in the ratings, which are a bootstrap sample (drawn with replacement,
    each once: about 63 %). Tastes are matched one to one by the factors of the items that enough
    people rated. 1 is the same taste; below 0.5 it may be due to chance. ``what`` is an algorithm,
    which is fitted to ``ratings`` first, or a model, which knows its training ratings.

    Raises BadSetting for models without tastes, for an algorithm without ratings, for an unknown
    ``how`` or fewer than one refit, and for "seeds" of an algorithm that has no seed.
    """
    if how not in WAYS:
        raise BadSetting(f"how is {how!r}; it must be one of {', '.join(WAYS)}")
    if n_refits < 1:
        raise BadSetting(f"n_refits is {n_refits}; it must be at least 1")
    algorithm = algorithm_of(what) if isinstance(what, Model) else what
    if ratings is None:
        if not isinstance(what, Model):
            ratings_option = Option("ratings", ...)
            raise BadSetting("an algorithm needs ratings to be fitted to; give ", ratings_option)
        ratings = ratings_of(what)
    seeded = "seed" in {field.name for field in fields(algorithm)}
    if how == "seeds" and not seeded:
        samples = Advice('how="samples"', "--samples")
        raise BadSetting(f"{algorithm.name} has no seed; give ", samples)
    model = with_tastes(what if isinstance(what, Model) else algorithm.fit(ratings))
    on_step = logged("taste_stability", on_step)
    likenesses, started = [], time.perf_counter()
    for refit in range(1, n_refits + 1):
        on_step(refit - 1, n_refits, time_left(refit - 1, n_refits, started))
        other = algorithm.with_settings({"seed": _seed(algorithm) + refit} if seeded else {})
        part = ratings if how == "seeds" else resampled(ratings, refit)
        likenesses.append(likeness(model, _fitted(other, part)))
    on_step(n_refits, n_refits, "done")
    stability = tuple(np.mean(likenesses, axis=0).tolist())
    notes = replace(model.taste_notes, stability=stability, refits=n_refits)
    return model.with_notes(notes)


def likeness(model: FactorModel, other: FactorModel) -> np.ndarray:
    """The absolute cosine of each taste with its partner in another model: (n_factors,)."""
    rows = supported(model.item_counts)
    _, cosine = match_factors(model.taste_factors[1][rows], other.taste_factors[1][rows])
    sizes: np.ndarray = np.abs(cosine)
    return sizes


def resampled(ratings: Ratings, seed: int) -> Ratings:
    """The distinct ratings of a bootstrap sample: about 63 %."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(len(ratings), dtype=bool)
    mask[rng.integers(len(ratings), size=len(ratings))] = True
    return ratings.subset(mask)


def agreement(item_factors: Sequence[np.ndarray | None]) -> float | None:
    """Mean absolute cosine of matched factors over all pairs of fits: 1 where all tastes agree.

    ``item_factors`` has one matrix (n_items, n_factors) in canonical form per fit. None for fewer
    than two fits, and where one has no factors.
    """
    known = [Q for Q in item_factors if Q is not None and Q.size]
    if len(known) < 2 or len(known) < len(item_factors):
        return None
    return float(np.mean([np.abs(match_factors(a, b)[1]) for a, b in combinations(known, 2)]))


def _seed(algorithm: Algorithm) -> int:
    return int(algorithm.settings["seed"])


def _fitted(algorithm: Algorithm, ratings: Ratings) -> FactorModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fit of the model itself has warned already
        model = algorithm.for_stars.fit(ratings)
    assert isinstance(model, FactorModel)
    return model
