"""Chunks: the rows of a DataFrame, read once, in files that blocks take their users from.

    rows in any order  ->  chunks, each in order of user  ->  layout  ->  blocks

A task numbers the ids of some rows at a time, orders the rows by user and writes them. The driver
holds the summary of each chunk, and reads of the files what the layout of the blocks follows from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.rows import by_columns
from matinee.sources.packing.pack_files import smallest
from matinee.spark.cleaning import GOOD, warn_of_faults
from matinee.spark.id_arrays import (
    are_whole,
    from_arrays,
    hashes_of,
    natural_order,
    numbered,
    to_arrays,
)
from matinee.spark.payloads import Arrays, write_arrays
from matinee.spark.sessions import batches_by_rows
from matinee.spark.tasks import Batches, in_task
from matinee.storage.tensors import map_tensors

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

ROWS_AT_ONCE = 1_000_000
MOST = 2**64 - 1  # a hash
CHUNKS = "place long, file string, read long, valid long, whole boolean"


class ChunkSummary(NamedTuple):
    """The summary of a chunk that the driver holds."""

    place: int  # in the order of the frame
    file: str | None  # None where no row is valid
    read: int  # rows
    valid: int  # rows
    whole: bool  # whether all user ids are whole numbers


@dataclass(frozen=True, eq=False)
class Chunk:
    """Rows of a frame in order of user; those of a user are as they came."""

    users: "pa.Array"  # (n_users,) distinct ids in natural order
    items: "pa.Array"  # (n_items,) distinct ids in any order
    hashes: np.ndarray  # (n_users,) uint64, ascending
    by_hash: np.ndarray  # (n_users,) int32: the users in order of their hashes
    rows: Arrays  # indptr (n_users + 1,); item, rating and, with times, moment: (n_rows,)

    @classmethod
    def of(cls, table: "pa.Table", whole: bool) -> "Chunk":
        """The chunk of rows with the columns user_id, item_id, rating and maybe moment."""
        users, user = numbered(table.column("user_id"), whole)
        items = table.column("item_id").combine_chunks().dictionary_encode()
        rating = table.column("rating").to_numpy()
        by_row = Rows(np.arange(len(user) + 1), user, rating)
        indptr, places, rating, _ = by_columns(by_row, len(users))
        item = items.indices.to_numpy().astype(smallest(len(items.dictionary)))[places]
        rows = {"indptr": indptr, "item": item, "rating": rating}
        if "moment" in table.column_names:
            rows["moment"] = table.column("moment").to_numpy()[places]
        return cls._hashed(users, items.dictionary, rows)

    @classmethod
    def _hashed(cls, users: "pa.Array", items: "pa.Array", rows: Arrays) -> "Chunk":
        hashes = hashes_of(users)
        by_hash = np.argsort(hashes).astype(np.int32)
        return cls(users, items, hashes[by_hash], by_hash, rows)

    @classmethod
    def open(cls, path: Path) -> "Chunk":
        """The chunk of a file, memory-mapped."""
        with path.open("rb") as file:
            arrays = map_tensors(file)
        users, items = (from_arrays(name, arrays) for name in ("users", "items"))
        names = ("indptr", "item", "rating", "moment")
        rows = {name: arrays[name] for name in names if name in arrays}
        return cls(users, items, arrays["hashes"], arrays["by_hash"], rows)

    def write(self, folder: Path) -> str:
        """Write the chunk to a file of a folder; returns its name."""
        arrays = {"hashes": self.hashes, "by_hash": self.by_hash, **self.rows}
        for name in ("users", "items"):
            arrays |= to_arrays(name, getattr(self, name))
        return write_arrays(folder, arrays, str).path.name

    def sample(self, share: float) -> "pa.Table":
        """A share of the users by their hashes: ``id``, and ``n``, how many rows each has."""
        import pyarrow as pa

        n = np.searchsorted(self.hashes, np.uint64(min(share * 2.0**64, MOST)), side="right")
        users = self.by_hash[:n]
        counts = np.diff(self.rows["indptr"])[users]
        return pa.table({"id": self.users.take(pa.array(users)), "n": counts})

    def between(self, first: int, stop: int) -> "Chunk":
        """The chunk of the users first..stop, to look at their rows alone."""
        indptr = self.rows["indptr"][first : stop + 1]
        span = slice(int(indptr[0]), int(indptr[-1]))
        rows = {name: column[span] for name, column in self._columns().items()}
        users = self.users[first:stop]
        return replace(self, users=users, rows={"indptr": indptr - indptr[0], **rows})

    def in_order_of_text(self) -> "Chunk":
        """The chunk with its users, all of them whole numbers, in order of text."""
        order = natural_order(self.users, whole=False)
        indptr, rating = self.rows["indptr"], self.rows["rating"]
        places = np.arange(len(rating), dtype=np.int32)
        moved = Rows(indptr, places, rating).take(order)
        rows = {name: column[moved.indices] for name, column in self._columns().items()}
        return self._hashed(self.users.take(order), self.items, {"indptr": moved.indptr, **rows})

    def _columns(self) -> Arrays:
        return {name: column for name, column in self.rows.items() if name != "indptr"}


@dataclass(frozen=True)
class ChunkFolder:
    """The folder of the chunks of a frame, in the order of its rows."""

    folder: Path
    chunks: list[ChunkSummary]

    @property
    def whole(self) -> bool:
        """Whether all user ids are whole numbers, and so in order of value."""
        return all(chunk.whole for chunk in self.chunks)

    @property
    def n_read(self) -> int:
        """The rows of the frame."""
        return sum(chunk.read for chunk in self.chunks)

    @property
    def n_valid(self) -> int:
        """The rows of all chunks."""
        return sum(chunk.valid for chunk in self.chunks)

    def read(self) -> Iterator[Chunk]:
        """The chunks with valid rows, memory-mapped one at a time."""
        for chunk in self.chunks:
            if chunk.file is not None:
                yield Chunk.open(self.folder / chunk.file)


def stage(frame: "DataFrame", folder: Path) -> ChunkFolder:
    """Write the valid ones of judged rows into chunks, in one pass; warns of the others.

    Raises BadRatings where no row is valid.
    """
    from pyspark.sql import functions as F

    rating = F.when(F.expr(GOOD), F.col("rating")).alias("rating")
    moments = [name for name in frame.columns if name == "moment"]
    rows = frame.select("user_id", "item_id", rating, *moments)
    with batches_by_rows(frame.sparkSession):
        chunks = _sorted(rows.mapInArrow(in_task(_write_chunks, folder), CHUNKS))
    if not chunks or any(chunk.valid < chunk.read for chunk in chunks):
        warn_of_faults(frame)
    staged = ChunkFolder(folder, chunks)
    if staged.whole or not any(chunk.whole for chunk in chunks):
        return staged
    numbers = frame.sparkSession.range(len(chunks))
    return replace(staged, chunks=_sorted(numbers.mapInArrow(in_task(_reorder, staged), CHUNKS)))


def _sorted(written: "DataFrame") -> list[ChunkSummary]:
    return sorted(ChunkSummary(*row) for row in written.collect())


def _write_chunks(folder: Path, batches: Batches) -> Batches:
    """A task: write the chunks of its rows, and emit their summaries."""
    from pyspark import TaskContext

    context = TaskContext.get()
    place = count(context.partitionId() << 32 if context else 0)
    for table in _tables(batches):
        valid = table.filter(table.column("rating").is_valid())
        whole = are_whole(valid.column("user_id"))
        file = Chunk.of(valid, whole).write(folder) if len(valid) else None
        yield _row(ChunkSummary(next(place), file, len(table), len(valid), whole))


def _reorder(staged: ChunkFolder, batches: Batches) -> Batches:
    """A task: bring its chunks into order of text, where they are in order of value."""
    for batch in batches:
        for number in batch.column(0).to_pylist():
            chunk = staged.chunks[number]
            if chunk.whole and chunk.file is not None:
                moved = Chunk.open(staged.folder / chunk.file).in_order_of_text()
                chunk = chunk._replace(file=moved.write(staged.folder), whole=False)
            yield _row(chunk)


def _row(chunk: ChunkSummary) -> "pa.RecordBatch":
    import pyarrow as pa

    kinds = (pa.int64(), pa.string(), pa.int64(), pa.int64(), pa.bool_())
    schema = pa.schema(zip(ChunkSummary._fields, kinds, strict=True))
    return pa.RecordBatch.from_pylist([chunk._asdict()], schema)


def _tables(batches: Batches) -> "Iterator[pa.Table]":
    """Batches concatenated into tables of about ROWS_AT_ONCE rows."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= ROWS_AT_ONCE:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if any(map(len, waiting)):
        yield pa.Table.from_batches(waiting)
