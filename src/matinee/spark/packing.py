"""Packing staged rows into blocks: a task joins the parts of its blocks, sorts and writes them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from matinee.data.texts import Texts
from matinee.sources.packing.pack_files import smallest
from matinee.sources.packing.sorting import Part, in_order
from matinee.sources.packing.stages import MOST_LEVELS
from matinee.spark.blocks import Size
from matinee.spark.chunks import Chunk, ChunkFolder
from matinee.spark.id_arrays import numbered, texts_of
from matinee.spark.layout import Layout
from matinee.spark.payloads import write_arrays
from matinee.spark.tasks import Batches, in_task

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

SIZES = "block int, users int, ratings long, id_bytes long, total double, squares double, "
SIZES += "levels array<float>, low float, high float, digest string"


@dataclass(frozen=True, eq=False)
class PackTask:
    """The inputs of every task that packs blocks."""

    staged: ChunkFolder
    layout: Layout
    folder: Path


def pack(spark: "SparkSession", staged: ChunkFolder, layout: Layout, folder: Path) -> list[Size]:
    """Write the blocks of staged rows; returns their summaries in order."""
    task = PackTask(staged, layout, folder)
    sizes = spark.range(layout.n_blocks).mapInArrow(in_task(_pack, task), SIZES).collect()
    return sorted((_with_levels(Size(*row)) for row in sizes), key=lambda size: size.block)


def _pack(task: PackTask, batches: Batches) -> Batches:
    import pyarrow as pa

    for batch in batches:
        for block in batch.column(0).to_pylist():
            parts = [task.layout.part(chunk, block) for chunk in task.staged.read()]
            size = _write(task, block, parts)
            yield pa.RecordBatch.from_pylist([size._asdict()], _schema())


def _joined(task: PackTask, parts: list[Chunk]) -> tuple[Texts, Part]:
    """The ids of the users of a block, in order, and its rows, by number of user and item."""
    import pyarrow as pa

    ids = pa.chunked_array([part.users for part in parts])
    users, user = numbered(ids, task.layout.whole)
    user = np.repeat(user, np.concatenate([np.diff(part.rows["indptr"]) for part in parts]))
    item = np.concatenate([task.layout.numbers(part.items)[part.rows["item"]] for part in parts])
    rating = np.concatenate([part.rows["rating"] for part in parts])
    moment = np.zeros(len(user), np.uint8)
    if "moment" in parts[0].rows:
        moment = np.concatenate([part.rows["moment"] for part in parts])
    return texts_of(users), Part(user, item, rating, np.arange(len(user)), moment)


def _write(task: PackTask, block: int, parts: list[Chunk]) -> Size:
    """Write the rows of a block; of several rows of a pair the last is kept."""
    ids, rows = _joined(task, parts)
    part = in_order(rows, 0, by_rating=False)
    again = (np.diff(part.user) == 0) & (np.diff(part.item) == 0)
    user, item, rating = (column[np.append(~again, True)] for column in part[:3])
    starts, levels = np.searchsorted(user, np.arange(len(ids) + 1)), np.unique(rating)
    arrays = {
        "indptr": starts,
        "items": item.astype(smallest(len(task.layout.item_ids), np.dtype(np.int32))),
        "codes": rating,
        "ids": ids.data,
        "ends": ids.ends,
    }
    few = len(levels) <= MOST_LEVELS
    if few:
        codes = np.searchsorted(levels, rating).astype(smallest(len(levels)))
        arrays |= {"codes": codes, "levels": levels}
    digest = write_arrays(task.folder, arrays, lambda _: str(block)).sha256
    whole = rating.astype(np.float64)
    total, (low, high) = float(whole.sum()), levels[[0, -1]].tolist()
    return Size(
        block,
        len(ids),
        len(user),
        len(ids.data),
        total,
        float(whole @ whole),
        levels if few else None,
        low,
        high,
        digest,
    )


def _schema() -> "pa.Schema":
    import pyarrow as pa

    kinds = (
        pa.int32(),
        pa.int32(),
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
