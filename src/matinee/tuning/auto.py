"""Which algorithm with which settings: successive halving over the registry, then a blend.

    bracket b     27 candidates; bracket 0 begins with every algorithm by default, the rest are
                  drawn from the search spaces
    rung 0, 1, 2  fitted on 1/9, 1/3 and all of the users; a third of the candidates goes on
                                                                  Jamieson & Talwalkar 2016, sec. 3

Candidates are judged on a held-out part of the training ratings. The best of different algorithms
are blended, and the blend is taken if it judges better. What that is worth in truth is measured
once, on test ratings that the search never saw.
"""

import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from matinee.algorithms import ALGORITHMS, Algorithm, Blend
from matinee.data.ratings import Ratings
from matinee.display.steps import OnStep, quiet
from matinee.display.text import counted
from matinee.display.text_table import text_table
from matinee.errors import BadSetting
from matinee.evaluation.evaluate import evaluate, fit_and_evaluate
from matinee.evaluation.list_check import relevant_from
from matinee.evaluation.protocol import Asked, check_measurable
from matinee.evaluation.results import Evaluation, versions
from matinee.evaluation.run_log import Record, key_of
from matinee.models.model import Model
from matinee.splitting import Split, random

SHARES = (1 / 9, 1 / 3, 1.0)  # of the users, by rung
KEPT = 3  # one in so many goes on to the next rung
CANDIDATES = 27  # of a bracket
BLENDED = 3  # of the best algorithms
APART = ("blend", "hybrid", "content")  # made of others, or in need of a catalogue


@dataclass(frozen=True)
class AutoTrial:
    """One fit of the search and what came of it; ``value`` is None where it failed."""

    number: int
    algorithm: str
    settings: dict[str, Any]  # those that are not by default
    share: float  # of the users, fitted on
    value: float | None
    seconds: float
    reason: str = ""


