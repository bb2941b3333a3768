"""Rows on their way into blocks: a task deals many at a time, so that few large pieces are sent."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 1_000_000
OF_ROWS = ("key", "item", "rating", "time")  # the last only where times are known
PIECES = "block int, place long, payload binary"


def deal(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
    """A task: the rows of each block together, in their order, and the place of the first.

    Columns ``block``, ``place``, and those of OF_ROWS that there are.
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
            {"block": pa.array(block[order[firsts]], pa.int32()), "place": places,
             "payload": pa.array(payloads, pa.binary())}
        )  # fmt: skip


def joined(pieces: "pa.Table") -> "pa.Table":
    """The rows of the pieces of a block, in order."""
    import pyarrow as pa

    ordered = pieces.sort_by("place").column("payload")
    return pa.concat_tables([pa.ipc.open_stream(one.as_buffer()).read_all() for one in ordered])


def _tables(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.Table]":
    """Many batches as one table, again and again."""
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
    return sink.getvalue().to_pybytes()
