"""The number of factors: held-out loss at each, and the choice of a named rule.

With enough regularization more factors seldom hurt, so there is no true number. The default rule
takes the smallest number that the data cannot tell from the best.
"""

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import cast

import numpy as np

from matinee.algorithms import Algorithm
from matinee.algorithms.base import Alternating
from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.choosers import choices_of, shared_choices
from matinee.algorithms.registry import choose_one
from matinee.data.ratings import Ratings
from matinee.display.notebook import Grid, Part, Tabular
from matinee.display.plain_data import JsonObject
from matinee.display.steps import OnStep, logged, quiet
from matinee.display.tables import Table
from matinee.display.text import percent
from matinee.errors import Advice, BadSetting, check_known, known_arguments
from matinee.evaluation.compare import time_left
from matinee.evaluation.evaluate import measure
from matinee.evaluation.profiling import measured, model_mb
from matinee.evaluation.protocol import Plan, check_kind
from matinee.evaluation.results import versions
from matinee.models import FactorModel, Model
from matinee.splitting import Split, k_fold
from matinee.tuning.objective import Objective, check_better_end
from matinee.tuning.rules import RULES
from matinee.tuning.spectrum import Hints, hints
from matinee.tuning.stability import agreement

PLOT_WIDTH = 50  # characters of the drawn curve


@dataclass(frozen=True)
class Point:
    """The measurements at one number of factors."""

    n_factors: int
    metrics: dict[str, float]  # held out, the mean over folds
    errors: dict[str, float]  # the standard error of each of these means
    train_rmse: float | None  # on the ratings it was fitted to; None where scores only rank
    fit_seconds: float  # of one fold, the mean
    model_mb: float | None
    stability: float | None = None  # of tastes over seeds, 0..1


@dataclass(frozen=True, repr=False)
class KCurve(Tabular):
    """The points, and the number of factors by each rule."""

    algorithm: str
    metric: str  # that the rules compare
    higher_is_better: bool
    points: tuple[Point, ...]
    rule: str
    choices: dict[str, int]  # by rule
    folds: int
    origin: JsonObject
    warm: bool = False  # whether each fit after the first was warm-started from the one before
    hints: Hints | None = None  # of truncated SVD
    variance_explained: tuple[float, ...] = ()  # of truncated SVD, cumulative

    @property
    def chosen(self) -> int:
        """The number of factors by ``rule``."""
        return self.choices[self.rule]

    @property
    def table(self) -> Table:
        """A row a number of factors: held-out metrics and their standard errors, and the costs."""
        columns: dict[str, list[object]] = {"n_factors": [one.n_factors for one in self.points]}
        for name in self.points[0].metrics:
            columns[name] = [one.metrics[name] for one in self.points]
            columns[f"{name}_error"] = [one.errors[name] for one in self.points]
        for name in ("train_rmse", "fit_seconds", "model_mb", "stability"):
            columns[name] = [getattr(one, name) for one in self.points]
        return Table(columns)

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return asdict(self) | {"chosen": self.chosen, "points": [asdict(p) for p in self.points]}

    def parts(self) -> Iterator[Part]:
        names = list(self.points[0].metrics)
        stable = any(point.stability is not None for point in self.points)
        heading = [
            "n_factors",
            *names,
            "train rmse",
            "fit s",
            "MB",
            *(["stability"] if stable else []),
        ]
        rows = [heading]
        for point in self.points:
            held_out = [f"{point.metrics[n]:.4f} ±{point.errors[n]:.4f}" for n in names]
            train = "–" if point.train_rmse is None else f"{point.train_rmse:.4f}"
            tastes = "–" if point.stability is None else f"{point.stability:.2f}"
            rows.append(
                [
                    str(point.n_factors),
                    *held_out,
                    train,
                    f"{point.fit_seconds:.2f}",
                    "–" if point.model_mb is None else f"{point.model_mb:.2f}",
                    *([tastes] if stable else []),
                ]
            )
        yield Grid(rows)
        yield ""
        yield "\n".join(self.drawing())
        yield ""
        yield from self.notes()

    def drawing(self) -> list[str]:
        """The curve as text: per point a dot at its value, and the rules that choose it."""
        values = np.array([point.metrics[self.metric] for point in self.points])
        low, high = float(values.min()), float(values.max())
        places = np.rint((values - low) / ((high - low) or 1.0) * PLOT_WIDTH).astype(int)
        lines = [f"{self.metric}, {low:.4f} to {high:.4f}"]
        for point, place in zip(self.points, places.tolist(), strict=True):
            rules = [name for name, size in self.choices.items() if size == point.n_factors]
            arrow = f"  <- {', '.join(rules)}" if rules else ""
            lines.append(f"{point.n_factors:>6} |{' ' * place}●{' ' * (PLOT_WIDTH - place)}{arrow}")
        return [line.rstrip() for line in lines]

    def notes(self) -> list[str]:
        """The choice and the hints, in sentences."""
        by_rule = ", ".join(f"{rule} {size}" for rule, size in self.choices.items())
        lines = [
            f"chosen by {self.metric} over {self.folds} folds: {self.chosen} ({self.rule}); "
            f"all rules: {by_rule}",
            f"± is one standard error over {self.folds} folds",
        ]
        if self.warm:
            lines.append(
                "each fit starts from the one above it, in half the epochs (--cold: from scratch)"
            )
        if self.hints is not None:
            threshold, parallel = self.hints.gavish_donoho, self.hints.parallel_analysis
            more = " or more" if parallel >= self.points[-1].n_factors else ""
            lines.append(
                "hints only, from the singular values: Gavish-Donoho "
                f"{'unknown, the table is too large' if threshold is None else threshold}, "
                f"parallel analysis {parallel}{more}"
            )
            lines += [
                f"{size} factors explain {percent(self.variance_explained[size - 1], 1)} of the "
                "variance"
                for size in [self.chosen]
                if size <= len(self.variance_explained)
            ]
        return lines


