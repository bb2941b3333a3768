"""Sorting more rows than memory holds: dealt into bins of users, each of which is then sorted.

    rows in any order  ->  a file for each run of users with some millions of rows  ->  parts

Every row is written and read once, however many there are, so the time grows with their number.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from matinee.data.rows import indptr_of

ROWS_PER_BIN = 4_000_000
KEY = 64  # bits of a number that (user, item, row) is sorted as

One = TypeVar("One")
Other = TypeVar("Other")


class Part(NamedTuple):
    """Ratings, with their place in the source and their time: columns of one length."""

    user: np.ndarray  # int32
    item: np.ndarray  # int32
    rating: np.ndarray  # float32
    line: np.ndarray  # int64
    moment: np.ndarray  # int64, or as 0 where times do not matter


@dataclass(frozen=True, eq=False)
class Bins:
    """Files of columns, each of a run of users: bin b has the users edges[b] .. edges[b + 1]."""

    folder: Path
    edges: np.ndarray  # (n_bins + 1,) int64
    kinds: dict[str, Any]  # types of the columns; a user counts from the first of the bin

    @classmethod
    def of(
        cls, folder: Path, counts: np.ndarray, n_items: int, n_lines: int, with_moment: bool
    ) -> "Bins":
        """Empty bins in a new folder, for users with ``counts`` (n_users,) rows."""
        ends = np.cumsum(counts)
        cuts = np.arange(ROWS_PER_BIN, ends[-1], ROWS_PER_BIN)
        edges = np.unique(np.r_[0, np.searchsorted(ends, cuts, side="right"), len(counts)])
        folder.mkdir()
        kinds = {
            "user": np.min_scalar_type(int(np.diff(edges).max())),
            "item": np.min_scalar_type(n_items),
            "rating": np.dtype(np.float32),
            "line": np.min_scalar_type(n_lines),
        }
        return cls(folder, edges, kinds | ({"moment": np.dtype(np.int64)} if with_moment else {}))

    def deal(self, parts: Iterable[Part]) -> None:
        """Append rows, in any order, to their bins; the next part is fetched meanwhile."""
        n_bins = len(self.edges) - 1
        bin_of = np.repeat(np.arange(n_bins, dtype=np.min_scalar_type(n_bins)), np.diff(self.edges))
        for _ in prefetch(lambda part: self._deal(part, bin_of), parts, threads=1):
            pass

    def sorted(self, by_rating: bool) -> Iterator[Part]:
        """The rows bin by bin, in order of (user, item), equal ones by moment (or rating), line.

        The files of a bin are deleted as it is read.
        """

        def part(number: int) -> Part:
            columns = {name: self._read(number, name) for name in self.kinds}
            columns.setdefault("moment", np.zeros(len(columns["user"]), np.uint8))
            return in_order(Part(**columns), int(self.edges[number]), by_rating)

        return prefetch(part, range(len(self.edges) - 1), threads=2)

    def _deal(self, part: Part, bin_of: np.ndarray) -> None:
        bins = bin_of[part.user]
        order = np.argsort(bins, kind="stable")
        indptr = indptr_of(bins, len(self.edges) - 1).tolist()
        within = part.user - self.edges.astype(np.int32)[bins]
        columns = part._replace(user=within)._asdict()
        for name, kind in self.kinds.items():
            dealt = columns[name][order].astype(kind)
            for number, (first, stop) in enumerate(pairwise(indptr)):
                with (self.folder / f"{number}-{name}").open("ab") as file:
                    dealt[first:stop].tofile(file)

    def _read(self, number: int, name: str) -> np.ndarray:
        file = self.folder / f"{number}-{name}"
        column = np.fromfile(file, self.kinds[name])
        file.unlink()
        return column


def in_order(part: Part, first_user: int, by_rating: bool) -> Part:
    """Rows in order of (user, item), equal ones by moment, or rating, and then line."""
    widths = [
        max(1, int(n).bit_length())
        for n in (part.user.max(initial=0), part.item.max(initial=0), len(part.user))
    ]
    if sum(widths) <= KEY:
        _, of_item, of_row = widths
        key = part.user.astype(np.uint64) << (of_item + of_row)
        key |= part.item.astype(np.uint64) << of_row
        key |= np.arange(len(key), dtype=np.uint64)
        key.sort()  # in vector instructions: several times as fast as an argsort
        order = (key & ((1 << of_row) - 1)).astype(np.int64)
    else:
        order = np.lexsort([part.item, part.user])
    user, item = part.user[order], part.item[order]
    again = (user[1:] == user[:-1]) & (item[1:] == item[:-1])
    if again.any():
        _order_ties(order, again, part.rating if by_rating else part.moment, part.line)
    user = user.astype(np.int32) + np.int32(first_user)
    return Part(user, item, part.rating[order], part.line[order], part.moment[order])


def _order_ties(order: np.ndarray, again: np.ndarray, first: np.ndarray, then: np.ndarray) -> None:
    """Put runs of equal rows in order of two columns; ``again`` says which row is like the next."""
    tied = np.flatnonzero(np.append(again, False) | np.append(False, again))
    few, pair = order[tied], np.append(0, np.cumsum(~again))[tied]
    keys = first[few], then[few]
    (a, b), (c, d) = ((key[:-1], key[1:]) for key in keys)
    astray = (pair[1:] == pair[:-1]) & ((a > b) | ((a == b) & (c > d)))
    if astray.any():  # most are as they came, and that is their order
        runs = np.zeros(pair[-1] + 1, dtype=bool)
        runs[pair[1:][astray]] = True
        wrong = runs[pair]
        tied, few, pair = tied[wrong], few[wrong], pair[wrong]
        order[tied] = few[np.lexsort([keys[1][wrong], keys[0][wrong], pair])]


def prefetch(work: Callable[[One], Other], todo: Iterable[One], threads: int) -> Iterator[Other]:
    """``map`` that runs some steps ahead in its own threads; yields the results in order."""
    coming = iter(todo)
    with ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(work, one) for one in islice(coming, threads)]
        for one in chain(coming, [None] * threads):
            if not waiting:
                return
            piece = waiting.pop(0).result()
            if one is not None:
                waiting.append(pool.submit(work, one))
            yield piece
