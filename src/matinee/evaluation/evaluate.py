"""Measuring models on ratings they have not seen."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, NoReturn, Protocol

import numpy as np

from matinee.algorithms.registry import choose, label
from matinee.data.catalog import NO_CATALOG
from matinee.data.ratings import Ratings, check_ratings
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted
from matinee.errors import Advice, BadModel, BadRatings, BadSetting, known_arguments
from matinee.evaluation.bootstrap import resample
from matinee.evaluation.held_out_users import FoldedIn
from matinee.evaluation.metrics import METRICS
from matinee.evaluation.metrics.breakdown import group_by_count, means_by_group
from matinee.evaluation.metrics.intervals import LEVELS, IntervalTest
from matinee.evaluation.protocol import (
    Measurable,
    Measure,
    Plan,
    check_relevant,
    measures_of,
    metric_names,
    read_measure,
    relevance,
)
from matinee.evaluation.ranking_pass import Ranked, of_catalog, rank_test
from matinee.evaluation.results import (
    CrossValidation,
    CrossValidations,
    Evaluation,
    UserScores,
    versions,
)
from matinee.kernels.resampling import interval
from matinee.splitting import Split, find_shared_pair, k_fold

BLOCK_PAIRS = 65_536  # pairs predicted at once
INTERVAL_USERS = 50  # users, drawn by chance, whose intervals are measured: each takes its time
ROOTS = frozenset(name for name, metric in METRICS.items() if metric.root)


class Learner(Protocol):
    """An algorithm: learns a model from ratings."""

    def fit(self, train: Ratings) -> Measurable: ...


@known_arguments
def evaluate(
    model: Measurable,
    test: Ratings,
    ns: Iterable[int] = (10,),
    relevant_from: float | None = None,
    metrics: Iterable[str] | None = None,
    history: Ratings | None = None,
) -> Evaluation:
    """Measure a model on test ratings, with lists of the lengths ``ns``.

    ``metrics`` are names of ``matinee.evaluation.metrics.METRICS``, with a length of their own
    (``ndcg@5``) or at each of ``ns``; by default, all that apply to the model. Errors are of
    the clipped predictions, in stars. Ranking metrics rank the whole catalogue except the items
    that the user was trained on. Relevant are test items rated ``relevant_from`` or more, by
    default the least rating from 3/4 up the scale (0.5..5: 4), or all where training ratings are
    counts or choices. Users with a ``history`` are folded in from it. Test ratings of unknown ids
    are left out and counted.

    Raises BadRatings when the model was trained on a test pair, when it knows none of the test
    ratings, or when none is relevant; BadSetting for a length or a metric that cannot be.
    """
    check_arguments(model, test)
    measures = measures_of(metrics, ns, len(model.items))
    threshold = relevance(relevant_from, model.scale, np.asarray(model.seen.values))
    return measure(model, test, Plan(measures, threshold, metrics is None), history)


def measure(
    model: Measurable, test: Ratings, plan: Plan, history: Ratings | None = None
) -> Evaluation:
    """Measure a model on test ratings by a plan; see ``evaluate``, which raises the same."""
    started = time.perf_counter()
    catalog = test.catalog or getattr(model, "catalog", NO_CATALOG)
    if history is not None:
        model = FoldedIn.of(model, history)
    known, unknown = on_ids_of(model, test)
    if known is None:
        refuse_unknown(unknown)
    test = known
    refuse_trained(model, test)
    genres = catalog.genre_matrix(model.items)[1]
    plan = plan.fitted_to(model, genres.shape[1] > 0)
    if plan.ranks:
        check_relevant(test, plan.relevant_from, model.kind)
    measured = Measured.of(model, test, plan, genres)
    users_measured = len(np.unique(test.user[test.rating >= plan.relevant_from]))
    return Evaluation(
        metrics=measured.metrics(plan.measures),
        relevant_from=plan.relevant_from,
        users_measured=users_measured,
        users_skipped=len(np.unique(test.user)) - users_measured,
        test_ratings=len(test),
        cold_ratings=count_cold(model, test),
        unknown_ratings=unknown,
        protocol=protocol_of(model, plan),
        test_seconds=time.perf_counter() - started,
        nan_scores=measured.nan_scores,
        by_activity=measured.groups("user", model.seen.counts, plan.group_intervals),
        by_popularity=measured.groups("item", counts_of_items(model), plan.group_intervals),
        origin={
            "fingerprints": {
                "train": getattr(model, "data_fingerprint", None),
                "test": test.fingerprint,
            },
            "versions": versions(),
        },
        per_user=measured.per_user,
    )


def fit_and_evaluate(
    algorithm: Learner,
    split: Split,
    ns: Iterable[int] = (10,),
    relevant_from: float | None = None,
    metrics: Iterable[str] | None = None,
) -> Evaluation:
    """Fit on the training part of a split and measure on its test part; see ``evaluate``.

    Raises, before the fit, BadSetting for a length or a metric that cannot be measured, and
    BadRatings where no test item is relevant.
    """
    plan = Plan.of(split, ns, relevant_from, metrics, algorithm)
    started = time.perf_counter()
    model = plan.learner(algorithm).fit(split.train)
    return evaluate_fitted(model, algorithm, split, plan, time.perf_counter() - started)


def evaluate_fitted(
    model: Measurable, algorithm: Learner, split: Split, plan: Plan, fit_seconds: float
) -> Evaluation:
    """Measure a model on the test part of the split whose training part it was fitted to."""
    result = measure(model, split.test, plan, split.history)
    return replace(
        result,
        algorithm=repr(algorithm),
        label=label(algorithm),
        fit_seconds=fit_seconds,
        protocol=f"Tested on {split.description}. {plan.left_out}{result.protocol}",
        origin=result.origin | split.origin,
    )


log = logging.getLogger("matinee.cross_validate")


@known_arguments
def cross_validate(
    algorithm: str | Learner | list[object] | tuple[object, ...],
    ratings: "Ratings | Iterable[Split]",
    folds: int = 5,
    seed: int = 0,
    ns: Iterable[int] = (10,),
    relevant_from: float | None = None,
    on_fold: Callable[[int, Evaluation], object] | None = None,
    metrics: Iterable[str] | None = None,
) -> CrossValidation | CrossValidations:
    """Fit and measure once per fold, each rating being tested once; see ``splitting.k_fold``.

    ``algorithm`` is a name, a value, or a list of these, which are measured on the same folds and
    make one table; a metric that does not apply to one of several is left open. In place of
    ``ratings`` there can be splits of any kind, two or more: each is a fold. ``on_fold(k,
    evaluation)`` is called after each fold, k counting from 1. The spread over folds is that of the
    split; it is smaller than the spread over new users would be. Raises what ``fit_and_evaluate``
    does, and BadSetting for an impossible number of folds and an empty list of algorithms.
    """
    splits, protocol = _folds(ratings, folds, seed)
    lengths, names = tuple(ns), metric_names(metrics)
    several = isinstance(algorithm, list | tuple)
    learners = choose(algorithm if isinstance(algorithm, list | tuple) else [algorithm])
    if not learners:
        raise BadSetting("the list of algorithms is empty; name one or more")
    results = []
    for learner in learners:
        own = applicable_names(names, learner.kind) if several else names
        evaluations = []
        for k, split in enumerate(splits, start=1):
            evaluations.append(fit_and_evaluate(learner, split, lengths, relevant_from, own))
            log.info("cross_validate: fold %d of %d of %s", k, len(splits), label(learner))
            if on_fold is not None:
                on_fold(k, evaluations[-1])
        results.append(CrossValidation(repr(learner), protocol, tuple(evaluations)))
    labels = tuple(map(label, learners))
    return CrossValidations(labels, tuple(results)) if several else results[0]


def applicable_names(metrics: tuple[str, ...] | None, kind: str) -> tuple[str, ...] | None:
    """The metrics that apply to scores of a kind; all of them where none would be left."""
    if metrics is None or kind == "rating":
        return metrics
    return tuple(name for name in metrics if read_measure(name).ranks) or metrics


def _folds(ratings: "Ratings | Iterable[Split]", folds: int, seed: int) -> tuple[list[Split], str]:
    """The folds and how they were made, in words. Raises BadSetting for fewer than two."""
    if isinstance(ratings, Ratings):
        words = f"{folds} random folds (seed {seed}) of {counted(len(ratings), 'rating')}"
        return list(k_fold(ratings, folds, seed)), words
    splits = [*(ratings if isinstance(ratings, Iterable) else [ratings])]
    for one in splits:
        if not isinstance(one, Split):
            check_ratings("cross_validate", ratings)
    if len(splits) < 2:
        raise BadSetting(
            "cross-validation takes ratings, or two splits or more, not one; for one split there "
            "is ",
            Advice("matinee.compare([algorithm], split)", "matinee compare"),
        )
    return splits, f"{len(splits)} splits, the first of {splits[0].description}"


def check_arguments(model: object, test: object) -> None:
    """Raise BadModel for a path or an unfitted algorithm, and BadRatings unless test is Ratings."""
    if isinstance(model, str | PathLike):
        raise BadModel(f"evaluate takes a fitted model, not the path {str(model)!r}; load it first")
    if hasattr(model, "fit") and not hasattr(model, "items"):
        raise BadModel(
            f"evaluate takes a fitted model, and the algorithm {model!r} is not fitted; give "
            "algorithm.fit(train)"
        )
    check_ratings("evaluate", test)


# The measurements of one evaluation.


@dataclass(frozen=True, eq=False)
class Measured:
    """The sums and values from which the metrics and the groups are made."""

    per_user: UserScores
    intervals: Mapping[str, float]
    times: Mapping[int, np.ndarray]  # by list length: how often each item is shown, (n_items,)
    parts: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]  # users, items, values
    nan_scores: int

    @classmethod
    def of(cls, model: Measurable, test: Ratings, plan: Plan, genres: np.ndarray) -> "Measured":
        """Measure a model; ``genres`` is (n_items, n_genres) bool, of the model's items."""
        users = np.unique(test.user)
        totals: dict[str, np.ndarray] = {}
        weights: dict[str, np.ndarray] = {}
        parts: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        times: Mapping[int, np.ndarray] = {}
        nan_scores = 0
        of_ratings = [one for one in plan.measures if one.metric.source == "ratings"]
        if of_ratings:
            predicted = _predict(model, test)
            nan_scores += int(np.count_nonzero(np.isnan(predicted)))
            counts = np.bincount(test.user, minlength=len(model.users))[users].astype(float)
            for one in of_ratings:
                assert one.metric.parts is not None
                values = one.metric.parts(test.rating, predicted)
                totals[one.name] = np.bincount(test.user, values, len(model.users))[users]
                weights[one.name] = counts
                parts[one.name] = (test.user, test.item, values)
        if plan.ranks:
            ranked = rank_test(model, test, plan, genres)
            nan_scores += ranked.nan_scores
            times = ranked.times
            at = np.searchsorted(users, ranked.users)
            for name, values in ranked.per_user.items():
                known = ~np.isnan(values)
                totals[name], weights[name] = np.zeros(len(users)), np.zeros(len(users))
                totals[name][at[known]], weights[name][at[known]] = values[known], 1.0
            parts |= _hits(ranked, plan.measures)
        intervals = _interval_metrics(model, test, plan.measures)
        return cls(UserScores(totals, weights, ROOTS), intervals, times, parts, nan_scores)

    def metrics(self, measures: Sequence[Measure]) -> dict[str, float]:
        """The values in the order of the measures; those that apply to nobody are left out."""
        values = self.per_user.means() | dict(self.intervals) | of_catalog(self.times, measures)
        return {one.name: values[one.name] for one in measures if one.name in values}

    def groups(self, by: str, counts: np.ndarray, with_intervals: bool) -> tuple[JsonObject, ...]:
        """Errors and recall in groups of users or of items by their training ratings."""
        group, names = group_by_count(counts)
        side = 0 if by == "user" else 1
        values = {name: (part[side], part[2]) for name, part in self.parts.items()}
        rows = means_by_group(f"{by}s", group, names, values, ROOTS)
        if not with_intervals:
            return rows
        spans = [self._intervals(group, side, number) for number in range(len(names))]
        return tuple(
            {**row, "intervals": span} for row, span in zip(rows, filter(None, spans), strict=True)
        )

    def _intervals(
        self, group: np.ndarray, side: int, number: int
    ) -> dict[str, tuple[float, float]]:
        """The 95 % interval of each metric in one group, over its users; none without any."""
        inside = {name: group[part[side]] == number for name, part in self.parts.items()}
        users = [part[0][inside[name]] for name, part in self.parts.items()]
        known = np.unique(np.concatenate(users)) if users else np.empty(0, int)
        if not len(known):
            return {}
        totals, weights = {}, {}
        for name, (user, _, values) in self.parts.items():
            place = np.searchsorted(known, user[inside[name]])
            totals[name] = np.bincount(place, values[inside[name]], len(known))
            weights[name] = np.bincount(place, minlength=len(known)).astype(float)
        draws = resample(UserScores(totals, weights, ROOTS))
        return {name: interval(values) for name, values in draws.items()}


