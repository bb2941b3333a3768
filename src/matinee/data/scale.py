"""The scale that ratings are given on."""

from math import ceil
from typing import NamedTuple

import numpy as np

from matinee.display.text import figure
from matinee.errors import BadRatings


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
        for step in (1.0, 0.5):
            if (ratings % step == 0).all():
                return min(ceil(self.liked_from / step) * step, self.high)
        return self.liked_from

    def __str__(self) -> str:
        return f"{figure(self.low)}..{figure(self.high)}"


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
