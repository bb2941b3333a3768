"""The uncertainty of metrics, by bootstrap over users.

Users are resampled, not ratings, as the ratings of one user are not independent. A resample draws
as many test users as there are, with replacement, and every metric is computed again from their
totals (Efron 1979).
The draws depend on the seed and the number of users alone, so models measured on the same test
part are resampled alike and can be compared draw by draw.
"""

from collections.abc import Sequence

import numpy as np

from matinee.evaluation.results import UserScores
from matinee.kernels.blas import one_blas_thread

LEVEL = 0.95  # of the intervals
DRAWS = 1000
BLOCK_COUNTS = 8_000_000  # how often users are drawn, held at once: 64 MB


def resample(scores: UserScores, draws: int = DRAWS, seed: int = 0) -> dict[str, np.ndarray]:
    """Each metric on ``draws`` resamples of the users: (draws,) float64, NaN where undefined."""
    names = [name for name, weight in scores.weights.items() if weight.sum() > 0]
    if not names:
        return {}
    totals = np.column_stack([scores.totals[name] for name in names])
    weights = np.column_stack([scores.weights[name] for name in names])
    n_users = len(totals)
    means = np.empty((draws, len(names)))
    step = max(1, BLOCK_COUNTS // n_users)
    for first in range(0, draws, step):
        counts = [_counts(n_users, seed, draw) for draw in range(first, min(first + step, draws))]
        times = np.array(counts, dtype=np.float64)
        with np.errstate(invalid="ignore"), one_blas_thread():
            means[first : first + step] = (times @ totals) / (times @ weights)
    return {name: scores.finish(name, means[:, place]) for place, name in enumerate(names)}


def _counts(n_users: int, seed: int, draw: int) -> np.ndarray:
    rng = np.random.default_rng((seed, draw))
    return np.bincount(rng.integers(0, n_users, n_users), minlength=n_users)


def interval(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """The central 95 % of resampled values."""
    low, high = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def tied(one: Sequence[float] | np.ndarray, other: Sequence[float] | np.ndarray) -> bool:
    """Whether two metrics, resampled alike, may be equal: their difference may be 0."""
    low, high = interval(np.asarray(one) - np.asarray(other))
    return low <= 0 <= high