def _hits(
    ranked: Ranked, measures: Sequence[Measure]
) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """The chance of each relevant test item to be in a list of n; its mean is the share found."""
    for n in sorted({one.n for one in measures if one.n is not None}):
        chance = np.clip((n - ranked.test.better) / ranked.test.tied, 0, 1)
        yield f"found@{n}", (ranked.users[ranked.test.user], ranked.relevant_items, chance)


def _predict(model: Measurable, test: Ratings) -> np.ndarray:
    starts = range(0, len(test), BLOCK_PAIRS)
    spans = [slice(first, first + BLOCK_PAIRS) for first in starts]
    return np.concatenate([model.predict_rows(test.user[s], test.item[s]) for s in spans])


def _interval_metrics(
    model: Measurable, test: Ratings, measures: Sequence[Measure]
) -> dict[str, float]:
    """Metrics of intervals, on the test ratings of some users that the model has seen."""
    of_intervals = [one for one in measures if one.metric.source == "intervals"]
    given = interval_test(model, test) if of_intervals else None
    return {} if given is None else {one.name: one.metric.compute(given) for one in of_intervals}


def interval_test(model: Any, test: Ratings) -> IntervalTest | None:
    """The intervals that a model gives for the test ratings of at most 50 users it has seen."""
    users = np.unique(test.user[model.seen.counts[test.user] > 0])
    if not len(users):
        return None
    if len(users) > INTERVAL_USERS:
        users = np.random.default_rng(0).choice(users, INTERVAL_USERS, replace=False)
    users = np.sort(users)
    actual: list[np.ndarray] = []
    limits: dict[float, list[tuple[np.ndarray, np.ndarray]]] = {level: [] for level in LEVELS}
    for user in users.tolist():
        items, ratings = test.by_user.row(user)
        actual.append(ratings)
        for level in LEVELS:
            span = model.interval(model.users.ids[user], model.items.ids[items], level)
            limits[level].append((span.low, span.high))
    ends = {
        level: (np.concatenate([low for low, _ in of]), np.concatenate([high for _, high in of]))
        for level, of in limits.items()
    }
    return IntervalTest(np.concatenate(actual), ends, np.repeat(users, list(map(len, actual))))


