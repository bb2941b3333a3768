"""The best algorithm and its settings: successive halving over the registry, then a blend.

    bracket b     27 candidates; bracket 0 begins with the default for the data, then every
                  algorithm with default settings; the rest are drawn from the search spaces
    rung 0, 1, 2  fitted on 1/9, 1/3 and all of the users; a third of the candidates is promoted
                                                                  Jamieson & Talwalkar 2016, sec. 3

Candidates are measured on a held-out part of the training ratings. The best ones of different
algorithms are blended, and the blend wins if it measures better. The winner is measured once more,
on test ratings that the search never saw.
"""

import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from matinee.algorithms import ALGORITHMS, Algorithm, Blend, default_algorithm
from matinee.algorithms.choosers import shared_choices
from matinee.algorithms.from_model import with_settings_of
from matinee.data.ratings import Ratings
from matinee.display.notebook import Grid, Part, Tabular
from matinee.display.plain_data import JsonObject
from matinee.display.steps import OnStep, logged, quiet
from matinee.display.tables import Table
from matinee.display.text import counted, percent, settings_in_short, shorten
from matinee.errors import BadSetting, known_arguments
from matinee.evaluation.evaluate import fit_and_evaluate
from matinee.evaluation.list_check import relevant_from
from matinee.evaluation.results import Evaluation, versions
from matinee.evaluation.run_log import Record, Series, key_of
from matinee.models.model import Model
from matinee.splitting import Split, random
from matinee.tuning.objective import Objective

SHARES = (1 / 9, 1 / 3, 1.0)  # of the users, by rung
REDUCTION = 3  # one in so many is promoted to the next rung
CANDIDATES = 27  # of a bracket
BLEND_SIZE = 3  # algorithms in a blend
SETTINGS_WIDTH = 60  # characters of the settings of a trial that are printed
EXCLUDED = ("blend", "hybrid", "content")  # made of others, or in need of a catalogue


@dataclass(frozen=True)
class AutoTrial:
    """One fit of the search and its result; ``value`` is None where it failed."""

    number: int
    algorithm: str
    settings: JsonObject  # those that differ from the defaults
    share: float  # of the users, fitted on
    value: float | None
    seconds: float
    reason: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class AutoResult(Tabular):
    """The winner fitted on all ratings, the trials, and an estimate on unseen ratings."""

    algorithm: Algorithm
    model: Model
    metric: str
    higher_is_better: bool
    trials: tuple[AutoTrial, ...]
    test: Evaluation  # of the winner, fitted without the test part
    split: str  # of the test part, in words
    seconds: float

    def ranked(self) -> list[AutoTrial]:
        """The trials that were measured: those on more users first, then the best."""
        return ranked(self.trials, self.higher_is_better)

    @property
    def table(self) -> Table:
        """A row a trial, failed ones too; settings are those that differ from the defaults."""
        rows = [asdict(one) | {"settings": settings_in_short(one.settings)} for one in self.trials]
        return Table({name: [row[name] for row in rows] for name in rows[0]})

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return {
            "algorithm": self.algorithm.name,
            "settings": self.algorithm.settings,
            "metric": self.metric,
            "test": self.test.metrics[self.metric],
            "split": self.split,
            "seconds": self.seconds,
            "trials": [asdict(one) for one in self.trials],
        }

    def parts(self) -> Iterator[Part]:
        rows = [["algorithm", "settings", "users", self.metric, "fit s"]]
        for one in self.ranked():
            settings = settings_in_short(one.settings) or "defaults"
            row = [one.algorithm, shorten(settings, SETTINGS_WIDTH), percent(one.share)]
            rows.append([*row, f"{one.value:.4f}", f"{one.seconds:.1f}"])
        failed = sum(one.value is None for one in self.trials)
        yield Grid(rows, left=(0, 1))
        yield f"{counted(len(self.trials), 'trial')} in {self.seconds:.0f} s, {failed} failed"
        yield f"best: {self.algorithm}"
        yield f"test {self.metric}, measured once: {self.test.metrics[self.metric]:.4f}"
        yield f"Tested on {self.split}, which the search never saw."


