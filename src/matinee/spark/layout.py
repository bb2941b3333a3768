"""How judged rows are laid out in blocks: the items' numbers, and the user each block begins with.

Users are in natural order. Which of them begin blocks is told by a sample of their ids, which is
the same however the rows are spread. The others' ids stay on the cluster.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.ids import IdMap
from matinee.sources.raw import Fault
from matinee.spark.cleaning import GOOD, tell_faults

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame

RATINGS_PER_BLOCK = 1_000_000  # at most, more or less
LEAST_PER_BLOCK = 200_000
BLOCKS = 16  # at least, where ratings suffice: there are several for each task
SAMPLED = 100_000  # users, about, where there are more
SAMPLED_PER_BLOCK = 64  # at least
WHOLE = r"^-?[0-9]+\z"


@dataclass(frozen=True)
class Layout:
    """What decides where a row goes."""

    items: IdMap
    numbers: "pa.Table"  # item_id, as in rows, and item
    digits: int  # of the longest user id, where all are whole numbers in text, else 0
    bounds: list[Any]  # keys of the users that begin blocks, but for the first block

    @property
    def id_from(self) -> int:
        """Where the id begins in a key."""
        return self.digits + 1 if self.digits else 0

    def block(self, rows: "DataFrame") -> "DataFrame":
        """The rows with ``key``, and with ``block``, which is found by halving the bounds."""
        from pyspark.sql import functions as F

        rows = rows.withColumns({"key": key_of(self.digits), "block": F.lit(0)})
        if not self.bounds:
            return rows
        bounds, n = F.lit(self.bounds), len(self.bounds)
        for step in (1 << power for power in reversed(range(n.bit_length()))):
            here = F.col("block")
            later = F.element_at(bounds, here + step) <= F.col("key")  # counted from 1
            moved = F.when((here + step <= n) & later, here + step).otherwise(here)
            rows = rows.withColumn("block", moved)
        return rows


def layout_of(rows: "DataFrame") -> Layout:
    """The layout of judged rows, of one pass over them; tells what is set aside.

    Raises BadRatings where no row is good.
    """
    import pyarrow as pa
    from pyspark.sql import functions as F

    either = [["fault", "item_id"], ["fault", "user_id"]]
    groups = rows.groupingSets(either, "fault", "item_id", "user_id")
    of_item = F.grouping("user_id").alias("of_item")
    each = groups.agg(of_item, F.count("*").alias("n")).persist()
    of_items = each.where("of_item = 1").select("fault", "item_id", "n").toArrow()
    fault, n = (of_items.column(name).to_numpy() for name in ("fault", "n"))
    counts = {kind: int(n[fault == kind].sum()) for kind in np.unique(fault).tolist()}
    tell_faults(rows, counts)
    found = of_items.column("item_id").filter(fault == Fault.NONE)
    ids = list(map(str, found.to_pylist()))
    items = IdMap.of(ids, "item")
    numbers = pa.table({"item_id": found, "item": items.rows(ids).astype(np.int32)})

    users = each.where(f"of_item = 0 and {GOOD}").select("user_id", "n")
    digits, bounds = _parted(users, counts[int(Fault.NONE)])
    each.unpersist()
    return Layout(items, numbers, digits, bounds)


def _parted(users: "DataFrame", n_ratings: int) -> tuple[int, list[Any]]:
    """The digits and bounds of a layout, from users and how many ratings each has."""
    from pyspark.sql import functions as F

    name, digits = F.col("user_id"), F.lit(0)
    if dict(users.dtypes)["user_id"] == "string":
        digits = F.when(F.bool_and(name.rlike(WHOLE)), F.max(F.length(name))).otherwise(0)
    n_users, longest = users.agg(F.count("*"), digits).collect()[0]
    size = min(max(n_ratings // BLOCKS, LEAST_PER_BLOCK), RATINGS_PER_BLOCK)
    n_blocks = -(-n_ratings // size)
    one_of = max(1, n_users // max(SAMPLED, SAMPLED_PER_BLOCK * n_blocks))
    sample = users.where(F.pmod(F.xxhash64(name), F.lit(one_of)) == 0)
    drawn = sample.select(key_of(longest).alias("key"), "n").toArrow().sort_by("key")
    n = drawn.column("n").to_numpy()
    block = (np.cumsum(n) - n) * n_blocks // max(1, int(n.sum()))
    firsts = np.flatnonzero(np.diff(block, prepend=0))
    return longest, drawn.column("key").take(firsts).to_pylist()


def key_of(digits: int) -> "Column":
    """What is ordered as the users are: their ids.

    Where they are whole numbers in text, the id follows its sign and as many digits as the longest
    has; see ``ids.natural_key``.
    """
    from pyspark.sql import functions as F

    name = F.col("user_id")
    if not digits:
        return name
    padded = F.lpad(F.ltrim(name, F.lit("-")), digits, "0")
    downward = F.concat(F.lit("0"), F.translate(padded, "0123456789", "9876543210"))
    upward = F.concat(F.lit("1"), padded)
    return F.concat(F.when(name.startswith("-"), downward).otherwise(upward), name)
