"""Algorithms side by side on one split: every metric with its interval, and what each costs.

The baselines stand in every table. What is best is marked, and so is what may be as good: where
the difference to the best, on the same resampled users, may be 0 (paired bootstrap).
"""

import time
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from matinee.algorithms import Algorithm, Bias, Popularity
from matinee.algorithms.registry import choose, label
from matinee.data.ratings import Ratings
from matinee.display.markup import Child, el, html_table
from matinee.display.notebook import Tabular
from matinee.display.plain_data import JsonObject
from matinee.display.steps import OnStep, logged, quiet
from matinee.display.tables import Table
from matinee.display.text import percent
from matinee.display.text_table import text_table
from matinee.errors import BadSetting, known_arguments
from matinee.evaluation.bootstrap import resample, tied
from matinee.evaluation.evaluate import evaluate_fitted
from matinee.evaluation.metrics import metric_of
from matinee.evaluation.profiling import measured, model_mb
from matinee.evaluation.protocol import Plan, has_genres
from matinee.evaluation.results import versions
from matinee.evaluation.run_log import Record, Series, key_of
from matinee.kernels.resampling import DRAWS, LEVEL, interval
from matinee.models import Model
from matinee.sources.synthetic import checkerboard
from matinee.splitting import Split, split_of

BASELINES: tuple[type[Algorithm], ...] = (Popularity, Bias)
USUAL_METRICS = ("rmse", "mae", "precision", "recall", "ndcg", "coverage")
COSTS = ("fit_seconds", "test_seconds", "peak_mb", "model_mb")
MARKS = {"best": "★", "tied": "="}  # of cells in a table of text
DIGITS = 6  # of resampled values in a record


@dataclass(frozen=True)
class Entry:
    """One algorithm in a comparison."""

    name: str  # as in the registry, with the settings that are not the usual ones
    algorithm: str  # with all its settings
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]  # 95 % over users; not of metrics of all lists
    resampled: dict[str, list[float]] = field(repr=False)  # the same draws of users for all
    fit_seconds: float | None = None
    test_seconds: float | None = None
    peak_mb: float | None = None  # memory that the fit took beyond what was held before
    model_mb: float | None = None  # numbers learned
    failed: str = ""  # why there are no metrics


