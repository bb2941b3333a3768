"""Packing validated rows into blocks, in one shuffle.

A task splits many rows at a time into one piece per block, so that few large pieces are sent. The
pieces of a block are then joined, sorted and written.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.data.texts import Texts
from matinee.display.text import counted
from matinee.errors import BadRatings
from matinee.sources.packing.pack_files import smallest
from matinee.sources.packing.sorting import Part, in_order
from matinee.sources.packing.stages import MOST_LEVELS
from matinee.spark.blocks import Size
from matinee.spark.cleaning import good
from matinee.spark.layout import Layout
from matinee.spark.payloads import write_arrays
from matinee.spark.sessions import batches_by_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

ROWS_AT_ONCE = 1_000_000
OF_ROWS = ("key", "item", "rating", "moment")  # moment only where there are times
PIECES = "block int, place long, payload binary"
SIZES = "block int, users int, ratings long, rows long, id_bytes long, total double, "
SIZES += "squares double, "
SIZES += "levels array<float>, low float, high float, digest string"


def pack(rows: "DataFrame", layout: Layout, folder: Path) -> list[Size]:
    """Write the blocks of validated rows; returns their summaries in order.

    Raises BadRatings where the rows differ from those of the layout.
    """
    import pyarrow as pa
    from pyspark.sql import functions as F

    items = F.broadcast(rows.sparkSession.createDataFrame(layout.numbers))
    laid = layout.block(good(rows)).join(items, "item_id")
    columns = [name for name in OF_ROWS if name in laid.columns]
    pieces = laid.select("block", "place", *columns).mapInArrow(deal, PIECES)
    item_type, id_from = smallest(len(layout.items), np.dtype(np.int32)), layout.id_from

    def packed(key: Any, table: pa.Table) -> pa.Table:
        size = _write(folder, key[0].as_py(), _joined(table), item_type, id_from)
        return pa.table({name: [one] for name, one in size._asdict().items()}, _schema())

    of_blocks = pieces.groupBy("block").applyInArrow(packed, SIZES)
    with batches_by_rows(rows.sparkSession):
        sizes = [Size(*row) for row in of_blocks.collect()]
    n_rows = sum(size.rows for size in sizes)
    if n_rows != layout.n_rows:
        raise BadRatings(
            f"the frame gave {counted(layout.n_rows, 'rating')} when they were counted and "
            f"{n_rows:,} when they were packed; it must give the same ones each time: write it to "
            "Parquet first"
        )
    return sorted(map(_with_levels, sizes), key=lambda size: size.block)


def deal(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
    """A task: for each block a piece of its rows, in order, with the place of the first.

    Columns ``block``, ``place`` and ``payload``.
    """
    import pyarrow as pa

    for rows in _tables(batches):
        block = rows.column("block").to_numpy()
        order = np.argsort(block, kind="stable")
        firsts = np.flatnonzero(np.diff(block[order], prepend=-1))
        dealt = rows.drop_columns(["block", "place"]).take(order).combine_chunks()
        ends = pairwise([*firsts.tolist(), len(order)])
        payloads = [_to_bytes(dealt.slice(first, end - first)) for first, end in ends]
        places = rows.column("place").to_numpy()[order[firsts]]
        yield pa.RecordBatch.from_pydict(
            {
                "block": pa.array(block[order[firsts]], pa.int32()),
                "place": places,
                "payload": pa.array(payloads, pa.binary()),
            }
        )


def _joined(pieces: "pa.Table") -> "pa.Table":
    """The rows of the pieces of a block, in order."""
    import pyarrow as pa

    ordered = pieces.sort_by("place").column("payload")
    return pa.concat_tables([pa.ipc.open_stream(one.as_buffer()).read_all() for one in ordered])


def _tables(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.Table]":
    """Batches concatenated into tables of about ROWS_AT_ONCE rows."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(len(one) for one in waiting) >= ROWS_AT_ONCE:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if any(len(one) for one in waiting):
        yield pa.Table.from_batches(waiting)


def _to_bytes(rows: "pa.Table") -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())


def _write(
    folder: Path, block: int, table: "pa.Table", item_type: np.dtype[Any], id_from: int
) -> Size:
    """Write the rows of a block; of several rows of a pair the last is kept."""
    ids, user = _users(table.column("key"), id_from)
    item, rating = (table.column(name).to_numpy() for name in ("item", "rating"))
    moment = np.zeros(len(user), np.uint8)
    if "moment" in table.column_names:
        moment = table.column("moment").to_numpy()
    part = in_order(Part(user, item, rating, np.arange(len(user)), moment), 0, by_rating=False)
    again = (np.diff(part.user) == 0) & (np.diff(part.item) == 0)
    user, item, rating = (column[np.append(~again, True)] for column in part[:3])
    starts, levels = np.searchsorted(user, np.arange(len(ids) + 1)), np.unique(rating)
    arrays = {
        "indptr": starts,
        "items": item.astype(item_type),
        "codes": rating,
        "ids": ids.data,
        "ends": ids.ends,
    }
    few = len(levels) <= MOST_LEVELS
    if few:
        codes = np.searchsorted(levels, rating).astype(smallest(len(levels)))
        arrays |= {"codes": codes, "levels": levels}
    digest = write_arrays(folder, arrays, lambda _: str(block)).sha256
    whole = rating.astype(np.float64)
    total, (low, high) = float(whole.sum()), levels[[0, -1]].tolist()
    return Size(
        block,
        len(ids),
        len(user),
        len(again) + 1,
        len(ids.data),
        total,
        float(whole @ whole),
        levels if few else None,
        low,
        high,
        digest,
    )


def _users(keys: "pa.ChunkedArray", id_from: int) -> tuple[Texts, np.ndarray]:
    """The ids of the users of a block, in order, and the user of each row: (n_rows,) int32."""
    import pyarrow.compute as pc

    coded = keys.combine_chunks().dictionary_encode()
    order = pc.array_sort_indices(coded.dictionary)
    rank = np.empty(len(order), np.int32)
    rank[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
    ids = [str(key)[id_from:] for key in coded.dictionary.take(order).to_pylist()]
    return Texts.of(ids), rank[coded.indices.to_numpy()]


def _schema() -> "pa.Schema":
    import pyarrow as pa

    kinds = (
        pa.int32(),
        pa.int32(),
        pa.int64(),
        pa.int64(),
        pa.int64(),
        pa.float64(),
        pa.float64(),
        pa.list_(pa.float32()),
        pa.float32(),
        pa.float32(),
        pa.string(),
    )
    return pa.schema(zip(Size._fields, kinds, strict=True))


def _with_levels(size: Size) -> Size:
    """The summary with its levels as an array."""
    levels = size.levels if size.levels is None else np.array(size.levels, np.float32)
    return size._replace(levels=levels)
