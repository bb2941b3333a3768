"""Ratings of a DataFrame, numbered and packed once into blocks of users, which stay where they are.

A block is one row of a Parquet table: its users' ids, and their ratings as small numbers. A block
does not depend on how many partitions there are. The users' ids stay on the cluster: they are
ordered and numbered there, and lie in the blocks. The driver knows the items, and how many users,
ratings and letters of ids each block has.
"""

import hashlib
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from matinee.errors import BadRatings
from matinee.ids import IdMap
from matinee.packed import PackedRows
from matinee.ratings import Rows, Scale
from matinee.sources.pack_files import smallest
from matinee.sources.raw import REASON, Fault
from matinee.sources.stages import MOST_LEVELS
from matinee.tensors import tensors_of
from matinee.texts import Texts
from matinee.words import counted

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame

RATINGS_PER_BLOCK = 1_000_000
CASES_SHOWN = 3
WHOLE = r"^-?[0-9]+\z"
PLACE_BITS = 33  # of monotonically_increasing_id: the rest is the partition
Arrays = dict[str, np.ndarray]


def to_bytes(**arrays: np.ndarray) -> bytes:
    """Arrays as bytes, as they are in a model folder."""
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def from_bytes(payload: bytes) -> Arrays:
    """The arrays that ``to_bytes`` took."""
    return tensors_of(np.frombuffer(payload, np.uint8))


class Size(NamedTuple):
    """What the driver knows of a block."""

    block: int
    users: int
    ratings: int
    letters: int  # bytes of the users' ids
    digest: str


SIZES = "block int, users int, ratings long, letters long, digest string"
BLOCKS = f"{SIZES}, payload binary"


@dataclass(frozen=True)
class Numbered:
    """What the driver knows of a table of ratings."""

    items: IdMap
    item_counts: np.ndarray  # (n_items,) int64
    n_users: int
    n_ratings: int
    mean: float
    scale: Scale
    levels: np.ndarray | None  # (n_levels,) float32: the ratings that occur, where they are few
    users_per_block: int

    @property
    def item_type(self) -> np.dtype[Any]:
        """What item numbers are kept as."""
        return smallest(len(self.items), np.dtype(np.int32))

    def coded(self, ratings: np.ndarray) -> np.ndarray:
        """Ratings as they are kept: places in ``levels``, or themselves."""
        if self.levels is None:
            return ratings.astype(np.float32)
        return np.searchsorted(self.levels, ratings).astype(smallest(len(self.levels)))


@dataclass(frozen=True, eq=False)
class Block:
    """Some users in a row: who they are, and what they rated."""

    number: int
    first: int  # row number of the first user
    arrays: Arrays
    levels: np.ndarray | None

    @cached_property
    def rated(self) -> Rows:
        """The ratings, as kernels take them."""
        whole = self.arrays
        packed = PackedRows(whole["indptr"], whole["items"], whole["codes"], self.levels)
        return packed.block(0, len(whole["indptr"]) - 1)


def blocks_of(batches: "Iterator[pa.RecordBatch]", numbered: Numbered) -> Iterator[Block]:
    """The blocks in rows (block, payload) of Arrow batches."""
    for batch in batches:
        for number, payload in zip(batch.column(0).to_pylist(), batch.column(1), strict=True):
            first = number * numbered.users_per_block
            yield Block(number, first, from_bytes(payload.as_py()), numbered.levels)


def clean(frame: "DataFrame") -> "DataFrame":
    """Columns user_id, item_id (text) and rating, one row a pair; bad rows are told and left.

    Raises BadRatings where a column is missing or no row is good.
    """
    from pyspark.sql import functions as F

    missing = {"user_id", "item_id", "rating"} - set(frame.columns)
    if missing:
        raise BadRatings(
            f"the frame has the columns {', '.join(frame.columns)}, and no "
            f"{' and no '.join(sorted(missing))}; rename with frame.withColumnRenamed"
        )
    time = F.col("timestamp").try_cast("long") if "timestamp" in frame.columns else F.lit(0)
    given = F.col("rating")
    rating = given.try_cast("float")
    empty = given.isNull() | (given.cast("string") == "")
    for name in ("user_id", "item_id"):
        empty = empty | F.col(name).isNull() | (F.col(name).cast("string") == "")
    fault = (
        F.when(empty, F.lit(int(Fault.MISSING)))
        .when(rating.isNull(), F.lit(int(Fault.NOT_A_NUMBER)))
        .when(F.isnan(rating) | (F.abs(rating) == float("inf")), F.lit(int(Fault.NOT_FINITE)))
        .otherwise(F.lit(int(Fault.NONE)))
    )
    rows = frame.select(
        F.col("user_id").cast("string").alias("user_id"),
        F.col("item_id").cast("string").alias("item_id"),
        rating.alias("rating"),
        given.cast("string").alias("given"),
        F.struct(F.coalesce(time, F.lit(0)), F.monotonically_increasing_id()).alias("moment"),
        fault.alias("fault"),
    )
    _tell_faults(rows)
    good = rows.where(f"fault = {int(Fault.NONE)}").groupBy("user_id", "item_id")
    return good.agg(F.max_by("rating", "moment").alias("rating"))


