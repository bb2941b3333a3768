"""Lists for everybody, on Spark: each task takes blocks of users."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.models import Model
from matinee.spark.model_folder import ModelFolder
from matinee.spark.passes import use_threads
from matinee.spark.sessions import current, threads_of_task
from matinee.spark.tasks import Batches, in_task

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

USERS_PER_BLOCK = 4096
BLOCKS_PER_TASK = 64  # at most
TYPES = {
    "user_id": "string",
    "rank": "int",
    "item_id": "string",
    "title": "string",
    "stars": "float",
    "points": "float",
    "score": "float",
    "why": "string",
}


@dataclass(frozen=True)
class RecommendTask:
    """The model, the users and the options of every task."""

    place: ModelFolder
    users: np.ndarray | None  # rows; None for all who have ratings
    n: int
    why: bool
    threads: int
    users_per_block: int


def recommend(
    model: Model | str | Path,
    users: object = None,
    n: int = 10,
    *,
    why: bool = False,
    folder: str | Path | None = None,
) -> "DataFrame":
    """``model.recommend`` for many users: a DataFrame with the columns of its lists.

    Items that a user has rated are left out. ``users`` are ids, or one id; by default all who have
    ratings. ``why`` adds a column with the reason in words, which takes a few milliseconds each.
    ``model`` is a model, or the folder of a saved one that all executors can read. A model in
    memory is first saved to a new folder in ``folder``, or in the system's temporary folder where
    Spark runs on one machine.

    Raises UnknownId for an id without training ratings, and BadSetting when ``n`` is below 1.
    """
    place = ModelFolder.of(model, folder)
    known, rows = place.model(), None
    if users is None:
        ids = [known.users.ids[int(np.argmax(known.seen.counts))]]
        n_rows = len(known.users)
    else:
        ids = [users] if isinstance(users, str) or not isinstance(users, Iterable) else list(users)
        for one in ids:
            known.require(one)
        rows = known.users.rows(ids)
        n_rows = len(rows)
    names = [*known.recommend(ids[:1], n).columns, *(["why"] if why else [])]
    spark = current()
    n_blocks = -(-n_rows // USERS_PER_BLOCK)
    blocks = spark.range(0, n_blocks, numPartitions=partitions_of(spark, n_blocks))
    task = RecommendTask(place, rows, n, why, threads_of_task(spark), USERS_PER_BLOCK)
    columns = ", ".join(f"{name} {TYPES[name]}" for name in names)
    lists: DataFrame = blocks.mapInArrow(in_task(_lists, task), columns)
    return lists


def partitions_of(spark: "SparkSession", n_blocks: int) -> int:
    """How many tasks make lists: each takes blocks that follow one another, at most 64."""
    usual = int(spark.conf.get("spark.sql.shuffle.partitions") or 1)
    return max(1, min(n_blocks, max(usual, -(-n_blocks // BLOCKS_PER_TASK))))


def _lists(task: RecommendTask, batches: Batches) -> Batches:
    use_threads(task.threads)
    model = task.place.model()
    for batch in batches:
        for block in batch.column(0).to_pylist():
            span = slice(block * task.users_per_block, (block + 1) * task.users_per_block)
            if task.users is not None:
                rows = task.users[span]
            else:
                bounds = model.seen.indptr[span.start : span.stop + 1]
                rows = np.flatnonzero(np.diff(bounds)) + span.start
            if len(rows):
                yield _batch(model, model.users.ids[rows].tolist(), task)


def _batch(model: Model, users: list[str], task: RecommendTask) -> "pa.RecordBatch":
    import pyarrow as pa

    columns: dict[str, Any] = model.recommend(users, task.n).columns
    arrays = {
        "user_id": pa.array(list(columns["user_id"]), pa.string()),
        "rank": pa.array(columns["rank"], pa.int32()),
        "item_id": pa.array(list(columns["item_id"]), pa.string()),
    }
    if "title" in columns:
        arrays["title"] = pa.array(list(columns["title"]), pa.string())
    for name in ("stars", "points", "score"):
        if name in columns:
            arrays[name] = pa.array(np.asarray(columns[name], np.float32))
    if task.why:
        listed: dict[str, list[str]] = {}
        for user, item in zip(columns["user_id"], columns["item_id"], strict=True):
            listed.setdefault(user, []).append(item)
        whys = [why for user, items in listed.items() for why in model.explain_list(user, items)]
        arrays["why"] = pa.array([why.sentence() for why in whys], pa.string())
    return pa.RecordBatch.from_pydict(arrays)
