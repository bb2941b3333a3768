"""The ratings of a DataFrame, packed once into blocks of users that stay in place.

A block is a file with the ids of its users and their ratings as small numbers. Blocks do not depend
on the number of partitions. The driver holds only the summary of each.
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
from matinee.data.ratings import deviation_of
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.sources.packing.pack_files import smallest
from matinee.sources.packing.stages import MOST_LEVELS
from matinee.spark.payloads import Arrays
from matinee.storage.tensors import map_tensors
from matinee.training.alternating import TableSummary

if TYPE_CHECKING:
    import pyarrow as pa


class Size(NamedTuple):
    """The summary of a block that the driver holds."""

    block: int
    users: int
    ratings: int
    id_bytes: int  # bytes of the users' ids
    total: float  # of the ratings
    squares: float  # sum of their squares
    levels: np.ndarray | None  # (n_levels,) float32: the distinct ratings, where they are few
    low: float
    high: float
    digest: str


@dataclass(frozen=True)
class Numbered:
    """The summary of all blocks: the items, the numbers of users and ratings, and their values."""

    items: IdMap
    n_users: int
    n_ratings: int
    mean: float
    deviation: float
    scale: Scale
    levels: np.ndarray | None  # (n_levels,) float32: the distinct ratings, where they are few

    @classmethod
    def of(cls, items: IdMap, sizes: list[Size]) -> "Numbered":
        """The summary of blocks of ratings of ``items``."""
        n_users, n = sum(size.users for size in sizes), sum(size.ratings for size in sizes)
        every = [size.levels for size in sizes if size.levels is not None]
        levels = np.unique(np.concatenate(every)) if len(every) == len(sizes) else None
        if levels is not None and len(levels) > MOST_LEVELS:
            levels = None
        scale = Scale(min(size.low for size in sizes), max(size.high for size in sizes))
        mean = math.fsum(size.total for size in sizes) / n
        squares = math.fsum(size.squares for size in sizes) - n * mean**2
        return cls(items, n_users, n, mean, deviation_of(squares, n, mean), scale, levels)

    @property
    def table(self) -> TableSummary:
        """What the settings of a fit may follow from."""
        sizes = self.n_ratings, self.n_users, len(self.items)
        return TableSummary(*sizes, self.scale, self.mean, self.deviation)

    def coded(self, block: "Block") -> np.ndarray:
        """The ratings of a block as a model stores them: indices into ``levels``, or values."""
        if self.levels is None:
            return block.rated.values
        places = np.searchsorted(self.levels, block.arrays["levels"])
        return places.astype(smallest(len(self.levels)))[block.arrays["codes"]]


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive users with their ids and ratings."""

    number: int
    first: int  # row number of the first user
    arrays: Arrays

    @cached_property
    def rated(self) -> Rows:
        """The ratings by user, in the types that kernels take."""
        whole, levels = self.arrays, self.arrays.get("levels")
        packed = PackedRows(whole["indptr"], whole["items"], whole["codes"], levels)
        return packed.block(0, len(whole["indptr"]) - 1)


@dataclass(frozen=True, eq=False)
class BlockFolder:
    """The folder of the blocks, and the row number of the first user of each."""

    folder: Path
    firsts: np.ndarray  # (n_blocks,) int64

    def blocks(self, batches: "Iterator[pa.RecordBatch]") -> Iterator[Block]:
        """The memory-mapped blocks whose numbers are in Arrow batches."""
        for batch in batches:
            for number in batch.column(0).to_pylist():
                with (self.folder / str(number)).open("rb") as file:
                    arrays = map_tensors(file)
                yield Block(number, int(self.firsts[number]), arrays)