@dataclass(frozen=True, eq=False)
class AutoResult:
    """The winner fitted on all ratings, what was tried, and an estimate on unseen ratings."""

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

    def to_dict(self) -> dict[str, Any]:
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

    def __str__(self) -> str:
        rows = [["algorithm", "settings", "users", self.metric, "fit s"]]
        for one in self.ranked():
            settings = ", ".join(f"{name}={value}" for name, value in one.settings.items())
            row = [one.algorithm, settings or "by default", f"{one.share:.0%}"]
            rows.append([*row, f"{one.value:.4f}", f"{one.seconds:.1f}"])
        failed = sum(one.value is None for one in self.trials)
        return "\n".join(
            [
                *text_table(rows, left=(0, 1)),
                f"{counted(len(self.trials), 'trial')} in {self.seconds:.0f} s, {failed} failed",
                f"best: {self.algorithm}",
                f"test {self.metric}, measured once: {self.test.metrics[self.metric]:.4f}",
                f"Tested on {self.split}, which the search never saw.",
            ]
        )


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
    """The best algorithm for some ratings, found in about ``minutes``, and its model.

    No trial begins after ``minutes``, or after ``trials``; the blend and the last fits come on top.
    An interruption (KeyboardInterrupt) ends the search with what it has found. With ``record``, a
    JSON-lines file, trials are kept as they end, and ``resume`` takes those of the same search from
    it. The same trials give the same winner; time decides only how many there are.

    Raises BadSetting for an unknown metric and where no trial can be measured.
    """
    started = time.perf_counter()
    outer = random(ratings, seed=seed)
    search = Search.of(outer.train, metric, seed, relevant_from(ratings))
    kept = Record.at(record)
    key = key_of("auto", metric, seed, outer.origin, versions()["matinee"])
    past = [AutoTrial(**one["trial"]) for one in kept.find("auto", key)] if resume else []
    done: list[AutoTrial] = []
    try:
        for number, candidate, share in search.proposals(done):
            over = time.perf_counter() - started > 60 * minutes
            if number >= len(past) and done and (over or number == trials):
                break
            on_step(number, trials or 0, f"{candidate.name} on {share:.0%} of the users")
            trial = past[number] if number < len(past) else search.trial(number, candidate, share)
            if number >= len(past):
                what = {"what": "auto", "key": key, "metric": search.asked.name}
                kept.keep({**what, "trial": asdict(trial)})
            done.append(trial)
    except KeyboardInterrupt:
        pass  # what was found so far is the result
    winner = search.winner(done)
    test = fit_and_evaluate(winner, outer, (), search.threshold, [search.asked.name])
    higher = bool(search.asked.how.higher_is_better)
    return AutoResult(
        algorithm=winner,
        model=winner.fit(ratings),
        metric=search.asked.name,
        higher_is_better=higher,
        trials=tuple(done),
        test=test,
        split=outer.description,
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True, eq=False)
class Search:
    """What the trials have in common."""

    inner: Split
    asked: Asked
    threshold: float
    seed: int

    @classmethod
    def of(cls, ratings: Ratings, metric: str, seed: int, threshold: float) -> "Search":
        """Raises BadSetting for a metric that cannot be, or has no better end."""
        inner = random(ratings, seed=seed)
        (asked,) = check_measurable(inner, (10,), threshold, [metric])
        if asked.how.higher_is_better is None:
            raise BadSetting(f"neither end of {metric} is better, so nothing can be best at it")
        return cls(inner, asked, threshold, seed)

    def proposals(self, done: list[AutoTrial]) -> Iterator[tuple[int, Algorithm, float]]:
        """Number, algorithm and share of the users of each trial; ``done`` grows meanwhile."""
        number, bracket = 0, 0
        while True:
            candidates = self.candidates(bracket)
            for share in SHARES:
                first = number
                for one in candidates:
                    yield number, one, share
                    number += 1
                rung = ranked(done[first:number], bool(self.asked.how.higher_is_better))
                best = rung[: max(len(candidates) // KEPT, 1)]
                candidates = [candidates[one.number - first] for one in best]
            bracket += 1

    def candidates(self, bracket: int) -> list[Algorithm]:
        """The algorithms of a bracket, the same for the same seed."""
        kinds = [kind for name, kind in ALGORITHMS.items() if name not in APART]
        if not self.asked.ranks:
            kinds = [kind for kind in kinds if kind().kind == "rating"]
        usual = [kind().for_data(self.inner.train) for kind in kinds] if bracket == 0 else []
        rng = np.random.default_rng((self.seed, bracket))
        spaces = [kind for kind in kinds if kind.space]
        drawn = []
        for _ in range(CANDIDATES - len(usual)):
            kind = spaces[int(rng.integers(len(spaces)))]
            drawn.append(kind(**{name: one.draw(rng) for name, one in kind.space.items()}))
        return usual + [one.for_data(self.inner.train) for one in drawn]

    def trial(self, number: int, candidate: Algorithm, share: float) -> AutoTrial:
        """Fit on a share of the users and judge on what is held out of theirs."""
        started = time.perf_counter()
        value, reason = None, ""
        try:
            value = self.measured(candidate, share)
        except Exception as error:  # one impossible candidate does not end the search
            reason = f"{type(error).__name__}: {error}"
        seconds = time.perf_counter() - started
        settings = candidate.non_default_settings
        return AutoTrial(number, candidate.name, settings, share, value, seconds, reason)

    def measured(self, candidate: Algorithm, share: float) -> float:
        """The metric of a candidate. Raises what its fit and its evaluation do."""
        draw = np.random.default_rng(self.seed).random(self.inner.train.n_users) < share
        train, test = (part.subset(draw[part.user]) for part in (self.inner.train, self.inner.test))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = candidate.fit(train)
        return evaluate(model, test, (), self.threshold, [self.asked.name]).metrics[self.asked.name]

    def winner(self, done: list[AutoTrial]) -> Algorithm:
        """The best of the trials on most users, or a blend of several if it judges better."""
        higher = bool(self.asked.how.higher_is_better)
        best = ranked(done, higher)
        if not best:
            reasons = f": {done[0].reason}" if done else ""
            raise BadSetting(f"no trial of {len(done)} could be measured{reasons}")
        top = [one for one in best if one.share == best[0].share]
        first = algorithm_of(top[0])
        others: dict[str, Algorithm] = {}
        for one in map(algorithm_of, top):
            if one.kind == first.kind:
                others.setdefault(one.name, one)
        if len(others) < 2:
            return first
        blend = Blend(of=tuple(others.values())[:BLENDED])
        values = np.array([self.measured(one, top[0].share) for one in (first, blend)])
        return blend if (values[1] > values[0]) == higher and values[0] != values[1] else first


def algorithm_of(trial: AutoTrial) -> Algorithm:
    """The algorithm that a trial has fitted."""
    return ALGORITHMS[trial.algorithm](**trial.settings)


def ranked(trials: "list[AutoTrial] | tuple[AutoTrial, ...]", higher: bool) -> list[AutoTrial]:
    """The trials that were measured: those on more users first, then the best."""
    sign = -1 if higher else 1
    done = [one for one in trials if one.value is not None]
    return sorted(done, key=lambda one: (-one.share, sign * (one.value or 0.0), one.number))