@known_arguments
def k_curve(
    algorithm: Algorithm | type[Algorithm] | str,
    data: Ratings,
    *,
    factors: Iterable[int],
    metrics: Iterable[str] = ("rmse", "ndcg@10"),
    rule: str = "one-se",
    folds: int = 5,
    relevant_from: float | None = None,
    n_seeds: int = 0,
    seed: int = 0,
    warm: bool = True,
    on_step: OnStep = quiet,
) -> KCurve:
    """Fit every number of factors on every fold, and choose by the first of the metrics.

    ``algorithm`` is a name, a class or a value that has ``n_factors``. ``rule`` is "one-se", the
    smallest within a standard error of the best; "minimum", the best; or "elbow", the bend.
    Metrics that do not apply to the algorithm are an error only where they come first. With
    ``n_seeds`` of 2 or more, tastes are compared between seeds: the mean absolute cosine of matched
    item factors. With ``warm``, algorithms that support it start from the next smaller model, its
    new factors random, and half the epochs. ``data`` should hold no test ratings: the folds are
    used to choose, so they cannot measure the chosen model.

    Raises BadSetting, before any work, for an algorithm without factors, impossible numbers of
    them, an unknown rule or metric, or too many folds.
    """
    base = choose_one(algorithm)
    sizes = checked_sizes(base, factors)
    check_known("rule", rule, RULES)
    splits = list(k_fold(data, folds, seed))
    warm = warm and isinstance(base, Alternating) and base.supports_warm_start
    plan = _plan(base, splits[0], metrics, relevant_from)
    validation = _Validation(plan.learner(base), splits, plan, warm)
    fits = validation.fits(sizes, logged("k_curve", on_step))
    stability = [_stability(base, size, data, n_seeds) for size in sizes]
    points = tuple(map(_point, sizes, fits, stability))
    objective = Objective(plan.only(plan.measures[:1]))
    loss = np.array([objective.loss(point.metrics[objective.name]) for point in points])
    error = np.array([point.errors[objective.name] for point in points])
    spectral = base.name == "truncated-svd"
    return KCurve(
        algorithm=repr(base),
        metric=objective.name,
        higher_is_better=objective.higher_is_better,
        points=points,
        rule=rule,
        choices={name: choice(sizes, loss, error) for name, choice in RULES.items()},
        folds=folds,
        origin={
            "split": "k-fold",
            "folds": folds,
            "seed": seed,
            "fingerprint": data.fingerprint,
            "versions": versions(),
        },
        warm=warm and len(sizes) > 1,
        hints=hints(data, sizes[-1], seed) if spectral else None,
        variance_explained=_variance(base, sizes[-1], data) if spectral else (),
    )


@dataclass(frozen=True)
class _Fit:
    """One number of factors on one fold."""

    metrics: dict[str, float]
    train_rmse: float | None
    seconds: float
    model_mb: float | None


