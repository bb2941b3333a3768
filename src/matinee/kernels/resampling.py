"""The draws of the bootstrap (Efron 1979), the intervals that they give, and what these decide.

Each draw takes as many rows as there are, with replacement. It depends on the seed and the number
of rows alone, so values of the same rows are resampled alike and can be compared draw by draw.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from matinee.kernels.blas import one_blas_thread

LEVEL = 0.95  # of the intervals
DRAWS = 1000
BLOCK_COUNTS = 8_000_000  # how often rows are drawn, held at once: 64 MB

Verdict = Literal["better", "tied", "worse"]


def resampled_sums(values: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """The sum over each draw of the rows of ``values`` (n, k): (draws, k) float64."""
    n_rows = len(values)
    sums = np.empty((draws, values.shape[1]))
    step = max(1, BLOCK_COUNTS // n_rows)
    for first in range(0, draws, step):
        counts = [_counts(n_rows, seed, draw) for draw in range(first, min(first + step, draws))]
        with np.errstate(invalid="ignore"), one_blas_thread():
            sums[first : first + step] = np.array(counts, dtype=np.float64) @ values
    return sums


def _counts(n_rows: int, seed: int, draw: int) -> np.ndarray:
    rng = np.random.default_rng((seed, draw))
    return np.bincount(rng.integers(0, n_rows, n_rows), minlength=n_rows)


def interval(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """The central 95 % of resampled values."""
    low, high = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def interval_of_mean(values: np.ndarray) -> tuple[float, float]:
    """The interval of the mean of ``values`` (n,)."""
    return interval(resampled_sums(values[:, None])[:, 0] / len(values))


def verdict_of(difference: Sequence[float]) -> Verdict:
    """What the interval of a difference says; tied where the difference may be 0."""
    low, high = difference
    return "better" if low > 0 else "worse" if high < 0 else "tied"
