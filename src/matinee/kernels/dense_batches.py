"""Rows of nearly the same length side by side, as devices other than a processor want them.

A device compiles its work anew for every shape of a batch, which takes longer than many batches. So
there are as few shapes as padding allows: lengths and numbers of rows are rounded up to four binary
digits, and lengths that few ratings have join the next longer one.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

DIGITS = 4  # binary, of lengths and numbers of rows: rounding up adds less than an eighth
PADDED = 1.25  # cells of all batches over ratings, up to which lengths join
CELLS = 1 << 18  # ratings of a batch, with its padding; a power of two


def dense_batches(counts: np.ndarray, beside: int = 0) -> Iterator[tuple[np.ndarray, int]]:
    """Rows of nearly as many entries (n,), and the width to pad them to, batch by batch.

    ``counts`` (n_rows,) are the entries of each row; empty rows are in no batch. All batches of a
    width have one number of rows: where rows are lacking, the last is repeated. A row takes the
    room of ``beside`` entries more. All batches together hold less than 1.3 cells for each entry.
    """
    rated = np.flatnonzero(counts > 0)
    lengths, numbers = np.unique(rounded_up(counts[rated]), return_counts=True)
    histogram = tuple(zip(lengths.tolist(), numbers.tolist(), strict=True))
    widths = np.array(widths_of(histogram, int(counts.sum()), beside), np.int64)
    place = np.searchsorted(widths, counts[rated])
    for at, width in enumerate(widths.tolist()):
        rows = rated[place == at]
        size = int(batch_sizes(np.array([width]), np.array([len(rows)]), beside)[0])
        for first in range(0, len(rows), size):
            some = rows[first : first + size]
            yield np.concatenate([some, np.repeat(some[-1:], size - len(some))]), width


def rounded_up(n: np.ndarray) -> np.ndarray:
    """The least numbers of DIGITS binary digits, and zeros after them, from n (m,) int64 on."""
    _, digits = np.frexp(n.astype(np.float64))
    step = np.left_shift(1, np.maximum(digits - DIGITS, 0).astype(np.int64))
    rounded: np.ndarray = -(-n // step) * step
    return rounded


def batch_sizes(widths: np.ndarray, numbers: np.ndarray, beside: int) -> np.ndarray:
    """Rows of a batch of each width (n,), for so many rows (n,) of it: as even as can be."""
    most = np.maximum(1, CELLS // (widths + beside))
    n_batches = -(-numbers // most)
    sizes: np.ndarray = np.minimum(rounded_up(-(-numbers // n_batches)), most)
    return sizes


@lru_cache(maxsize=64)
def widths_of(
    histogram: tuple[tuple[int, int], ...], n_entries: int, beside: int
) -> tuple[int, ...]:
    """The widths, ascending, of a histogram of (rounded length, number of rows).

    Lengths join the next longer one, first where that adds the fewest cells, up to PADDED.
    """
    widths, numbers = np.array(histogram, np.int64).reshape(-1, 2).T
    while len(widths) > 1:
        cells = _cells(widths, numbers, beside)
        together = numbers[:-1] + numbers[1:]
        more = _cells(widths[1:], together, beside) - cells[:-1] - cells[1:]
        at = int(np.argmin(more))
        if cells.sum() + more[at] > PADDED * n_entries:
            break
        widths, numbers = np.delete(widths, at), np.delete(numbers, at)
        numbers[at] = together[at]
    return tuple(widths.tolist())


def _cells(widths: np.ndarray, numbers: np.ndarray, beside: int) -> np.ndarray:
    """Cells of all batches of each width (n,), with their padding."""
    sizes = batch_sizes(widths, numbers, beside)
    cells: np.ndarray = -(-numbers // sizes) * sizes * widths
    return cells


def padded(
    indptr: np.ndarray, weights: np.ndarray, rows: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where the entries of some rows (n,) lie, and their weights: (n, width) each.

    ``weights`` (n_entries,) may be (0,) where all weigh one. Padding lies at 0 and weighs 0.
    """
    place = indptr[rows, None] + np.arange(width)
    inside = place < indptr[rows + 1, None]
    place = np.where(inside, place, 0)
    w = inside.astype(np.float32)
    if weights.size:
        w *= weights[place]
    return place, w
