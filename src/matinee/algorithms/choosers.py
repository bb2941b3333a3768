"""What choosers learn for the lists of an algorithm of stars, and how much of it is learned once.

Choosers are algorithms of preferences. They learn from all ratings, and for a trial from those
without some likes. Neither depends on what predicts the stars, so a search fits them once.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonObject
from matinee.display.steps import logged, quiet
from matinee.models.blend import BlendModel
from matinee.models.fitted import fields_of
from matinee.models.model import Model
from matinee.models.trial_fits import trial_fits
from matinee.training.stars_weight import deviation_of_scores, held_out_likes, some_users

WITHOUT_LIKES = "without some likes, which measure the lists"  # what a trial is fitted on
log_step = logged("lists", quiet)


@dataclass(frozen=True, eq=False)
class ChoiceTrial:
    """What choosers learn from the ratings without some likes."""

    rest: Ratings
    held_out: Ratings  # the likes
    model: Model  # of the rest


@dataclass(frozen=True, eq=False)
class Choices:
    """What choosers learn from some ratings, whatever predicts the stars."""

    model: Model
    trial: ChoiceTrial | None  # none where too few users have likes
    rng: np.random.Generator  # as the likes to hold out left it

    @classmethod
    def of(cls, choosers: tuple[Algorithm, ...], train: Ratings) -> "Choices":
        """Fit the choosers on all ratings, and on those without some likes."""
        rng = np.random.default_rng(0)
        parts = held_out_likes(train, rng)
        n_fits = len(choosers) if parts is None else n_fits_of(choosers)
        model = _fit(choosers, train, Stage("on all ratings", 0, n_fits))
        if parts is None:
            return cls(model, None, rng)
        rest, held_out = parts
        with trial_fits():
            stage = Stage(WITHOUT_LIKES, len(choosers), n_fits)
            trial = ChoiceTrial(rest, held_out, _fit(choosers, rest, stage))
        return cls(model, trial, rng)


class Stage(NamedTuple):
    """What choosers are fitted on, for the log, and their place among all fits for the lists."""

    on: str
    fitted: int  # before them
    n_fits: int


def n_fits_of(choosers: Sequence[Algorithm]) -> int:
    """The fits for lists: of the choosers on all ratings, and of them and the stars on a part."""
    return 2 * len(choosers) + 1


_SHARED: ContextVar[dict[tuple[str, str], Choices] | None] = ContextVar("choices", default=None)


@contextmanager
def shared_choices() -> Iterator[None]:
    """Within it, the same choosers are fitted once on the same ratings, as for a search."""
    token = _SHARED.set({})
    try:
        yield
    finally:
        _SHARED.reset(token)


def choices_of(choosers: tuple[Algorithm, ...], train: Ratings) -> Choices:
    """``Choices.of``, or what it was before where choices are shared."""
    shared = _SHARED.get()
    if shared is None:
        return Choices.of(choosers, train)
    key = repr(choosers), train.fingerprint
    if key not in shared:
        shared[key] = Choices.of(choosers, train)
    return shared[key]


def _fit(choosers: tuple[Algorithm, ...], train: Ratings, stage: Stage) -> Model:
    """The model of choices: of several, the sum of scores divided by their standard deviations.

    Who chose what does not depend on the weights of the ratings.
    """
    train = train.with_sample_weight(None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a small table supports fewer factors; the rest are zeros
        models = []
        for place, one in enumerate(choosers, start=stage.fitted + 1):
            log_step(place, stage.n_fits, f"choices by {one.name}, {stage.on}")
            models.append(one.fit(train))
    if len(models) == 1:
        return models[0]
    users = some_users(models[0], np.random.default_rng(0))
    return BlendModel(
        **fields_of(train),
        kind="preference",
        algorithm="blend",
        settings={"of": [described(one) for one in choosers]},
        constant=0.0,
        weights=tuple(1 / deviation_of_scores(one, users) for one in models),
        models=tuple(models),
    )


def described(chooser: Algorithm) -> JsonObject:
    """A chooser among the settings of the algorithm that it is for."""
    return {"algorithm": chooser.name, **chooser.settings}
