"""Ratings of a DataFrame, numbered and packed once into blocks of users, which stay where they are.

A block is one row of a Parquet table: its users' ids, and their ratings as small numbers. A block
does not depend on how many partitions there are. The users' ids stay on the cluster: they are
ordered and numbered there, and lie in the blocks. The driver knows the items, and how many users,
ratings and letters of ids each block has.
"""

import hashlib
import math
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from matinee.errors import BadRatings
from matinee.ids import IdMap
from matinee.packed import PackedRows
from matinee.ratings import Rows, Scale
from matinee.sources.pack_files import smallest
from matinee.sources.raw import BAD_TIME, REASON, UNKNOWN_TIME, Fault
from matinee.sources.stages import MOST_LEVELS
from matinee.tensors import tensors_of
from matinee.texts import Texts
from matinee.words import counted

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame

RATINGS_PER_BLOCK = 1_000_000  # at most, more or less
LEAST_PER_BLOCK = 50_000
BLOCKS = 16  # at least, where ratings suffice: there are several for each task
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
    total: float  # of the ratings
    levels: np.ndarray | None  # (n_levels,) float32: the ratings that occur, where they are few
    low: float
    high: float
    digest: str


SIZES = "block int, users int, ratings long, letters long, total double, levels binary, "
SIZES += "low float, high float, digest string"
PACKED = f"{SIZES}, payload binary"


@dataclass(frozen=True)
class Numbered:
    """What the driver knows of a table of ratings."""

    items: IdMap
    n_users: int
    n_ratings: int
    mean: float
    scale: Scale
    levels: np.ndarray | None  # (n_levels,) float32: the ratings that occur, where they are few
    users_per_block: int

    @classmethod
    def of(cls, found: "Found", sizes: list[Size]) -> "Numbered":
        """What was found, and what the blocks hold of it."""
        n = sum(size.ratings for size in sizes)
        every = [size.levels for size in sizes if size.levels is not None]
        levels = np.unique(np.concatenate(every)) if len(every) == len(sizes) else None
        if levels is not None and len(levels) > MOST_LEVELS:
            levels = None
        scale = Scale(min(size.low for size in sizes), max(size.high for size in sizes))
        mean = math.fsum(size.total for size in sizes) / n
        return cls(found.items, found.n_users, n, mean, scale, levels, found.users_per_block)

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


def blocks_of(batches: "Iterator[pa.RecordBatch]", users_per_block: int) -> Iterator[Block]:
    """The blocks in rows (block, payload) of Arrow batches."""
    for batch in batches:
        for number, payload in zip(batch.column(0).to_pylist(), batch.column(1), strict=True):
            yield Block(number, number * users_per_block, from_bytes(payload.as_py()))


@dataclass(frozen=True)
class Found:
    """What is known of rows before they are packed."""

    items: IdMap
    n_users: int
    users_per_block: int
    users: "DataFrame"  # user_id, user