@dataclass(frozen=True, repr=False)
class Comparison(Tabular):
    """The entries in the order they were run. Prints as a table."""

    entries: tuple[Entry, ...]
    metrics: tuple[str, ...]  # names, in the order of columns
    split: str  # in words
    relevant_from: float
    origin: JsonObject
    unfinished: tuple[str, ...] = ()  # what an interruption left undone
    left_out: str = ""  # why usual metrics were not measured, as a sentence

    @property
    def names(self) -> list[str]:
        """The metrics that any entry has, in the order of columns."""
        return [name for name in self.metrics if any(name in one.metrics for one in self.entries)]

    def best(self, metric: str) -> Entry | None:
        """The entry with the best value; None where neither end is better or nothing is known."""
        higher = metric_of(metric).higher_is_better
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
        columns: dict[str, list[object]] = {"algorithm": [entry.name for entry in self.entries]}
        columns |= {n: [entry.metrics.get(n) for entry in self.entries] for n in self.names}
        columns |= {cost: [getattr(entry, cost) for entry in self.entries] for cost in COSTS}
        return Table(columns)

    def to_dict(self) -> JsonObject:
        """Everything but the resampled values as plain data, ready for JSON."""
        return {
            "split": self.split,
            "relevant_from": self.relevant_from,
            "interval": {"level": LEVEL, "draws": DRAWS, "over": "users"},
            "origin": self.origin,
            "algorithms": [self._plain(entry) for entry in self.entries],
            "unfinished": list(self.unfinished),
        }

    def _plain(self, entry: Entry) -> JsonObject:
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
        """The protocol, the marks and the failures, in sentences."""
        lists = (
            f"Every list ranks the whole catalogue; relevant are test items rated "
            f"{self.relevant_from:g} or more."
        )
        ranks = any(metric_of(name).ranks for name in self.metrics)
        lines = [
            f"Tested on {self.split}. {self.left_out}{lists if ranks else ''}".rstrip(),
            f"± is half the {percent(LEVEL)} interval over users ({DRAWS:,} resamples). ★ is the "
            "best, = may be as good: the paired difference may be 0.",
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


@known_arguments
def compare(
    algorithms: Iterable[Algorithm | str] | None,
    data: Ratings | Split,
    *,
    metrics: Iterable[str] | None = None,
    ns: Iterable[int] = (10,),
    relevant_from: float | None = None,
    seed: int = 0,
    record: str | Path | None = None,
    resume: bool = False,
    on_step: OnStep = quiet,
) -> Comparison:
    """Fit every algorithm on the training part of one split, and measure all on its test part.

    ``algorithms`` are values or registered names, all registered ones where None; popularity and
    biases are always compared too. Where ratings have weights, those of all that take none are left
    out. ``data`` is a split, or ratings of which 20 % are held out at random by ``seed``. Metrics
    are those of ``evaluate``, or the usual ones, without errors where only what was liked is
    tested; the cell of one that does not apply to
    an algorithm is empty. Seconds are those of a second fit, so that compilation does not count.

    With ``record``, a JSON-lines file, each entry is written as soon as it is measured; with
    ``resume``, entries of the same comparison are taken from the file. A fit that fails is an
    entry with the reason. A keyboard interrupt ends the comparison with the entries so far.

    Raises, before any work, what ``evaluate`` would raise, and MatineeError where the record cannot
    be written.
    """
    split = split_of("compare", data, seed)
    usual = [*(kind() for kind in BASELINES), *(choose(None) if algorithms is None else ())]
    if split.train.sample_weight is not None:
        usual = [one for one in usual if one.takes_weights]
    contenders = _distinct([*usual, *(() if algorithms is None else choose(algorithms))])
    if metrics is None:
        plan = Plan.of(split, ns, relevant_from, USUAL_METRICS).usual_on(split)
    else:
        plan = Plan.of(split, ns, relevant_from, metrics)
    log = Record.at(record, resume)
    on_step = logged("compare", on_step)
    entries: list[Entry] = []
    started = time.perf_counter()
    try:
        for done, algorithm in enumerate(contenders):
            left = time_left(done, len(contenders), started)
            on_step(done, len(contenders), ", ".join(filter(None, [label(algorithm), left])))
            entries.append(_entry(algorithm, split, plan, log))
    except KeyboardInterrupt:
        if not entries:
            raise
    unfinished = tuple(label(algorithm) for algorithm in contenders[len(entries) :])
    on_step(len(entries), len(contenders), "interrupted" if unfinished else "done")
    return Comparison(
        entries=tuple(entries),
        metrics=plan.names,
        split=split.description,
        relevant_from=plan.relevant_from,
        origin=split.origin | {"versions": versions()},
        unfinished=unfinished,
        left_out=plan.left_out,
    )


def time_left(done: int, total: int, started: float) -> str:
    """An estimate from the mean so far, ``about 20 s left``; empty before the first is done."""
    if done == 0 or done >= total:
        return ""
    left = (time.perf_counter() - started) / done * (total - done)
    return f"about {left:.0f} s left" if left < 100 else f"about {left / 60:.0f} min left"


def _entry(algorithm: Algorithm, split: Split, plan: Plan, log: Record) -> Entry:
    """The entry of an algorithm, from the record where that resumes; else run and recorded."""
    names, threshold = list(plan.names), plan.relevant_from
    key = key_of(repr(algorithm), split.origin, names, threshold, DRAWS, versions()["matinee"])
    series = Series(log, "comparison", key)
    for run in reversed(series.past()):
        if not run["entry"]["failed"]:
            return Entry(**run["entry"])
    try:
        entry = _run(algorithm, split, plan)
    except Exception as error:  # a failure of one algorithm does not end the comparison
        reason = f"{type(error).__name__}: {error}"
        entry = Entry(label(algorithm), repr(algorithm), {}, {}, {}, failed=reason)
    series.append(entry=asdict(entry), origin=split.origin | {"versions": versions()})
    return entry


def _run(algorithm: Algorithm, split: Split, plan: Plan) -> Entry:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tried(algorithm)
        with measured() as cost:
            model = plan.learner(algorithm).fit(split.train)
    entry = Entry(
        name=label(algorithm),
        algorithm=repr(algorithm),
        metrics={},
        intervals={},
        resampled={},
        fit_seconds=cost.seconds,
        peak_mb=cost.peak_mb,
        model_mb=model_mb(model),
    )
    try:
        plan = plan.applicable(model, has_genres(split))
    except BadSetting:  # no measure of the plan applies to this model
        return entry
    result = evaluate_fitted(model, algorithm, split, plan, cost.seconds)
    assert result.per_user is not None
    resampled = {
        name: [float(f"{value:.{DIGITS}g}") for value in values]
        for name, values in resample(result.per_user).items()
        if np.isfinite(values).all()
    }
    return replace(
        entry,
        metrics=result.metrics,
        intervals={name: interval(values) for name, values in resampled.items()},
        resampled=resampled,
        test_seconds=result.test_seconds,
    )


def tried(algorithm: Algorithm) -> Model | None:
    """A model of tiny data, which compiles all kernels; None where the fit fails."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return algorithm.fit(checkerboard(24))
    except Exception:  # the fit on the real data will raise it again
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
