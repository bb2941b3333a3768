"""The users' part of a model folder, written by the tasks: a file for each block.

A file holds the factors, biases, ids and ratings of consecutive users; its rows continue those of
the file before. The saved folder consists of these files; the driver holds only their names.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from matinee.spark.blocks import Block, BlockFolder, Numbered
from matinee.spark.passes import UserFiles
from matinee.spark.payloads import Arrays, write_arrays
from matinee.spark.state import Blocks
from matinee.spark.tasks import Batches, in_task
from matinee.storage.model_files import USERS, file_name
from matinee.storage.tensors import Part, Stacked, stacked

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PARTS = "block int, file string, sha256 string, bytes long"


@dataclass(frozen=True)
class WriteTask:
    """The inputs of every task that writes users' files."""

    folder: Path
    block_folder: BlockFolder
    numbered: Numbered
    user_files: UserFiles
    firsts: dict[int, tuple[int, int]]  # by block: ratings and bytes of ids before it
    last: int  # the last block


def write_users(frame: "DataFrame", blocks: Blocks, user_files: UserFiles) -> dict[str, Stacked]:
    """Write the files of all users; returns their arrays, memory-mapped."""
    folder = blocks.folder / "parts"
    folder.mkdir(exist_ok=True)
    firsts, ratings, id_bytes = {}, 0, 0
    for size in blocks.sizes:
        firsts[size.block] = ratings, id_bytes
        ratings, id_bytes = ratings + size.ratings, id_bytes + size.id_bytes
    writing = WriteTask(
        folder, blocks.block_folder, blocks.numbered, user_files, firsts, blocks.sizes[-1].block
    )
    rows = frame.mapInArrow(in_task(_write, writing), PARTS).collect()
    return stacked([Part(folder / row[1], row[2], row[3]) for row in sorted(rows)])


def _write(writing: WriteTask, batches: Batches) -> Batches:
    import pyarrow as pa

    for block in writing.block_folder.blocks(batches):
        part = write_arrays(writing.folder, _arrays(writing, block), partial(file_name, USERS))
        columns = {
            "block": pa.array([block.number], pa.int32()),
            "file": pa.array([part.path.name]),
            "sha256": pa.array([part.sha256]),
            "bytes": pa.array([part.n_bytes], pa.int64()),
        }
        yield pa.RecordBatch.from_pydict(columns)


def _arrays(writing: WriteTask, block: Block) -> Arrays:
    """The arrays of a block by their names in a model folder."""
    users, arrays = writing.user_files.read(block.number), block.arrays
    ratings, id_bytes = writing.firsts[block.number]
    stop = None if block.number == writing.last else -1  # the end of a row is the start of the next
    return {
        "user_factors": users.factors,
        "user_bias": users.bias,
        "seen_indptr": arrays["indptr"].astype(np.int64)[:stop] + ratings,
        "seen_items": arrays["items"],
        "seen_ratings": writing.numbered.coded(block),
        "user_ids": arrays["ids"],
        "user_id_ends": arrays["ends"] + id_bytes,
    }
