"""Scores under a factor model: of pairs, of whole blocks, and how far they are from ratings.

score(u, i) = mean + user_bias[u] + item_bias[i] + user_factors[u] . item_factors[i]
"""

from typing import Protocol

import numpy as np

from matinee.kernels.blas import one_blas_thread
from matinee.kernels.jit import kernel, read_only
from matinee.kernels.threads import run_rows

CHUNK = 16_384  # ratings whose squared errors are summed by one thread


class Side(Protocol):
    """The users or the items of a factor model."""

    @property
    def factors(self) -> np.ndarray:
        """(n, n_factors) float32"""

    @property
    def bias(self) -> np.ndarray:
        """(n,) float32"""


def score_pairs(
    mean: float, users: Side, items: Side, user: np.ndarray, item: np.ndarray
) -> np.ndarray:
    """The scores (n,) float32 of pairs of row numbers ``user`` and ``item`` (n,)."""
    scores = np.empty(len(user), np.float32)
    run_rows(
        _score_pairs,
        np.ones(len(user)),
        read_only(user, np.int32),
        read_only(item, np.int32),
        np.float32(mean),
        *_arrays(users, items),
        scores,
    )
    return scores


@kernel
def _score_pairs(start, stop, user, item, mean, user_bias, item_bias, P, Q, out):
    for j in range(start, stop):
        u, i = user[j], item[j]
        dot = np.float32(0.0)
        for f in range(P.shape[1]):
            dot += P[u, f] * Q[i, f]
        out[j] = mean + user_bias[u] + item_bias[i] + dot


def score_block(mean: float, users: Side, items: Side, out: np.ndarray | None = None) -> np.ndarray:
    """The scores (n_users, n_items) float32 of all these users for all these items.

    They are written into ``out`` where it is given.
    """
    with one_blas_thread():
        scores: np.ndarray = np.matmul(users.factors, items.factors.T, out=out)
    user_bias = np.float32(mean) + users.bias
    _add_biases(read_only(user_bias, np.float32), read_only(items.bias, np.float32), scores)
    return scores


@kernel
def _add_biases(user_bias, item_bias, scores):
    """scores[b, c] += user_bias[b] + item_bias[c], in one pass over scores (n_users, n_items)."""
    for b in range(scores.shape[0]):
        bias = user_bias[b]
        for c in range(scores.shape[1]):
            scores[b, c] += bias + item_bias[c]


def squared_errors(
    mean: float,
    users: Side,
    items: Side,
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray],
    bounds: tuple[float, float] = (-np.inf, np.inf),
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Summed squared errors of CHUNK ratings at a time: (n_chunks,) float64, in squared stars.

    ``pairs`` are the row numbers of users and items and the ratings, (n,) each. Scores are clipped
    to ``bounds``, the lowest and the highest. ``weights`` (n,) multiply the squares.
    """
    user, item, rating = pairs
    sums = np.empty(-(-len(rating) // CHUNK))
    run_rows(
        _squared_errors,
        np.ones(len(sums)),
        read_only(user, np.int32),
        read_only(item, np.int32),
        read_only(rating, np.float32),
        None if weights is None else read_only(weights, np.float32),
        np.float32(mean),
        *_arrays(users, items),
        (float(bounds[0]), float(bounds[1])),
        sums,
    )
    return sums


@kernel
def _squared_errors(
    start, stop, user, item, rating, weights, mean, user_bias, item_bias, P, Q, bounds, out
):
    """``squared_errors`` of the chunks start..stop."""
    lowest, highest = bounds
    for chunk in range(start, stop):
        total = 0.0
        for j in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(user))):
            u, i = user[j], item[j]
            dot = np.float32(0.0)
            for f in range(P.shape[1]):
                dot += P[u, f] * Q[i, f]
            score = mean + user_bias[u] + item_bias[i] + dot
            if score < lowest:  # and not min and max, which would hide NaN
                score = lowest
            elif score > highest:
                score = highest
            error = np.float64(rating[j] - score)
            total += error * error * (1.0 if weights is None else weights[j])
        out[chunk] = total


def _arrays(users: Side, items: Side) -> list[np.ndarray]:
    arrays = (users.bias, items.bias, users.factors, items.factors)
    return [read_only(array, np.float32) for array in arrays]
