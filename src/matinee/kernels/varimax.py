"""Varimax: the rotation after which each row is high on few factors."""

import numpy as np

from matinee.kernels.jit import kernel

TWO = np.float32(2.0)
MOST_SWEEPS = 200
CONVERGED = 1e-3  # radians of the largest turn in a sweep; nearly flat maxima have long tails


def varimax(Q: np.ndarray) -> np.ndarray:
    """The orthogonal T (k, k) float64 of largest variance of squared loadings Q T, for Q (n, k).

        max over T   sum_f [ mean_i (QT)_if^4 - (mean_i (QT)_if^2)^2 ]           Kaiser 1958

    Pairs of factors are rotated in their plane, one pair after the other, until no angle matters.
    """
    L = np.array(Q.T, dtype=np.float32, order="C")
    T = np.eye(len(L))
    for _ in range(MOST_SWEEPS if L.size else 0):
        if _rotate_pairs(L, T) < CONVERGED:
            break
    return np.ascontiguousarray(T.T)


@kernel
def _rotate_pairs(L, T):
    """One sweep of Kaiser's planar rotations over all pairs of rows of L (k, n); the largest angle.

    Each makes the varimax criterion of its two rows largest. L and T (k, k) are overwritten: L is
    float32, since it is read over and over, and T, which is the result, float64.
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
            rotate_rows(L, a, b, np.float32(np.cos(angle)), np.float32(np.sin(angle)))
            rotate_rows(T, a, b, np.cos(angle), np.sin(angle))
    return largest


@kernel
def rotate_rows(M, a, b, c, s):
    """Rotate rows a and b of M in their plane, by the angle with cosine c and sine s."""
    for i in range(M.shape[1]):
        x, y = M[a, i], M[b, i]
        M[a, i], M[b, i] = c * x + s * y, c * y - s * x
