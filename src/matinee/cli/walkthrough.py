"""The demonstration: from the embedded sample to recommendations whose reasons add up.

It computes and does not print; ``matinee demo`` shows what comes out.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from matinee.algorithms import MF, NMF, Algorithm, Bias, Popularity, TruncatedSVD
from matinee.data.describe import Description
from matinee.data.ratings import Ratings
from matinee.display.tables import Table
from matinee.evaluation.evaluate import fit_and_evaluate
from matinee.evaluation.results import Evaluation
from matinee.explain.explanation import Explanation
from matinee.models import FactorModel
from matinee.report import report_of
from matinee.report.origins import SAMPLE
from matinee.sources.sample import sample
from matinee.sources.synthetic import checkerboard
from matinee.splitting import random
from matinee.tastes import Tastes

LIST_LENGTH = 10
TEST_SHARE = 0.2
SEED = 0
READABLE = NMF(n_factors=8, n_epochs=50)  # few enough tastes to read, and time to part them
COMPARED: tuple[Algorithm, ...] = (Popularity(), Bias(), READABLE, MF(), TruncatedSVD())
N_STEPS = len(COMPARED) + 5  # compiling, sample, each algorithm, model, reasons, report
TYPICAL_HISTORY = (40, 150)  # ratings of the person shown: enough to know, not a professional

Tell = Callable[[int, int, str], object]  # steps done, steps in all, what comes now


@dataclass(frozen=True)
class Comparison:
    """Algorithms measured on one held-out part, in the order they were given."""

    split: str  # how the part was held out, in words
    settings: dict[str, dict[str, Any]]  # by algorithm, those that are not the default ones
    results: dict[str, Evaluation]  # by the name of the algorithm

    def to_dicts(self) -> list[dict[str, Any]]:
        """One plain dict an algorithm; a metric that does not apply is None."""
        names = list(dict.fromkeys(name for one in self.results.values() for name in one.metrics))
        return [
            {
                "algorithm": algorithm,
                "settings": self.settings[algorithm],
                **{name: result.metrics.get(name) for name in names},
                "fit_seconds": result.fit_seconds,
            }
            for algorithm, result in self.results.items()
        ]


@dataclass(frozen=True)
class Demo:
    """All that the demonstration found out."""

    description: Description
    comparison: Comparison
    model: FactorModel  # NMF, fitted on all the ratings
    tastes: Tastes
    user: str  # the person shown
    n_rated: int  # ratings they gave
    profile: dict[str, float]  # what each taste makes of their scores, the largest first; sums to 1
    recommendations: Table
    explanation: Explanation  # of the first recommendation
    saved: Path
    report: Path  # beside the model
    next_arguments: tuple[tuple[str, ...], ...]  # of the program, to try next
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "data": {"name": "sample", "simulated": True, **self.description.to_dict()},
            "comparison": {
                "split": self.comparison.split,
                "algorithms": self.comparison.to_dicts(),
            },
            "tastes": self.tastes.to_dicts(),
            "user": {"user_id": self.user, "ratings": self.n_rated, "profile": self.profile},
            "recommendations": self.recommendations.to_dicts(),
            "explanation": self.explanation.to_dict(),
            "model": str(self.saved),
            "report": str(self.report),
            "seconds": self.seconds,
        }


def quiet(done: int, total: int, words: str) -> None:
    """Say nothing."""


def run(out: Path, tell: Tell = quiet) -> Demo:
    """Do everything on the embedded sample and keep the model in the folder ``out``.

    Raises MatineeError when ``out`` holds something that is not a model.
    """
    started = time.perf_counter()
    tell(0, N_STEPS, "compiling, which later runs need not")
    compile_all()
    tell(1, N_STEPS, "simulating people who rate real films")
    ratings = sample()
    comparison = compare(ratings, tell)
    tell(N_STEPS - 3, N_STEPS, f"fitting {READABLE.name} on all ratings")
    model = READABLE.fit(ratings)
    tell(N_STEPS - 2, N_STEPS, "finding films for one person, and the reasons")
    strength = taste_strength(model)
    person = mixed_person(model, strength)
    user = str(model.users.ids[person])
    recommendations = model.recommend(user, LIST_LENGTH)
    first = recommendations.item_id[0]
    saved = model.save(out)
    tell(N_STEPS - 1, N_STEPS, "writing the report")
    report = report_of(
        model,
        ratings,
        origin=SAMPLE,
        evaluation=comparison.results[READABLE.name],
        comparison=comparison.to_dicts(),
    )
    tell(N_STEPS, N_STEPS, "done")
    return Demo(
        description=ratings.describe(),
        comparison=comparison,
        model=model,
        tastes=model.tastes(),
        user=user,
        n_rated=len(ratings.history(user)),
        profile=profile_of(model.tastes(), strength[person]),
        recommendations=recommendations,
        explanation=model.explain(user, first),
        saved=saved,
        report=report.save(out.with_name(f"{out.name}-report.html")),
        next_arguments=(
            ("recommend", str(saved), "--user", user, "-n", "5", "--why"),
            ("explain", str(saved), "--user", user, "--item", first, "--by", "history"),
            ("evaluate", "sample", "--algorithm", "mf", "--split", "by-time"),
        ),
        seconds=time.perf_counter() - started,
    )


def compile_all() -> None:
    """Let every kernel be compiled, or loaded, so that the times measured later are of work."""
    tiny = checkerboard(60)
    for algorithm in COMPARED:
        fit_and_evaluate(algorithm, random(tiny), (LIST_LENGTH,))


def compare(ratings: Ratings, tell: Tell = quiet) -> Comparison:
    """Fit each algorithm on one part of the ratings and measure it on the rest."""
    split = random(ratings, TEST_SHARE, SEED)
    results = {}
    for place, algorithm in enumerate(COMPARED, start=2):
        tell(place, N_STEPS, f"fitting and measuring {algorithm.name}")
        results[algorithm.name] = fit_and_evaluate(algorithm, split, (LIST_LENGTH,))
    settings = {algorithm.name: chosen(algorithm) for algorithm in COMPARED}
    return Comparison(split.description, settings, results)


def chosen(algorithm: Algorithm) -> dict[str, Any]:
    """The settings of an algorithm that are not the default ones."""
    usual = type(algorithm)().settings
    return {name: value for name, value in algorithm.settings.items() if value != usual[name]}


def taste_strength(model: FactorModel) -> np.ndarray:
    """What each taste adds to somebody's score of an average item: (n_users, n_factors)."""
    strength: np.ndarray = model.user_factors * model.item_factors.mean(axis=0)
    return strength


def mixed_person(model: FactorModel, strength: np.ndarray) -> int:
    """The row of the person whose third taste is strongest, among typical raters."""
    third = np.sort(strength, axis=1)[:, -3]
    fewest, most = TYPICAL_HISTORY
    counts = model.seen.counts
    return int(np.argmax(np.where((counts >= fewest) & (counts <= most), third, -np.inf)))


def profile_of(tastes: Tastes, strength: np.ndarray) -> dict[str, float]:
    """The share of each taste in what somebody's tastes add, the largest first."""
    share = strength / strength.sum()
    return {tastes[f].name: float(share[f]) for f in np.argsort(-share, kind="stable").tolist()}
