"""How far predicted ratings are from the ratings given, in stars.

Each test rating counts once, so active users and popular items weigh more. Sums run in float64;
a NaN among the predictions makes the result NaN.
"""

import numpy as np

from matinee.display.text import counted
from matinee.errors import MatineeError


def rmse(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Root mean squared error: ``sqrt(mean((actual - predicted)^2))``, over all test ratings.

    Raises MatineeError when there is nothing to compare or the lengths differ.
    """
    return float(np.sqrt(np.mean(squared_errors(actual, predicted))))


def mae(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Mean absolute error: ``mean(|actual - predicted|)``, over all test ratings.

    Raises MatineeError when there is nothing to compare or the lengths differ.
    """
    return float(np.mean(absolute_errors(actual, predicted)))


def squared_errors(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """``(actual - predicted)^2`` of each rating; raises as ``rmse`` does."""
    squares: np.ndarray = _errors(actual, predicted) ** 2
    return squares


def absolute_errors(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """``|actual - predicted|`` of each rating; raises as ``mae`` does."""
    sizes: np.ndarray = np.abs(_errors(actual, predicted))
    return sizes


def _errors(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    if len(actual) == 0 or len(actual) != len(predicted):
        raise MatineeError(
            f"{counted(len(actual), 'rating')} cannot be compared with "
            f"{counted(len(predicted), 'prediction')}; "
            "give one prediction for each of at least one rating"
        )
    return np.asarray(actual, dtype=np.float64) - np.asarray(predicted, dtype=np.float64)
