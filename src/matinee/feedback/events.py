"""One event of feedback, and the verdict on a row that may be one."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matinee.data.ids import IdMap
from matinee.data.scale import Scale

ID_BYTES = 256
LATEST = 253_402_300_799  # the last second of the year 9999
FIELDS = ("user_id", "item_id", "rating", "timestamp")


@dataclass(frozen=True)
class Event:
    """Somebody rated something, or took a rating back."""

    user_id: str
    item_id: str
    rating: float | None  # None: the rating is taken back
    at: int  # seconds since 1970


@dataclass(frozen=True)
class Verdict:
    """What became of one row."""

    status: str  # "accepted" or "rejected"
    reason: str = ""  # why it was rejected, or what to know of an accepted one

    def to_dict(self) -> dict[str, str]:
        return {"status": self.status} | ({"reason": self.reason} if self.reason else {})


def bad_id(value: object) -> str:
    """What is wrong with an id that came from outside; nothing when it is one."""
    rule = f"an id is text of 1 to {ID_BYTES} bytes in UTF-8, without NUL"
    if not isinstance(value, str):
        return f"{rule}; not {type(value).__name__}"
    try:
        n_bytes = len(value.encode())
    except UnicodeEncodeError:
        return f"{rule}; this is not Unicode"
    if not 1 <= n_bytes <= ID_BYTES or "\0" in value:
        return f"{rule}; this has {n_bytes:,} bytes"
    return ""


def judge(row: object, items: IdMap, scale: Scale) -> tuple[Event | None, Verdict]:
    """The event that a row of feedback is, and the verdict on it.

    ``{"user_id", "item_id", "rating", "timestamp"}``: a rating lies on the scale, and null takes
    one back; without a time it is now. An item that the model does not know is kept for later.
    """
    if not isinstance(row, Mapping):
        return None, Verdict("rejected", f"a row is an object, not {type(row).__name__}")
    wrong = _wrong(row, scale)
    if wrong:
        return None, Verdict("rejected", wrong)
    rating, at = row["rating"], row.get("timestamp")
    event = Event(
        row["user_id"],
        row["item_id"],
        None if rating is None else float(rating),
        int(time.time()) if at is None else int(at),
    )
    known = event.item_id in items
    note = "" if known else "the model does not know this item; it counts from the next refit"
    return event, Verdict("accepted", note)


def _wrong(row: Mapping[str, Any], scale: Scale) -> str:
    unknown = [name for name in row if name not in FIELDS]
    if unknown:
        return f"there is no field {unknown[0]!r}; a row has {', '.join(FIELDS)}"
    for name in ("user_id", "item_id"):
        if name not in row:
            return f"{name} is missing"
        if reason := bad_id(row[name]):
            return f"{name}: {reason}"
    if "rating" not in row:
        return "rating is missing; null takes a rating back"
    rating, at = row["rating"], row.get("timestamp")
    if rating is not None and (not _is_number(rating) or not scale.low <= rating <= scale.high):
        return f"rating is {_shown(rating)}; it must be a number on the scale {scale}, or null"
    if at is not None and (not _is_number(at) or at != int(at) or not 0 <= at <= LATEST):
        return f"timestamp is {_shown(at)}; it must be whole seconds since 1970"
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
