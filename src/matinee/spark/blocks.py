"""Ratings of a DataFrame, numbered and packed once into blocks of users, which stay where they are.

A block is one row of a Parquet table: who its first user is, and its ratings as arrays. A block
does not depend on how many partitions there are, and so nor does what is computed of it.
"""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.errors import BadRatings
from matinee.ids import IdMap
from matinee.ratings import Rows, Scale

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

RATINGS_PER_BLOCK = 1_000_000
SCHEMA = "block int, payload binary"


def to_bytes(**arrays: np.ndarray) -> bytes:
    """Arrays as bytes, without pickle."""
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def from_bytes(payload: bytes) -> dict[str, np.ndarray]:
    """The arrays that ``to_bytes`` took."""
    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        return dict(arrays)


def payloads(batches: "Iterator[pa.RecordBatch]") -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """The rows (number, payload) of Arrow batches."""
    for batch in batches:
        numbers, data = (batch.column(place).to_pylist() for place in range(2))
        for number, payload in zip(numbers, data, strict=True):
            yield number, from_bytes(payload)


@dataclass(frozen=True)
class Numbered:
    """What the driver knows of a table of ratings."""

    users: IdMap
    items: IdMap
    n_ratings: int
    mean: float
    scale: Scale
    users_per_block: int


def clean(frame: "DataFrame") -> "DataFrame":
    """Columns user_id, item_id (text) and rating, one row a pair; bad rows are counted and left.

    Raises BadRatings where a column is missing or no row is good.
    """
    from pyspark.sql import functions as F

    missing = {"user_id", "item_id", "rating"} - set(frame.columns)
    if missing:
        raise BadRatings(
            f"the frame has the columns {', '.join(frame.columns)}, and no "
            f"{' and no '.join(sorted(missing))}; rename with frame.withColumnRenamed"
        )
    time = F.col("timestamp").cast("long") if "timestamp" in frame.columns else F.lit(0)
    rows = frame.select(
        F.col("user_id").cast("string").alias("user_id"),
        F.col("item_id").cast("string").alias("item_id"),
        F.col("rating").cast("float").alias("rating"),
        F.struct(F.coalesce(time, F.lit(0)), F.monotonically_increasing_id()).alias("moment"),
    )
    empty = F.lit(False)
    for name in ("user_id", "item_id"):
        empty = empty | F.col(name).isNull() | (F.col(name) == "")
    number = F.col("rating")
    bad = empty | number.isNull() | F.isnan(number) | (F.abs(number) == float("inf"))
    counts = rows.agg(F.count("*"), F.count_if(bad)).collect()[0]
    if counts[1]:
        warnings.warn(
            f"{counts[1]:,} of {counts[0]:,} rows are set aside: an id or the rating is missing, "
            "or the rating is no finite number",
            stacklevel=3,
        )
    if counts[0] == counts[1]:
        raise BadRatings("the frame holds no usable ratings")
    good = rows.where(~bad).groupBy("user_id", "item_id")
    return good.agg(F.max_by("rating", "moment").alias("rating"))


def number(rows: "DataFrame") -> Numbered:
    """Number the ids on the driver, in natural order."""
    from pyspark.sql import functions as F

    users, items = (
        IdMap.of((row[0] for row in rows.select(f"{kind}_id").distinct().toLocalIterator()), kind)
        for kind in ("user", "item")
    )
    n, total, low, high = rows.agg(
        F.count("*"), F.sum(F.col("rating").cast("double")), F.min("rating"), F.max("rating")
    ).collect()[0]
    each = max(1, len(users) * RATINGS_PER_BLOCK // n)
    return Numbered(users, items, n, total / n, Scale(low, high), each)


def pack(rows: "DataFrame", numbered: Numbered) -> "DataFrame":
    """The blocks: columns ``block`` and ``payload``."""
    from pyspark.sql import functions as F

    spark = rows.sparkSession
    for side, ids in (("user", numbered.users), ("item", numbered.items)):
        names = ids.texts.tolist()
        table = spark.createDataFrame(
            list(zip(names, range(len(names)), strict=True)), f"{side}_id string, {side} int"
        )
        joined = rows.join(F.broadcast(table) if side == "item" else table, f"{side}_id")
        rows = joined.drop(f"{side}_id")
    each = numbered.users_per_block
    placed = rows.withColumn("block", (F.col("user") / each).cast("int"))
    n_users = len(numbered.users)

    def packed(key: Any, table: "pa.Table") -> "pa.Table":
        import pyarrow as pa

        block = key[0].as_py()
        user, item, rating = (table.column(name).to_numpy() for name in ("user", "item", "rating"))
        order = np.lexsort((item, user))
        first = block * each
        counts = np.bincount(user - first, minlength=min(each, n_users - first))
        payload = to_bytes(
            first=np.array(first), indptr=np.r_[0, np.cumsum(counts)],
            indices=item[order].astype(np.int32), values=rating[order].astype(np.float32),
        )  # fmt: skip
        return pa.table({"block": pa.array([block], pa.int32()), "payload": [payload]})

    columns = placed.select("block", "user", "item", "rating")
    return columns.groupBy("block").applyInArrow(packed, SCHEMA)


def rows_of(payload: dict[str, np.ndarray]) -> tuple[int, Rows]:
    """The first user of a block, and its ratings."""
    return int(payload["first"]), Rows(
        payload["indptr"].astype(np.int64), payload["indices"], payload["values"]
    )
