"""What a model needs of all its people at once: a few numbers, found piece by piece.

A model folder keeps them, so that a server answers without having read everybody's factors.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from matinee.kernels.blas import gram
from matinee.row_solvers.embeddings import Embeddings
from matinee.tastes.canonical import Moments

KEENEST = 0.95  # of the people at one end of a taste: nobody is made up who loves it more
TYPICAL = 100_000  # most people that the keenest are sought among
PIECE = 1 << 16


class Lovers(NamedTuple):
    """How strong tastes are in people with ratings."""

    usual: np.ndarray  # (k,) float64: the mean of |p_f|
    keenest: np.ndarray  # (k,) float64


def moments_of(factors: np.ndarray) -> Moments:
    """E[x x'] and E[x] over the rows of a side."""
    n = max(len(factors), 1)
    return Moments(gram(factors) / n, factors.sum(axis=0, dtype=np.float64) / n)


def lovers_of(factors: np.ndarray, known: np.ndarray) -> Lovers:
    """Of the people in the marked rows (n,); where they are very many, the keenest of some."""
    total = np.zeros(factors.shape[1])
    for first in range(0, len(factors), PIECE):
        here = slice(first, first + PIECE)
        total += np.abs(factors[here][known[here]]).sum(axis=0, dtype=np.float64)
    rows = np.flatnonzero(known)
    some = rows[:: max(1, len(rows) // TYPICAL)]
    return Lovers(total / max(len(rows), 1), keenest(factors[some]))


def keenest(factors: np.ndarray) -> np.ndarray:
    """What 19 of 20 of the people at the high end of each taste do not exceed, (n_factors,).

    Where nobody is at the high end, what people at the other end do not, away from 0.
    """
    ends = (column[column > 0] if (column > 0).any() else -column for column in factors.T)
    return np.array([np.quantile(end, KEENEST) if len(end) else 0.0 for end in ends])


# As a folder keeps it: the array, and what a model calls it.
KEPT = {
    "average_user": ("crowd_average", "crowd_average_bias"),
    "user_moments": ("crowd_products", "crowd_sums"),
    "n_strongest": ("crowd_strongest",),
    "lovers": ("crowd_usual", "crowd_keenest"),
}


def crowd_arrays(model: Any) -> dict[str, np.ndarray]:
    """What a factor model knows of all its people, as arrays of a folder."""
    found: dict[str, np.ndarray] = {}
    for what, names in KEPT.items():
        value = getattr(model, what)
        arrays = value if isinstance(value, tuple) else (value,)
        for name, array in zip(names, arrays, strict=False):
            found[name] = np.asarray(array).view()
    for array in found.values():
        array.flags.writeable = False
    return found


def crowd_of(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The same by the names of a model's properties; nothing of a folder that keeps none."""
    if "crowd_average" not in arrays:
        return {}
    kinds = {"average_user": Embeddings, "user_moments": Moments, "lovers": Lovers}
    found: dict[str, Any] = {}
    for what, names in KEPT.items():
        values = [arrays[name] for name in names]
        found[what] = kinds[what](*values) if what in kinds else values[0]
    return found
