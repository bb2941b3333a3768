"""Random numbers by position: the same (seed, draw, row) gives the same numbers, in any order.

Philox4x32-10 (Salmon et al. 2011) turns a counter and a key into four random words, without a
state to pass on. So rows may be drawn by any thread, or on any machine, and come out the same.
"""

import numpy as np

from matinee.kernels.jit import kernel
from matinee.kernels.threads import run_rows

# 32-bit words are held in uint64, where products of two of them do not overflow.
M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)  # multipliers
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)  # key increments
WORD, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
ROUNDS = 10


@kernel
def philox(c0, c1, c2, c3, k0, k1):
    """Four random 32-bit words for a counter of four words and a key of two."""
    for _ in range(ROUNDS):
        p0, p1 = M0 * c0, M1 * c2
        c0, c1, c2, c3 = (p1 >> WORD) ^ c1 ^ k0, p1 & LOW, (p0 >> WORD) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return c0, c1, c2, c3


@kernel
def normal_pair(a, b):
    """Two independent standard normal numbers from two random words (Box & Muller 1958)."""
    radius = np.sqrt(-2.0 * np.log((float(a) + 0.5) / 4294967296.0))
    angle = 2.0 * np.pi * (float(b) / 4294967296.0)
    return radius * np.cos(angle), radius * np.sin(angle)


@kernel
def fill_normal(seed, draw, row, out):
    """Fill ``out`` with the standard normal numbers of a row in a draw; all three are uint64."""
    for first in range(0, out.size, 4):
        a, b, c, d = philox(
            np.uint64(first // 4), row & LOW, row >> WORD, draw & LOW, seed & LOW, seed >> WORD
        )
        w, x = normal_pair(a, b)
        y, z = normal_pair(c, d)
        for place, value in enumerate((w, x, y, z)):
            if first + place < out.size:
                out[first + place] = value


def draw_normal(out: np.ndarray, scale: float, seed: int, draw: int, first: int = 0) -> None:
    """Fill ``out`` (n, d) with normal numbers of standard deviation ``scale``.

    Row r of ``out`` is row ``first`` + r of the draw. A row depends on seed, draw and its number
    alone, so that any block, or any machine, can draw its own.
    """
    numbers = (np.uint64(number) for number in (seed % 2**64, draw, first))
    run_rows(_draw_normal, np.ones(len(out)), *numbers, scale, out)


@kernel
def _draw_normal(start, stop, seed, draw, first, scale, out):
    """``draw_normal`` for rows start..stop of ``out``; seed, draw and first are uint64."""
    normal = np.empty(out.shape[1])
    for row in range(start, stop):
        fill_normal(seed, draw, first + np.uint64(row), normal)
        for f in range(normal.size):
            out[row, f] = scale * normal[f]
