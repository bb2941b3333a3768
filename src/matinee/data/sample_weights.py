"""Weights of ratings: what may be one, and how they are read."""

import numpy as np

from matinee.errors import BadRatings

A_WEIGHT = "a weight is a number from 1e-38 to 3e38"  # which float32 holds, and above 0


def is_weight(weights: np.ndarray) -> np.ndarray:
    """Which of some numbers (n,) float32 may be weights: finite and above 0."""
    return np.asarray(np.isfinite(weights) & (weights > 0))


def weights_of(values: np.ndarray) -> np.ndarray:
    """Values (n,) as float32: NaN for what is no number, infinite or 0 beyond its range."""
    if values.dtype.kind in "OUS":
        values = np.array([_number(value) for value in values], dtype=np.float64)
    with np.errstate(over="ignore", under="ignore"):
        weights: np.ndarray = np.array(values, dtype=np.float32, order="C")
    return weights


def checked_weight(item: object, value: object) -> float:
    """The weight of the rating of an item. Raises BadRatings unless it may be one."""
    weights = weights_of(np.array([value], dtype=object))
    if not is_weight(weights).all():
        raise BadRatings(f"the weight of item {item!r} is {value!r}; {A_WEIGHT}")
    return float(weights[0])


def _number(value: object) -> float:
    """A value as a number, NaN where it is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return np.nan
