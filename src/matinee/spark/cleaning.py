"""Validation of the rows of a DataFrame: which are ratings, and the faults of the others."""

import warnings
from typing import TYPE_CHECKING

from matinee.display.text import counted
from matinee.errors import BadRatings
from matinee.sources.raw import BAD_TIME, REASON, UNKNOWN_TIME, Fault

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

CASES_SHOWN = 3
WHOLE_TYPES = ("tinyint", "smallint", "int", "bigint")
GOOD = f"fault = {int(Fault.NONE)}"


def judged(frame: "DataFrame") -> "DataFrame":
    """Columns user_id, item_id, rating, and the ``fault`` of each row.

    Integer ids stay integers, which is the fastest; others become text. Of several rows of a pair
    the last counts, by ``moment`` where there are timestamps and then by ``place``; an unknown
    moment precedes all others. Raises BadRatings where a column is missing.
    """
    from pyspark.sql import functions as F

    missing = {"user_id", "item_id", "rating"} - set(frame.columns)
    if missing:
        raise BadRatings(
            f"the frame has the columns {', '.join(frame.columns)}, and no "
            f"{' and no '.join(sorted(missing))}; rename with frame.withColumnRenamed"
        )
    kinds = dict(frame.dtypes)
    moments = []
    if "timestamp" in frame.columns:
        time = _seconds(F.col("timestamp"), kinds["timestamp"])
        moment = F.when(time == UNKNOWN_TIME, F.lit(BAD_TIME)).otherwise(time)
        moments = [F.coalesce(moment, F.lit(BAD_TIME)).alias("moment")]
    value = F.col("rating")
    rating = value.try_cast("float")
    empty = F.lit(False)
    for name in ("user_id", "item_id", "rating"):
        empty = empty | F.col(name).isNull()
        if kinds[name] == "string":
            empty = empty | (F.col(name) == "")
        elif kinds[name] in ("float", "double") and name != "rating":
            empty = empty | F.isnan(name)
    fault = (
        F.when(empty, F.lit(int(Fault.MISSING)))
        .when(rating.isNull(), F.lit(int(Fault.NOT_A_NUMBER)))
        .when(F.isnan(rating) | (F.abs(rating) == float("inf")), F.lit(int(Fault.NOT_FINITE)))
        .otherwise(F.lit(int(Fault.NONE)))
    )
    return frame.select(
        *(_id(F.col(name), kinds[name]).alias(name) for name in ("user_id", "item_id")),
        rating.alias("rating"),
        value.cast("string").alias("given"),
        *moments,
        F.monotonically_increasing_id().alias("place"),
        fault.alias("fault"),
    )


def _seconds(time: "Column", kind: str) -> "Column":
    """Seconds since 1970 of a column of numbers, dates or text; null where there is none."""
    from pyspark.sql import functions as F

    if kind == "date" or kind.startswith("timestamp"):
        return time.cast("timestamp").cast("long")
    seconds = time.try_cast("long")
    if kind != "string":
        return seconds
    return F.coalesce(seconds, time.try_cast("timestamp").cast("long"))


def _id(given: "Column", kind: str) -> "Column":
    """An id as a whole number or as text; 7.0 becomes the text 7."""
    from pyspark.sql import functions as F

    if kind in WHOLE_TYPES:
        return given.cast("bigint")
    text = given.cast("string")
    if kind not in ("float", "double"):
        return text
    whole = given.try_cast("bigint")
    return F.when(given == whole, whole.cast("string")).otherwise(text)


def good(rows: "DataFrame") -> "DataFrame":
    """The judged rows without a fault."""
    return rows.where(GOOD)


def warn_of_faults(rows: "DataFrame") -> None:
    """Warn of the rows that are set aside, with reasons. Raises BadRatings where no row is good."""
    counts: dict[int, int] = dict(map(tuple, rows.groupBy("fault").count().collect()))
    n, n_good = sum(counts.values()), counts.get(int(Fault.NONE), 0)
    if not n:
        raise BadRatings("there are no ratings in the frame: it has not one row")
    reasons = []
    for fault, count in sorted(counts.items()):
        if fault == Fault.NONE:
            continue
        examples = rows.where(f"fault = {fault}").limit(CASES_SHOWN)
        cases = "; ".join(
            f"user_id {row['user_id']!r}, item_id {row['item_id']!r}, rating {row['given']}"
            for row in examples.collect()
        )
        more = ", ..." if count > CASES_SHOWN else ""
        reasons.append(f"{count:,} {REASON[Fault(fault)]} ({cases}{more})")
    if not n_good:
        raise BadRatings("there are no usable ratings in the frame: " + "; ".join(reasons))
    if reasons:
        aside = f"{n - n_good:,} of {counted(n, 'row')} set aside: "
        warnings.warn(aside + "; ".join(reasons), stacklevel=5)
