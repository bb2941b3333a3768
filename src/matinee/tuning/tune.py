"""Tuning the settings of an algorithm, with a validation part for trials and a test part for one.

The test part of the data is set aside first. Trials are fitted on one part of the rest and measured
on the other, the validation part. Only the winner is fitted on both and measured on the test part,
once.
"""

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from matinee.algorithms import Algorithm
from matinee.algorithms.choosers import shared_choices
from matinee.algorithms.registry import choose_one
from matinee.algorithms.search_space import Dimension, Real, Space, Whole, as_dimension
from matinee.data.ratings import Ratings
from matinee.display.notebook import Grid, Part, Tabular
from matinee.display.plain_data import JsonObject
from matinee.display.steps import OnStep, logged, quiet
from matinee.display.tables import Table
from matinee.display.text import counted
from matinee.errors import Advice, BadSetting, check_known, check_whole, known_arguments
from matinee.evaluation.bootstrap import resample
from matinee.evaluation.compare import time_left, tried
from matinee.evaluation.evaluate import fit_and_evaluate
from matinee.evaluation.results import Evaluation, versions
from matinee.evaluation.run_log import Record, Series, key_of
from matinee.kernels.resampling import interval
from matinee.models import Model
from matinee.splitting import Split, k_fold, random, split_of
from matinee.training.progress import Epoch
from matinee.tuning.objective import Objective
from matinee.tuning.search import METHODS, Search, State, Trial

VALIDATION_SHARE = 0.2  # of the training part
OF_EPOCHS = ("rmse", "mae")  # metrics for which the validation error of an epoch stands in
SHOWN_TRIALS = 10


@dataclass(frozen=True, repr=False)
class Tuning(Tabular):
    """All trials, the winner, and its metric on the test part."""

    algorithm: Algorithm  # the winner
    metric: str
    higher_is_better: bool
    trials: tuple[Trial, ...]
    best: Trial
    edges: tuple[str, ...]  # settings whose optimum lies at the edge of their range
    test: Evaluation  # the winner on the test part
    test_interval: tuple[float, float] | None  # 95 % over users
    space: Space
    split: str  # of the test part, in words
    seconds: float = 0.0

    @property
    def usual(self) -> Trial:
        """Trial 0, of the usual settings."""
        return self.trials[0]

    @property
    def arguments(self) -> list[str]:
        """The options of ``matinee fit DATA`` that fit the winner."""
        settings = self.algorithm.non_default_settings.items()
        texts = [f"{name}={value}" for name, value in settings]
        return ["--algorithm", self.algorithm.name, *(w for one in texts for w in ("--set", one))]

    def ranked(self) -> list[Trial]:
        """The finished trials, the best first."""
        sign = -1 if self.higher_is_better else 1
        measured = [trial for trial in self.trials if trial.value is not None]
        return sorted(measured, key=lambda trial: sign * (trial.value or 0.0))

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return {
            "algorithm": self.algorithm.name,
            "settings": self.algorithm.settings,
            "metric": self.metric,
            "validation": self.best.value,
            "validation_of_usual_settings": self.usual.value,
            "test": self.test.metrics[self.metric],
            "test_interval": self.test_interval,
            "edges": list(self.edges),
            "space": {name: str(dimension) for name, dimension in self.space.items()},
            "arguments": self.arguments,
            "split": self.split,
            "origin": self.test.origin,
            "seconds": self.seconds,
            "trials": [asdict(trial) for trial in self.trials],
        }

    @property
    def table(self) -> Table:
        """A row a trial, pruned and failed ones too: its settings, state, value and seconds.

        Over several folds ``value`` is their mean, ``value_std`` their sample standard deviation.
        """
        columns: dict[str, list[object]] = {"trial": [one.number for one in self.trials]}
        for name in self.space:
            columns[name] = [one.settings.get(name) for one in self.trials]
        for name in ("state", "value"):
            columns[name] = [getattr(one, name) for one in self.trials]
        if any(one.fold_values for one in self.trials):
            columns["value_std"] = [
                float(np.std(one.fold_values, ddof=1)) if one.fold_values else None
                for one in self.trials
            ]
        for name in ("seconds", "reason"):
            columns[name] = [getattr(one, name) for one in self.trials]
        return Table(columns)

    def parts(self) -> Iterator[Part]:
        names = list(self.space)
        rows = [["trial", *names, self.metric]]
        for trial in self.ranked()[:SHOWN_TRIALS]:
            values = [str(trial.settings[name]) for name in names]
            rows.append([str(trial.number), *values, f"{trial.value:.4f}"])
        counts = {
            state: sum(trial.state == state for trial in self.trials)
            for state in ("done", "pruned", "failed")
        }
        states = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
        usual = "failed" if self.usual.value is None else f"{self.usual.value:.4f}"
        within = (
            "" if self.test_interval is None else " [{:.4f}, {:.4f}]".format(*self.test_interval)
        )
        yield Grid(rows)
        yield (
            f"{counted(len(self.trials), 'trial')} in {self.seconds:.1f} s: {states}; "
            f"trial 0 is the usual settings, with {usual}"
        )
        yield from self.edges
        yield f"test {self.metric}, measured once: {self.test.metrics[self.metric]:.4f}{within}"
        yield f"Tested on {self.split}."


