"""Measuring models on ratings they have not seen.

One pass over the test users, in blocks, ranks the whole catalogue for each of them and measures
everything; no more than a block of scores exists at a time.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from matinee.errors import BadRatings, BadSetting
from matinee.ids import IdMap
from matinee.kernels.jit import read_only
from matinee.kernels.ranking import rank_intervals, top_n
from matinee.kernels.threads import run_rows
from matinee.metrics import METRICS
from matinee.metrics.ranking import RankedTest
from matinee.ratings import Ratings, Rows, Scale
from matinee.splits import Split, find_shared_pair, k_fold
from matinee.tables import Table

BLOCK_SCORES = 4_000_000  # scores held at once: 16 MB
BLOCK_PAIRS = 65_536  # pairs predicted at once


class Measurable(Protocol):
    """All that is asked of a model to be measured: each of ours has it, and so can others."""

    @property
    def users(self) -> IdMap: ...
    @property
    def items(self) -> IdMap: ...
    @property
    def scale(self) -> Scale: ...
    @property
    def kind(self) -> str: ...
    @property
    def seen(self) -> Rows: ...
    def score_block(self, users: np.ndarray) -> np.ndarray: ...
    def predict_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray: ...


class Learner(Protocol):
    """What learns a model from ratings."""

    def fit(self, train: Ratings) -> Measurable: ...


@dataclass(frozen=True)
class Evaluation:
    """What a model scored on a test part, and how that was measured."""

    metrics: dict[str, float]  # by name, "rmse" or "ndcg@10"; the mean over users where per user
    relevant_from: float  # test items rated this or more are the relevant ones
    users_measured: int  # users with a relevant test item: the ranking metrics are about them
    users_skipped: int  # users whose test items are all irrelevant
    test_ratings: int  # test ratings measured
    cold_ratings: int  # those among them whose user or item has no training rating
    unknown_ratings: int  # test ratings left out: the model does not know their user or item
    protocol: str  # in words
    test_seconds: float
    fit_seconds: float | None = None
    algorithm: str = ""

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """The metrics in a column, then what they are about."""
        figures = _aligned([[name, f"{value:.4f}"] for name, value in self.metrics.items()])
        heading = [self.algorithm] if self.algorithm else []
        fit = "" if self.fit_seconds is None else f"fitted in {self.fit_seconds:.2f} s, "
        took = f"{fit}measured in {self.test_seconds:.2f} s"
        return "\n".join([*heading, *figures, self.protocol, *self._counts(), took])

    def _counts(self) -> list[str]:
        lines = [
            f"{self.users_measured:,} users measured, {self.users_skipped:,} skipped "
            f"(no test item rated {self.relevant_from:g} or more)",
            f"{self.cold_ratings:,} of {self.test_ratings:,} test ratings are cold "
            "(user or item without training ratings)",
        ]
        if self.unknown_ratings:
            lines.append(
                f"{self.unknown_ratings:,} more test ratings left out: user or item unknown"
            )
        return lines


@dataclass(frozen=True)
class CrossValidation:
    """One evaluation a fold, and their mean and spread."""

    algorithm: str
    protocol: str
    folds: tuple[Evaluation, ...]

    @property
    def table(self) -> Table:
        """A row a metric: each fold, then the mean and the sample standard deviation (n - 1)."""
        rows = {
            **{name: [fold.metrics[name] for fold in self.folds] for name in self.folds[0].metrics},
            "fit_seconds": [float(fold.fit_seconds or 0) for fold in self.folds],
            "test_seconds": [fold.test_seconds for fold in self.folds],
        }
        values = np.array(list(rows.values()))
        columns = {f"fold_{k + 1}": values[:, k].tolist() for k in range(len(self.folds))}
        spread = {"mean": values.mean(axis=1).tolist(), "std": values.std(axis=1, ddof=1).tolist()}
        return Table({"metric": list(rows), **columns, **spread})

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON; ``metrics`` holds the means."""
        mean = dict(zip(self.table.metric, self.table.mean, strict=True))
        std = dict(zip(self.table.metric, self.table.std, strict=True))
        names = list(self.folds[0].metrics)
        return {
            "algorithm": self.algorithm,
            "protocol": self.protocol,
            "metrics": {name: mean[name] for name in names},
            "std": {name: std[name] for name in names},
            "fit_seconds": mean["fit_seconds"],
            "test_seconds": mean["test_seconds"],
            "folds": [fold.to_dict() for fold in self.folds],
        }

    def __str__(self) -> str:
        """The fold table, to four decimals."""
        rows = [[row[0], *(f"{value:.4f}" for value in row[1:])] for row in self.table]
        cells = _aligned([["", *list(self.table.columns)[1:]], *rows])
        return "\n".join([self.algorithm, *cells, self.protocol])


