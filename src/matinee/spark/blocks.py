"""Ratings of a DataFrame, packed once into blocks of users, which stay where they are.

A block is a file: its users' ids, and their ratings as small numbers. It does not depend on how
many partitions there are. The driver knows how many users, ratings and letters of ids each has.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from matinee.ids import IdMap
from matinee.packed import PackedRows
from matinee.ratings import Rows, Scale
from matinee.sources.pack_files import smallest
from matinee.sources.raw import BAD_TIME, UNKNOWN_TIME
from matinee.sources.sorting import Part, in_order
from matinee.sources.stages import MOST_LEVELS
from matinee.spark.cleaning import good
from matinee.spark.dealing import OF_ROWS, PIECES, deal, joined
from matinee.spark.files import Arrays, write_arrays
from matinee.spark.layout import Layout
from matinee.spark.sessions import batches_by_rows
from matinee.tensors import map_tensors
from matinee.texts import Texts

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame


class Size(NamedTuple):
    """What the driver knows of a block."""

    block: int
    users: int
    ratings: int
    letters: int  # bytes of the users' ids
    total: float  # of the ratings
    levels: np.ndarray | None  # (n_levels,) float32: the ratings that occur, where they are few
    low: float
    high: float
    digest: str


SIZES = "block int, users int, ratings long, letters long, total double, levels array<float>, "
SIZES += "low float, high float, digest string"


@dataclass(frozen=True)
class Numbered:
    """What the driver knows of a table of ratings."""

    items: IdMap
    n_users: int
    n_ratings: int
    mean: float
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
        return cls(items, n_users, n, mean, scale, levels)

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
class Shelf:
    """Where the blocks are, and the row number of the first user of each."""

    folder: Path
    firsts: np.ndarray  # (n_blocks,) int64

    def blocks(self, batches: "Iterator[pa.RecordBatch]") -> Iterator[Block]:
        """Those whose numbers are in Arrow batches, mapped."""
        for batch in batches:
            for number in batch.column(0).to_pylist():
                arrays = map_tensors(self.folder / str(number))
                yield Block(number, int(self.firsts[number]), arrays)


def pack(rows: "DataFrame", layout: Layout, folder: Path) -> list[Size]:
    """Write the blocks of judged rows; what the driver is to know of them, in order."""
    import pyarrow as pa
    from pyspark.sql import functions as F

    rows_of = layout.items.rows(list(map(str, layout.item_ids.to_pylist())))
    numbers = {"item_id": layout.item_ids, "item": rows_of.astype(np.int32)}
    items = F.broadcast(rows.sparkSession.createDataFrame(pa.table(numbers)))
    laid = layout.block(good(rows)).join(items, "item_id")
    columns = [name for name in OF_ROWS if name in laid.columns]
    pieces = laid.select("block", "place", *columns).mapInArrow(deal, PIECES)
    item_type, id_from = smallest(len(rows_of), np.dtype(np.int32)), layout.id_from

    def packed(key: Any, table: pa.Table) -> pa.Table:
        size, arrays = _packed(key[0].as_py(), joined(table), item_type, id_from)
        digest = write_arrays(folder, arrays, lambda _: str(size.block)).sha256
        columns = size._replace(digest=digest)._asdict()
        return pa.table({name: [one] for name, one in columns.items()}, _schema())

    of_blocks = pieces.groupBy("block").applyInArrow(packed, SIZES)
    with batches_by_rows(rows.sparkSession):
        sizes = [Size(*row) for row in of_blocks.collect()]
    return sorted(map(_with_levels, sizes), key=lambda size: size.block)


def _packed(
    block: int, table: "pa.Table", item_type: np.dtype[Any], id_from: int
) -> tuple[Size, Arrays]:
    """A block of its rows; of several of a pair the last is kept."""
    ids, user = _users(table.column("key"), id_from)
    item, rating = (table.column(name).to_numpy() for name in ("item", "rating"))
    time = np.zeros(len(user), np.int64)
    if "time" in table.column_names:
        time = table.column("time").to_numpy()
        time = np.where(time == UNKNOWN_TIME, BAD_TIME, time)  # before all others
    part = in_order(Part(user, item, rating, np.arange(len(user)), time), 0, by_rating=False)
    again = (np.diff(part.user) == 0) & (np.diff(part.item) == 0)
    user, item, rating = (column[np.append(~again, True)] for column in part[:3])
    starts = np.searchsorted(user, np.arange(len(ids) + 1))
    arrays = {"indptr": starts, "items": item.astype(item_type), "codes": rating,
              "ids": ids.data, "ends": ids.ends}  # fmt: skip
    levels: np.ndarray | None = np.unique(rating)
    if levels is not None and len(levels) <= MOST_LEVELS:
        codes = np.searchsorted(levels, rating).astype(smallest(len(levels)))
        arrays |= {"codes": codes, "levels": levels}
    else:
        levels = None
    total = float(rating.sum(dtype=np.float64))
    low, high = float(rating.min()), float(rating.max())
    size = Size(block, len(ids), len(user), len(ids.data), total, levels, low, high, "")
    return size, arrays


def _users(keys: "pa.ChunkedArray", id_from: int) -> tuple[Texts, np.ndarray]:
    """The ids of the users of a block, in order, and which of them each row is of."""
    import pyarrow.compute as pc

    coded = keys.combine_chunks().dictionary_encode()
    order = pc.array_sort_indices(coded.dictionary)
    rank = np.empty(len(order), np.int32)
    rank[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
    ids = [str(key)[id_from:] for key in coded.dictionary.take(order).to_pylist()]
    return Texts.of(ids), rank[coded.indices.to_numpy()]


def _schema() -> "pa.Schema":
    import pyarrow as pa

    kinds = (pa.int32(), pa.int32(), pa.int64(), pa.int64(), pa.float64(),
             pa.list_(pa.float32()), pa.float32(), pa.float32(), pa.string())  # fmt: skip
    return pa.schema(zip(Size._fields, kinds, strict=True))


def _with_levels(size: Size) -> Size:
    """What a row of SIZES says, the levels as an array."""
    levels = size.levels if size.levels is None else np.array(size.levels, np.float32)
    return size._replace(levels=levels)
