"""Means, and differences of two means, with an interval that holds at every look.

Units (users) come one by one and are assigned at random to one of two arms. With n_a and n_b units,
t = n_a + n_b, and v = s_a^2 / n_a + s_b^2 / n_b the squared standard error of the difference,

    mean_b - mean_a  +-  sqrt( 2 v (1 + 1 / x) log( sqrt(x + 1) / alpha ) ),    x = t rho^2,

is an asymptotic confidence sequence: with probability 1 - alpha it holds the true difference at all
times together, so that one may look as often as one likes and stop when it excludes 0. The mean of
one arm has the same interval with t = n_a and v = s_a^2 / n_a
(Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024, Annals of Statistics 52, theorem 2.2; the
boundary is the normal mixture of Robbins 1970). rho makes it narrowest at about TIGHTEST units
(Howard, Ramdas, McAuliffe & Sekhon 2021, section 3.5). A variance is taken with one unit of 0 and
one of 1 added, so that an arm without a click is not certain of having none.
"""

import math
from typing import NamedTuple

TIGHTEST = 1000  # units at which the interval is narrowest beside that of a single look
MIN_UNITS = 30  # of an arm, for the normal approximation


class Sample(NamedTuple):
    """Values from 0 to 1 of the units of an arm, as sums."""

    n: int
    total: float
    squares: float  # sum of the squared values

    @property
    def mean(self) -> float:
        """The mean of the values; 0 of none."""
        return self.total / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """The variance of the values, with a 0 and a 1 added."""
        n, total, squares = self.n + 2, self.total + 1, self.squares + 1
        return (squares - total * total / n) / (n - 1)


class Mean(NamedTuple):
    """The mean of an arm, and the interval at every look."""

    estimate: float
    low: float
    high: float


class Difference(NamedTuple):
    """The mean of one arm less that of another, and the interval at every look."""

    estimate: float
    low: float
    high: float

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return not self.low <= 0 <= self.high


def mean(a: Sample, alpha: float = 0.05) -> Mean | None:
    """mean_a with its confidence sequence, within 0 to 1; None of too few units."""
    if a.n < MIN_UNITS:
        return None
    reach = _reach(a.variance / a.n, a.n, alpha)
    return Mean(a.mean, max(0.0, a.mean - reach), min(1.0, a.mean + reach))


def difference(a: Sample, b: Sample, alpha: float = 0.05) -> Difference | None:
    """mean_b - mean_a with its confidence sequence; None while an arm has too few units."""
    if min(a.n, b.n) < MIN_UNITS:
        return None
    reach = _reach(a.variance / a.n + b.variance / b.n, a.n + b.n, alpha)
    estimate = b.mean - a.mean
    return Difference(estimate, estimate - reach, estimate + reach)


def _reach(squared_error: float, n_units: int, alpha: float) -> float:
    """Half the width of the interval of an estimate with that squared standard error."""
    spread = -2 * math.log(alpha)
    x = n_units * (spread + math.log(spread + 1)) / TIGHTEST
    return math.sqrt(2 * squared_error * (1 + 1 / x) * math.log(math.sqrt(x + 1) / alpha))