class _Pruned(Exception):
    """The search ends the running trial early."""


@known_arguments
def tune(
    algorithm: Algorithm | type[Algorithm] | str,
    data: Ratings | Split,
    *,
    space: Mapping[str, Dimension | Sequence[object]] | None = None,
    metric: str = "rmse",
    budget: int = 30,
    seconds: float | None = None,
    method: str = "random",
    folds: int = 1,
    relevant_from: float | None = None,
    seed: int = 0,
    record: str | Path | None = None,
    resume: bool = False,
    on_step: OnStep = quiet,
) -> Tuning:
    """Search the settings of an algorithm for the best value of a metric.

    ``algorithm`` is a name, a class, or a value whose non-default settings stay as they are.
    ``space`` has a list of values, or a dimension of ``matinee.algorithms.search_space``, for each
    setting searched; where None, the algorithm's own. ``metric`` is one of ``evaluate``, such as
    "rmse" or "ndcg@10". ``budget`` is the number of trials, the usual settings first; none begins
    after ``seconds``. ``method`` is "random", "grid", or "optuna" (``pip install
    "matinee[tune]"``). ``data`` is a split, whose test part is used once at the end, or ratings of
    which 20 % are held out by ``seed``.

    A trial is judged on a fifth of the training part, or by its mean over so many ``folds`` of it,
    each of which it is fitted without. Unless ``n_epochs`` is searched, a fit stops early when its
    validation error does, and one worse than half of the others at the same epoch (of the first
    fold) is pruned. A trial that fails is recorded with its reason. With ``record``, a JSON-lines
    file, trials are written as they end; ``resume`` takes over those of the same search.

    Raises, before any work, BadSetting for an unknown or impossible setting, metric, method or
    budget, and MatineeError where the record cannot be written.
    """
    started = time.perf_counter()
    base = choose_one(algorithm)
    split = split_of("tune", data, seed)
    inner = _validation_splits(split.train, folds, seed)
    objective = _objective(metric, base, inner[0], relevant_from)
    space = checked_space(base, space)
    search = _search(method, space, budget, seed, objective.higher_is_better)
    key = key_of(
        repr(base),
        {name: str(dimension) for name, dimension in space.items()},
        split.origin,
        objective.name,
        method if folds == 1 else (method, folds),
        seed,
        budget if method == "grid" else None,
        relevant_from,
        versions()["matinee"],
    )
    series = Series(Record.at(record, resume), "trial", key)
    run = _Run(base, inner, objective, search, space, series)
    on_step = logged("tune", on_step)
    trials = run.trials(budget, None if seconds is None else started + seconds, on_step)
    on_step(len(trials), len(trials), "measuring the winner on the test part")
    tuning = _concluded(run, split, trials)
    return replace(tuning, seconds=time.perf_counter() - started)


def _validation_splits(train: Ratings, folds: int, seed: int) -> tuple[Split, ...]:
    """What trials are judged on: one random part, or folds. Raises BadSetting for none."""
    check_whole("folds", folds)
    if folds < 1:
        raise BadSetting(f"folds is {folds}; it must be at least 1")
    if folds == 1:
        return (random(train, VALIDATION_SHARE, seed),)
    return tuple(k_fold(train, folds, seed))


