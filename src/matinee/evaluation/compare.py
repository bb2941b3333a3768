"""Algorithms side by side on one split: every metric with its interval, and what each costs.

The baselines stand in every table. What is best is marked, and so is what may be as good: where
the difference to the best, on the same resampled users, may be 0 (paired bootstrap).
"""

import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from matinee.algorithms import ALGORITHMS, Algorithm, Bias, Popularity
from matinee.data.ratings import Ratings
from matinee.display.markup import Child, el, html_table
from matinee.display.steps import OnStep, quiet
from matinee.display.tables import Table
from matinee.display.text_table import text_table
from matinee.errors import BadSetting, check_known
from matinee.evaluation.bootstrap import DRAWS, LEVEL, interval, resample, tied
from matinee.evaluation.evaluate import evaluate_fitted
from matinee.evaluation.metrics import METRICS
from matinee.evaluation.profiling import measured, model_mb
from matinee.evaluation.protocol import (
    Asked,
    check_measurable,
    fitting,
    has_genres,
    needed,
    relevance,
)
from matinee.evaluation.results import versions
from matinee.evaluation.run_log import Record, key_of
from matinee.models import Model
from matinee.sources.synthetic import checkerboard
from matinee.splitting import Split, random

BASELINES: tuple[type[Algorithm], ...] = (Popularity, Bias)
USUAL_METRICS = ("rmse", "mae", "precision", "recall", "ndcg", "coverage")
COSTS = ("fit_seconds", "test_seconds", "peak_mb", "model_mb")
MARKS = {"best": "*", "tied": "="}  # of cells in a table of text
DIGITS = 6  # of resampled values in a record


@dataclass(frozen=True)
class Entry:
    """One algorithm in a comparison."""

    name: str  # as in the registry, with the settings that are not the usual ones
    algorithm: str  # with all its settings
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]  # 95 % over users; not of metrics of all lists
    resampled: dict[str, list[float]]  # the same draws of users for every algorithm
    fit_seconds: float | None = None
    test_seconds: float | None = None
    peak_mb: float | None = None  # memory that the fit took beyond what was held before
    model_mb: float | None = None  # numbers learned
    failed: str = ""  # why there are no metrics


