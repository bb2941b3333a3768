"""Validation of rows from any source: each is kept, merged, or set aside and counted.

Times are whole seconds since 1970. A time of 0, an empty one and one that cannot be read are
all *unknown* and stored as 0; a source without one known time has no timestamps at all.
"""

from collections.abc import Iterator

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.read_report import Case, Finding, ReadReport
from matinee.data.scale import Scale
from matinee.errors import Advice, BadRatings, BadSetting, Message, Option
from matinee.sources.raw import BAD_TIME, REASON, UNKNOWN_TIME, Fault, Numbered, Raw, ReadOptions

CASES_SHOWN = 3
MERGE: Message = (  # what to do about duplicates
    Option("duplicates", "last"),
    " or ",
    Option("duplicates", "mean"),
    " to merge them",
)
DUPLICATES = ("last", "mean", "error")
TIME_UNITS = ((10**9, "nanoseconds"), (10**6, "microseconds"), (10**3, "milliseconds"))
MILLISECONDS_FROM = 10**11  # as seconds this is the year 5138, as milliseconds March 1973


def check_options(options: ReadOptions) -> None:
    """Raise BadSetting for options that no source could follow."""
    if options.duplicates not in DUPLICATES:
        choice = Option("duplicates", options.duplicates)
        raise BadSetting(choice, f" is not one of {', '.join(DUPLICATES)}")
    if options.scale is not None:
        low, high = options.scale
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise BadSetting(
                f"a scale goes from low to high, such as (1, 5), not {low:g}..{high:g}"
            )


def clean(raw: Raw, options: ReadOptions) -> Ratings:
    """The good rows of a source as Ratings, with a report of all the others.

    Raises BadRatings when no row is good, when ``strict`` and any is not, or when
    ``duplicates="error"`` and a (user, item) pair repeats.
    """
    scale, scale_from = apply_scale(raw, options)
    set_aside = tuple(findings(raw, scale))
    if options.strict and set_aside:
        refuse(raw.name, set_aside[0])
    good = good_rows(raw.fault)
    if not len(raw.rating[good]):
        nothing_left(raw, set_aside)
    users, user = numbering(raw.users, good, "user", raw.all_ids)
    items, item = numbering(raw.items, good, "item", raw.all_ids)
    rating = raw.rating[good]
    time, bad_times = seconds(raw, good)
    if bad_times:
        if options.strict:
            refuse(raw.name, bad_times)
        raw.notes.append(f"unknown time: {bad_times}")
    again = repeats(user, item, len(items))
    if len(again) and options.duplicates == "error":
        raise repeated(raw, good, users, items, user, item, again[0])
    n_good = len(rating)
    if len(again):
        user, item, rating, time = merged(user, item, rating, time, again, options.duplicates)
    report = ReadReport(
        source=raw.name,
        format=raw.format,
        columns=raw.columns,
        details=raw.details,
        scale=scale,
        scale_from=scale_from,
        n_rows=int(np.count_nonzero(raw.fault != Fault.NO_ROW)),
        n_kept=len(rating),
        set_aside=set_aside,
        n_merged=n_good - len(rating),
        duplicates=options.duplicates,
        n_without_time=0 if time is None else int(np.count_nonzero(time == UNKNOWN_TIME)),
        notes=tuple(raw.notes),
    )
    return Ratings.of(
        users,
        items,
        user,
        item,
        rating,
        time,
        scale=scale,
        catalog=raw.catalog,
        report=report,
        profiles=raw.profiles,
    )


Selection = slice | np.ndarray  # the good rows: a slice where possible, which copies nothing


def good_rows(fault: np.ndarray) -> Selection:
    """Where the good rows are: all from some row on, or their positions."""
    good = fault == Fault.NONE
    start = int(np.argmax(good)) if good.any() else len(good)
    return slice(start, None) if good[start:].all() else np.flatnonzero(good)


def rows_at(good: Selection, positions: np.ndarray) -> list[int]:
    """The rows of the source behind some positions among the good ones."""
    rows = positions + good.start if isinstance(good, slice) else good[positions]
    return [int(row) for row in rows]


def apply_scale(raw: Raw, options: ReadOptions) -> tuple[Scale, str]:
    """The scale given, known of the source, or inferred; marks the ratings outside it."""
    scale = options.scale or raw.known_scale
    good = raw.fault == Fault.NONE
    if scale is None:
        values = raw.rating[good]
        return (Scale.of(values) if len(values) else Scale(0, 0)), "inferred"
    outside = good & ((raw.rating < scale.low) | (raw.rating > scale.high))
    raw.fault[outside] = Fault.OUTSIDE
    return scale, "given" if options.scale else "known"


def findings(raw: Raw, scale: Scale) -> Iterator[Finding]:
    """For each reason the rows set aside, the reason of the earliest row first."""
    present = [fault for fault in REASON if (raw.fault == fault).any()]
    for fault in sorted(present, key=lambda fault: int(np.argmax(raw.fault == fault))):
        rows = np.flatnonzero(raw.fault == fault)
        first = tuple(Case(raw.where(row), raw.show(row)) for row in rows[:CASES_SHOWN].tolist())
        reason = REASON[fault] + (f" {scale}" if fault == Fault.OUTSIDE else "")
        yield Finding(reason, len(rows), first)