def _objective(
    metric: str, base: Algorithm, inner: Split, relevant_from: float | None
) -> Objective:
    """The objective of tuning an algorithm. Raises BadSetting where the metric does not apply."""
    objective = Objective.of(metric, inner, relevant_from, base)
    of_intervals = objective.measure.metric.source == "intervals"
    if of_intervals and not getattr(tried(base), "has_intervals", False):
        raise BadSetting(f"{base.name} gives no intervals, so {metric} cannot be measured")
    return objective


def _search(method: str, space: Space, budget: int, seed: int, higher: bool) -> Search:
    """The search of that name. Raises BadSetting for an unknown one and an impossible budget."""
    check_whole("budget", budget)
    if budget < 1:
        raise BadSetting(f"budget is {budget}; at least one trial is needed")
    check_known("method", method, METHODS)
    return METHODS[method](space, max(budget - 1, 1), seed, higher)


@dataclass(frozen=True, eq=False)
class _Run:
    """One search: the algorithm, the validation split, and where trials come from and go to."""

    base: Algorithm
    inner: tuple[Split, ...]  # of the training part: what to fit to and to validate on, by fold
    objective: Objective
    search: Search
    space: Space
    series: Series

    @shared_choices()
    def trials(self, budget: int, deadline: float | None, on_step: OnStep) -> list[Trial]:
        """Run the trials in turn, recording each; recorded trials are taken over.

        ``deadline`` is in seconds of ``time.perf_counter``.
        """
        past = {run["trial"]["number"]: run["trial"] for run in self.series.past()}
        trials: list[Trial] = []
        started = time.perf_counter()
        for number in range(budget):
            if number and deadline is not None and time.perf_counter() > deadline:
                break
            left = time_left(number, budget, started)
            on_step(number, budget, ", ".join(filter(None, [self._best_so_far(trials), left])))
            if number in past:
                trial = _recorded(past[number])
            else:
                settings = self._settings(number)
                if settings is None:
                    break
                trial = self.trial(number, settings)
                self._record(trial)
            self.search.learn(trial)
            trials.append(trial)
        return trials

    @property
    def _stops_early(self) -> bool:
        """Whether fits end at their best epoch: not where the search itself decides on epochs."""
        return self.objective.measure.base in OF_EPOCHS and "n_epochs" not in self.space

    def _settings(self, number: int) -> JsonObject | None:
        """The settings of a trial; None when the space is exhausted."""
        if number == 0:
            return {name: self.base.settings[name] for name in self.space}
        return self.search.propose(number)

    def _record(self, trial: Trial) -> None:
        self.series.append(
            algorithm=self.base.name,
            metric=self.objective.name,
            trial=asdict(trial),
            origin=self.inner[0].origin,
        )

    def _best_so_far(self, trials: list[Trial]) -> str:
        values = [trial.value for trial in trials if trial.value is not None]
        if not values:
            return "the usual settings"
        return f"best {min(values, key=self.objective.loss):.4f}"

    def trial(self, number: int, settings: JsonObject) -> Trial:
        """Fit to each fold, stop early or prune, and take the mean of what is measured."""
        started = time.perf_counter()
        errors: list[float] = []

        def ended(state: State, **outcome: Any) -> Trial:
            seconds = time.perf_counter() - started
            return Trial(number, settings, state, epochs=tuple(errors), seconds=seconds, **outcome)

        try:
            values, epochs = [], []
            for fold, split in enumerate(self.inner):
                model = self._fit(number, settings, errors, fold)
                values.append(self.objective.value(model, split.test))
                if "best_epoch" in model.facts:
                    epochs.append(model.facts["best_epoch"])
        except _Pruned as reason:
            return ended("pruned", reason=str(reason))
        except Exception as error:  # one impossible point does not end the search
            return ended("failed", reason=f"{type(error).__name__}: {error}")
        return ended(
            "done",
            value=float(np.mean(values)),
            best_epoch=round(float(np.mean(epochs))) if epochs else None,
            fold_values=tuple(values) if len(values) > 1 else (),
        )

    def _fit(self, number: int, settings: JsonObject, errors: list[float], fold: int) -> Model:
        """Fit a trial, appending the validation error of each epoch of fold 0 to ``errors``.

        Raises _Pruned, and what the fit does.
        """

        def on_epoch(epoch: Epoch) -> None:
            if epoch.validation_rmse is None or fold:
                return
            errors.append(float(epoch.validation_rmse))
            if number and self.search.hopeless(epoch.number, errors[-1]):
                raise _Pruned(f"after epoch {epoch.number}: worse than half of the trials")

        algorithm = self.objective.plan.learner(self.base.with_settings(settings))
        split = self.inner[fold]
        validation = split.test if self._stops_early else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model: Model = algorithm.fit(split.train, validation=validation, on_epoch=on_epoch)
        return model


