"""How good one model is: errors, lists beside popularity, and the calibration of its intervals.

The model itself has seen all its ratings. So the same algorithm with the same settings is fitted
on four fifths of them, drawn at random, and measured on the rest; the most popular items, the same
for everybody, are measured on the same part. Intervals are by bootstrap over users.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from matinee.algorithms import Algorithm, Popularity
from matinee.algorithms.from_model import algorithm_of, ratings_of
from matinee.data.ratings import Ratings
from matinee.display.notebook import Grid, Part, Printable
from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.display.text import counted, percent
from matinee.errors import BadRatings
from matinee.evaluation.bootstrap import resample
from matinee.evaluation.evaluate import evaluate_fitted, interval_test
from matinee.evaluation.metrics.intervals import IntervalTest
from matinee.evaluation.protocol import Plan, offers_intervals
from matinee.evaluation.results import Evaluation, UserScores
from matinee.kernels.resampling import Verdict, interval, verdict_of
from matinee.models.model import Model
from matinee.models.trial_fits import trial_fits
from matinee.splitting import Split, random

FACT = "quality"  # of a model's facts: where it is saved with the model
LIST_LENGTH = 10
RANKING = f"ndcg@{LIST_LENGTH}"
VERDICTS = {
    "better": "Its lists are better than those of popularity",
    "tied": "Its lists cannot be told from those of popularity",
    "worse": "It ranks worse than popularity",
}


@dataclass(frozen=True, repr=False)
class ModelQuality(Printable):
    """The metrics of a model's algorithm on held-out ratings, as plain values.

    Intervals are (low, high) at 95 %. Rows of ``metrics`` have the metric, its value and interval,
    the value of popularity, and the interval of the difference; None where one does not apply.
    """

    algorithm: str
    data_fingerprint: str
    protocol: str
    n_users: int  # measured
    n_ratings: int  # tested
    n_cold: int  # tested ratings of users or items without training ratings
    metrics: Sequence[JsonMapping]
    by_activity: Sequence[JsonMapping]
    by_popularity: Sequence[JsonMapping]
    calibration: Sequence[JsonMapping]  # level, share inside, interval; none without any
    label: str = ""  # the algorithm by name, with settings that are not the defaults

    @classmethod
    def of_facts(cls, model: Model) -> "ModelQuality | None":
        """What was measured and saved with a model; None where nothing was, or of other data."""
        facts = model.facts.get(FACT)
        if facts is None or facts["data_fingerprint"] != model.data_fingerprint:
            return None
        return cls(**facts)

    def saved_with(self, model: Model) -> Model:
        """The model with these figures among its facts."""
        return replace(model, facts={**model.facts, FACT: self.to_dict()})

    @property
    def verdict(self) -> Verdict | None:
        """``better``, ``tied`` or ``worse`` than popularity by NDCG@10; None without lists."""
        for row in self.metrics:
            if row["metric"] == RANKING and row["difference"] is not None:
                return verdict_of(row["difference"])
        return None

    @property
    def judgement(self) -> str:
        """The verdict as a sentence with its figures; empty without lists."""
        if self.verdict is None:
            return ""
        row = next(row for row in self.metrics if row["metric"] == RANKING)
        low, high = row["interval"]
        return (
            f"{VERDICTS[self.verdict]}: on a fifth of all ratings, NDCG@{LIST_LENGTH} is "
            f"{row['value']:.3f} ({low:.3f} to {high:.3f}), and {row['popularity']:.3f} for "
            "the most popular items, which are the same for everybody."
        )

    def to_dict(self) -> JsonObject:
        """All fields as plain values, ready for JSON."""
        plain: JsonObject = asdict(self)
        return plain

    def parts(self) -> Iterator[Part]:
        """The metrics beside those of popularity, the groups, and the calibration."""
        yield self.label or self.algorithm
        yield Grid([["", "model", "95 % interval", "popularity"], *map(_cells, self.metrics)])
        if self.judgement:
            yield self.judgement
        for rows in (self.by_activity, self.by_popularity):
            names = [name for name in rows[0] if name not in ("group", "members", "intervals")]
            body = [[row["group"], *(_estimate(row, name) for name in names)] for row in rows]
            yield Grid([["", *names], *body])
        if self.calibration:
            body = [
                [percent(row["level"]), percent(row["share"], 1), _span(row["interval"])]
                for row in self.calibration
            ]
            yield Grid([["promised", "inside", "95 % interval"], *body])
        yield self.protocol
        yield (
            f"{counted(self.n_users, 'user')} measured; {self.n_cold:,} of "
            f"{counted(self.n_ratings, 'test rating')} are of users or items without training "
            "ratings"
        )


@dataclass(frozen=True)
class Measured:
    """An algorithm, its model of the training part of a split, and how that does on the rest."""

    algorithm: Algorithm
    evaluation: Evaluation
    model: Model


def measure_quality(model: Model, ratings: Ratings | None = None) -> ModelQuality:
    """Measure the algorithm of a model on a fifth of its training ratings, held out at random.

    ``ratings`` are those the model was fitted on; the model knows them too, but without times.
    Raises BadRatings for others, and what ``fit_and_evaluate`` does.
    """
    if ratings is not None and ratings.fingerprint != model.data_fingerprint:
        raise BadRatings(
            f"the model was fitted on other ratings (fingerprint {model.data_fingerprint}, these "
            f"have {ratings.fingerprint}); read them with the same options, or leave them out"
        )
    split = random(ratings if ratings is not None else ratings_of(model))
    own = fit_and_measure(algorithm_of(model), split, group_intervals=True)
    popular = fit_and_measure(Popularity(), split)
    return quality_of(own, popular, split, model.data_fingerprint)


def quality_of(
    measured: Measured, popular: Measured, split: Split, data_fingerprint: str
) -> ModelQuality:
    """What was measured of an algorithm with intervals of its groups, beside popularity.

    ``data_fingerprint`` is that of the ratings before the split.
    """
    own = measured.evaluation
    return ModelQuality(
        algorithm=own.algorithm,
        label=own.label,
        data_fingerprint=data_fingerprint,
        protocol=own.protocol,
        n_users=own.users_measured,
        n_ratings=own.test_ratings,
        n_cold=own.cold_ratings or 0,
        metrics=beside(own, popular.evaluation),
        by_activity=own.by_activity,
        by_popularity=own.by_popularity,
        calibration=calibration(interval_test(measured.model, split.test))
        if offers_intervals(measured.model)
        else (),
    )


def fit_and_measure(
    algorithm: Algorithm, split: Split, *, group_intervals: bool = False
) -> Measured:
    """``fit_and_evaluate`` that returns the model, too, with intervals of its groups or without.

    Raises what ``fit_and_evaluate`` does.
    """
    plan = Plan.of(split, (LIST_LENGTH,), None, None, algorithm)
    started = time.perf_counter()
    with trial_fits():
        model = algorithm.fit(split.train)
    fit_seconds = time.perf_counter() - started
    plan = replace(plan, group_intervals=group_intervals)
    evaluation = evaluate_fitted(model, algorithm, split, plan, fit_seconds)
    return Measured(algorithm, evaluation, model)


def beside(own: Evaluation, popular: Evaluation) -> list[JsonObject]:
    """The metrics of a model beside those of popularity, resampled alike."""
    assert own.per_user is not None
    assert popular.per_user is not None
    draws, others = resample(own.per_user), resample(popular.per_user)
    rows = []
    for name, value in own.metrics.items():
        both = name in draws and name in others
        rows.append(
            {
                "metric": name,
                "value": value,
                "interval": list(interval(draws[name])) if name in draws else None,
                "popularity": popular.metrics.get(name),
                "difference": list(interval(draws[name] - others[name])) if both else None,
            }
        )
    return rows


def calibration(test: IntervalTest | None) -> list[JsonObject]:
    """The share of test ratings inside their intervals at each level, and its own interval."""
    if test is None or test.user is None:
        return []
    _, user = np.unique(test.user, return_inverse=True)
    n_ratings = np.bincount(user).astype(float)
    inside = {f"{level:g}": np.bincount(user, test.inside(level)) for level in test.intervals}
    scores = UserScores(inside, dict.fromkeys(inside, n_ratings), frozenset())
    shares, draws = scores.means(), resample(scores)
    return [
        {"level": level, "share": shares[key], "interval": list(interval(draws[key]))}
        for level, key in zip(test.intervals, inside, strict=True)
    ]


def _cells(row: JsonMapping) -> list[str]:
    popular = "–" if row["popularity"] is None else f"{row['popularity']:.4f}"
    span = "–" if row["interval"] is None else _span(row["interval"])
    return [row["metric"], f"{row['value']:.4f}", span, popular]


def _estimate(row: JsonMapping, name: str) -> str:
    if row[name] is None:
        return "–"
    low, high = row["intervals"][name]
    return f"{row[name]:.3f} ±{(high - low) / 2:.3f}"


def _span(ends: Sequence[float]) -> str:
    return f"{ends[0]:.3f} to {ends[1]:.3f}"
