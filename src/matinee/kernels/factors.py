"""Scores of (user, item) pairs under a factor model, and sums of factors over histories."""

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


@kernel
def add_rows(start, stop, indptr, indices, Z, S):
    """S[u] += the sum of the rows of Z (n_cols, k) that row u lists, for the rows start..stop."""
    for u in range(start, stop):
        for j in range(indptr[u], indptr[u + 1]):
            for f in range(S.shape[1]):
                S[u, f] += Z[indices[j], f]
