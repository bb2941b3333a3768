"""What the numbers of a table of ratings are: stars given, counts of plays, or bare choices.

    choices    all are equal: a row says that the user chose the item, and no more
    counts     none is negative and the highest is over 10 times the median: plays, hours, visits
    stars      all else

A scale that people give stars on does not reach so far above its median: 1..5 ends at 5 times its
lowest rating, and on 1..10 or 1..100 the lowest is hardly ever the usual one. Only stars are worth
predicting. Of counts and choices the question is which items come next.
"""

from typing import Literal, NamedTuple

import numpy as np

from matinee.display.text import figure

WIDEST_STARS = 10.0  # highest rating over the median, above which ratings are counts

Kind = Literal["stars", "counts", "choices"]


class Signal(NamedTuple):
    """The kind of ratings, and the numbers that decided it."""

    kind: Kind
    median: float  # of the ratings above 0, or of all where none is
    highest: float

    @classmethod
    def of(cls, rating: np.ndarray) -> "Signal":
        """The signal of the ratings (n_ratings,), at least one."""
        lowest, highest = float(rating.min()), float(rating.max())
        positive = rating[rating > 0]
        median = float(np.median(positive if len(positive) else rating))
        if lowest == highest:
            return cls("choices", median, highest)
        wide = lowest >= 0 and highest > WIDEST_STARS * median
        return cls("counts" if wide else "stars", median, highest)

    @property
    def graded(self) -> bool:
        """Whether the ratings are stars: how much each item was liked."""
        return self.kind == "stars"

    def __str__(self) -> str:
        if self.kind == "choices":
            return f"choices: every rating is {figure(self.highest)}"
        if self.kind == "counts":
            return f"counts: up to {figure(self.highest)}, half are at most {figure(self.median)}"
        return "stars"