def judged(frame: "DataFrame") -> "DataFrame":
    """Columns user_id, item_id (text), rating, and what is wrong with a row: ``fault``.

    Of several rows of a pair the last by ``time`` and then by ``place`` counts. Raises BadRatings
    where a column is missing.
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
    return frame.select(
        F.col("user_id").cast("string").alias("user_id"),
        F.col("item_id").cast("string").alias("item_id"),
        rating.alias("rating"),
        given.cast("string").alias("given"),
        F.coalesce(time, F.lit(0)).cast("long").alias("time"),
        F.monotonically_increasing_id().alias("place"),
        fault.alias("fault"),
    )


def good(rows: "DataFrame") -> "DataFrame":
    """The judged rows without a fault."""
    return rows.where(f"fault = {int(Fault.NONE)}")


def tell_faults(rows: "DataFrame", counts: Mapping[int, int]) -> None:
    """Warn of the rows that are set aside, and why. Raises BadRatings where no row is good."""
    n, n_good = sum(counts.values()), counts.get(int(Fault.NONE), 0)
    if not n:
        raise BadRatings("the frame holds no ratings: there is not one row in it")
    told = []
    for fault, count in sorted(counts.items()):
        if fault == Fault.NONE:
            continue
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
        aside = f"{n - n_good:,} of {counted(n, 'row')} set aside: "
        warnings.warn(aside + "; ".join(told), stacklevel=5)


def numbering(rows: "DataFrame", folder: str) -> Found:
    """The items and the users' numbers of judged rows; tells what is set aside.

    Users are ordered on the cluster, in natural order, and kept in ``folder`` while blocks are
    packed; items come to the driver.
    """
    from pyspark.sql import functions as F

    each = rows.groupBy("fault", "item_id").count().collect()
    counts: Counter[int] = Counter()
    for row in each:
        counts[row["fault"]] += row["count"]
    tell_faults(rows, counts)
    items = IdMap.of((row["item_id"] for row in each if row["fault"] == Fault.NONE), "item")
    name = F.col("user_id")
    ids = good(rows).select(name).distinct().persist()
    n_users, whole, longest = ids.agg(
        F.count("*"), F.bool_and(name.rlike(WHOLE)), F.max(F.length(name))
    ).collect()[0]
    order = [_natural_key(name, longest), name] if whole else [name]
    users = _numbered_users(ids.orderBy(*order), folder)
    ids.unpersist()
    n = counts[int(Fault.NONE)]
    ratings = min(max(n // BLOCKS, LEAST_PER_BLOCK), RATINGS_PER_BLOCK)
    return Found(items, n_users, max(1, n_users * ratings // n), users)


def _numbered_users(ids: "DataFrame", folder: str) -> "DataFrame":
    """Ordered ``user_id`` with their rows, ``user``."""
    from pyspark.sql import functions as F

    spark = ids.sparkSession
    place = F.monotonically_increasing_id().alias("place")
    ids.select("user_id", place).write.mode("overwrite").parquet(folder)
    placed = spark.read.parquet(folder)
    part = F.shiftright("place", PLACE_BITS)
    sizes = sorted(tuple(row) for row in placed.groupBy(part).count().collect())
    firsts = np.cumsum([0, *(count for _, count in sizes)]).tolist()
    table = [(one, first) for (one, _), first in zip(sizes, firsts, strict=False)]
    offsets = F.broadcast(spark.createDataFrame(table, "part long, first long"))
    within = F.col("place").bitwiseAND(F.lit((1 << PLACE_BITS) - 1))
    users = placed.join(offsets, F.col("part") == part)
    return users.select("user_id", (F.col("first") + within).cast("int").alias("user"))


def _natural_key(name: "Column", longest: int) -> "Column":
    """Text that orders whole numbers by their value; see ``ids.natural_key``."""
    from pyspark.sql import functions as F

    digits = F.lpad(F.regexp_replace(name, "^-", ""), longest, "0")
    downward = F.concat(F.lit("0"), F.translate(digits, "0123456789", "9876543210"))
    return F.when(name.startswith("-"), downward).otherwise(F.concat(F.lit("1"), digits))


def pack(rows: "DataFrame", found: Found) -> "DataFrame":
    """The blocks of judged rows, a row each, with the columns of PACKED."""
    import pyarrow as pa
    from pyspark.sql import functions as F

    n_items = len(found.items)
    numbers = {"item_id": found.items.texts.tolist(), "item": np.arange(n_items, dtype=np.int32)}
    items = rows.sparkSession.createDataFrame(pa.table(numbers))
    block = F.floor(F.col("user") / found.users_per_block).cast("int")
    joined = good(rows).join(F.broadcast(items), "item_id").join(found.users, "user_id")
    columns = joined.select(block.alias("block"), "user", "item", "rating", "time", "place")
    own = F.col("user").alias("row"), F.col("user_id").alias("name")  # of columns of their own
    people = found.users.select(block.alias("block_of"), *own)
    item_type = smallest(n_items, np.dtype(np.int32))

    def packed(key: Any, ratings: pa.Table, users: pa.Table) -> pa.Table:
        size, payload = _packed_block(key[0].as_py(), ratings, users, item_type)
        levels = None if size.levels is None else size.levels.tobytes()
        values = (*size._replace(levels=levels), payload)  # type: ignore[arg-type]
        arrays = [pa.array([one], kind) for one, kind in zip(values, _arrow_types(), strict=True)]
        return pa.Table.from_arrays(arrays, [*Size._fields, "payload"])

    of_people = people.groupBy("block_of")
    return columns.groupBy("block").cogroup(of_people).applyInArrow(packed, PACKED)


def _packed_block(
    block: int, ratings: "pa.Table", users: "pa.Table", item_type: np.dtype[Any]
) -> tuple[Size, bytes]:
    """A block of its rows; of several of a pair the last is kept."""
    user, item, rating, time, place = (
        ratings.column(name).to_numpy() for name in ("user", "item", "rating", "time", "place")
    )
    known = np.where(time == UNKNOWN_TIME, BAD_TIME, time)  # an unknown one is before all others
    order = np.lexsort((place, known, item, user))
    again = (np.diff(user[order]) == 0) & (np.diff(item[order]) == 0)
    order = order[np.append(~again, True)]
    user, item, rating = user[order], item[order].astype(item_type), rating[order]
    starts = np.flatnonzero(np.diff(user, prepend=-1))
    ids = Texts.of(users.sort_by("row").column("name").to_pylist())
    arrays = {"indptr": np.append(starts, len(user)), "items": item, "ids": ids.data,
              "ends": ids.ends}  # fmt: skip
    levels: np.ndarray | None = np.unique(rating)
    if levels is not None and len(levels) <= MOST_LEVELS:
        codes = np.searchsorted(levels, rating).astype(smallest(len(levels)))
        payload = to_bytes(**arrays, codes=codes, levels=levels)
    else:
        levels, payload = None, to_bytes(**arrays, codes=rating)
    digest = hashlib.sha256(payload).hexdigest()
    total = float(rating.sum(dtype=np.float64))
    low, high = float(rating.min()), float(rating.max())
    return Size(
        block, len(starts), len(user), len(ids.data), total, levels, low, high, digest
    ), payload


def _arrow_types() -> "list[pa.DataType]":
    import pyarrow as pa

    return [pa.int32(), pa.int32(), pa.int64(), pa.int64(), pa.float64(), pa.binary(),
            pa.float32(), pa.float32(), pa.string(), pa.binary()]  # fmt: skip


def size_of(row: tuple[Any, ...]) -> Size:
    """What a row of the packed table says of its block."""
    size = Size(*row)
    levels = size.levels if size.levels is None else np.frombuffer(size.levels, np.float32)
    return size._replace(levels=levels)
