"""Doubts about a scale that nobody gave: a few ratings that may not mean what the others do.

    strays     1..5 and one 50, or one 6 among thousands: slips, which widen the scale
    zeros      0 for a third and more, where the others are 1..10: no rating was given
    returns    a few below 0, where all are whole quantities: purchases that were taken back

Such a scale is that of the smallest and the largest rating. The ratings in doubt are kept, as they
may be right, and warned of.
"""

import warnings
from typing import NamedTuple

import numpy as np

from matinee.data.read_report import Case
from matinee.data.scale import RATINGS_PER_STRAY, Scale
from matinee.data.signal import WIDEST_STARS
from matinee.display.text import counted, percent
from matinee.errors import Advice, MatineeWarning, Message, Option

FEWEST_RATINGS = 50  # that tell a scale from its strays
COMMON_SCALES = {
    Scale(*ends)
    for ends in ((1, 5), (0.5, 5), (0, 5), (1, 7), (1, 10), (0, 10), (1, 100), (0, 100))
}
ALMOST_A_STEP = 0.75  # beyond which a rating lies a whole step outside a common scale
FEWEST_AT_ENDS = 0.01  # share of ratings at each end of a common scale that is whole
MANY_ZEROS = 1 / 3  # share of ratings
FEW_RETURNS = 0.2  # share of ratings


class Doubt(NamedTuple):
    """Ratings that may not mean what the others do."""

    usual: Scale  # of the others
    which: str  # what the ratings in doubt are
    meaning: str  # what they may mean
    remedy: Message = ()  # beside setting them aside


def doubt_of(values: np.ndarray, counts: np.ndarray) -> Doubt | None:
    """The doubt about different ratings (n,), ascending, that occur ``counts`` (n,) times each.

    None where all seem to mean alike.
    """
    usual = usual_scale(values, counts)
    if usual != Scale.of(values):
        return Doubt(usual, "outside all others", "they are slips")
    total, above = int(counts.sum()), values > 0
    if total < FEWEST_RATINGS or np.count_nonzero(above) < 2:
        return None
    places = np.cumsum(counts[above])
    median = float(values[above][np.searchsorted(places, (places[-1] + 1) // 2)])
    if values[0] == 0 and counts[0] >= MANY_ZEROS * total and is_stars(values[above], median):
        count = (", and ", Option("duplicates", "count"), " takes every row for a choice")
        share = f"of 0 ({percent(counts[0] / total)} of all) beside others"
        return Doubt(Scale.of(values[above]), share, "0 means that no rating was given", count)
    n_below, is_whole = int(counts[values < 0].sum()), np.array_equal(values, np.rint(values))
    if is_whole and 0 < n_below <= FEW_RETURNS * total and values[0] != -values[-1]:
        add = (", and ", Option("duplicates", "sum"), " adds up the rows of one user and item")
        return Doubt(
            Scale.of(values[values >= 0]), "below 0 beside others", "they take purchases back", add
        )
    return None


def is_stars(values: np.ndarray, median: float) -> bool:
    """Whether ratings above 0 (n,) are those of a scale from 1 rather than counts or shares."""
    return len(values) > 2 and values[0] >= 1 and values[-1] <= WIDEST_STARS * median


def usual_scale(values: np.ndarray, counts: np.ndarray) -> Scale:
    """The scale without its strays; all of it where there are none.

    Without one in a thousand ratings at either end the others lie in low..high. Strays are farther
    from these than high - low; or a whole step, where low..high is a common scale that is used to
    its ends. Counts, which reach far above their median, have none.

    ``values`` (n,) are the different ratings, ascending, and ``counts`` (n,) how many have each.
    """
    total = int(counts.sum())
    if total < FEWEST_RATINGS:
        return Scale.of(values)
    few = max(1, total // RATINGS_PER_STRAY)
    places = np.searchsorted(np.cumsum(counts), [few + 1, (total + 1) // 2, total - few])
    low, median, high = values[places].tolist()
    if low == high or (low >= 0 and high > WIDEST_STARS * median):
        return Scale.of(values)
    at_ends = counts[places[[0, 2]]].min()
    common = Scale(low, high) in COMMON_SCALES and at_ends >= FEWEST_AT_ENDS * total
    width = ALMOST_A_STEP if common and total >= RATINGS_PER_STRAY else high - low
    return Scale.of(values[(values >= low - width) & (values <= high + width)])


def warn_of(doubt: Doubt, name: str, n: int, first: Case) -> None:
    """Warn of a doubt about ``n`` ratings of a source, with the first of them and the remedies."""
    low, high = doubt.usual
    warnings.warn(
        MatineeWarning(
            f"{name}: {counted(n, 'rating')} {doubt.which}, which are {doubt.usual} ({first}); "
            f"the scale is inferred from all. If {doubt.meaning}, ",
            Advice(f"scale=({low:g}, {high:g})", f"--scale {low:g},{high:g}"),
            " sets them aside",
            *doubt.remedy,
        ),
        stacklevel=2,
    )