def evaluate(
    model: Measurable,
    test: Ratings,
    ns: Iterable[int] = (10,),
    relevant_from: float | None = None,
) -> Evaluation:
    """Measure a model on test ratings, with lists of the lengths ``ns``.

    RMSE and MAE are of the clipped predictions, and left out for models of preferences. Ranking
    metrics rank the whole catalogue without what the user was trained on; relevant are test items
    rated ``relevant_from`` or more, by default ``low + 0.75 (high - low)`` of the scale (1..5: 4).
    Test ratings of ids that the model does not know are left out and counted.

    Raises BadRatings when the model was trained on a test pair, when it knows none of the test
    ratings, or when none is relevant; BadSetting for an impossible ``ns``.
    """
    started = time.perf_counter()
    lengths = _check_lengths(ns, len(model.items))
    threshold = _relevance(relevant_from, model.scale)
    test, unknown = _on_ids_of(model, test)
    _refuse_trained(model, test)
    metrics: dict[str, float] = {}
    if model.kind == "rating":
        metrics |= _rating_metrics(model, test)
    if lengths:
        relevant = _relevant(test, threshold)
        metrics |= _ranking_metrics(model, test.user[relevant], test.item[relevant], lengths)
    if not metrics:
        raise BadSetting("a model of preferences has only ranking metrics; give list lengths (ns)")
    measured = len(np.unique(test.user[test.rating >= threshold]))
    return Evaluation(
        metrics=metrics,
        relevant_from=threshold,
        users_measured=measured,
        users_skipped=len(np.unique(test.user)) - measured,
        test_ratings=len(test),
        cold_ratings=_count_cold(model, test),
        unknown_ratings=unknown,
        protocol=_protocol(model, lengths, threshold),
        test_seconds=time.perf_counter() - started,
    )


def fit_and_evaluate(
    algorithm: Learner,
    split: Split,
    ns: Iterable[int] = (10,),
    relevant_from: float | None = None,
) -> Evaluation:
    """Fit on the training part of a split and measure on its test part; see ``evaluate``.

    What cannot be measured is refused before the fit.
    """
    lengths = _check_lengths(ns, split.train.n_items)
    if lengths:
        _relevant(split.test, _relevance(relevant_from, split.train.scale))
    started = time.perf_counter()
    model = algorithm.fit(split.train)
    fit_seconds = time.perf_counter() - started
    result = evaluate(model, split.test, lengths, relevant_from)
    return replace(
        result,
        algorithm=repr(algorithm),
        fit_seconds=fit_seconds,
        protocol=f"Tested on {split.said}. {result.protocol}",
    )