def _recorded(trial: JsonObject) -> Trial:
    """A trial as a record has it."""
    lists = {name: tuple(trial.get(name, ())) for name in ("epochs", "fold_values")}
    return Trial(**(trial | lists))


def checked_space(
    base: Algorithm, space: Mapping[str, Dimension | Sequence[object]] | None
) -> Space:
    """The space to search. Raises BadSetting where it is missing, unknown or impossible."""
    if space is not None:
        dimensions = {name: as_dimension(name, one) for name, one in space.items()}
    else:
        fixed = base.non_default_settings
        own = {name: one for name, one in base.space.items() if name not in fixed}
        dimensions = {name: one for name, one in own.items() if not _objection(base, name, one)}
    if not dimensions:
        if not base.settings:
            raise BadSetting(f"{base.name} has no settings, so there is nothing to tune")
        example = Advice("space={setting: Real(low, high)}", "--space SETTING=LOW..HIGH")
        raise BadSetting(f"{base.name} states no search space; give one, ", example)
    for name, dimension in dimensions.items():
        base.check_setting(name)
        if objection := _objection(base, name, dimension):
            raise BadSetting(f"the space of {name} is impossible: {objection}")
    return dimensions


def _objection(base: Algorithm, name: str, dimension: Dimension) -> str:
    """Why an algorithm refuses a value of a setting; empty where it takes them all."""
    for value in dimension.ends():
        try:
            base.with_settings({name: value})
        except (ValueError, TypeError) as error:
            return str(error)
    return ""


def _edge_note(name: str, dimension: Dimension, value: Any) -> str | None:
    """The note on a setting that is best at an end of its range, or outside it (trial 0)."""
    edge = dimension.edge(value)
    if edge is None:
        return None
    if isinstance(dimension, (Real, Whole)) and not dimension.low <= value <= dimension.high:
        searched = f"the range searched, {dimension.low}..{dimension.high}"
        return f"{name} is best as it was, {value}, outside {searched}: widen it"
    return f"{name} is best at the {edge} end of its range, {value}: widen it"


def _concluded(run: _Run, split: Split, trials: list[Trial]) -> Tuning:
    """Fit the winner on the whole training part, and measure it on the test part.

    Raises BadSetting where no trial could be measured.
    """
    base, objective = run.base, run.objective
    measured = [trial for trial in trials if trial.value is not None]
    if not measured:
        raise BadSetting(f"no trial of {len(trials)} could be measured: {trials[0].reason}")
    best = min(measured, key=lambda trial: objective.loss(trial.value or 0.0))
    settings = dict(best.settings)
    if best.best_epoch is not None and "n_epochs" in base.settings:
        settings.setdefault("n_epochs", best.best_epoch)
    winner = base.with_settings(settings)
    relevant_from = objective.plan.relevant_from
    test = fit_and_evaluate(winner, split, (), relevant_from, objective.plan.names)
    draws = resample(test.per_user) if test.per_user is not None else {}
    edges = [
        note
        for name, dimension in run.space.items()
        if best.settings[name] is not None  # learned from the data
        and (note := _edge_note(name, dimension, best.settings[name]))
    ]
    return Tuning(
        algorithm=winner,
        metric=objective.name,
        higher_is_better=objective.higher_is_better,
        trials=tuple(trials),
        best=best,
        edges=tuple(edges),
        test=test,
        test_interval=interval(draws[objective.name]) if objective.name in draws else None,
        space=run.space,
        split=split.description,
    )
