"""Events of feedback, and the validation of rows that arrive."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from matinee.data.ids import IdMap
from matinee.data.scale import Scale
from matinee.display.plain_data import JsonMapping

MAX_ID_BYTES = 256
LATEST_TIME = 253_402_300_799  # the last second of the year 9999
FIELDS = ("user_id", "item_id", "rating", "timestamp")


@dataclass(frozen=True)
class Event:
    """A user rated an item, or took a rating back."""

    user_id: str
    item_id: str
    rating: float | None  # None: the rating is taken back
    at: int  # seconds since 1970


@dataclass(frozen=True)
class Verdict:
    """The result of one row."""

    status: str  # "accepted" or "rejected"
    reason: str = ""  # why it was rejected, or a note on an accepted one

    def to_dict(self) -> dict[str, str]:
        return {"status": self.status} | ({"reason": self.reason} if self.reason else {})


def id_problem(value: object) -> str:
    """What is wrong with an id from outside; empty for a valid one."""
    rule = f"an id is text of 1 to {MAX_ID_BYTES} bytes in UTF-8, without NUL"
    if not isinstance(value, str):
        return f"{rule}; not {type(value).__name__}"
    try:
        n_bytes = len(value.encode())
    except UnicodeEncodeError:
        return f"{rule}; this is not Unicode"
    if not 1 <= n_bytes <= MAX_ID_BYTES or "\0" in value:
        return f"{rule}; this has {n_bytes:,} bytes"
    return ""


def judge(
    row: object, items: IdMap, scale: Scale, step: float | None = None
) -> tuple[Event | None, Verdict]:
    """The event of a row of feedback, or None for an invalid row; and the verdict on it.

    A row is ``{"user_id", "item_id", "rating", "timestamp"}``. The rating lies on the scale, and on
    the step where there is one, or is null to take one back. The time is in seconds since 1970 and
    defaults to now. Items unknown to the model are accepted: they count after the next refit.
    """
    if not isinstance(row, Mapping):
        return None, Verdict("rejected", f"a row is an object, not {type(row).__name__}")
    if problem := _row_problem(row, scale, step):
        return None, Verdict("rejected", problem)
    rating, at = row["rating"], row.get("timestamp")
    event = Event(
        row["user_id"],
        row["item_id"],
        None if rating is None else float(rating),
        int(time.time()) if at is None else int(at),
    )
    note = (
        ""
        if event.item_id in items
        else "the model does not know this item; it counts from the next refit"
    )
    return event, Verdict("accepted", note)


def _row_problem(row: JsonMapping, scale: Scale, step: float | None) -> str:
    unknown = [name for name in row if name not in FIELDS]
    if unknown:
        return f"there is no field {unknown[0]!r}; a row has {', '.join(FIELDS)}"
    for name in ("user_id", "item_id"):
        if name not in row:
            return f"{name} is missing"
        if reason := id_problem(row[name]):
            return f"{name}: {reason}"
    if "rating" not in row:
        return "rating is missing; null takes a rating back"
    rating, at = row["rating"], row.get("timestamp")
    if rating is not None and (not _is_number(rating) or not scale.low <= rating <= scale.high):
        return (
            f"rating is {_abbreviated(rating)}; it must be a number on the scale {scale}, or null"
        )
    if rating is not None and step is not None and (beside := scale.beside(rating, step)):
        return (
            f"rating is {_abbreviated(rating)}; ratings on the scale {scale} go in steps of "
            f"{step:g}: give {' or '.join(f'{one:g}' for one in beside)}"
        )
    if at is not None and (not _is_number(at) or at != int(at) or not 0 <= at <= LATEST_TIME):
        return f"timestamp is {_abbreviated(at)}; it must be whole seconds since 1970"
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _abbreviated(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
