"""The uncertainty of metrics, by bootstrap over users.

Users are resampled, not ratings, as the ratings of one user are not independent. A resample draws
as many test users as there are, with replacement, and every metric is computed again from their
totals (``matinee.kernels.resampling``). Models measured on the same test part are resampled alike.
"""

from collections.abc import Sequence

import numpy as np

from matinee.evaluation.results import UserScores
from matinee.kernels.resampling import DRAWS, interval, resampled_sums, verdict_of


def resample(scores: UserScores, draws: int = DRAWS, seed: int = 0) -> dict[str, np.ndarray]:
    """Each metric on ``draws`` resamples of the users: (draws,) float64, NaN where undefined."""
    names = [name for name, weight in scores.weights.items() if weight.sum() > 0]
    if not names:
        return {}
    columns = [of[name] for of in (scores.totals, scores.weights) for name in names]
    sums = resampled_sums(np.column_stack(columns), draws, seed)
    with np.errstate(invalid="ignore"):
        means = sums[:, : len(names)] / sums[:, len(names) :]
    return {name: scores.finish(name, means[:, place]) for place, name in enumerate(names)}


def difference(one: UserScores, other: UserScores, metric: str) -> tuple[float, float]:
    """The interval of how much higher a metric is for ``one``, the users resampled alike."""
    draws, others = (resample(scores.only([metric]))[metric] for scores in (one, other))
    return interval(draws - others)


def tied(one: Sequence[float] | np.ndarray, other: Sequence[float] | np.ndarray) -> bool:
    """Whether two metrics, resampled alike, may be equal: their difference may be 0."""
    return verdict_of(interval(np.asarray(one) - np.asarray(other))) == "tied"
