"""Rows of nearly the same length side by side, as devices other than a processor want them."""

from collections.abc import Iterator

import numpy as np

GROWTH = 1.25  # of one width of dense batches to the next
CELLS = 1 << 18  # ratings of a batch, with its padding


def dense_batches(counts: np.ndarray, beside: int = 0) -> Iterator[tuple[np.ndarray, int]]:
    """Rows of nearly as many entries (n,), and the width to pad them to, batch by batch.

    ``counts`` (n_rows,) are the entries of each row; empty rows are in no batch. Widths grow by a
    quarter, so no row is padded by more. A row takes the room of ``beside`` entries more.
    """
    widths = np.unique(np.ceil(GROWTH ** np.arange(0, 110)).astype(np.int64))
    place = np.searchsorted(widths, counts)
    for at in np.unique(place[counts > 0]).tolist():
        rows, width = np.flatnonzero((place == at) & (counts > 0)), int(widths[at])
        size = max(1, CELLS // (width + beside))
        for first in range(0, len(rows), size):
            yield rows[first : first + size], width


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
