"""Three rules that choose a size from a curve of losses.

A curve has sizes in ascending order, and for each the mean loss (lower is better) and its standard
error: (n_sizes,) arrays.
"""

from collections.abc import Callable, Sequence

import numpy as np


def one_standard_error(sizes: Sequence[int], loss: np.ndarray, error: np.ndarray) -> int:
    """The smallest size whose loss is within one standard error of the lowest.

    The standard error is that at the lowest loss (Breiman et al. 1984, section 3.4.3). The data
    cannot tell larger sizes from this one, and they cost time and clarity.
    """
    best = int(np.argmin(loss))
    return sizes[int(np.argmax(loss <= loss[best] + error[best]))]


def minimum(sizes: Sequence[int], loss: np.ndarray, error: np.ndarray) -> int:
    """The size with the lowest loss, the smallest of equals."""
    return sizes[int(np.argmin(loss))]


def elbow(sizes: Sequence[int], loss: np.ndarray, error: np.ndarray) -> int:
    """The size where the curve is farthest below the chord from its start to its lowest point.

    Kneedle (Satopaa et al. 2011), both axes scaled to 0..1. With fewer than three points up to the
    lowest there is no bend, and the lowest is chosen.
    """
    last = int(np.argmin(loss))
    if last < 2:
        return sizes[last]
    x = np.asarray(sizes[: last + 1], dtype=np.float64)
    y = np.asarray(loss[: last + 1], dtype=np.float64)
    x, y = (x - x[0]) / (x[-1] - x[0]), (y - y[-1]) / (y[0] - y[-1])
    return sizes[int(np.argmax(1 - x - y))]


RULES: dict[str, Callable[[Sequence[int], np.ndarray, np.ndarray], int]] = {
    "one-se": one_standard_error,
    "minimum": minimum,
    "elbow": elbow,
}