def cross_validate(
    algorithm: Learner,
    ratings: Ratings,
    folds: int = 5,
    seed: int = 0,
    ns: Iterable[int] = (10,),
    relevant_from: float | None = None,
    on_fold: Callable[[int, Evaluation], object] | None = None,
) -> CrossValidation:
    """Fit and measure once per fold, each rating being tested once; see ``splits.k_fold``.

    ``on_fold(k, evaluation)`` is called after each fold, k counting from 1. The spread over
    folds is that of the split; it is smaller than the spread over new users would be.
    """
    lengths = tuple(ns)
    results = []
    for k, split in enumerate(k_fold(ratings, folds, seed), start=1):
        results.append(fit_and_evaluate(algorithm, split, lengths, relevant_from))
        if on_fold is not None:
            on_fold(k, results[-1])
    said = f"{folds} random folds (seed {seed}) of {len(ratings):,} ratings"
    return CrossValidation(repr(algorithm), said, tuple(results))


# Rating metrics.


def _rating_metrics(model: Measurable, test: Ratings) -> dict[str, float]:
    parts = range(0, len(test), BLOCK_PAIRS)
    spans = [slice(first, first + BLOCK_PAIRS) for first in parts]
    predicted = np.concatenate([model.predict_rows(test.user[s], test.item[s]) for s in spans])
    return {
        name: metric.compute(test.rating, predicted)
        for name, metric in METRICS.items()
        if metric.source == "ratings"
    }


# Ranking metrics.


class _Block(NamedTuple):
    """A run of measured users, a row each, as the ranking kernels take them."""

    users: np.ndarray  # (n,) int32
    seen_indptr: np.ndarray  # (n + 1,) int64
    seen_items: np.ndarray  # int32
    asked_indptr: np.ndarray  # (n + 1,) int64
    asked_items: np.ndarray  # int32, the relevant test items


def _ranking_metrics(
    model: Measurable, user: np.ndarray, item: np.ndarray, lengths: tuple[int, ...]
) -> dict[str, float]:
    """Every ranking metric at every length, from relevant test pairs in order of user."""
    users, starts = np.unique(user, return_index=True)
    indptr = np.append(starts, len(user)).astype(np.int64)
    n_items = len(model.items)
    better, tied = np.empty(len(item), np.int32), np.empty(len(item), np.int32)
    best_place = np.full(n_items, n_items + 1)
    for block, span in _blocks(model, users, indptr, item):
        scores = read_only(model.score_block(block.users), np.float32)
        better[span], tied[span] = _stand(scores, block)
        shown = _lists(scores, block, max(lengths))
        for place, items in enumerate(shown.T, start=1):
            here = items[items >= 0]
            best_place[here] = np.minimum(best_place[here], place)

    candidates = n_items - model.seen.counts[users]
    source = {"ranks": RankedTest(indptr, better, tied, candidates), "lists": best_place}
    return {
        f"{name}@{n}": float(np.mean(metric.compute(source[metric.source], n)))
        for name, metric in METRICS.items()
        if metric.source != "ratings"
        for n in lengths
    }


