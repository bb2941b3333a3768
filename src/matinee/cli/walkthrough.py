"""The demonstration: from the embedded sample to recommendations whose reasons add up.

It computes and does not print; ``matinee demo`` prints the results.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from matinee.algorithms import (
    NMF,
    Algorithm,
    Bias,
    Popularity,
    TruncatedSVD,
    default_algorithm,
)
from matinee.cli.compile_ahead import compile_for
from matinee.data.describe import Description
from matinee.display.plain_data import JsonObject
from matinee.display.steps import OnStep, quiet
from matinee.display.tables import Table
from matinee.evaluation.compare import Comparison, Entry
from matinee.evaluation.model_quality import Measured, fit_and_measure, quality_of
from matinee.evaluation.popular_lists import LIST_LENGTH, ListPair, list_pairs
from matinee.explain.explanation import Explanation
from matinee.models import FactorModel, Model
from matinee.report import report_of
from matinee.report.origins import SAMPLE
from matinee.sources.sample import sample
from matinee.splitting import Split, random
from matinee.tastes import Tastes

TEST_SHARE = 0.2
SEED = 0
READABLE = NMF(n_factors=8, n_epochs=50)  # few enough tastes to read, and time to part them
N_COMPARED = 5  # algorithms
N_STEPS = N_COMPARED + 5  # sample, each algorithm, model, tastes, reasons, report
MIDDLE_HALF = (0.25, 0.75)  # quantiles of the number of ratings, between which the person shown is


@dataclass(frozen=True)
class Demo:
    """The results of the demonstration."""

    description: Description
    comparison: Comparison
    model: Model  # the default for stars, fitted on all the ratings: lists by choice and stars
    tastes: Tastes  # of READABLE, fitted on the same
    shown: ListPair  # the person shown: their list beside that of popularity
    profile: dict[str, float]  # what each taste makes of their scores, the largest first; sums to 1
    recommendations: Table
    explanation: Explanation  # of the first recommendation, by what the person rated
    saved: Path
    report: Path  # beside the model
    next_arguments: tuple[tuple[str, ...], ...]  # of the program, to try next
    seconds: float

    @property
    def rows(self) -> list[JsonObject]:
        """The comparison as one plain dict for each algorithm."""
        return rows_of(self.comparison)

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return {
            "data": {"name": "sample", "simulated": True, **self.description.to_dict()},
            "comparison": {
                "split": self.comparison.split,
                "algorithms": self.rows,
            },
            "tastes": self.tastes.to_dicts(),
            "user": {
                "user_id": self.shown.user_id,
                "ratings": self.shown.n_rated,
                "shared_with_popularity": self.shown.shared,
                "profile": self.profile,
            },
            "recommendations": self.recommendations.to_dicts(),
            "explanation": self.explanation.to_dict(),
            "model": str(self.saved),
            "report": str(self.report),
            "seconds": self.seconds,
        }


def run(
    out: Path, on_step: OnStep = quiet, compile_here: Callable[[], None] = lambda: None
) -> Demo:
    """Do everything on the embedded sample and keep the model in the folder ``out``.

    ``compile_here`` does this process's part of what is compiled ahead. Raises MatineeError when
    ``out`` holds something that is not a model.
    """
    started = time.perf_counter()
    on_step(0, N_STEPS, "splitting the ratings of simulated people who rate real films")
    compile_here()
    ratings = sample()
    default = default_algorithm(ratings)
    split = random(ratings, TEST_SHARE, SEED)
    measured = measure_all(compared(default), default, split, on_step)
    comparison = comparison_of(measured, split)
    on_step(N_STEPS - 4, N_STEPS, f"fitting {default.name} on all ratings, for lists")
    model = default.fit(ratings)
    on_step(N_STEPS - 3, N_STEPS, f"fitting {READABLE.name} on all ratings, for its tastes")
    readable = replace(READABLE, choice=None).fit(ratings)  # it makes no lists here
    tastes = readable.tastes()
    on_step(N_STEPS - 2, N_STEPS, "finding films for one person, and the reasons")
    shown = least_like_popularity(model)
    user = shown.user_id
    recommendations = model.recommend(user, LIST_LENGTH)
    first = recommendations.item_id[0]
    popular, *_, of_default, _ = measured
    quality = quality_of(of_default, popular, split, ratings.fingerprint)
    saved = quality.saved_with(model).save(out)
    on_step(N_STEPS - 1, N_STEPS, "writing the report")
    report = report_of(
        model, ratings, origin=SAMPLE, evaluation=quality, comparison=rows_of(comparison)
    )
    on_step(N_STEPS, N_STEPS, "done")
    return Demo(
        description=ratings.describe(),
        comparison=comparison,
        model=model,
        tastes=tastes,
        shown=shown,
        profile=profile_of(tastes, taste_strength(readable, user)),
        recommendations=recommendations,
        explanation=model.explain(user, first, by="history"),
        saved=saved,
        report=report.save(out.with_name(f"{out.name}-report.html")),
        next_arguments=(
            ("recommend", str(saved), "--user", user, "-n", "5", "--why"),
            ("explain", str(saved), "--user", user, "--item", first, "--by", "factor"),
            ("evaluate", "sample", "--algorithm", "mf", "--split", "by-time"),
        ),
        seconds=time.perf_counter() - started,
    )


def compared(default: Algorithm) -> tuple[Algorithm, ...]:
    """The algorithms of the table: popularity first, the default last but one."""
    return Popularity(), Bias(), READABLE, default, TruncatedSVD()


def rows_of(comparison: Comparison) -> list[JsonObject]:
    """One plain dict for each algorithm: settings, metrics, None where one does not apply."""
    return [
        {
            "algorithm": entry.name,
            "settings": READABLE.non_default_settings if entry.name == READABLE.name else {},
            **{name: entry.metrics.get(name) for name in comparison.names},
            "fit_seconds": entry.fit_seconds,
        }
        for entry in comparison.entries
    ]


def measure_all(
    algorithms: Sequence[Algorithm], default: Algorithm, split: Split, on_step: OnStep = quiet
) -> list[Measured]:
    """Fit each algorithm on the training part and measure it on the test part.

    What is compiled, or loaded, is so just before, and not in the seconds of the fit. The default
    gets intervals of its groups.
    """
    measured = []
    for place, algorithm in enumerate(algorithms, start=1):
        on_step(place, N_STEPS, f"fitting and measuring {algorithm.name}")
        compile_for(algorithm)
        measured.append(fit_and_measure(algorithm, split, group_intervals=algorithm == default))
    return measured


def comparison_of(measured: Sequence[Measured], split: Split) -> Comparison:
    """The algorithms side by side, in the same order; without intervals."""
    entries = tuple(
        Entry(
            one.algorithm.name,
            repr(one.algorithm),
            one.evaluation.metrics,
            intervals={},
            resampled={},
            fit_seconds=one.evaluation.fit_seconds,
            test_seconds=one.evaluation.test_seconds,
        )
        for one in measured
    )
    names = dict.fromkeys(name for one in measured for name in one.evaluation.metrics)
    relevant_from = measured[-1].evaluation.relevant_from
    return Comparison(entries, tuple(names), split.description, relevant_from, split.origin)


def least_like_popularity(model: Model) -> ListPair:
    """The list least like that of popularity, of those with a typical number of ratings.

    These are the middle half of the people; of equals it is the first.
    """
    counts = model.seen.counts
    fewest, most = np.quantile(counts[counts > 0], MIDDLE_HALF)
    typical = np.flatnonzero((counts >= fewest) & (counts <= most))
    return min(list_pairs(model, typical.tolist()), key=lambda pair: pair.shared)


def taste_strength(model: FactorModel, user: str) -> np.ndarray:
    """What each taste adds to a user's score of the average item: (n_factors,)."""
    strength: np.ndarray = model.user_factors[model.user_row(user)] * model.item_factors.mean(0)
    return strength


def profile_of(tastes: Tastes, strength: np.ndarray) -> dict[str, float]:
    """The share of each taste in a user's ``strength`` (n_factors,), the largest first."""
    share = strength / strength.sum()
    return {tastes[f].name: float(share[f]) for f in np.argsort(-share, kind="stable").tolist()}
