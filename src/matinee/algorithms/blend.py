"""A blend: the weighted sum of several algorithms' scores that fits a held-out part best.

    score(u, i) = constant + sum_m weight_m score_m(u, i)
    ratings:      min over weights   sum over held-out (r - score)^2 + n reg variance |weights|^2
    preferences:  max over weights   NDCG@10 of the held-out ones, see ``list_weights``

Factorization and neighbourhood err differently, so their sum errs less: this is how the Netflix
Prize was won (Koren 2009). Each algorithm is fitted on a part of the ratings, the weights on the
rest, and then each again on all.
"""

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from matinee.algorithms.base import ALGORITHMS, Algorithm
from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.hyperparameters import setting
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted
from matinee.errors import BadSetting, did_you_mean
from matinee.models.blend import BlendModel
from matinee.models.fitted import fields_of
from matinee.models.model import Model
from matinee.training.list_weights import fitted_list_weights
from matinee.training.progress import OnEpoch, quiet


@dataclass(frozen=True, kw_only=True)
class Blend(RatingAlgorithm):
    """``Blend(of=("mf", "item-knn"))``, or of algorithms with settings: ``of=(MF(reg=2), ...)``."""

    name: ClassVar[str] = "blend"

    of: tuple[str | Algorithm, ...] = setting(
        ("mf", "item-knn", "bayesian-mf"), "what is blended, by name or with settings"
    )
    share: float = setting(0.1, "of the ratings, held out to fit the weights on", above=0, below=1)
    reg: float = setting(1e-4, "penalty on the weights of ratings, in their variance", at_least=0)
    seed: int = setting(42, "of the choice of held-out ratings", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.of) < 2:
            raise BadSetting(f"a blend needs at least 2 algorithms, not {len(self.of)}")
        kinds = {one.name: one.kind for one in self.algorithms}
        if len(set(kinds.values())) > 1:
            raise BadSetting(f"a blend is of ratings or of preferences, not of both: {kinds}")

    @property
    def algorithms(self) -> tuple[Algorithm, ...]:
        """What is blended, names replaced by algorithms with their defaults."""
        return tuple(named(one) if isinstance(one, str) else one for one in self.of)

    @property
    def kind(self) -> str:
        return self.algorithms[0].kind

    @property
    def settings(self) -> JsonObject:
        of = [{"algorithm": one.name, **one.settings} for one in self.algorithms]
        plain = {"of": of, "share": self.share, "reg": self.reg, "seed": self.seed}
        return plain | self.choice_setting

    def check_device(self, train: Ratings) -> None:
        super().check_device(train)
        for one in self.algorithms:
            one.for_stars.check_device(train)

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> BlendModel:
        rng = np.random.default_rng(self.seed)
        held_out = rng.random(len(train)) < self.share
        if not held_out.any() or held_out.all():
            raise BadSetting(
                f"of {counted(len(train), 'rating')} a share of {self.share} leaves one part empty"
            )
        rest = train.subset(~held_out)
        trials = [one.for_stars.fit(rest, on_epoch=on_epoch) for one in self.algorithms]
        aside = train.subset(held_out)
        if self.kind == "preference":
            constant, weights = 0.0, fitted_list_weights(trials, aside, rng)
        else:
            constant, *weights = fitted_weights(trials, aside, self.reg)
        models = tuple(one.for_stars.fit(train, on_epoch=on_epoch) for one in self.algorithms)
        model = BlendModel(
            **fields_of(train),
            kind=self.kind,
            algorithm=self.name,
            settings=self.settings,
            facts={"weights": dict(zip(map(_algorithm, models), weights, strict=True))},
            constant=constant,
            weights=tuple(weights),
            models=models,
        )
        return self.with_choice(model, train)


def fitted_weights(models: list[Model], held_out: Ratings, reg: float) -> list[float]:
    """The constant and the weights of the ridge regression of held-out stars on scores."""
    scores = [model.score_rows(held_out.user, held_out.item) for model in models]
    X = np.column_stack([np.ones(len(held_out)), *scores]).astype(np.float64)
    penalty = np.full(X.shape[1], len(held_out) * reg * held_out.deviation**2)
    penalty[0] = 0.0
    b = X.T @ held_out.rating.astype(np.float64)
    return cast(list[float], np.linalg.lstsq(X.T @ X + np.diag(penalty), b, rcond=None)[0].tolist())


def named(name: str) -> Algorithm:
    """The algorithm of this name with its defaults. Raises BadSetting for an unknown name."""
    if name not in ALGORITHMS or name == Blend.name:
        raise BadSetting(f"a blend cannot be of {name!r}{did_you_mean(name, ALGORITHMS)}")
    return ALGORITHMS[name]()


def _algorithm(model: Model) -> str:
    return model.algorithm
