"""The scale that ratings are given on."""

from math import ceil, floor
from typing import NamedTuple

import numpy as np

from matinee.display.text import figure
from matinee.errors import BadRatings

STEPS = (1.0, 0.5, 0.25, 0.2, 0.1)  # between the ratings of a scale, the widest first
RATINGS_PER_STRAY = 1_000  # one of so many may lie off the step
OFF_STEP = 1e-3  # of a step; less is rounding


class Scale(NamedTuple):
    """The lowest and the highest rating that can be given."""

    low: float
    high: float

    @classmethod
    def of(cls, ratings: np.ndarray) -> "Scale":
        """The scale that ratings (n,) show: their smallest and largest value."""
        return cls(float(ratings.min()), float(ratings.max()))

    def targets(self, ratings: np.ndarray, lowest: float) -> np.ndarray:
        """What models of choices fit in the place of ratings: (n_ratings,) float32.

            x = lowest + (1 - lowest) (r - low) / (high - low)

        The lowest rating counts ``lowest`` and the highest 1; all count 1 on a scale of one value.
        """
        if lowest == 1 or self.high == self.low:
            return np.ones(len(ratings), np.float32)
        slope = (1 - lowest) / (self.high - self.low)
        targets: np.ndarray = 1 - slope * (self.high - ratings.astype(np.float64))
        return targets.astype(np.float32)

    @property
    def middle(self) -> float:
        """Half way from the lowest to the highest rating; what is below it was rated low."""
        return (self.low + self.high) / 2

    @property
    def liked_from(self) -> float:
        """From which rating on something was liked, where nobody says otherwise."""
        return self.low + 0.75 * (self.high - self.low)

    def least_liked(self, ratings: np.ndarray) -> float:
        """The least rating that can be given from ``liked_from`` up, going by ratings (n,).

        ``liked_from`` itself unless all ratings are whole or half stars.
        """
        step = step_of(ratings)
        if step is None or step < 0.5:
            return self.liked_from
        return min(ceil(self.liked_from / step) * step, self.high)

    def beside(self, rating: float, step: float) -> tuple[float, ...]:
        """The ratings on a step that lie around one that does not; none where it does.

        The ends of a scale can always be given.
        """
        place = rating / step
        if rating in self or abs(place - round(place)) < OFF_STEP:
            return ()
        below, above = (round(edge(place) * step, 6) for edge in (floor, ceil))
        return max(below, self.low), min(above, self.high)

    def __str__(self) -> str:
        return f"{figure(self.low)}..{figure(self.high)}"


def step_of(ratings: np.ndarray) -> float | None:
    """The widest of ``STEPS`` that ratings (n_ratings,) are multiples of; None where none is.

    One rating in a thousand may lie off it.
    """
    for step in STEPS:
        places = ratings.astype(np.float64) / step
        n_off = np.count_nonzero(np.abs(places - np.rint(places)) > OFF_STEP)
        if n_off * RATINGS_PER_STRAY <= len(ratings):
            return step
    return None


def checked_rating(item: object, value: object, scale: Scale) -> float:
    """The rating of an item as a number. Raises BadRatings unless it is finite and on the scale."""
    try:
        rating = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise BadRatings(f"the rating of item {item!r} is {value!r}, not a number") from None
    if not np.isfinite(rating):
        raise BadRatings(f"the rating of item {item!r} is {rating}, not a finite number")
    if not scale.low <= rating <= scale.high:
        raise BadRatings(f"the rating of item {item!r} is {rating:g}, outside {scale}")
    return rating