def _tell_faults(rows: "DataFrame") -> None:
    """Warn of the rows that are set aside, and why. Raises BadRatings where no row is good."""
    counts = {row["fault"]: row["count"] for row in rows.groupBy("fault").count().collect()}
    n_good, n = counts.pop(int(Fault.NONE), 0), sum(counts.values())
    if not n_good and not n:
        raise BadRatings("the frame holds no ratings: there is not one row in it")
    told = []
    for fault, count in sorted(counts.items()):
        shown = rows.where(f"fault = {fault}").limit(CASES_SHOWN)
        cases = "; ".join(
            f"user_id {row['user_id']!r}, item_id {row['item_id']!r}, rating {row['given']}"
            for row in shown.collect()
        )
        more = ", ..." if count > CASES_SHOWN else ""
        told.append(f"{count:,} {REASON[Fault(fault)]} ({cases}{more})")
    if not n_good:
        raise BadRatings("the frame holds no usable ratings: " + "; ".join(told))
    if told:
        warnings.warn(
            f"{n:,} of {counted(n_good + n, 'row')} set aside: " + "; ".join(told), stacklevel=5
        )


def number(rows: "DataFrame", folder: str) -> tuple[Numbered, "DataFrame"]:
    """What the driver is to know of clean rows, and the users' numbers: ``user_id, user``.

    Users are ordered on the cluster, in natural order, and kept in ``folder`` while blocks are
    packed; items come to the driver.
    """
    from pyspark.sql import functions as F

    rating, name = F.col("rating"), F.col("user_id")
    each = rows.groupBy("item_id").agg(
        F.count("*"), F.sum(rating.cast("double")), F.min(rating), F.max(rating),
        F.bool_and(name.rlike(WHOLE)), F.max(F.length(name)),
    )  # fmt: skip
    ids, counts, totals, lows, highs, whole, longest = zip(*each.collect(), strict=True)
    items = IdMap.of(ids, "item")
    item_counts = np.zeros(len(items), np.int64)
    item_counts[items.rows(ids)] = counts
    levels = [row[0] for row in rows.select(rating).distinct().limit(MOST_LEVELS + 1).collect()]
    order = [_natural_key(name, max(longest)), name] if all(whole) else [name]
    users, n_users = _numbered_users(rows.select(name).distinct().orderBy(*order), folder)
    n = sum(counts)
    return Numbered(
        items,
        item_counts,
        n_users,
        n,
        math.fsum(totals) / n,
        Scale(min(lows), max(highs)),
        np.sort(np.array(levels, np.float32)) if len(levels) <= MOST_LEVELS else None,
        max(1, n_users * RATINGS_PER_BLOCK // n),
    ), users


def _numbered_users(ids: "DataFrame", folder: str) -> tuple["DataFrame", int]:
    """Ordered ``user_id`` with their rows, ``user``; and how many there are."""
    from pyspark.sql import functions as F

    spark = ids.sparkSession
    place = F.monotonically_increasing_id().alias("place")
    ids.select("user_id", place).write.mode("overwrite").parquet(folder)
    placed = spark.read.parquet(folder)
    part = F.shiftright("place", PLACE_BITS)
    sizes = sorted(tuple(row) for row in placed.groupBy(part).count().collect())
    *firsts, n_users = np.cumsum([0, *(count for _, count in sizes)]).tolist()
    table = [(one, first) for (one, _), first in zip(sizes, firsts, strict=True)]
    offsets = F.broadcast(spark.createDataFrame(table, "part long, first long"))
    within = F.col("place").bitwiseAND(F.lit((1 << PLACE_BITS) - 1))
    users = placed.join(offsets, F.col("part") == part)
    return users.select("user_id", (F.col("first") + within).cast("int").alias("user")), n_users


def _natural_key(name: "Column", longest: int) -> "Column":
    """Text that orders whole numbers by their value; see ``ids.natural_key``."""
    from pyspark.sql import functions as F

    digits = F.lpad(F.regexp_replace(name, "^-", ""), longest, "0")
    downward = F.concat(F.lit("0"), F.translate(digits, "0123456789", "9876543210"))
    return F.when(name.startswith("-"), downward).otherwise(F.concat(F.lit("1"), digits))


def pack(rows: "DataFrame", numbered: Numbered, users: "DataFrame") -> "DataFrame":
    """The blocks, a row each, with the columns of BLOCKS."""
    from pyspark.sql import functions as F

    names = numbered.items.texts.tolist()
    spark, pairs = rows.sparkSession, list(zip(names, range(len(names)), strict=True))
    items = spark.createDataFrame(pairs, "item_id string, item int")
    joined = rows.join(F.broadcast(items), "item_id").join(users, "user_id")
    block = F.floor(F.col("user") / numbered.users_per_block).cast("int")
    columns = joined.select(block.alias("block"), "user", "user_id", "item", "rating")

    def packed(key: Any, table: "pa.Table") -> "pa.Table":
        import pyarrow as pa

        size, payload = _packed_block(key[0].as_py(), table, numbered)
        values = [[value] for value in (*size, payload)]
        return pa.Table.from_arrays(
            [pa.array(value, kind) for value, kind in zip(values, _arrow_types(), strict=True)],
            [*Size._fields, "payload"],
        )

    return columns.groupBy("block").applyInArrow(packed, BLOCKS)


def _packed_block(block: int, table: "pa.Table", numbered: Numbered) -> tuple[Size, bytes]:
    user, item, rating = (table.column(name).to_numpy() for name in ("user", "item", "rating"))
    order = np.lexsort((item, user))
    user = user[order]
    starts = np.flatnonzero(np.diff(user, prepend=-1))
    ids = Texts.of(table.column("user_id").take(order[starts]).to_pylist())
    payload = to_bytes(
        indptr=np.append(starts, len(user)),
        items=item[order].astype(numbered.item_type),
        codes=numbered.coded(rating[order]),
        ids=ids.data,
        ends=ids.ends,
    )
    digest = hashlib.sha256(payload).hexdigest()
    return Size(block, len(starts), len(user), len(ids.data), digest), payload


def _arrow_types() -> "list[pa.DataType]":
    import pyarrow as pa

    return [pa.int32(), pa.int32(), pa.int64(), pa.int64(), pa.string(), pa.binary()]
