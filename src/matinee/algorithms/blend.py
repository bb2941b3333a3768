"""A blend: the weighted sum of several algorithms' scores that fits a held-out part best.

    score(u, i) = constant + sum_m weight_m score_m(u, i)
    min over weights   sum over held-out cells (target - score)^2 + n reg |weights|^2

Factorization and neighbourhood err differently, so their sum errs less: this is how the Netflix
Prize was won (Koren 2009). Each algorithm is fitted on a part of the ratings, the weights on the
rest, and then each again on all. For ratings the cells are the held-out ones and the target the
stars; for preferences they are all unseen items of some users, and the target is 1 where held out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from matinee.algorithms.base import Algorithm, OnEpoch, quiet
from matinee.errors import BadSetting, did_you_mean
from matinee.models.blend import BlendModel
from matinee.models.model import Model, fields_of
from matinee.ratings import Ratings

USERS_MEASURED = 2000  # whose unseen items the weights of preferences are fitted on
USERS_AT_ONCE = 128


@dataclass(frozen=True, kw_only=True)
class Blend(Algorithm):
    """``Blend(of=("mf", "item-knn"))``, or of algorithms with settings: ``of=(MF(reg=2), ...)``."""

    name: ClassVar[str] = "blend"

    of: tuple[str | Algorithm, ...] = ("mf", "item-knn", "bayesian-mf")
    share: float = 0.1  # of the ratings, held out to fit the weights on
    reg: float = 1e-4  # penalty on the weights, per cell
    seed: int = 42

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("reg", at_least=0)
        self.require("share", above=0)
        if self.share >= 1:
            raise BadSetting(f"share is {self.share}; it must be below 1")
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
    def settings(self) -> dict[str, Any]:
        of = [{"algorithm": one.name, **one.settings} for one in self.algorithms]
        return {"of": of, "share": self.share, "reg": self.reg, "seed": self.seed}

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> BlendModel:
        rng = np.random.default_rng(self.seed)
        held_out = rng.random(len(train)) < self.share
        if not held_out.any() or held_out.all():
            raise BadSetting(
                f"{len(train)} ratings are too few to hold out a share of {self.share}"
            )
        rest = train.subset(~held_out)
        trials = [one.fit(rest, on_epoch=on_epoch) for one in self.algorithms]
        cells = preference_cells if self.kind == "preference" else rating_cells
        constant, *weights = fitted_weights(cells(trials, train.subset(held_out), rng), self.reg)
        models = tuple(one.fit(train, on_epoch=on_epoch) for one in self.algorithms)
        return BlendModel(
            **fields_of(train),
            kind=self.kind,
            algorithm=self.name,
            settings=self.settings,
            facts={"weights": dict(zip(map(_algorithm, models), weights, strict=True))},
            constant=constant,
            weights=tuple(weights),
            models=models,
        )


Cells = Iterator[tuple[np.ndarray, np.ndarray]]  # scores (n, n_models) and targets (n,)


def rating_cells(models: list[Model], held_out: Ratings, rng: np.random.Generator) -> Cells:
    """The held-out ratings, with the stars as targets."""
    scores = [model.score_rows(held_out.user, held_out.item) for model in models]
    yield np.column_stack(scores).astype(np.float64), held_out.rating.astype(np.float64)


def preference_cells(models: list[Model], held_out: Ratings, rng: np.random.Generator) -> Cells:
    """All unseen items of some users, with target 1 where they were held out and 0 where not."""
    users = np.flatnonzero(held_out.by_user.counts)
    users = np.sort(rng.choice(users, min(len(users), USERS_MEASURED), replace=False))
    for first in range(0, len(users), USERS_AT_ONCE):
        here = users[first : first + USERS_AT_ONCE].astype(np.int32)
        scores = np.stack([model.score_block(here) for model in models], axis=-1)
        chosen = np.zeros(scores.shape[:2])
        unseen = np.ones(scores.shape[:2], dtype=bool)
        for row, user in enumerate(here.tolist()):
            chosen[row, held_out.by_user.row(user)[0]] = 1.0
            unseen[row, models[0].seen.row(user)[0]] = False
        yield scores[unseen].astype(np.float64), chosen[unseen]


def fitted_weights(cells: Cells, reg: float) -> list[float]:
    """The constant and the weights that solve the ridge regression of targets on scores."""
    A: Any = 0.0
    b: Any = 0.0
    for scores, target in cells:
        design = np.column_stack([np.ones(len(target)), scores])
        A, b = A + design.T @ design, b + design.T @ target
    penalty = np.full(len(b), A[0, 0] * reg)  # A[0, 0] is the number of cells
    penalty[0] = 0.0
    return cast(list[float], np.linalg.lstsq(A + np.diag(penalty), b, rcond=None)[0].tolist())


def named(name: str) -> Algorithm:
    """The algorithm of this name with its defaults. Raises BadSetting for an unknown name."""
    from matinee.algorithms import ALGORITHMS

    if name not in ALGORITHMS or name == Blend.name:
        raise BadSetting(f"a blend cannot be of {name!r}{did_you_mean(name, ALGORITHMS)}")
    return ALGORITHMS[name]()


def _algorithm(model: Model) -> str:
    return model.algorithm
