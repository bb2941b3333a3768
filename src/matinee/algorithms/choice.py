"""Lists by choice and stars: what an algorithm of stars fits beside its stars, and how it weighs.

    score(u, i) = stars(u, i) + choice(u, i) / w - caution noise / sqrt(n_i + 1)

Stars say what someone would like, and a list also asks what they would choose. That is learned from
all ratings, as what was rated low was chosen too. w is the weight with which lists best find likes
that were held out. The stars themselves are what they are without it.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from matinee.algorithms.base import ALGORITHMS, Algorithm
from matinee.algorithms.choosers import (
    WITHOUT_LIKES,
    ChoiceTrial,
    choices_of,
    described,
    log_step,
    n_fits_of,
)
from matinee.algorithms.device_memory import check_device_memory
from matinee.algorithms.hyperparameters import setting
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting, check_known
from matinee.models.choice import ChoicePart
from matinee.models.model import Model
from matinee.models.trial_fits import trial_fits
from matinee.training.stars_weight import (
    USUAL_WEIGHT,
    ListTrial,
    deviation_of_scores,
    some_users,
    usual_or_nearest,
)

M = TypeVar("M", bound=Model)

CAUTION = 1.0  # standard errors of a film's mean rating that its score is held back by
NOISE_RATINGS = 200_000  # ratings that the noise is measured on


@dataclass(frozen=True, kw_only=True)
class RatingAlgorithm(Algorithm):
    """Parent of those that predict stars, whose lists are by choice and stars."""

    choice: tuple[str | Algorithm, ...] | str | Algorithm | None = setting(
        ("implicit-als",),
        "what learns who chooses what, for lists by choice and stars: algorithms of preferences, "
        "by name or with settings; none for lists by stars alone, as packed ratings and Spark give",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.choice, str | Algorithm):
            object.__setattr__(self, "choice", (self.choice,))
        for one in self.choosers:
            if one.kind != "preference":
                raise BadSetting(f"choice is of algorithms of preferences, and {one.name} is not")

    @property
    def choosers(self) -> tuple[Algorithm, ...]:
        """What learns the choices, names replaced by algorithms with their defaults."""
        names = () if self.choice is None else self.choice
        return tuple(_named(one) if isinstance(one, str) else one for one in names)  # type: ignore[union-attr]

    def check_device(self, train: Ratings) -> None:
        super().check_device(train)
        for one in self.choosers if self.kind == "rating" else ():
            check_device_memory(one, train)

    @property
    def for_stars(self) -> "RatingAlgorithm":
        return replace(self, choice=None)

    @property
    def settings(self) -> JsonObject:
        return super().settings | self.choice_setting

    @property
    def choice_setting(self) -> JsonObject:
        """The choice among the settings: names, or algorithms with their settings."""
        if self.choice is None:
            return {"choice": None}
        of = (one if isinstance(one, str) else described(one) for one in self.choice)  # type: ignore[union-attr]
        return {"choice": list(of)}

    def with_choice(self, stars: M, train: Ratings) -> M:
        """The fitted model with its choice part, and in ``facts`` how its lists do."""
        if not self.choosers or stars.kind != "rating":
            return stars
        choices = choices_of(self.choosers, train)
        choice, rng = choices.model, deepcopy(choices.rng)
        noise, weight = _noise(stars), USUAL_WEIGHT
        facts: JsonObject = {}
        if choices.trial is not None:
            trial = self.list_trial(choices.trial, noise, rng)
            weight = usual_or_nearest(trial.by_weight())
            facts = trial.figures(weight)
        spread = float(train.rating.std(dtype="f8")) or 1.0
        part = ChoicePart(
            model=choice,
            stars_weight=weight * deviation_of_scores(choice, some_users(choice, rng)) / spread,
            caution=CAUTION,
            noise=noise,
        )
        return replace(stars, choice=part, facts={**stars.facts, **facts})

    def list_trial(self, choices: ChoiceTrial, noise: float, rng: np.random.Generator) -> ListTrial:
        """Both parts fitted without some likes, to learn the weight of the stars on these.

        ``noise`` is the standard deviation of ratings around the stars.
        """
        n_fits = n_fits_of(self.choosers)
        log_step(n_fits, n_fits, f"stars by {self.name}, {WITHOUT_LIKES}")
        with trial_fits():
            models = self.for_stars.fit(choices.rest), choices.model
        return ListTrial.of(models, choices.held_out, CAUTION * noise, rng)


def _noise(stars: Model) -> float:
    """Root mean squared distance of ratings from the stars, on some of the training ratings."""
    seen = stars.seen
    some = np.arange(0, len(seen.indices), 1 + len(seen.indices) // NOISE_RATINGS)
    user = (np.searchsorted(seen.indptr, some, side="right") - 1).astype(np.int32)
    distance = stars.score_rows(user, seen.indices[some]).astype("f8") - seen.values[some]
    return float(np.sqrt((distance**2).mean()))


def _named(name: str) -> Algorithm:
    check_known("algorithm", name, ALGORITHMS)
    return ALGORITHMS[name]()