@dataclass(frozen=True, eq=False)
class _Validation:
    """The algorithm, the folds it is fitted on, and what is measured on each."""

    base: Algorithm
    splits: Sequence[Split]
    plan: Plan
    warm: bool

    @shared_choices()  # they do not depend on the number of factors
    def fits(self, sizes: Sequence[int], on_step: OnStep) -> list[list[_Fit]]:
        """The fits of every fold, for each of the sizes."""
        fits: list[list[_Fit]] = []
        smaller: list[FactorModel | None] = [None] * len(self.splits)
        started, total = time.perf_counter(), len(sizes) * len(self.splits)
        for place, size in enumerate(sizes):
            fits.append([])
            for fold, split in enumerate(self.splits):
                done = place * len(self.splits) + fold
                left = time_left(done, total, started)
                on_step(done, total, ", ".join(filter(None, [f"{size} factors", left])))
                fit, model = self.fit(size, split, smaller[fold])
                fits[-1].append(fit)
                smaller[fold] = model if self.warm and isinstance(model, FactorModel) else None
        on_step(total, total, "done")
        return fits

    def fit(self, size: int, split: Split, smaller: FactorModel | None) -> tuple[_Fit, Model]:
        """Fit one size on one fold, warm-started from a smaller model where there is one."""
        fit: Callable[[Ratings], Model] = self.base.with_settings({"n_factors": size}).fit
        if smaller is not None:
            settings = {"n_factors": size, "n_epochs": max(1, self.base.settings["n_epochs"] // 2)}
            fit = partial(cast(Alternating, self.base.with_settings(settings)).fit, start=smaller)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if isinstance(self.base, RatingAlgorithm) and self.base.choosers:
                choices_of(self.base.choosers, split.train)  # no part of the seconds of a size
            with measured() as cost:
                model = fit(split.train)
        metrics = measure(model, split.test, self.plan).metrics
        return _Fit(metrics, _train_rmse(model, split.train), cost.seconds, model_mb(model)), model


def _train_rmse(model: Model, train: Ratings) -> float | None:
    if model.kind != "rating":
        return None
    errors = train.rating - model.predict_rows(train.user, train.item)
    return float(np.sqrt(np.mean(errors**2)))


def _point(size: int, fits: list[_Fit], stability: float | None) -> Point:
    names = [name for name in fits[0].metrics if all(name in one.metrics for one in fits)]
    values = {name: np.array([one.metrics[name] for one in fits]) for name in names}
    return Point(
        n_factors=size,
        metrics={name: float(of.mean()) for name, of in values.items()},
        errors={name: float(of.std(ddof=1) / len(of) ** 0.5) for name, of in values.items()},
        train_rmse=_mean([one.train_rmse for one in fits]),
        fit_seconds=float(np.mean([one.seconds for one in fits])),
        model_mb=_mean([one.model_mb for one in fits]),
        stability=stability,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def checked_sizes(base: Algorithm, factors: Iterable[int]) -> list[int]:
    """The numbers of factors, ascending. Raises BadSetting for those that cannot be."""
    if "n_factors" not in {field.name for field in fields(base)}:
        raise BadSetting(f"{base.name} has no n_factors, so there is no curve over them")
    sizes = sorted(set(factors))
    if not sizes:
        raise BadSetting(
            "factors is empty; give the numbers of factors to try, such as ",
            Advice("range(2, 21)", "2..20"),
        )
    for size in (sizes[0], sizes[-1]):
        base.with_settings({"n_factors": size})  # raises where it is impossible
    return sizes


def _plan(
    base: Algorithm, split: Split, metrics: Iterable[str], relevant_from: float | None
) -> Plan:
    """The metrics that apply to the algorithm. Raises BadSetting where the first does not."""
    plan = Plan.of(split, (10,), relevant_from, metrics)
    check_kind(plan.measures[:1], base.kind, base.name)
    check_better_end(plan.measures[0])
    return plan.only(one for one in plan.measures if one.ranks or base.kind == "rating")


def _stability(base: Algorithm, size: int, data: Ratings, n_seeds: int) -> float | None:
    if n_seeds < 2 or "seed" not in {field.name for field in fields(base)}:
        return None
    first = base.settings["seed"]
    settings = [{"n_factors": size, "seed": first + k} for k in range(n_seeds)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = [base.with_settings(one).for_stars.fit(data) for one in settings]
    return agreement([getattr(model, "item_factors", None) for model in models])


def _variance(base: Algorithm, most: int, data: Ratings) -> tuple[float, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        facts = base.with_settings({"n_factors": most}).for_stars.fit(data).facts
    return tuple(np.cumsum(facts["variance_explained"]).tolist())
