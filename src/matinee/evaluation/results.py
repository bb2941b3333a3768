"""Results of evaluations: values that print, become JSON, and carry their origin."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np

import matinee
from matinee.display.notebook import Grid, Part, Tabular
from matinee.display.plain_data import JsonObject
from matinee.display.tables import Table
from matinee.display.text import counted
from matinee.evaluation.metrics import metric_of


class UserScores(NamedTuple):
    """The terms of each test user in the metrics that are means, so that users can be resampled.

    A metric is ``sum(total) / sum(weight)``, or the root of that where it is among ``roots``.
    """

    totals: Mapping[str, np.ndarray]  # by name of metric: (n_test_users,) float64
    weights: Mapping[str, np.ndarray]  # likewise; 0 where the metric is undefined for a user
    roots: frozenset[str]

    def only(self, names: Sequence[str]) -> "UserScores":
        """The terms of some of the metrics."""
        totals, weights = ({name: of[name] for name in names} for of in (self.totals, self.weights))
        return UserScores(totals, weights, self.roots)

    def means(self) -> dict[str, float]:
        """The metrics that are defined for at least one user."""
        return {
            name: self.finish(name, float(total.sum() / self.weights[name].sum()))
            for name, total in self.totals.items()
            if self.weights[name].sum() > 0
        }

    def finish(self, name: str, mean: Any) -> Any:
        """The metric of a mean: its root for a metric among ``roots``."""
        return mean**0.5 if name in self.roots else mean


@dataclass(frozen=True, repr=False)
class Evaluation(Tabular):
    """The metrics of a model on a test part, and the protocol they were measured by."""

    metrics: dict[str, float]  # by name, "rmse" or "ndcg@10"; the mean over users where per user
    relevant_from: float  # test items rated this or more are the relevant ones
    users_measured: int  # users with a relevant test item: the ranking metrics are about them
    users_skipped: int  # users whose test items are all irrelevant
    test_ratings: int  # test ratings measured
    cold_ratings: int | None  # those whose user or item has no training rating, where known
    unknown_ratings: int  # test ratings left out, of users or items that the model does not know
    protocol: str  # in words
    test_seconds: float
    fit_seconds: float | None = None
    algorithm: str = ""  # with all its settings
    label: str = ""  # its name, and the settings that differ from their defaults
    nan_scores: int = 0  # NaN scores, which rank last
    by_activity: tuple[JsonObject, ...] = ()  # errors by how much users have rated
    by_popularity: tuple[JsonObject, ...] = ()  # errors by how often items were rated
    origin: JsonObject = field(default_factory=dict)  # split, seed, fingerprints, versions
    per_user: UserScores | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> JsonObject:
        """All fields but ``per_user`` as plain values, ready for JSON."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        del plain["per_user"]
        plain["by_activity"], plain["by_popularity"] = map(
            list, (self.by_activity, self.by_popularity)
        )
        return plain

    @property
    def table(self) -> Table:
        """A row a metric: its name and its value."""
        return Table({"metric": list(self.metrics), "value": list(self.metrics.values())})

    def groups(self) -> Table:
        """The metrics by user activity and item popularity, a row a group of ratings."""
        rows = [*self.by_activity, *self.by_popularity]
        return Table({name: [row.get(name) for row in rows] for name in rows[0]} if rows else {})

    def parts(self) -> Iterator[Part]:
        """The metrics in a column, then the protocol and the counts."""
        if self.label:
            yield self.label
        figures = [[name, f"{value:.4f}"] for name, value in self.metrics.items()]
        yield Grid(figures, has_heading=False)
        yield self.protocol
        yield from self.counts()
        fit = "" if self.fit_seconds is None else f"fitted in {self.fit_seconds:.2f} s, "
        yield f"{fit}measured in {self.test_seconds:.2f} s"

    def counts(self) -> list[str]:
        """How many users and test ratings the metrics are about, in sentences."""
        lines = []
        if any(metric_of(name).ranks for name in self.metrics):
            lines.append(
                f"{counted(self.users_measured, 'user')} measured, {self.users_skipped:,} skipped "
                f"(no test item rated {self.relevant_from:g} or more)"
            )
        if self.cold_ratings is None:
            lines.append(counted(self.test_ratings, "test rating"))
        else:
            lines.append(
                f"{self.cold_ratings:,} of {self.test_ratings:,} test ratings are cold "
                "(user or item without training ratings)"
            )
        if self.unknown_ratings:
            lines.append(
                f"{self.unknown_ratings:,} more test ratings left out: user or item unknown"
            )
        if self.nan_scores:
            lines.append(f"{counted(self.nan_scores, 'score')} NaN, which rank last")
        return lines


