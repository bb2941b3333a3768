"""What is to be reached, stated once: contender, data set, metric, limits."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from statistics import mean
from typing import Any, NamedTuple

from data import DATA_SETS

Row = dict[str, Any]
LOWER_IS_BETTER = ("rmse", "mae")
FOLDS = {name: data_set.n_folds for name, data_set in DATA_SETS.items()}


class Bar(NamedTuple):
    """A limit for a contender's mean over folds; of a pattern, the best contender counts."""

    contender: str
    data_set: str
    metric: str
    must: float | None  # the first version keeps this
    aim: float | None  # what the method can reach


BARS = (
    Bar("matinee-bias", "ml-100k", "rmse", 0.948, None),
    Bar("matinee-nmf", "ml-100k", "rmse", 0.925, 0.917),
    Bar("matinee-nmf", "ml-1m", "rmse", 0.868, 0.860),
    Bar("matinee-mf", "ml-100k", "rmse", 0.912, 0.905),
    Bar("matinee-mf", "ml-1m", "rmse", 0.853, 0.848),
    Bar("matinee-mf-sgd", "ml-100k", "rmse", None, 0.905),
    Bar("matinee-mf-sgd", "ml-1m", "rmse", None, 0.848),
    Bar("matinee-svdpp", "ml-100k", "rmse", None, 0.902),
    Bar("matinee-svdpp", "ml-1m", "rmse", None, 0.845),
    Bar("matinee-bayesian-mf", "ml-100k", "rmse", None, 0.894),
    Bar("matinee-bayesian-mf-plain", "ml-100k", "rmse", None, 0.894),
    Bar("matinee-bayesian-mf", "ml-1m", "rmse", None, 0.838),
    Bar("matinee-item-knn", "ml-100k", "rmse", None, 0.914),
    Bar("matinee-item-knn", "ml-1m", "rmse", None, 0.851),
    Bar("matinee-user-knn", "ml-100k", "rmse", None, 0.932),
    Bar("matinee-user-knn", "ml-1m", "rmse", None, 0.890),
    Bar("matinee-*", "ml-100k", "rmse", None, 0.888),
    Bar("matinee-*", "ml-1m", "rmse", None, 0.831),
    Bar("matinee-implicit-als-64", "top-n", "ndcg@10", None, 0.328),
    Bar("matinee-ease-plain", "top-n", "ndcg@10", None, 0.330),
    Bar("matinee-ease", "top-n", "ndcg@10", None, 0.334),
    Bar("matinee-bpr", "top-n", "ndcg@10", None, 0.290),
    Bar("matinee-item-knn-preference", "top-n", "ndcg@10", None, 0.285),
    Bar("matinee-*", "top-n", "ndcg@10", None, 0.340),
)


class Verdict(NamedTuple):
    """A bar, and what was measured: the value is None where nothing was."""

    bar: Bar
    contender: str
    value: float | None
    n_folds: int
    of_folds: int

    def meets(self, limit: float | None) -> bool | None:
        """Whether the value is at least as good as a limit; None unless all folds are measured."""
        if limit is None or self.value is None or self.n_folds < self.of_folds:
            return None
        if self.bar.metric in LOWER_IS_BETTER:
            return self.value <= limit
        return self.value >= limit


def judge(rows: Iterable[Row]) -> list[Verdict]:
    """Every bar beside the mean over the folds that were measured."""
    kept = [row for row in rows if "metrics" in row]
    return [_judge_one(bar, kept) for bar in BARS]


def _judge_one(bar: Bar, rows: list[Row]) -> Verdict:
    values: dict[str, list[float]] = {}
    for row in rows:
        fits = row["data_set"] == bar.data_set and bar.metric in row["metrics"]
        if fits and fnmatchcase(row["contender"], bar.contender):
            values.setdefault(row["contender"], []).append(row["metrics"][bar.metric])
    if not values:
        return Verdict(bar, bar.contender, None, 0, FOLDS[bar.data_set])
    sign = 1 if bar.metric in LOWER_IS_BETTER else -1
    best = min(values, key=lambda name: sign * mean(values[name]))
    return Verdict(bar, best, mean(values[best]), len(values[best]), FOLDS[bar.data_set])
