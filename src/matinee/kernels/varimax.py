"""Turning factors two at a time until each row is high on few of them."""

import numpy as np

from matinee.kernels.jit import kernel


@kernel
def turn_pairs(L, T):
    """One sweep of Kaiser's planar turns over all pairs of rows of L (k, n); the largest angle.

    Each turn makes the varimax criterion of its two rows largest. L and T (k, k) are overwritten.
    """
    k, n = L.shape
    largest = 0.0
    for a in range(k - 1):
        for b in range(a + 1, k):
            A = B = C = D = 0.0
            for i in range(n):
                x, y = L[a, i], L[b, i]
                u, v = x * x - y * y, 2.0 * x * y
                A += u
                B += v
                C += u * u - v * v
                D += 2.0 * u * v
            angle = np.arctan2(D - 2.0 * A * B / n, C - (A * A - B * B) / n) / 4.0
            if abs(angle) < 1e-12:
                continue
            largest = max(largest, abs(angle))
            c, s = np.cos(angle), np.sin(angle)
            for i in range(n):
                x, y = L[a, i], L[b, i]
                L[a, i], L[b, i] = c * x + s * y, c * y - s * x
            for i in range(k):
                x, y = T[a, i], T[b, i]
                T[a, i], T[b, i] = c * x + s * y, c * y - s * x
    return largest
