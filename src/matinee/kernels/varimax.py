"""Turning factors two at a time until each row is high on few of them."""

import numpy as np

from matinee.kernels.jit import kernel

TWO = np.float32(2.0)


@kernel
def turn_pairs(L, T):
    """One sweep of Kaiser's planar turns over all pairs of rows of L (k, n); the largest angle.

    Each turn makes the varimax criterion of its two rows largest. L and T (k, k) are overwritten:
    L is float32, since it is read over and over, and T, which is the result, float64.
    """
    k, n = L.shape
    largest = 0.0
    for a in range(k - 1):
        for b in range(a + 1, k):
            A = B = C = D = np.float32(0.0)
            for i in range(n):
                x, y = L[a, i], L[b, i]
                u, v = x * x - y * y, TWO * x * y
                A += u
                B += v
                C += u * u - v * v
                D += TWO * u * v
            over = 1.0 / n  # float64, as is what follows
            angle = np.arctan2(D - 2.0 * A * B * over, C - (1.0 * A * A - 1.0 * B * B) * over) / 4.0
            if abs(angle) < 1e-12:
                continue
            largest = max(largest, abs(angle))
            turn_rows(L, a, b, np.float32(np.cos(angle)), np.float32(np.sin(angle)))
            turn_rows(T, a, b, np.cos(angle), np.sin(angle))
    return largest


@kernel
def turn_rows(M, a, b, c, s):
    """Turn rows a and b of M in their plane, by the angle with cosine c and sine s."""
    for i in range(M.shape[1]):
        x, y = M[a, i], M[b, i]
        M[a, i], M[b, i] = c * x + s * y, c * y - s * x