@dataclass(frozen=True, repr=False)
class CrossValidation(Tabular):
    """One evaluation a fold, and their mean and spread."""

    algorithm: str
    protocol: str
    folds: tuple[Evaluation, ...]

    @property
    def table(self) -> Table:
        """A row a metric: each fold, then the mean and the sample standard deviation (n - 1)."""
        rows = {
            **{name: [fold.metrics[name] for fold in self.folds] for name in self.names},
            "fit_seconds": [float(fold.fit_seconds or 0) for fold in self.folds],
            "test_seconds": [fold.test_seconds for fold in self.folds],
        }
        values = np.array(list(rows.values()))
        columns = {f"fold_{k + 1}": values[:, k].tolist() for k in range(len(self.folds))}
        spread = {"mean": values.mean(axis=1).tolist(), "std": values.std(axis=1, ddof=1).tolist()}
        return Table({"metric": list(rows), **columns, **spread})

    @property
    def names(self) -> list[str]:
        """The metrics that every fold has."""
        return [n for n in self.folds[0].metrics if all(n in fold.metrics for fold in self.folds)]

    def to_dict(self) -> JsonObject:
        """Everything as plain values, ready for JSON; ``metrics`` holds the means."""
        mean = dict(zip(self.table.metric, self.table.mean, strict=True))
        std = dict(zip(self.table.metric, self.table.std, strict=True))
        return {
            "algorithm": self.algorithm,
            "protocol": self.protocol,
            "metrics": {name: mean[name] for name in self.names},
            "std": {name: std[name] for name in self.names},
            "fit_seconds": mean["fit_seconds"],
            "test_seconds": mean["test_seconds"],
            "folds": [fold.to_dict() for fold in self.folds],
        }

    def parts(self) -> Iterator[Part]:
        """The fold table, to four decimals."""
        rows = [[row[0], *(f"{value:.4f}" for value in row[1:])] for row in self.table]
        yield self.folds[0].label
        yield Grid([["", *list(self.table.columns)[1:]], *rows])
        yield self.protocol


@dataclass(frozen=True, repr=False)
class CrossValidations(Tabular):
    """Several algorithms cross-validated on the same folds: one table."""

    labels: tuple[str, ...]  # the names, with the settings that differ from the defaults
    results: tuple[CrossValidation, ...]

    def __iter__(self) -> Iterator[CrossValidation]:
        return iter(self.results)

    @property
    def names(self) -> list[str]:
        """The metrics that any of them has, in order."""
        return list(dict.fromkeys(name for one in self.results for name in one.names))

    @property
    def table(self) -> Table:
        """A row an algorithm: mean and sample standard deviation (n - 1) over folds by metric."""
        columns: dict[str, list[object]] = {"algorithm": list(self.labels)}
        plain = [one.to_dict() for one in self.results]
        for name in self.names:
            columns[name] = [one["metrics"].get(name) for one in plain]
            columns[f"{name}_std"] = [one["std"].get(name) for one in plain]
        columns["fit_seconds"] = [one["fit_seconds"] for one in plain]
        return Table(columns)

    def to_dict(self) -> JsonObject:
        """Everything as plain values, ready for JSON."""
        return {"algorithms": [one.to_dict() for one in self.results]}

    def parts(self) -> Iterator[Part]:
        """Means with their deviations, to four decimals."""
        yield Grid(self.cells())
        yield self.results[0].protocol

    def cells(self) -> list[list[str]]:
        """The table as text, with its heading."""
        rows = [["", *self.names, "fit s"]]
        for label, one in zip(self.labels, self.results, strict=True):
            plain = one.to_dict()
            known = {
                name: f"{value:.4f} ±{plain['std'][name]:.4f}"
                for name, value in plain["metrics"].items()
            }
            figures = [known.get(name, "–") for name in self.names]
            rows.append([label, *figures, f"{plain['fit_seconds']:.2f}"])
        return rows


def versions() -> dict[str, str]:
    """The versions of the libraries that compute results."""
    import numba
    import scipy

    return {
        "matinee": matinee.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
        "python": platform.python_version(),
    }
