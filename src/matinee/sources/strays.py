"""Strays: a few ratings so far outside all others that they look like slips.

A scale that nobody gives is that of the smallest and the largest rating. One 50 among 1..5 makes it
1..50, and the data look like counts; so it is kept, as it may be right, and warned of.
"""

import warnings

import numpy as np

from matinee.data.read_report import Case
from matinee.data.scale import RATINGS_PER_STRAY, Scale
from matinee.data.signal import WIDEST_STARS
from matinee.display.text import counted
from matinee.errors import Advice, MatineeWarning

FEWEST_RATINGS = 50  # that tell a scale from its strays


def usual_scale(values: np.ndarray, counts: np.ndarray) -> Scale:
    """The scale without its strays; all of it where there are none.

    Without one in a thousand ratings at either end the others lie in low..high. Strays are farther
    from these than high - low. Counts, which reach far above their median, have none.

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
    width = high - low
    return Scale.of(values[(values >= low - width) & (values <= high + width)])


def warn_of_strays(name: str, n: int, first: Case, usual: Scale) -> None:
    """Warn of ``n`` strays of a source, with the first of them and how to set them aside."""
    low, high = usual
    warnings.warn(
        MatineeWarning(
            f"{name}: {counted(n, 'rating')} far outside all others, which are {usual} ({first}); "
            "the scale is inferred from them too. If they are slips, ",
            Advice(f"scale=({low:g}, {high:g})", f"--scale {low:g},{high:g}"),
            " sets them aside",
        ),
        stacklevel=2,
    )
