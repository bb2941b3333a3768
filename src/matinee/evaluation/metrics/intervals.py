"""Whether the intervals that a model gives for its predictions hold what they promise.

They are measured on the test ratings of at most 50 users, drawn with a fixed seed from those who
have training ratings; users and items that the model knows nothing of are not judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LEVELS = (0.5, 0.8, 0.9, 0.95)  # promised chances that a rating lies inside its interval
WIDTH_LEVEL = 0.9


@dataclass(frozen=True, eq=False)
class IntervalTest:
    """Test ratings, and at each promised level the interval (low, high) that was given for each."""

    actual: np.ndarray  # (n,)
    intervals: Mapping[float, tuple[np.ndarray, np.ndarray]]  # level -> (n,), (n,)
    user: np.ndarray | None = None  # (n,): whose ratings they are, to resample by

    def inside(self, level: float) -> np.ndarray:
        """Which ratings lie in their interval of a level, ends included: bool (n,)."""
        low, high = self.intervals[level]
        held: np.ndarray = (self.actual >= low) & (self.actual <= high)
        return held


def interval_gap(test: IntervalTest) -> float:
    """Mean over the levels 0.5, 0.8, 0.9, 0.95 of ``|share of ratings inside - level|``.

    0 is perfectly calibrated: of the 90 % intervals, 90 % hold their rating. Ends are inside. Each
    test rating counts once.
    """
    gaps = [abs(float(np.mean(test.inside(level))) - level) for level in test.intervals]
    return float(np.mean(gaps))


def interval_width(test: IntervalTest) -> float:
    """Mean width ``high - low`` of the 90 % intervals, in stars.

    Of two models that are as well calibrated, the one with the narrower intervals knows more.
    """
    low, high = test.intervals[WIDTH_LEVEL]
    return float(np.mean(np.asarray(high, dtype=np.float64) - low))
