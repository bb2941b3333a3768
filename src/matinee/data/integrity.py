"""What must hold of arrays that come from a disk, before a kernel may index with them.

Every check takes the array in pieces, so that mapped ones stay on disk, and raises BadArray with
one sentence.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from matinee.display.text import counted

PIECE = 1 << 20  # numbers looked at together


class Indexable(Protocol):
    """What is sliced by rows as an array is: one, or one that lies in several files."""

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The type of its numbers."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_rows, ...)."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: Any, /) -> Any: ...


class BadArray(ValueError):
    """An array holds numbers that it cannot hold."""


def pieces(array: Indexable) -> Iterator[np.ndarray]:
    """Pieces of rows (n, ...) of an array (n_rows, ...), or of one that lies in several files."""
    for part in getattr(array, "arrays", (array,)):
        width = max(1, int(np.prod(part.shape[1:])))
        step = max(1, PIECE // width)
        for first in range(0, len(part), step):
            yield part[first : first + step]


def check_finite(name: str, array: Indexable) -> None:
    """Raise BadArray unless all numbers are finite."""
    for piece in pieces(array):
        if piece.size and not (np.isfinite(piece.min()) and np.isfinite(piece.max())):
            raise BadArray(f"{name} holds numbers that are not finite")


def check_range(name: str, array: Indexable, n: int) -> None:
    """Raise BadArray unless all numbers are in 0..n - 1."""
    for piece in pieces(array):
        if piece.size and not (piece.min() >= 0 and piece.max() < n):
            raise BadArray(f"{name} holds numbers outside 0..{n - 1}")


def check_ends(name: str, ends: Indexable, first: int, last: int) -> None:
    """Raise BadArray unless ``ends`` never fall, from ``first`` or above up to ``last``."""
    before = first
    for piece in pieces(ends):
        if piece.size and (piece[0] < before or (piece[1:] < piece[:-1]).any()):
            raise BadArray(f"{name} does not ascend")
        before = int(piece[-1]) if piece.size else before
    if before != last:
        raise BadArray(f"{name} ends at {before:,} and not at {last:,}")


def check_indptr(name: str, indptr: Indexable, n_rows: int, n: int) -> None:
    """Raise BadArray unless these are the bounds of so many rows of ``n`` numbers in all."""
    if len(indptr) != n_rows + 1 or int(indptr[0]) != 0:
        raise BadArray(f"{name} does not bound {counted(n_rows, 'row')}")
    check_ends(name, indptr, 0, n)


def check_texts(name: str, data: Indexable, ends: Indexable) -> None:
    """Raise BadArray unless these bytes are so many texts in UTF-8."""
    check_ends(f"{name}_ends", ends, 0, len(data))
    start = 0
    for piece in pieces(ends):
        stop = int(piece[-1])
        letters = np.asarray(data[start:stop])
        try:
            letters.tobytes().decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise BadArray(f"{name} is not text in UTF-8") from None
        inner = piece[:-1][piece[:-1] < stop] - start
        if ((letters[inner] & 0xC0) == 0x80).any():
            raise BadArray(f"{name}_ends cuts a letter in two")
        start = stop


def check_rows(indptr: Indexable, items: Indexable, n_rows: int, n_items: int) -> None:
    """Raise BadArray unless rows hold ascending item numbers below ``n_items``."""
    check_indptr("the bounds of the rows", indptr, n_rows, len(items))
    check_range("the items of the rows", items, n_items)
    step = 1 << 14
    for first in range(0, n_rows, step):
        ends = np.asarray(indptr[first : min(first + step, n_rows) + 1])
        row = np.asarray(items[int(ends[0]) : int(ends[-1])])
        falls = np.flatnonzero(row[1:] <= row[:-1]) + 1
        if not np.isin(falls, ends - ends[0]).all():
            raise BadArray("the items of a row do not ascend")


def check_codes(ratings: Indexable, levels: Indexable | None, n_ratings: int) -> None:
    """Raise BadArray unless there are so many ratings, each finite or a place in ``levels``."""
    if len(ratings) != n_ratings:
        raise BadArray(
            f"the rows hold {counted(len(ratings), 'rating')} of {counted(n_ratings, 'item')}"
        )
    if levels is None:
        if ratings.dtype != np.float32:
            raise BadArray("the ratings are no float32 numbers, and there are no levels")
        check_finite("the ratings", ratings)
        return
    if ratings.dtype not in (np.uint8, np.uint16):
        raise BadArray("the ratings are no places in the levels")
    check_finite("the levels", levels)
    check_range("the ratings", ratings, len(levels))


def check_counts(counts: Indexable, items: Indexable, n_items: int) -> None:
    """Raise BadArray unless ``counts`` are how often each item occurs in the rows."""
    total = np.zeros(n_items, np.int64)
    for part in getattr(items, "arrays", (items,)):
        for first in range(0, len(part), 1 << 22):
            total += np.bincount(part[first : first + (1 << 22)], minlength=n_items)
    if not np.array_equal(total, np.asarray(counts)):
        raise BadArray("item_counts are not the counts of the ratings")
