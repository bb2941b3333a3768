"""Finding good settings, nested: what judges the trials is not what judges the winner.

The test part of the data is set aside first. Trials are fitted on one part of the rest and judged
on the other, the validation part; only the winner is fitted on both, and measured on the test
part, once.
"""

import time
import warnings
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from matinee.algorithms import Algorithm
from matinee.algorithms.search_space import Dimension, Real, Space, Whole
from matinee.data.ratings import Ratings
from matinee.display.steps import OnStep, quiet
from matinee.display.text import counted
from matinee.display.text_table import text_table
from matinee.errors import Advice, BadSetting, check_known
from matinee.evaluation.bootstrap import interval, resample
from matinee.evaluation.compare import choose, time_left, tried
from matinee.evaluation.evaluate import evaluate, fit_and_evaluate
from matinee.evaluation.protocol import Asked, check_kind, check_measurable, needed
from matinee.evaluation.results import Evaluation, versions
from matinee.evaluation.run_log import Record, key_of
from matinee.splitting import Split, random
from matinee.training.progress import Epoch
from matinee.tuning.search import METHODS, Search, Trial

VALIDATION_SHARE = 0.2  # of what is not tested
OF_EPOCHS = ("rmse", "mae")  # metrics that the validation error of an epoch can speak for
SHOWN_TRIALS = 10


@dataclass(frozen=True)
class Tuning:
    """All trials, the winner, and what the winner scores on the test part."""

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
    seconds: float

    @property
    def usual(self) -> Trial:
        """The trial of the usual settings."""
        return self.trials[0]

    @property
    def arguments(self) -> list[str]:
        """What ``matinee fit DATA`` takes to fit the winner."""
        settings = self.algorithm.non_default_settings.items()
        texts = [f"{name}={value}" for name, value in settings]
        return ["--algorithm", self.algorithm.name, *(w for one in texts for w in ("--set", one))]

    def ranked(self) -> list[Trial]:
        """The finished trials, the best first."""
        sign = -1 if self.higher_is_better else 1
        done = [trial for trial in self.trials if trial.value is not None]
        return sorted(done, key=lambda trial: sign * (trial.value or 0.0))

    def to_dict(self) -> dict[str, Any]:
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

    def __str__(self) -> str:
        names = list(self.space)
        rows = [["trial", *names, self.metric]]
        for trial in self.ranked()[:SHOWN_TRIALS]:
            values = [str(trial.settings[name]) for name in names]
            rows.append([str(trial.number), *values, f"{trial.value:.4f}"])
        counts = {
            state: sum(trial.state == state for trial in self.trials)
            for state in ("done", "pruned", "failed")
        }
        said = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
        usual = "failed" if self.usual.value is None else f"{self.usual.value:.4f}"
        within = (
            "" if self.test_interval is None else " [{:.4f}, {:.4f}]".format(*self.test_interval)
        )
        return "\n".join(
            [
                *text_table(rows),
                f"{counted(len(self.trials), 'trial')} in {self.seconds:.1f} s: {said}; "
                f"trial 0 is the usual settings, with {usual}",
                *self.edges,
                f"test {self.metric}, measured once: {self.test.metrics[self.metric]:.4f}{within}",
                f"Tested on {self.split}.",
            ]
        )


class _GivenUp(Exception):
    """The search has seen enough of the trial that is running."""