def on_ids_of(model: Measurable, test: Ratings) -> tuple[Ratings | None, int]:
    """The test ratings of known ids, renumbered as in the model, and how many others there are."""
    if test.users == model.users and test.items == model.items:
        return test, 0
    user = model.users.rows(test.users)[test.user]
    item = model.items.rows(test.items)[test.item]
    known = (user >= 0) & (item >= 0)
    if not known.any():
        return None, len(test)
    renumbered = Ratings.of(
        model.users, model.items, user[known], item[known], test.rating[known], scale=test.scale
    )
    return renumbered, int(np.count_nonzero(~known))


def refuse_unknown(n: int) -> NoReturn:
    """Raise BadRatings: a model knows none of n test ratings."""
    raise BadRatings(
        f"the model knows no user and item of the {n:,} test ratings; "
        "are they from the same source as its training data?"
    )


def refuse_trained(model: Measurable, test: Ratings) -> None:
    """Raise BadRatings where the model was trained on a test pair."""
    shared = find_shared_pair(model.seen, test.user, test.item)
    if shared is not None:
        user, item = test.users.ids[test.user[shared]], test.items.ids[test.item[shared]]
        raise BadRatings(
            f"the model was trained on the rating of item {item!r} by user {user!r}, which is also "
            "in the test part; fit on the training part of a split (",
            Advice("matinee.splitting", "matinee evaluate"),
            ")",
        )


def count_cold(model: Measurable, test: Ratings) -> int:
    """How many test ratings are of a user or an item without training ratings."""
    cold_user, cold_item = model.seen.counts == 0, counts_of_items(model) == 0
    return int(np.count_nonzero(cold_user[test.user] | cold_item[test.item]))


def counts_of_items(model: Measurable) -> np.ndarray:
    """Training ratings of each item: int64 (n_items,)."""
    return np.bincount(model.seen.indices, minlength=len(model.items))


def protocol_of(model: Measurable, plan: Plan) -> str:
    """The protocol of an evaluation, in words."""
    sentences = []
    if any(one.metric.source == "ratings" for one in plan.measures):
        sentences.append(f"Predictions are clipped to {model.scale}.")
    if plan.ranks:
        sentences.append(
            f"Lists rank all {counted(len(model.items), 'item')} except those the user was "
            f"trained on; relevant are test items rated {plan.relevant_from:g} or more; ties count "
            "at their expectation."
        )
    if isinstance(model, FoldedIn):
        sentences.append("Held-out users were folded in from their history.")
    return " ".join(sentences)
