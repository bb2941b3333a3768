"""The layout of validated rows in blocks: the numbers of items, and the first user of each block.

Users are in natural order. The first users of blocks come from a sample of ids that does not depend
on how rows are partitioned. All other user ids stay on the cluster.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from matinee.data.ids import IdMap
from matinee.sources.raw import Fault
from matinee.spark.cleaning import GOOD, warn_of_faults

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame

RATINGS_PER_BLOCK = 1_000_000  # at most, roughly
LEAST_PER_BLOCK = 200_000
BLOCKS = 16  # at least, where ratings suffice, so that each task has several
SAMPLED = 100_000  # users, about, where there are more
SAMPLED_PER_BLOCK = 64  # at least
WHOLE = r"^-?[0-9]+\z"


@dataclass(frozen=True)
class Layout:
    """The assignment of rows to blocks."""

    items: IdMap
    numbers: "pa.Table"  # item_id, as in rows, and item
    digits: int  # of the longest user id, where all are whole numbers in text, else 0
    bounds: list[object]  # keys of the first users of all blocks but the first
    n_rows: int  # valid rows
    n_read: int

    @property
    def id_from(self) -> int:
        """The position of the id within a key."""
        return self.digits + 1 if self.digits else 0

    def block(self, rows: "DataFrame") -> "DataFrame":
        """The rows with their ``key``, and their ``block`` by bisection of the bounds."""
        from pyspark.sql import functions as F

        rows = rows.withColumns({"key": key_of(self.digits), "block": F.lit(0)})
        if not self.bounds:
            return rows
        bounds, n = F.lit(self.bounds), len(self.bounds)
        for step in (1 << power for power in reversed(range(n.bit_length()))):
            place = F.col("block")
            later = F.element_at(bounds, place + step) <= F.col("key")  # counts from 1
            moved = F.when((place + step <= n) & later, place + step).otherwise(place)
            rows = rows.withColumn("block", moved)
        return rows


def layout_of(rows: "DataFrame") -> Layout:
    """The layout of validated rows, from one pass; warns of the rows that are set aside.

    Raises BadRatings where no row is valid.
    """
    import pyarrow.compute as pc
    from pyspark.sql import functions as F

    either = [["fault", "item_id"], ["fault", "user_id"]]
    groups = rows.groupingSets(either, "fault", "item_id", "user_id")
    of_item = (F.grouping("user_id") == 1).alias("of_item")
    each = groups.agg(of_item, F.count("*").alias("n")).persist()
    is_item, name = F.col("of_item"), F.col("user_id")
    digits = F.lit(0)
    if dict(rows.dtypes)["user_id"] == "string":
        digits = F.when(F.bool_and(name.rlike(WHOLE)), F.max(F.length(name))).otherwise(0)
    sums = F.sum(F.when(is_item, F.col("n"))), F.count_if(~is_item), digits
    by_fault = {fault: of_fault for fault, *of_fault in each.groupBy("fault").agg(*sums).collect()}
    warn_of_faults(rows, {fault: n for fault, (n, _, _) in by_fault.items()})

    n_ratings, n_users, longest = by_fault[int(Fault.NONE)]
    size = min(max(n_ratings // BLOCKS, LEAST_PER_BLOCK), RATINGS_PER_BLOCK)
    n_blocks = -(-n_ratings // size)
    one_of = max(1, n_users // max(SAMPLED, SAMPLED_PER_BLOCK * n_blocks))
    is_drawn = F.pmod(F.xxhash64(name), F.lit(one_of)) == 0
    rows_needed = each.where(GOOD).where(is_item | is_drawn)
    table = rows_needed.select("of_item", "item_id", key_of(longest).alias("key"), "n").toArrow()
    each.unpersist()
    of_items, sampled = (table.filter(kind) for kind in (pc.field("of_item"), ~pc.field("of_item")))
    items, numbers = _numbered(of_items.column("item_id"))
    bounds = _bounds(sampled.sort_by("key"), n_blocks)
    n_read = sum(n for n, _, _ in by_fault.values())
    return Layout(items, numbers, longest, bounds, n_ratings, n_read)


def _numbered(ids: "pa.ChunkedArray") -> tuple[IdMap, "pa.Table"]:
    """The items, and their ids as they stand in the rows."""
    import pyarrow as pa

    texts = list(map(str, ids.to_pylist()))
    items = IdMap.of(texts, "item")
    whole = ids.combine_chunks()  # Spark reads nothing from a table whose first chunk is empty
    return items, pa.table({"item_id": whole, "item": items.rows(texts).astype(np.int32)})


def _bounds(sample: "pa.Table", n_blocks: int) -> list[object]:
    """Keys that divide the sampled users, in order, into blocks of about equally many ratings."""
    n = sample.column("n").to_numpy()
    block = (np.cumsum(n) - n) * n_blocks // max(1, int(n.sum()))
    firsts = np.flatnonzero(np.diff(block, prepend=0))
    bounds: list[object] = sample.column("key").take(firsts).to_pylist()
    return bounds


def key_of(digits: int) -> "Column":
    """A key of users whose order is the natural order of their ids.

    It is the id itself, or, for whole numbers in text, a sign and the zero-padded digits followed
    by the id; see ``ids.natural_key``.
    """
    from pyspark.sql import functions as F

    name = F.col("user_id")
    if not digits:
        return name
    padded = F.lpad(F.ltrim(name, F.lit("-")), digits, "0")
    downward = F.concat(F.lit("0"), F.translate(padded, "0123456789", "9876543210"))
    upward = F.concat(F.lit("1"), padded)
    return F.concat(F.when(name.startswith("-"), downward).otherwise(upward), name)