def tune(
    algorithm: Algorithm | type[Algorithm] | str,
    data: Ratings | Split,
    *,
    space: Space | None = None,
    metric: str = "rmse",
    budget: int = 30,
    seconds: float | None = None,
    method: str = "random",
    relevant_from: float | None = None,
    seed: int = 0,
    record: str | Path | None = None,
    resume: bool = False,
    on_step: OnStep = quiet,
) -> Tuning:
    """Search the settings of an algorithm for the best value of a metric.

    ``algorithm`` is a name, a class, or a value whose unusual settings stay as they are. ``space``
    has a dimension for each setting searched (``matinee.algorithms.search_space``); where None, the
    algorithm's own. ``metric`` is one of ``evaluate``, such as "rmse" or "ndcg@10". ``budget`` is
    the number of trials, the usual settings first; none begins after ``seconds``. ``method`` is
    "random", "grid", or "optuna" (``pip install "matinee[tune]"``). ``data`` is a split, whose
    test part is used once at the end, or ratings of which 20 % are held out by ``seed``.

    Errors stop a fit early, and give up trials that are worse than half of the others at the same
    epoch. A trial that fails is kept with its reason. With ``record``, a JSON-lines file, trials
    are kept as they end; ``resume`` takes those of the same search from it.

    Raises, before any work, BadSetting for an unknown or impossible setting, metric, method or
    budget, and MatineeError where the record cannot be written.
    """
    started = time.perf_counter()
    (base,) = choose([algorithm() if isinstance(algorithm, type) else algorithm])
    split = data if isinstance(data, Split) else random(data, seed=seed)
    inner = random(split.train, VALIDATION_SHARE, seed)
    (asked,) = _one_metric(metric, base, inner, relevant_from)
    searched = checked_space(base, space)
    search = _search(method, searched, budget, seed, bool(asked.how.higher_is_better))
    key = key_of(
        repr(base),
        {k: str(v) for k, v in searched.items()},
        split.origin,
        asked.name,
        method,
        seed,
        budget if method == "grid" else None,
        relevant_from,
        versions()["matinee"],
    )
    kept = Record.at(record)
    run = _Run(base, inner, asked, relevant_from, search, searched)
    deadline = None if seconds is None else started + seconds
    trials = run.all(budget, deadline, kept, key, resume, on_step)
    on_step(len(trials), len(trials), "measuring the winner on the test part")
    return _concluded(base, split, asked, searched, trials, relevant_from, started)


def _search(method: str, space: Space, budget: int, seed: int, higher: bool) -> Search:
    """The search of that name. Raises BadSetting for an unknown one and an impossible budget."""
    if budget < 1:
        raise BadSetting(f"budget is {budget}; at least one trial is needed")
    check_known("method", method, METHODS)
    return METHODS[method](space, max(budget - 1, 1), seed, higher)


@dataclass(frozen=True, eq=False)
class _Run:
    """What the trials of a search have in common."""

    base: Algorithm
    inner: Split
    asked: Asked
    relevant_from: float | None
    search: Search
    space: Space

    def all(
        self,
        budget: int,
        deadline: float | None,
        kept: Record,
        key: str,
        resume: bool,
        on_step: OnStep,
    ) -> list[Trial]:
        """Run the trials one after another, each kept as it ends; the past ones are taken over."""
        past = {one["trial"]["number"]: one["trial"] for one in kept.find("trial", key) if resume}
        facts = {
            "what": "trial",
            "key": key,
            "algorithm": self.base.name,
            "metric": self.asked.name,
        }
        trials: list[Trial] = []
        started = time.perf_counter()
        for number in range(budget):
            if number and deadline is not None and time.perf_counter() > deadline:
                break
            on_step(number, budget, self._words(trials, time_left(number, budget, started)))
            if number in past:
                trial = Trial(**(past[number] | {"epochs": tuple(past[number]["epochs"])}))
            else:
                usual = {name: self.base.settings[name] for name in self.space}
                settings = usual if number == 0 else self.search.propose(number)
                if settings is None:
                    break
                trial = self.trial(number, settings)
                kept.keep(facts | {"trial": asdict(trial), "origin": self.inner.origin})
            self.search.learn(trial)
            trials.append(trial)
        return trials

    def _words(self, trials: list[Trial], left: str) -> str:
        values = [trial.value for trial in trials if trial.value is not None]
        best = (max if self.asked.how.higher_is_better else min)(values, default=None)
        said = "the usual settings" if best is None else f"best {best:.4f}"
        return ", ".join(filter(None, [said, left]))

    def trial(self, number: int, settings: dict[str, Any]) -> Trial:
        """Fit on the training part, stop early or give up, measure on the validation part."""
        started = time.perf_counter()
        errors: list[float] = []
        by_epoch = self.asked.metric in OF_EPOCHS

        def on_epoch(epoch: Epoch) -> None:
            if epoch.validation_rmse is None:
                return
            errors.append(float(epoch.validation_rmse))
            if number and self.search.hopeless(epoch.number, errors[-1]):
                raise _GivenUp(f"after epoch {epoch.number}: worse than half of the trials")

        def ended(state: Any, **more: Any) -> Trial:
            seconds = time.perf_counter() - started
            return Trial(number, settings, state, epochs=tuple(errors), seconds=seconds, **more)

        try:
            algorithm = needed(with_settings(self.base, settings), [self.asked])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = algorithm.fit(
                    self.inner.train,
                    validation=self.inner.test if by_epoch else None,
                    on_epoch=on_epoch,
                )
            names = [self.asked.name]
            found = evaluate(model, self.inner.test, (), self.relevant_from, names)
        except _GivenUp as reason:
            return ended("pruned", reason=str(reason))
        except Exception as error:  # one impossible point does not end the search
            return ended("failed", reason=f"{type(error).__name__}: {error}")
        value = found.metrics.get(self.asked.name)
        if value is None or value != value:
            return ended("failed", reason=f"{self.asked.name} is not a number")
        return ended("done", value=value, best_epoch=model.facts.get("best_epoch"))