def _blocks(
    model: Measurable, users: np.ndarray, indptr: np.ndarray, item: np.ndarray
) -> Iterator[tuple[_Block, slice]]:
    """Blocks of users that keep the scores bounded, and where the relevant items of each lie."""
    size = max(1, BLOCK_SCORES // len(model.items))
    for first in range(0, len(users), size):
        here = users[first : first + size]
        ends = indptr[first : first + len(here) + 1]
        span = slice(int(ends[0]), int(ends[-1]))
        seen_indptr, seen_items = _seen_by(here, model.seen)
        yield (
            _Block(
                here,
                read_only(seen_indptr, np.int64),
                read_only(seen_items, np.int32),
                read_only(ends - ends[0], np.int64),
                read_only(item[span], np.int32),
            ),
            span,
        )


def _seen_by(users: np.ndarray, seen: Rows) -> tuple[np.ndarray, np.ndarray]:
    """The rows of some users in ``seen``: indptr (n + 1,) and item numbers."""
    counts = seen.counts[users]
    indptr = np.zeros(len(users) + 1, dtype=np.int64)
    np.cumsum(counts, out=indptr[1:])
    where = np.arange(indptr[-1]) + np.repeat(seen.indptr[users] - indptr[:-1], counts)
    return indptr, seen.indices[where]


def _stand(scores: np.ndarray, block: _Block) -> tuple[np.ndarray, np.ndarray]:
    """``better`` and ``tied`` of the block's asked items."""
    better = np.empty(len(block.asked_items), np.int32)
    tied = np.empty_like(better)
    cost = 8.0 + np.diff(block.asked_indptr)  # finding the candidates costs some 8 comparisons
    run_rows(rank_intervals, cost, scores, *block[1:], better, tied)
    return better, tied


def _lists(scores: np.ndarray, block: _Block, n: int) -> np.ndarray:
    """The items (n_rows, n) that each user of the block would be shown."""
    items = np.empty((len(scores), n), np.int32)
    best = np.empty((len(scores), n), np.float32)
    cost = np.ones(len(scores))
    run_rows(top_n, cost, scores, block.seen_indptr, block.seen_items, items, best)
    return items


# What is measured, and whether it can be.


def _check_lengths(ns: Iterable[int], n_items: int) -> tuple[int, ...]:
    lengths = tuple(ns)
    for n in lengths:
        if not 1 <= n <= n_items:
            raise BadSetting(
                f"a list length is {n}; with {n_items:,} items it must be from 1 to {n_items:,}"
            )
    return lengths


def _relevance(relevant_from: float | None, scale: Scale) -> float:
    if relevant_from is not None:
        return float(relevant_from)
    return scale.low + 0.75 * (scale.high - scale.low)


def _relevant(test: Ratings, threshold: float) -> np.ndarray:
    relevant: np.ndarray = test.rating >= threshold
    if not relevant.any():
        raise BadRatings(
            f"no test rating is {threshold:g} or more (the highest is {test.rating.max():g}), so "
            "no item is relevant; lower relevant_from, or ask for no list lengths (ns=())"
        )
    return relevant


def _on_ids_of(model: Measurable, test: Ratings) -> tuple[Ratings, int]:
    """The test ratings numbered as the model numbers, and how many of them it cannot number."""
    if test.users == model.users and test.items == model.items:
        return test, 0
    user = model.users.rows(test.users)[test.user]
    item = model.items.rows(test.items)[test.item]
    known = (user >= 0) & (item >= 0)
    if not known.any():
        raise BadRatings(
            f"the model knows no user and item of the {len(test):,} test ratings; "
            "are they from the same source as its training data?"
        )
    renumbered = Ratings.of(
        model.users, model.items, user[known], item[known], test.rating[known], scale=test.scale
    )
    return renumbered, int(np.count_nonzero(~known))


def _refuse_trained(model: Measurable, test: Ratings) -> None:
    shared = find_shared_pair(model.seen, test.user, test.item)
    if shared is not None:
        user, item = test.users.ids[test.user[shared]], test.items.ids[test.item[shared]]
        raise BadRatings(
            f"the model was trained on the rating of item {item!r} by user {user!r}, which is also "
            "in the test part; fit on the training part of a split (matinee.splits)"
        )


def _count_cold(model: Measurable, test: Ratings) -> int:
    cold_user = model.seen.counts == 0
    cold_item = np.bincount(model.seen.indices, minlength=len(model.items)) == 0
    return int(np.count_nonzero(cold_user[test.user] | cold_item[test.item]))


def _protocol(model: Measurable, lengths: tuple[int, ...], threshold: float) -> str:
    ratings = f"Predictions are clipped to {model.scale}." if model.kind == "rating" else ""
    lists = (
        f"Lists rank all {len(model.items):,} items except those the user was trained on; "
        f"relevant are test items rated {threshold:g} or more; ties count at their expectation."
    )
    return " ".join(filter(None, [ratings, lists if lengths else ""]))


def _aligned(rows: list[list[str]]) -> list[str]:
    """Lines of text: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
