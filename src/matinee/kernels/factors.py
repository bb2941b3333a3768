"""Scores of (user, item) pairs under a factor model, and sums of factors over histories."""

import numpy as np

from matinee.kernels import tiles
from matinee.kernels.jit import kernel
from matinee.kernels.tiles import AT_ONCE
from matinee.kernels.vectors import ROWS

CHUNK = 16_384  # ratings whose squared errors are summed by one thread


@kernel
def score_pairs(start, stop, user, item, mean, user_bias, item_bias, P, Q, out):
    """out[j] = mean + user_bias[u] + item_bias[i] + P[u] . Q[i] for the pairs start..stop."""
    for j in range(start, stop):
        u, i = user[j], item[j]
        dot = np.float32(0.0)
        for f in range(P.shape[1]):
            dot += P[u, f] * Q[i, f]
        out[j] = mean + user_bias[u] + item_bias[i] + dot


@kernel
def add_biases(user_bias, item_bias, scores):
    """scores[b, c] += user_bias[b] + item_bias[c], in one pass over scores (n_users, n_items)."""
    for b in range(scores.shape[0]):
        bias = user_bias[b]
        for c in range(scores.shape[1]):
            scores[b, c] += bias + item_bias[c]


@kernel
def square_errors(start, stop, user, item, rating, mean, user_bias, item_bias, P, Q, scale, out):
    """out[chunk] = the squared errors of CHUNK scores, summed, for the chunks start..stop.

    Scores are those of ``score_pairs``, clipped to ``scale``, the lowest and the highest.
    """
    lowest, highest = scale
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
            total += error * error
        out[chunk] = total


@kernel
def add_rows(start, stop, indptr, indices, Z, S):
    """S[u] += the sum of the rows of Z (n_cols, k) that row u lists, for the rows start..stop.

    S (n_rows, k) is float64, and its rows are added in the order of the list.
    """
    k = S.shape[1]
    parts = -(-k // (AT_ONCE * ROWS))
    for u in range(start, stop):
        first, last = indptr[u], indptr[u + 1]
        if k >= ROWS:
            for part in range(parts):
                f, g = part * k // parts, (part + 1) * k // parts
                tiles.add_listed(Z, indices, first, last, S, u, f, g)
        else:
            for j in range(first, last):
                for f in range(k):
                    S[u, f] += Z[indices[j], f]