@known_arguments
def auto(
    ratings: Ratings,
    *,
    metric: str = "ndcg@10",
    minutes: float = 5.0,
    trials: int | None = None,
    seed: int = 0,
    record: str | Path | None = None,
    resume: bool = False,
    on_step: OnStep = quiet,
) -> AutoResult:
    """Search algorithms and settings for about ``minutes``, and fit the best one.

    No trial begins after ``minutes``, or after ``trials``; the blend and the last fits come on top.
    Of ratings with weights only algorithms that take them are tried, and no blend.
    An interruption (KeyboardInterrupt) ends the search with the trials so far. With ``record``, a
    JSON-lines file, trials are written as they end, and ``resume`` takes over those of the same
    search. The same trials give the same winner; time decides only how many there are.

    Raises BadSetting for an unknown metric and where no trial can be measured, BadRatings where no
    held-out item is relevant, and MatineeError where the record cannot be written.
    """
    started = time.perf_counter()
    outer = random(ratings, seed=seed)
    halving = SuccessiveHalving.of(outer.train, metric, seed, relevant_from(ratings))
    objective = halving.objective
    key = key_of("auto", metric, seed, outer.origin, versions()["matinee"])
    series = Series(Record.at(record, resume), "auto", key)
    past = [AutoTrial(**run["trial"]) for run in series.past()]
    on_step = logged("auto", on_step)
    done: list[AutoTrial] = []
    try:
        with shared_choices():
            for number, candidate, share in halving.proposals(done):
                over = time.perf_counter() - started > 60 * minutes
                if number >= len(past) and done and (over or number == trials):
                    break
                on_step(number, trials or 0, f"{candidate.name} on {percent(share)} of the users")
                if number < len(past):
                    done.append(past[number])
                else:
                    done.append(halving.trial(number, candidate, share))
                    series.append(metric=objective.name, trial=asdict(done[-1]))
    except KeyboardInterrupt:
        pass  # the result is the best trial so far
    winner = halving.winner(done)
    return AutoResult(
        algorithm=winner,
        model=winner.fit(ratings),
        metric=objective.name,
        higher_is_better=objective.higher_is_better,
        trials=tuple(done),
        test=fit_and_evaluate(
            winner, outer, (), objective.plan.relevant_from, objective.plan.names
        ),
        split=outer.description,
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True, eq=False)
class SuccessiveHalving:
    """Brackets of candidates, each fitted on more users the better it measures."""

    inner: Split  # of the training part
    objective: Objective
    seed: int

    @classmethod
    def of(cls, ratings: Ratings, metric: str, seed: int, threshold: float) -> "SuccessiveHalving":
        """Raises what ``Objective.of`` does."""
        inner = random(ratings, seed=seed)
        return cls(inner, Objective.of(metric, inner, threshold), seed)

    @property
    def weighted(self) -> bool:
        """Whether the ratings have weights, which not all algorithms take."""
        return self.inner.train.sample_weight is not None

    def proposals(self, done: list[AutoTrial]) -> Iterator[tuple[int, Algorithm, float]]:
        """Number, algorithm and share of the users of each trial.

        The caller appends each trial to ``done`` before it takes the next proposal.
        """
        number, bracket = 0, 0
        while True:
            candidates = self.candidates(bracket)
            for share in SHARES:
                first = number
                for one in candidates:
                    yield number, one, share
                    number += 1
                rung = ranked(done[first:number], self.objective.higher_is_better)
                best = rung[: max(len(candidates) // REDUCTION, 1)]
                candidates = [candidates[one.number - first] for one in best]
            bracket += 1

    def candidates(self, bracket: int) -> list[Algorithm]:
        """The algorithms of a bracket, which depend on the seed and its number alone."""
        kinds = [
            kind
            for name, kind in ALGORITHMS.items()
            if name not in EXCLUDED and kind.extra is None  # the same search on every installation
        ]
        if self.weighted:
            kinds = [kind for kind in kinds if kind().takes_weights]
        if not self.objective.measure.ranks:
            kinds = [kind for kind in kinds if kind().kind == "rating"]
        usual = self._usual(kinds) if bracket == 0 else []
        rng = np.random.default_rng((self.seed, bracket))
        spaces = [kind for kind in kinds if kind.space]
        samples = []
        for _ in range(CANDIDATES - len(usual)):
            kind = spaces[int(rng.integers(len(spaces)))]
            samples.append(kind(**{name: one.draw(rng) for name, one in kind.space.items()}))
        return usual + [one.for_data(self.inner.train) for one in samples]

    def _usual(self, kinds: list[type[Algorithm]]) -> list[Algorithm]:
        """The default for the data, and each algorithm with its default settings."""
        default = default_algorithm(self.inner.train)
        usual = [kind().for_data(self.inner.train) for kind in kinds]
        others = [one for one in usual if one != default]
        fits = self.objective.measure.ranks or default.kind == "rating"
        return [default, *others] if fits else usual

    def trial(self, number: int, candidate: Algorithm, share: float) -> AutoTrial:
        """Fit on a share of the users and measure on their held-out ratings."""
        started = time.perf_counter()
        value, reason = None, ""
        try:
            value = self.value(candidate, share)
        except Exception as error:  # one impossible candidate does not end the search
            reason = f"{type(error).__name__}: {error}"
        seconds = time.perf_counter() - started
        settings = {one: candidate.settings[one] for one in candidate.non_default_settings}
        return AutoTrial(number, candidate.name, settings, share, value, seconds, reason)

    def value(self, candidate: Algorithm, share: float) -> float:
        """The metric of a candidate. Raises what its fit and its evaluation do."""
        sample = np.random.default_rng(self.seed).random(self.inner.train.n_users) < share
        train, test = (
            part.subset(sample[part.user]) for part in (self.inner.train, self.inner.test)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = candidate.fit(train)
        return self.objective.value(model, test)

    def winner(self, done: list[AutoTrial]) -> Algorithm:
        """The best of the trials on most users, or a blend of several if it measures better.

        Raises BadSetting where no trial could be measured.
        """
        best = ranked(done, self.objective.higher_is_better)
        if not best:
            reasons = f": {done[0].reason}" if done else ""
            raise BadSetting(f"no trial of {len(done)} could be measured{reasons}")
        top = [one for one in best if one.share == best[0].share]
        first = algorithm_of(top[0])
        others: dict[str, Algorithm] = {}
        for one in map(algorithm_of, top):
            if one.kind == first.kind and one.name != Blend.name:
                others.setdefault(one.name, one)
        if len(others) < 2 or self.weighted:
            return first
        blend = Blend(of=tuple(others.values())[:BLEND_SIZE])
        losses = [self.objective.loss(self.value(one, top[0].share)) for one in (first, blend)]
        return blend if losses[1] < losses[0] else first


def algorithm_of(trial: AutoTrial) -> Algorithm:
    """The algorithm that a trial has fitted."""
    return with_settings_of(trial.algorithm, trial.settings)


def ranked(trials: "list[AutoTrial] | tuple[AutoTrial, ...]", higher: bool) -> list[AutoTrial]:
    """The trials that were measured: those on more users first, then the best."""
    sign = -1 if higher else 1
    measured = [one for one in trials if one.value is not None]
    return sorted(measured, key=lambda one: (-one.share, sign * (one.value or 0.0), one.number))
