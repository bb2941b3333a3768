"""Scores of (user, item) pairs under a factor model."""

import numpy as np

from matinee.kernels.jit import kernel


@kernel
def score_pairs(start, stop, user, item, mean, user_bias, item_bias, P, Q, out):
    """out[j] = mean + user_bias[u] + item_bias[i] + P[u] . Q[i] for the pairs start..stop."""
    for j in range(start, stop):
        u, i = user[j], item[j]
        dot = np.float32(0.0)
        for f in range(P.shape[1]):
            dot += P[u, f] * Q[i, f]
        out[j] = mean + user_bias[u] + item_bias[i] + dot