def refuse(name: str, finding: Finding) -> None:
    """Raise BadRatings, for ``strict``, with the first faulty row and how to read without it."""
    case = finding.first[0]
    raise BadRatings(
        f"{name}, {case.place}: {case.value} - one of {finding.count:,} rows {finding.reason}; "
        "mend it, or ",
        Advice("read without strict", "leave out --strict"),
        " to set such rows aside",
    )


def nothing_left(raw: Raw, set_aside: tuple[Finding, ...]) -> None:
    """Raise BadRatings for a source without a good row, with the reasons."""
    if not set_aside:
        raise BadRatings(f"{raw.name} holds no ratings: there is not one row in it")
    raise BadRatings(
        f"{raw.name} holds no usable ratings: " + "; ".join(f"{finding}" for finding in set_aside)
    )


def numbering(
    column: Numbered, good: Selection, kind: str, all_ids: bool
) -> tuple[IdMap, np.ndarray]:
    """Ids in natural order and the row number (int32) of each good row."""
    code = column.code[good]
    used = np.ones(len(column.ids), dtype=bool)
    if not all_ids:
        used[:] = False
        used[code] = True
    ids = IdMap.of(
        (text for text, keep in zip(column.ids, used.tolist(), strict=True) if keep), kind
    )
    return ids, ids.rows(column.ids)[code]


def seconds(raw: Raw, good: Selection) -> tuple[np.ndarray | None, Finding | None]:
    """The times of good rows in whole seconds, or None without a known one; and the unreadable."""
    if raw.time is None:
        return None, None
    time = raw.time[good]
    bad = np.flatnonzero(time == BAD_TIME)
    time[bad] = UNKNOWN_TIME
    shown = rows_at(good, bad[:CASES_SHOWN])
    first = tuple(Case(raw.where(row), raw.show(row)) for row in shown)
    unread = Finding("whose timestamp cannot be read", len(bad), first) if len(bad) else None
    if not time.any():
        raw.notes.append("there are timestamps, but not one is known")
        return None, unread
    divisor, unit = time_unit(time)
    if divisor > 1:
        time = time // divisor
        raw.notes.append(f"timestamps are in {unit}; kept in whole seconds")
    return time, unread


def time_unit(time: np.ndarray) -> tuple[int, str]:
    """How many of a unit make a second, judged by the size of the median known time."""
    size = float(np.median(np.abs(time[time != UNKNOWN_TIME])))
    for divisor, unit in TIME_UNITS:
        if size >= MILLISECONDS_FROM * (divisor // 1000):
            return divisor, unit
    return 1, "seconds"


def repeats(user: np.ndarray, item: np.ndarray, n_items: int) -> np.ndarray:
    """The positions of all rows whose (user, item) pair stands more than once, ascending."""
    pairs = user.astype(np.int64) * n_items + item
    ordered = np.sort(pairs)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    if not len(twice):
        return twice
    nearest = np.minimum(np.searchsorted(twice, pairs), len(twice) - 1)
    return np.flatnonzero(twice[nearest] == pairs)


Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]


def merged(
    user: np.ndarray,
    item: np.ndarray,
    rating: np.ndarray,
    time: np.ndarray | None,
    again: np.ndarray,
    how: str,
) -> Columns:
    """The columns with the rows ``again`` merged into one for each pair, by ``how``."""
    times = None if time is None else time[again]
    chosen, values = merge(user[again], item[again], rating[again], times, how)
    keep = np.ones(len(user), dtype=bool)
    keep[again] = False
    keep[again[chosen]] = True
    rating = rating.copy()
    rating[again[chosen]] = values
    return user[keep], item[keep], rating[keep], None if time is None else time[keep]


def merge(
    user: np.ndarray,
    item: np.ndarray,
    rating: np.ndarray,
    time: np.ndarray | None,
    how: str,
) -> tuple[np.ndarray, np.ndarray]:
    """One position for each (user, item) pair, the last by time and then by order; its rating.

    An unknown time comes before any known one. The mean is taken in float64 over sorted
    values, so that the order of rows cannot show in its last bit.
    """
    when = np.zeros(len(user), np.int64) if time is None else np.where(time == 0, BAD_TIME, time)
    order = np.lexsort((when, item, user))
    changed = (np.diff(user[order]) != 0) | (np.diff(item[order]) != 0)
    starts = np.concatenate([[0], np.flatnonzero(changed) + 1])
    ends = np.append(starts[1:], len(order)) - 1
    chosen = order[ends]
    if how == "last":
        return chosen, rating[chosen]
    by_value = np.lexsort((rating, item, user))
    total = np.add.reduceat(rating[by_value].astype(np.float64), starts)
    return chosen, (total / (ends - starts + 1)).astype(np.float32)


def repeated(
    raw: Raw,
    good: Selection,
    users: IdMap,
    items: IdMap,
    user: np.ndarray,
    item: np.ndarray,
    at: int,
) -> BadRatings:
    """The error of ``duplicates="error"``: who rated what twice, and where."""
    rows = rows_at(good, np.flatnonzero((user == user[at]) & (item == item[at])))
    places = " and ".join(raw.where(row) for row in rows[:CASES_SHOWN])
    return BadRatings(
        f"{raw.name}: user {users.ids[user[at]]!r} rated item {items.ids[item[at]]!r} "
        f"{len(rows)} times ({places}); choose ",
        *MERGE,
    )
