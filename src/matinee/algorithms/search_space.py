"""Where the settings of an algorithm are worth searching: each field states its own dimension.

    n_factors: int = setting(50, "length of p_u and q_i", search=Whole(8, 128, log=True))

A dimension draws a value, lists values for a grid, and knows when a value lies at its edge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Any, Protocol

import numpy as np

from matinee.errors import Advice, BadSetting

EDGE = 0.05  # of a range at each end: an optimum there asks for a wider range


class Dimension(Protocol):
    """The values that one setting may take in a search."""

    def draw(self, rng: np.random.Generator) -> object:
        """A random value."""

    def grid(self, points: int) -> Sequence[object]:
        """At most ``points`` values that span it; all of them where they are named one by one."""

    def ends(self) -> Sequence[object]:
        """The values to try whether the setting can take them."""

    def edge(self, value: Any) -> str | None:
        """ "lower" or "upper" where a value lies at that end of a range, else None."""


@dataclass(frozen=True)
class Real:
    """A number from ``low`` to ``high``; ``log`` for one whose factors matter, not its sums."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (isfinite(self.low) and isfinite(self.high) and self.low < self.high):
            raise BadSetting(f"{self.low}..{self.high} is no range; low must be below high")
        if self.log and self.low <= 0:
            raise BadSetting(f"a range by factors cannot begin at {self.low}; begin above 0")

    def _place(self, value: float) -> float:
        """Where a value lies, 0 at the low end and 1 at the high."""
        if self.log:
            value = max(value, self.low)
            return log(value / self.low) / log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def _at(self, place: float) -> float:
        if self.log:
            return exp(log(self.low) + place * log(self.high / self.low))
        return self.low + place * (self.high - self.low)

    def draw(self, rng: np.random.Generator) -> float:
        return float(f"{self._at(rng.random()):.4g}")  # four digits are enough, and can be typed

    def grid(self, points: int) -> list[float]:
        return [float(f"{self._at(place):.4g}") for place in np.linspace(0, 1, points).tolist()]

    def ends(self) -> list[float]:
        return [self.low, self.high]

    def edge(self, value: float) -> str | None:
        place = self._place(value)
        return "lower" if place < EDGE else "upper" if place > 1 - EDGE else None


@dataclass(frozen=True)
class Whole:
    """A whole number from ``low`` to ``high``, both included."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        if not all(isinstance(end, int) for end in (self.low, self.high)):
            raise BadSetting(f"{self.low}..{self.high} should have whole ends")
        Real(self.low, self.high, self.log)

    def draw(self, rng: np.random.Generator) -> int:
        if not self.log:
            return int(rng.integers(self.low, self.high + 1))
        return min(int(Real(self.low, self.high + 1, log=True).draw(rng)), self.high)

    def grid(self, points: int) -> list[int]:
        places = np.linspace(0, 1, points).tolist()
        reals = Real(self.low, self.high, self.log)
        return sorted({round(reals._at(place)) for place in places})

    def ends(self) -> list[int]:
        return [self.low, self.high]

    def edge(self, value: int) -> str | None:
        return Real(self.low, self.high, self.log).edge(value)


@dataclass(frozen=True, init=False)
class Choice:
    """One of some values, such as names; they have no edge."""

    values: tuple[object, ...]

    def __init__(self, *values: object) -> None:
        if len(set(values)) != len(values) or not values:
            raise BadSetting(f"a choice is among different values, at least one, not {values}")
        object.__setattr__(self, "values", values)

    def draw(self, rng: np.random.Generator) -> object:
        return self.values[int(rng.integers(len(self.values)))]

    def grid(self, points: int) -> Sequence[object]:
        return list(self.values)

    def ends(self) -> Sequence[object]:
        return list(self.values)

    def edge(self, value: object) -> None:
        return None


Space = Mapping[str, Dimension]


def as_dimension(name: str, given: "Dimension | Sequence[object]") -> Dimension:
    """A dimension as it is; a list of values, as a grid of scikit-learn has, as a choice.

    Raises BadSetting for anything else.
    """
    if isinstance(given, list | tuple) and given:
        return Choice(*given)
    if not isinstance(given, Real | Whole | Choice):
        raise BadSetting(
            f"the space of {name} is {given!r}; give ",
            Advice(
                "a list of values, or Real(low, high) or Whole(low, high) of "
                "matinee.algorithms.search_space",
                "--space SETTING=LOW..HIGH",
            ),
        )
    return given
