"""Ratings of a DataFrame, packed once into blocks of users, which stay where they are.

A block is a file: its users' ids, and their ratings as small numbers. It does not depend on how
many partitions there are. The driver knows how many users, ratings and letters of ids each has.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.packed import PackedRows
from matinee.data.ratings import Rows, deviation_of
from matinee.data.scale import Scale
from matinee.models.tensors import map_tensors
from matinee.sources.packing.pack_files import smallest
from matinee.sources.packing.stages import MOST_LEVELS
from matinee.spark.payloads import Arrays

if TYPE_CHECKING:
    import pyarrow as pa


class Size(NamedTuple):
    """What the driver knows of a block."""

    block: int
    users: int
    ratings: int
    rows: int  # of which these ratings are: of several of a pair one is kept
    letters: int  # bytes of the users' ids
    total: float  # of the ratings
    squares: float  # sum of their squares
    levels: np.ndarray | None  # (n_levels,) float32: the ratings that occur, where they are few
    low: float
    high: float
    digest: str


@dataclass(frozen=True)
class Numbered:
    """What the driver knows of a table of ratings."""

    items: IdMap
    n_users: int
    n_ratings: int
    mean: float
    deviation: float
    scale: Scale
    levels: np.ndarray | None  # (n_levels,) float32: the ratings that occur, where they are few

    @classmethod
    def of(cls, items: IdMap, sizes: list[Size]) -> "Numbered":
        """What the blocks hold of some items."""
        n_users, n = sum(size.users for size in sizes), sum(size.ratings for size in sizes)
        every = [size.levels for size in sizes if size.levels is not None]
        levels = np.unique(np.concatenate(every)) if len(every) == len(sizes) else None
        if levels is not None and len(levels) > MOST_LEVELS:
            levels = None
        scale = Scale(min(size.low for size in sizes), max(size.high for size in sizes))
        mean = math.fsum(size.total for size in sizes) / n
        squares = math.fsum(size.squares for size in sizes) - n * mean**2
        return cls(items, n_users, n, mean, deviation_of(squares, n, mean), scale, levels)

    def coded(self, block: "Block") -> np.ndarray:
        """The ratings of a block as a model keeps them: places in ``levels``, or themselves."""
        if self.levels is None:
            return block.rated.values
        places = np.searchsorted(self.levels, block.arrays["levels"])
        return places.astype(smallest(len(self.levels)))[block.arrays["codes"]]


@dataclass(frozen=True, eq=False)
class Block:
    """Some users in a row: who they are, and what they rated."""

    number: int
    first: int  # row number of the first user
    arrays: Arrays

    @cached_property
    def rated(self) -> Rows:
        """The ratings, as kernels take them."""
        whole, levels = self.arrays, self.arrays.get("levels")
        packed = PackedRows(whole["indptr"], whole["items"], whole["codes"], levels)
        return packed.block(0, len(whole["indptr"]) - 1)


@dataclass(frozen=True, eq=False)
class BlockFolder:
    """Where the blocks are, and the row number of the first user of each."""

    folder: Path
    firsts: np.ndarray  # (n_blocks,) int64

    def blocks(self, batches: "Iterator[pa.RecordBatch]") -> Iterator[Block]:
        """Those whose numbers are in Arrow batches, mapped."""
        for batch in batches:
            for number in batch.column(0).to_pylist():
                with (self.folder / str(number)).open("rb") as file:
                    arrays = map_tensors(file)
                yield Block(number, int(self.firsts[number]), arrays)
