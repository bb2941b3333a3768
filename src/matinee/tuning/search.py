"""Search strategies: grid search, random search, or Optuna's samplers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count, product
from math import prod
from typing import Any, Literal, Protocol

import numpy as np

from matinee.algorithms.search_space import Choice, Dimension, Real, Space, Whole
from matinee.display.optional import TUNE
from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.display.text import counted
from matinee.errors import BadSetting, Option

TRIALS_BEFORE_PRUNING = 4  # finished trials before any is pruned
EPOCHS_BEFORE_PRUNING = 4
REDRAWS = 20  # attempts to draw new settings

State = Literal["done", "pruned", "failed"]


@dataclass(frozen=True)
class Trial:
    """One point of the space and its result."""

    number: int  # 0 is the usual settings
    settings: JsonObject  # of the dimensions searched
    state: State
    value: float | None = None  # of the metric on the validation part
    epochs: tuple[float, ...] = ()  # validation error after each epoch, where there are epochs
    best_epoch: int | None = None
    seconds: float = 0.0
    reason: str = ""  # why it was pruned or failed
    fold_values: tuple[float, ...] = ()  # whose mean is ``value``, where there are several folds


class Search(Protocol):
    """A strategy: which settings to try next, and when to prune a trial."""

    def propose(self, number: int) -> JsonObject | None:
        """The settings of a trial; None when the space is exhausted."""

    def hopeless(self, epoch: int, error: float) -> bool:
        """Whether to prune the trial proposed last, from its validation error."""

    def learn(self, trial: Trial) -> None:
        """Take account of a trial, proposed by this search or read from a record."""


@dataclass
class Pruning:
    """The median rule: prune what is worse than half of the finished trials at this epoch."""

    finished: list[np.ndarray] = field(default_factory=list)  # best error so far, by epoch
    best: float = np.inf

    def hopeless(self, epoch: int, error: float) -> bool:
        """Whether the trial that is running is worse than the median of the finished ones."""
        self.best = error if epoch == 1 else min(self.best, error)
        if len(self.finished) < TRIALS_BEFORE_PRUNING or epoch <= EPOCHS_BEFORE_PRUNING:
            return False
        others = [errors[min(epoch, len(errors)) - 1] for errors in self.finished]
        return bool(self.best > np.median(others))

    def learn(self, trial: Trial) -> None:
        """Add the errors of a finished trial to those that others are compared with."""
        if trial.state == "done" and trial.epochs:
            self.finished.append(np.minimum.accumulate(trial.epochs))


@dataclass
class Grid(Pruning):
    """Every combination of equally many values of each dimension, as many as the budget allows."""

    points: list[JsonObject] = field(default_factory=list)

    @classmethod
    def of(cls, space: Space, budget: int, seed: int, higher: bool) -> "Grid":
        """Raises BadSetting when even two values of each are more than the budget."""
        axes: list[Sequence[object]] = []
        for points in count(2):
            wider = [dimension.grid(points) for dimension in space.values()]
            if prod(map(len, wider)) > budget or wider == axes:
                break
            axes = wider
        if not axes:
            least = prod(len(dimension.grid(2)) for dimension in space.values())
            raise BadSetting(
                f"a grid over {', '.join(space)} has at least {least} points, more than the "
                f"{counted(budget, 'trial')} left of the budget; raise it, search fewer settings, "
                "or take ",
                Option("method", "random"),
            )
        return cls(points=[dict(zip(space, point, strict=True)) for point in product(*axes)])

    def propose(self, number: int) -> JsonObject | None:
        return self.points[number - 1] if number <= len(self.points) else None


@dataclass
class RandomSearch(Pruning):
    """Independent draws, each of which depends on the seed and its number alone."""

    space: Space = field(default_factory=dict)
    seed: int = 0
    tried: list[JsonObject] = field(default_factory=list)

    @classmethod
    def of(cls, space: Space, budget: int, seed: int, higher: bool) -> "RandomSearch":
        return cls(space=space, seed=seed)

    def propose(self, number: int) -> JsonObject | None:
        rng = np.random.default_rng((self.seed, number))
        for _ in range(REDRAWS):
            settings = {name: dimension.draw(rng) for name, dimension in self.space.items()}
            if settings not in self.tried:
                return settings
        return None

    def learn(self, trial: Trial) -> None:
        super().learn(trial)
        self.tried.append(trial.settings)


class Optuna:
    """Optuna's tree-structured Parzen estimator and its median pruner (Akiba et al. 2019)."""

    def __init__(self, space: Space, budget: int, seed: int, higher: bool) -> None:
        try:
            import optuna
        except ImportError:
            raise BadSetting(
                Option("method", "optuna"),
                f' needs Optuna: {TUNE.remedy}; "random" and "grid" need nothing',
            ) from None
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.optuna = optuna
        self.space = {name: self._distribution(one) for name, one in space.items()}
        self.study = optuna.create_study(
            direction="maximize" if higher else "minimize",
            sampler=optuna.samplers.TPESampler(seed=seed),
        )
        self.pruning = Pruning()
        self.pending: dict[int, Any] = {}

    def _distribution(self, dimension: Dimension) -> Any:
        kinds = self.optuna.distributions
        if isinstance(dimension, Choice):
            return kinds.CategoricalDistribution(dimension.values)
        if isinstance(dimension, Whole):
            return kinds.IntDistribution(dimension.low, dimension.high, log=dimension.log)
        assert isinstance(dimension, Real)
        return kinds.FloatDistribution(dimension.low, dimension.high, log=dimension.log)

    def propose(self, number: int) -> JsonObject | None:
        trial = self.study.ask(self.space)
        self.pending[number] = trial
        return {
            name: float(f"{value:.4g}") if isinstance(value, float) else value
            for name, value in trial.params.items()
        }

    def hopeless(self, epoch: int, error: float) -> bool:
        return self.pruning.hopeless(epoch, error)

    def learn(self, trial: Trial) -> None:
        self.pruning.learn(trial)
        states = self.optuna.trial.TrialState
        proposal = self.pending.pop(trial.number, None)
        if proposal is not None:
            state = states.COMPLETE if trial.state == "done" else states.FAIL
            self.study.tell(proposal, trial.value if trial.state == "done" else None, state=state)
        elif trial.state == "done" and self._inside(trial.settings):
            self.study.add_trial(
                self.optuna.trial.create_trial(
                    params=trial.settings, distributions=self.space, value=trial.value
                )
            )

    def _inside(self, settings: JsonMapping) -> bool:
        try:
            return all(
                one._contains(one.to_internal_repr(settings[name]))
                for name, one in self.space.items()
            )
        except (ValueError, TypeError):
            return False


METHODS: dict[str, Callable[[Space, int, int, bool], Search]] = {
    "random": RandomSearch.of,
    "grid": Grid.of,
    "optuna": Optuna,
}