def checked_space(base: Algorithm, space: Space | None) -> Space:
    """The space to search. Raises BadSetting where it is missing, unknown or impossible."""
    if space is None:
        fixed = base.non_default_settings
        own = {name: one for name, one in base.space.items() if name not in fixed}
        space = {name: one for name, one in own.items() if not _objection(base, name, one)}
    if not space:
        if not fields(base):
            raise BadSetting(f"{base.name} has no settings, so there is nothing to tune")
        example = Advice("space={setting: Real(low, high)}", "--space SETTING=LOW..HIGH")
        raise BadSetting(f"{base.name} states no search space; give one, ", example)
    for name, dimension in space.items():
        base.check_setting(name)
        if objection := _objection(base, name, dimension):
            raise BadSetting(f"the space of {name} is impossible: {objection}")
    return dict(space)


def _objection(base: Algorithm, name: str, dimension: Dimension) -> str:
    """What an algorithm has against the values of a setting; nothing where it takes them."""
    for value in dimension.ends():
        try:
            with_settings(base, {name: value})
        except (ValueError, TypeError) as error:
            return str(error)
    return ""


def with_settings(base: Algorithm, settings: dict[str, Any]) -> Algorithm:
    """The algorithm with other settings; those that follow from others follow anew."""
    return type(base)(**(base.non_default_settings | settings))


def _one_metric(
    metric: str, base: Algorithm, inner: Split, relevant_from: float | None
) -> list[Asked]:
    asked = check_measurable(inner, (10,), relevant_from, [metric], base)
    check_kind(asked, base.kind, base.name)
    if asked[0].how.source == "intervals" and not getattr(tried(base), "has_intervals", False):
        raise BadSetting(f"{base.name} gives no intervals, so {metric} cannot be measured")
    if asked[0].how.higher_is_better is None:
        raise BadSetting(f"neither end of {metric} is better, so it cannot be tuned for")
    return asked


def _edge_note(name: str, dimension: Dimension, value: Any) -> str | None:
    """What to say of a setting best at an end of its range, or outside it as trial 0 can be."""
    edge = dimension.edge(value)
    if edge is None:
        return None
    if isinstance(dimension, (Real, Whole)) and not dimension.low <= value <= dimension.high:
        searched = f"the range searched, {dimension.low}..{dimension.high}"
        return f"{name} is best as it was, {value}, outside {searched}: widen it"
    return f"{name} is best at the {edge} end of its range, {value}: widen it"


def _concluded(
    base: Algorithm,
    split: Split,
    asked: Asked,
    space: Space,
    trials: list[Trial],
    relevant_from: float | None,
    started: float,
) -> Tuning:
    """Fit the winner on all that is not tested, and measure it on the test part."""
    higher = bool(asked.how.higher_is_better)
    done = [trial for trial in trials if trial.value is not None]
    if not done:
        raise BadSetting(f"no trial of {len(trials)} could be measured: {trials[0].reason}")
    best = (max if higher else min)(done, key=lambda trial: trial.value or 0.0)
    settings = dict(best.settings)
    if best.best_epoch is not None and "n_epochs" in base.settings:
        settings.setdefault("n_epochs", best.best_epoch)
    winner = with_settings(base, settings)
    test = fit_and_evaluate(winner, split, (), relevant_from, [asked.name])
    draws = resample(test.per_user) if test.per_user is not None else {}
    edges = [
        note
        for name, dimension in space.items()
        if best.settings[name] is not None  # learned from the data
        and (note := _edge_note(name, dimension, best.settings[name]))
    ]
    return Tuning(
        algorithm=winner,
        metric=asked.name,
        higher_is_better=higher,
        trials=tuple(trials),
        best=best,
        edges=tuple(edges),
        test=test,
        test_interval=interval(draws[asked.name]) if asked.name in draws else None,
        space=space,
        split=split.description,
        seconds=time.perf_counter() - started,
    )
