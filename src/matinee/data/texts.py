"""Many short texts packed into one array of bytes, as millions of ids are stored.

A Python string takes some 60 bytes, and time to make. Here an id takes its letters and 8 bytes, may
lie in a file that is mapped into memory, and becomes a string when it is read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

ENCODING = ("utf-8", "surrogatepass")  # keeps the order of code points; takes any Python text
PIECE = 1 << 16  # texts decoded at once
CYCLE = 4  # digits
MINUS, ZERO, NINE = (ord(letter) for letter in "-09")


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts in order; ``texts[row]`` is one, ``texts[rows]`` an object array of several."""

    data: np.ndarray  # (n_bytes,) uint8: one text after the other, in UTF-8
    ends: np.ndarray  # (n,) int64: where each ends

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Texts":
        """These texts, packed."""
        encoded = [text.encode(*ENCODING) for text in texts]
        ends = np.cumsum([len(data) for data in encoded], dtype=np.int64)
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), ends)

    @classmethod
    def counting(cls, n: int) -> "Texts":
        """The decimal texts of 0 .. n - 1."""
        data: list[np.ndarray] = [np.zeros(0, np.uint8)]
        ends, n_bytes = np.empty(n, np.int64), 0
        for width in range(1, len(str(n)) + 1):
            first, stop = 10 ** (width - 1) * (width > 1), min(n, 10**width)
            if first < stop:
                data.append(_digits(first, stop - first, width).ravel())
                start, n_bytes = n_bytes, n_bytes + len(data[-1])
                ends[first:stop] = np.arange(start + width, n_bytes + 1, width)
        return cls(np.concatenate(data), ends)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, int | np.integer):
            return self._one(range(len(self))[int(at)])
        if isinstance(at, slice):
            rows: Any = range(*at.indices(len(self)))
        else:
            rows = np.asarray(at)
            rows = (np.flatnonzero(rows) if rows.dtype == bool else rows).tolist()
        out = np.empty(len(rows), dtype=object)
        out[:] = [self[row] for row in rows]
        return out

    def __iter__(self) -> Iterator[str]:
        for first in range(0, len(self), PIECE):
            ends = [self._start(first), *self.ends[first : first + PIECE].tolist()]
            piece = self.data[ends[0] : ends[-1]].tobytes()
            for a, b in pairwise(ends):
                yield piece[a - ends[0] : b - ends[0]].decode(*ENCODING)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Texts) and (
            np.array_equal(self.ends, other.ends) and np.array_equal(self.data, other.data)
        )

    def tolist(self) -> list[str]:
        """All of them as Python strings."""
        return list(self)

    def unpacked(self) -> np.ndarray:
        """All of them as a read-only object array (n,)."""
        out = np.empty(len(self), dtype=object)
        out[:] = self.tolist()
        out.flags.writeable = False
        return out

    def whole_numbers(self) -> bool:
        """Whether every text is a whole number: digits, and maybe a minus before them."""
        for first in range(0, len(self), PIECE * 16):
            ends = self.ends[first : first + PIECE * 16]
            starts = np.r_[self._start(first), ends[:-1]]
            letters = self.data[starts[0] : ends[-1]]
            minus = letters == MINUS
            digits = (letters >= ZERO) & (letters <= NINE)
            if (ends == starts).any() or not (digits | minus).all():
                return False
            negative = minus[starts - starts[0]]
            if minus.sum() != negative.sum() or (ends - starts)[negative].min(initial=2) < 2:
                return False
        return True

    def _start(self, row: int) -> int:
        return int(self.ends[row - 1]) if row else 0

    def _one(self, row: int) -> str:
        return self.data[self._start(row) : int(self.ends[row])].tobytes().decode(*ENCODING)


def _digits(first: int, n: int, width: int) -> np.ndarray:
    """The letters (n, width) uint8 of the numbers from ``first`` on, all as wide.

    The last four digits run in a cycle, which is copied: ``first`` starts one if it has more.
    """
    if width <= CYCLE:
        powers = 10 ** np.arange(width)[::-1]
        digits = np.arange(first, first + n)[:, None] // powers % 10
        return (digits + ZERO).astype(np.uint8)
    length = 10**CYCLE
    n_cycles = -(-n // length)
    letters = np.empty((n_cycles, length, width), np.uint8)
    letters[..., :-CYCLE] = _digits(first // length, n_cycles, width - CYCLE)[:, None]
    letters[..., -CYCLE:] = _digits(0, length, CYCLE)
    return letters.reshape(-1, width)[:n]