@dataclass(frozen=True)
class Comparison:
    """The entries in the order they were run; prints as a table."""

    entries: tuple[Entry, ...]
    asked: tuple[str, ...]  # names of metrics
    split: str  # in words
    relevant_from: float
    origin: dict[str, Any]
    unfinished: tuple[str, ...] = ()  # what an interruption left undone

    @property
    def names(self) -> list[str]:
        """The metrics that any entry has, in the order they were asked for."""
        return [name for name in self.asked if any(name in one.metrics for one in self.entries)]

    def best(self, metric: str) -> Entry | None:
        """The entry with the best value; None where neither end is better or nothing is known."""
        higher = METRICS[metric.partition("@")[0]].higher_is_better
        known = [entry for entry in self.entries if metric in entry.metrics]
        if higher is None or not known:
            return None
        return max(known, key=lambda entry: entry.metrics[metric] * (1 if higher else -1))

    def mark(self, entry: Entry, metric: str) -> str:
        """ "best", "tied" with the best, or nothing."""
        best = self.best(metric)
        if best is None or metric not in entry.metrics:
            return ""
        if entry is best:
            return "best"
        if metric not in entry.resampled or metric not in best.resampled:
            return ""
        return "tied" if tied(entry.resampled[metric], best.resampled[metric]) else ""

    @property
    def table(self) -> Table:
        """A row an algorithm: its metrics and costs; None where something does not apply."""
        columns: dict[str, list[Any]] = {"algorithm": [entry.name for entry in self.entries]}
        columns |= {n: [entry.metrics.get(n) for entry in self.entries] for n in self.names}
        columns |= {cost: [getattr(entry, cost) for entry in self.entries] for cost in COSTS}
        return Table(columns)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the resampled values as plain data, ready for JSON."""
        return {
            "split": self.split,
            "relevant_from": self.relevant_from,
            "interval": {"level": LEVEL, "draws": DRAWS, "over": "users"},
            "origin": self.origin,
            "algorithms": [self._plain(entry) for entry in self.entries],
            "unfinished": list(self.unfinished),
        }

    def _plain(self, entry: Entry) -> dict[str, Any]:
        values = {
            name: {
                "value": value,
                "low": entry.intervals.get(name, (None, None))[0],
                "high": entry.intervals.get(name, (None, None))[1],
                "mark": self.mark(entry, name),
            }
            for name, value in entry.metrics.items()
        }
        plain = asdict(entry) | {"metrics": values}
        return {name: plain[name] for name in plain if name not in ("intervals", "resampled")}

    def cells(self) -> list[list[tuple[str, str]]]:
        """The printed table with its heading: (text, mark) of each cell."""
        heading = ["", *self.names, "fit s", "peak MB", "model MB"]
        rows = [[(text, "") for text in heading]]
        for entry in self.entries:
            metrics = [(_figure(entry, name), self.mark(entry, name)) for name in self.names]
            costs = [_cost(getattr(entry, cost)) for cost in ("fit_seconds", "peak_mb", "model_mb")]
            rows.append([(entry.name, ""), *metrics, *((cost, "") for cost in costs)])
        return rows

    def notes(self) -> list[str]:
        """What the table is about, in sentences."""
        lines = [
            f"Tested on {self.split}. Every list ranks the whole catalogue; relevant are test "
            f"items rated {self.relevant_from:g} or more.",
            f"± is half the {LEVEL:.0%} interval over users ({DRAWS:,} resamples). * is the best, "
            "= may be as good: the paired difference may be 0.",
        ]
        lines += [f"{entry.name} failed: {entry.failed}" for entry in self.entries if entry.failed]
        if self.unfinished:
            lines.append(f"interrupted before: {', '.join(self.unfinished)}")
        return lines

    def _repr_html_(self) -> str:
        head, *rows = self.cells()
        marked = ([_marked(text, mark) for text, mark in row] for row in rows)
        table = html_table([text for text, _ in head], marked)
        return table + "".join(el("p", note) for note in self.notes())

    def __str__(self) -> str:
        rows = [[text + MARKS.get(mark, " ") for text, mark in row] for row in self.cells()]
        return "\n".join([*text_table(rows, gap=1), *self.notes()])


def _marked(text: str, mark: str) -> Child:
    """A cell in HTML: the best in bold, what may be as good with its mark."""
    if mark == "best":
        return el("b", text)
    return f"{text} {MARKS[mark]}" if mark else text


def compare(
    algorithms: Iterable[Algorithm | str] | None,
    data: Ratings | Split,
    *,
    metrics: Iterable[str] = USUAL_METRICS,
    ns: Iterable[int] = (10,),
    relevant_from: float | None = None,
    seed: int = 0,
    record: str | Path | None = None,
    resume: bool = False,
    on_step: OnStep = quiet,
) -> Comparison:
    """Fit every algorithm on the training part of one split, and measure all on its test part.

    ``algorithms`` are values or registered names, all registered ones where None; popularity and
    biases always stand beside them. ``data`` is a split, or ratings of which 20 % are held out at
    random by ``seed``. Metrics are those of ``evaluate``; one that does not apply to an algorithm
    is left open. Times are of a second fit, so nothing is compiled in them.

    With ``record``, a JSON-lines file, each result is kept as it is known; with ``resume`` what the
    file has already of the same comparison is not run again. A fit that fails is an entry that
    says why; a keyboard interrupt ends the comparison with what it has. Raises before any work
    what ``evaluate`` would raise, and MatineeError where the record cannot be written.
    """
    split = data if isinstance(data, Split) else random(data, seed=seed)
    chosen = [*_distinct([*(kind() for kind in BASELINES), *choose(algorithms)])]
    asked = check_measurable(split, ns, relevant_from, metrics)
    kept = Record.at(record)
    threshold = relevance(relevant_from, split.train.scale, split.train.rating)
    entries: list[Entry] = []
    started = time.perf_counter()
    try:
        for done, algorithm in enumerate(chosen):
            on_step(done, len(chosen), _words(label(algorithm), done, len(chosen), started))
            entries.append(_entry(algorithm, split, asked, threshold, kept, resume))
    except KeyboardInterrupt:
        if not entries:
            raise
    unfinished = tuple(label(algorithm) for algorithm in chosen[len(entries) :])
    on_step(len(entries), len(chosen), "interrupted" if unfinished else "done")
    origin = split.origin | {"versions": versions()}
    names = tuple(one.name for one in asked)
    return Comparison(tuple(entries), names, split.description, threshold, origin, unfinished)


def choose(algorithms: Iterable[Algorithm | str] | None) -> list[Algorithm]:
    """Algorithms as values; a name stands for the usual settings, None for all that there are.

    Raises BadSetting for an unknown name.
    """
    chosen = []
    for one in ALGORITHMS if algorithms is None else algorithms:
        if isinstance(one, str):
            check_known("algorithm", one, ALGORITHMS)
        chosen.append(ALGORITHMS[one]() if isinstance(one, str) else one)
    return chosen


def label(algorithm: Algorithm) -> str:
    """The name, and the settings that are not the usual ones."""
    return " ".join(
        [algorithm.name, *(f"{k}={v}" for k, v in algorithm.non_default_settings.items())]
    )


def time_left(done: int, total: int, started: float) -> str:
    """A guess from the mean so far: ``about 20 s left``; nothing before the first is done."""
    if done == 0 or done >= total:
        return ""
    left = (time.perf_counter() - started) / done * (total - done)
    return f"about {left:.0f} s left" if left < 100 else f"about {left / 60:.0f} min left"


def _words(what: str, done: int, total: int, started: float) -> str:
    return ", ".join(filter(None, [what, time_left(done, total, started)]))


def _entry(
    algorithm: Algorithm,
    split: Split,
    asked: Sequence[Asked],
    threshold: float,
    kept: Record,
    resume: bool,
) -> Entry:
    """The entry of an algorithm: from the record where it may be, else run and recorded."""
    names = [one.name for one in asked]
    key = key_of(repr(algorithm), split.origin, names, threshold, DRAWS, versions()["matinee"])
    for run in reversed(kept.find("comparison", key) if resume else []):
        if not run["entry"]["failed"]:
            return Entry(**run["entry"])
    try:
        entry = _run(algorithm, split, list(asked), threshold)
    except Exception as error:  # whatever goes wrong in one algorithm, the others are compared
        reason = f"{type(error).__name__}: {error}"
        entry = Entry(label(algorithm), repr(algorithm), {}, {}, {}, failed=reason)
    origin = split.origin | {"versions": versions()}
    kept.keep({"what": "comparison", "key": key, "entry": asdict(entry), "origin": origin})
    return entry


def _run(algorithm: Algorithm, split: Split, asked: list[Asked], threshold: float) -> Entry:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tried(algorithm)
        with measured() as cost:
            model = needed(algorithm, asked).fit(split.train)
    size = model_mb(model)
    found: dict[str, Any] = {"fit_seconds": cost.seconds, "peak_mb": cost.peak_mb, "model_mb": size}
    named = (label(algorithm), repr(algorithm))
    try:
        names = [one.name for one in fitting(asked, model, has_genres(split), chosen=False)]
    except BadSetting:  # none of what is asked applies to it
        return Entry(*named, {}, {}, {}, **found)
    result = evaluate_fitted(model, algorithm, split, (), threshold, names, cost.seconds)
    assert result.per_user is not None
    draws = resample(result.per_user)
    rounded = {
        name: [float(f"{value:.{DIGITS}g}") for value in values]
        for name, values in draws.items()
        if np.isfinite(values).all()
    }
    intervals = {name: interval(values) for name, values in rounded.items()}
    seconds = result.test_seconds
    return Entry(*named, result.metrics, intervals, rounded, test_seconds=seconds, **found)


def tried(algorithm: Algorithm) -> Model | None:
    """A model of tiny data: shows what kind it is, and has everything compiled that takes time."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return algorithm.fit(checkerboard(24))
    except Exception:  # what is wrong will be found on the real data, and told there
        return None


def _distinct(algorithms: Iterable[Algorithm]) -> list[Algorithm]:
    return list({repr(one): one for one in algorithms}.values())


def _figure(entry: Entry, name: str) -> str:
    if name not in entry.metrics:
        return "–"
    value = f"{entry.metrics[name]:.4f}"
    if name not in entry.intervals:
        return value
    low, high = entry.intervals[name]
    return f"{value} ±{(high - low) / 2:.4f}"


def _cost(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
