"""Validation of rows from any source: each is kept, merged, or set aside and counted.

Times are whole seconds since 1970. A time of 0, an empty one and one that cannot be read are
all *unknown* and stored as 0; a source without one known time has no timestamps at all.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.read_report import Case, Finding, ReadReport
from matinee.data.sample_weights import A_WEIGHT, is_weight
from matinee.data.scale import Scale
from matinee.display.text import counted
from matinee.errors import Advice, BadRatings, BadSetting, Message, Option
from matinee.sources.decimals import check_decimal
from matinee.sources.raw import BAD_TIME, REASON, UNKNOWN_TIME, Fault, Numbered, Raw, ReadOptions
from matinee.sources.strays import doubt_of, warn_of

CASES_SHOWN = 3
WORDS_LOOKED_AT = 50  # rows, for the events that an error offers weights for
SIGNED_NUMBERS = {  # forms of ratings that are numbers but for a sign, and how to write them
    r"[+-]?[\d.,]+ *%": "20 instead of 20%",
    r"[\d.,]+ */ *[\d.,]+": "3 instead of 3/5",
    "[\u2605\u2606\u2b50\u272d*\ufe0f ]+": "3 instead of three stars",
}
DISLIKING = re.compile(r"dislike|disliked|^(down|thumbs?_?down|bad|negative)$|hate", re.IGNORECASE)
MERGE: Message = (  # what to do about duplicates
    Option("duplicates", "last"),
    " or ",
    Option("duplicates", "mean"),
    " to merge them",
)
DUPLICATES = ("last", "mean", "sum", "count", "error")
KEEPING = ("last", "error")  # one rating of a pair, and so its weight
ADDING = ("sum", "count")  # merged ratings lie on a scale of their own
YEARS = (1900, 2100)  # of dates written YYYYMMDD
TIME_UNITS = ((10**9, "nanoseconds"), (10**6, "microseconds"), (10**3, "milliseconds"))
MILLISECONDS_FROM = 10**11  # as seconds this is the year 5138, as milliseconds March 1973


def check_options(options: ReadOptions) -> None:
    """Raise BadSetting for options that no source could follow."""
    if options.duplicates not in DUPLICATES:
        choice = Option("duplicates", options.duplicates)
        raise BadSetting(choice, f" is not one of {', '.join(DUPLICATES)}")
    check_decimal(options.decimal)
    check_events(options.events)
    if options.duplicates not in KEEPING and "sample_weight" in (options.columns or {}):
        raise merges_no_weights(options)
    if not options.rating_needed and "rating" in (options.columns or {}):
        how = Option("duplicates", options.duplicates)
        raise BadSetting(how, " counts rows, so it takes no column of ratings")
    if options.scale is not None:
        if options.duplicates in ADDING:
            how = Option("duplicates", options.duplicates)
            raise BadSetting("a scale is of single ratings, so it cannot be given with ", how)
        low, high = options.scale
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise BadSetting(
                f"a scale goes from low to high, such as (1, 5), not {low:g}..{high:g}"
            )


def merges_no_weights(options: ReadOptions) -> BadSetting:
    """The error for weights of ratings where several ratings become one."""
    how = Option("duplicates", options.duplicates)
    last = Option("duplicates", "last")
    return BadSetting(how, " says nothing of sample_weight; weights go with ", last)


def check_events(events: Mapping[str, float] | None) -> None:
    """Raise BadSetting unless the weights of events are numbers."""
    for event, weight in (events or {}).items():
        number = isinstance(weight, int | float) and np.isfinite(weight)
        if not isinstance(event, str) or not number:
            raise BadSetting(f"the weight of event {event!r} is {weight!r}; it must be a number")


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
        raise nothing_left(raw.name, set_aside, lambda: columns_remedy(raw))
    users, user = numbering(raw.users, good, "user", raw.all_ids)
    items, item = numbering(raw.items, good, "item", raw.all_ids)
    rating = raw.rating[good]
    time, bad_times = seconds(raw, good)
    if bad_times:
        if options.strict:
            refuse(raw.name, bad_times)
        raw.notes.append(unknown_time(bad_times))
    again = repeats(user, item, len(items))
    if len(again) and options.duplicates == "error":
        raise repeated(raw, good, users, items, user, item, again[0])
    weight = weights(raw, good, options)
    n_good = len(rating)
    if len(again):
        keep, rating = merged(user, item, rating, time, again, options.duplicates)
        user, item, rating = user[keep], item[keep], rating[keep]
        time, weight = (None if one is None else one[keep] for one in (time, weight))
    if options.duplicates in ADDING:
        scale, scale_from = Scale.of(rating), "inferred"
    report = ReadReport(
        source=raw.name,
        format=raw.format,
        columns=raw.columns,
        details={**raw.details, **options.details},
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
        sample_weight=weight,
    )


Selection = slice | np.ndarray  # the good rows: a slice where possible, which copies nothing


def good_rows(fault: np.ndarray) -> Selection:
    """Where rows have no fault (n_rows,): all from some row on, or their positions."""
    good = fault == Fault.NONE
    start = int(np.argmax(good)) if good.any() else len(good)
    return slice(start, None) if good[start:].all() else np.flatnonzero(good)


def rows_at(good: Selection, positions: np.ndarray) -> list[int]:
    """The rows of the source behind some positions (n,) among the good ones."""
    rows = positions + good.start if isinstance(good, slice) else good[positions]
    return [int(row) for row in rows]


def apply_scale(raw: Raw, options: ReadOptions) -> tuple[Scale, str]:
    """The scale given, known of the source, or inferred; marks the ratings outside it."""
    scale = options.scale or raw.known_scale
    good = raw.fault == Fault.NONE
    if scale is None:
        values = raw.rating[good]
        if not len(values):
            return Scale(0, 0), "inferred"
        if infers_stars(options, raw.known_scale):
            look_for_doubts(raw, np.flatnonzero(good))
        return Scale.of(values), "inferred"
    outside = good & ((raw.rating < scale.low) | (raw.rating > scale.high))
    raw.fault[outside] = Fault.OUTSIDE
    return scale, "given" if options.scale else "known"


def infers_stars(options: ReadOptions, known: Scale | None) -> bool:
    """Whether the scale is inferred from single ratings, rather than given, known or of sums."""
    scale = options.scale or known
    return scale is None and options.duplicates not in ADDING and not options.events


def look_for_doubts(raw: Raw, good: np.ndarray) -> None:
    """Warn where some of the good rows (n_good,) may not mean what the others do."""
    rating = raw.rating[good]
    doubt = doubt_of(*np.unique(rating, return_counts=True))
    if doubt is None:
        return
    odd = np.flatnonzero((rating < doubt.usual.low) | (rating > doubt.usual.high))
    row = int(good[odd[0]])
    warn_of(doubt, raw.name, len(odd), Case(raw.where(row), f"{raw.rating[row]:g}"))


def findings(raw: Raw, scale: Scale) -> Iterator[Finding]:
    """For each reason the rows set aside, the reason of the earliest row first."""
    present = [fault for fault in REASON if (raw.fault == fault).any()]
    for fault in sorted(present, key=lambda fault: int(np.argmax(raw.fault == fault))):
        rows = np.flatnonzero(raw.fault == fault)
        first = tuple(Case(raw.where(row), raw.show(row)) for row in rows[:CASES_SHOWN].tolist())
        reason = REASON[fault] + (f" {scale}" if fault == Fault.OUTSIDE else "")
        yield Finding(reason, len(rows), first)


def one_of(n: int) -> str:
    """The first of some rows, with their number."""
    return "the only row" if n == 1 else f"one of {counted(n, 'row')}"


def refuse(name: str, finding: Finding) -> None:
    """Raise BadRatings, for ``strict``, with the first faulty row and how to read without it."""
    case = finding.first[0]
    raise BadRatings(
        f"{name}, {case.place}: {case.value} - {one_of(finding.count)} {finding.reason}; "
        "mend it, or ",
        Advice("read without strict", "leave out --strict"),
        " to set such rows aside",
    )


def nothing_left(
    name: str, set_aside: Sequence[Finding], remedy: Callable[[], Message]
) -> BadRatings:
    """The error for a source without a good row, with the reasons and, for words, a remedy."""
    if not set_aside:
        return BadRatings(f"there are no ratings in {name}: it has not one row")
    reasons = "; ".join(f"{finding}" for finding in set_aside)
    words = any(finding.reason == REASON[Fault.NOT_A_NUMBER] for finding in set_aside)
    return BadRatings(
        f"there are no usable ratings in {name}: {reasons}", *(remedy() if words else ())
    )


def columns_remedy(raw: Raw) -> Message:
    """What to do where no rating is a number: weigh the words, or name another column."""
    rows = np.flatnonzero(raw.fault == Fault.NOT_A_NUMBER)[:WORDS_LOOKED_AT].tolist()
    return words_remedy(raw.show(row) for row in rows)


def words_remedy(texts: Iterable[str]) -> Message:
    """The remedy for ratings that are words, given as messages show them."""
    words = sorted({one.strip("'\"") for one in texts})
    for form, example in SIGNED_NUMBERS.items():
        if words and all(re.fullmatch(form, word) for word in words):
            return (f"; write plain numbers, such as {example}",)
    another: Message = ("; name the column of ratings with ", Option("columns", {"rating": "..."}))
    if not words or not all(re.fullmatch(r"[\w-]+", word) for word in words):
        return another
    if against := [word for word in words if DISLIKING.search(word)]:
        for_it = dict.fromkeys((word for word in words if word not in against), 1)
        opinions = Option("events", for_it | dict.fromkeys(against, -1))
        liked = (", or leave out who disliked what: ", Option("events", for_it)) if for_it else ()
        return (*another, ", or rate for and against: ", opinions, *liked)
    weights = {word: place for place, word in enumerate(words, start=1)}
    return (*another, ", or give each event a weight of your choice: ", Option("events", weights))


def numbering(
    column: Numbered, good: Selection, kind: str, all_ids: bool
) -> tuple[IdMap, np.ndarray]:
    """Ids in natural order, and the number of the id of each good row: int32 (n_good,)."""
    code = column.code[good]
    if isinstance(column.ids, IdMap):
        return column.ids, code
    used = np.ones(len(column.ids), dtype=bool)
    if not all_ids:
        used[:] = False
        used[code] = True
    ids = IdMap.of(
        (text for text, keep in zip(column.ids, used.tolist(), strict=True) if keep),
        kind,
        column.id_type,
    )
    return ids, ids.rows(column.ids)[code]


def weights(raw: Raw, good: Selection, options: ReadOptions) -> np.ndarray | None:
    """The weights of good rows, float32 (n_good,), None where there are none.

    Raises BadRatings for the first that is no finite number above 0, and BadSetting where
    ratings are merged.
    """
    if raw.weight is None:
        return None
    if options.duplicates not in KEEPING:
        raise merges_no_weights(options)
    weight = raw.weight[good]
    if len(bad := np.flatnonzero(~is_weight(weight))):
        (row,) = rows_at(good, bad[:1])
        value = "no number" if np.isnan(weight[bad[0]]) else f"{weight[bad[0]]:g}"
        raise BadRatings(
            f"{raw.name}, {raw.where(row)}: sample_weight is {value}; {A_WEIGHT}: correct it, or "
            "leave the row out"
        )
    return weight


def seconds(raw: Raw, good: Selection) -> tuple[np.ndarray | None, Finding | None]:
    """Times of good rows in seconds, int64 (n_good,), None if none is known; and the unreadable."""
    if raw.time is None:
        return None, None
    time = raw.time[good]
    bad = np.flatnonzero(time == BAD_TIME)
    examples = rows_at(good, bad[:CASES_SHOWN])
    first = tuple(Case(raw.where(row), raw.show(row)) for row in examples)
    time[bad] = UNKNOWN_TIME
    unread = Finding("whose timestamp cannot be read", len(bad), first) if len(bad) else None
    if not time.any():
        raw.notes.append("there are timestamps, but not one is known")
        return None, unread
    time, note = whole_seconds(time)
    raw.notes += [note] if note else []
    return time, unread


def unknown_time(unread: Finding) -> str:
    """The note on times that cannot be read, with the forms that can be."""
    return (
        f"unknown time: {unread}; read are seconds since 1970, 2024-03-20, 2024-03-20T18:30 and "
        "20.03.2024, while 03/04/2024 could be in March or April"
    )


def whole_seconds(time: np.ndarray) -> tuple[np.ndarray, str | None]:
    """Times (n,) in whole seconds, and a note where they are not so written.

    The unit is judged time by time, by its size. A column of nothing but dates as YYYYMMDD is one
    of dates.
    """
    known = time != UNKNOWN_TIME
    if (days := dates(time[known])) is not None:
        seconds = time.copy()
        seconds[known] = days
        return seconds, "timestamps are dates as YYYYMMDD"
    size = np.abs(time)
    if size.max(initial=0) < MILLISECONDS_FROM:
        return time, None
    divisor = np.ones(len(time), np.int64)
    for each, _ in reversed(TIME_UNITS):
        divisor[size >= MILLISECONDS_FROM * (each // 1000)] = each
    units = [unit for each, unit in TIME_UNITS if (divisor == each).any()]
    if not units:
        return time, None
    units += ["seconds"] * bool((divisor[known] == 1).any())
    return time // divisor, f"timestamps are in {' and '.join(units)}; kept in whole seconds"


def dates(time: np.ndarray) -> np.ndarray | None:
    """Seconds (n,) of dates written as YYYYMMDD (n,), or None unless all of them are."""
    first, stop = (year * 10_000 for year in YEARS)
    if time.min(initial=first) < first or time.max(initial=first) >= stop:
        return None
    year, month, day = time // 10_000, time // 100 % 100, time % 100
    if not ((month >= 1) & (month <= 12)).all():
        return None
    months = (year - 1970).astype("M8[Y]").astype("M8[M]") + (month - 1)
    last = ((months + 1).astype("M8[D]") - months.astype("M8[D]")).astype(np.int64)
    if not ((day >= 1) & (day <= last)).all():
        return None
    seconds: np.ndarray = (months.astype("M8[D]") + (day - 1)).astype("M8[s]").astype(np.int64)
    return seconds


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


def merged(
    user: np.ndarray,
    item: np.ndarray,
    rating: np.ndarray,
    time: np.ndarray | None,
    again: np.ndarray,
    how: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Which rows to keep, bool (n_rows,), and their ratings (n_rows,): one row for each pair.

    The rows ``again`` (n,) are those of pairs that occur more than once, merged by ``how``.
    """
    times = None if time is None else time[again]
    last, values = merge(user[again], item[again], rating[again], times, how)
    keep = np.ones(len(user), dtype=bool)
    keep[again] = False
    keep[again[last]] = True
    rating = rating.copy()
    rating[again[last]] = values
    return keep, rating


def merge(
    user: np.ndarray,
    item: np.ndarray,
    rating: np.ndarray,
    time: np.ndarray | None,
    how: str,
) -> tuple[np.ndarray, np.ndarray]:
    """One position for each (user, item) pair, the last by time and then by order; its rating.

    An unknown time comes before any known one. Sum and mean are taken in float64 over sorted
    values, so that the order of rows cannot show in their last bit. Where rows are counted, each
    rating is 1.
    """
    when = np.zeros(len(user), np.int64) if time is None else np.where(time == 0, BAD_TIME, time)
    order = np.lexsort((when, item, user))
    changed = (np.diff(user[order]) != 0) | (np.diff(item[order]) != 0)
    starts = np.concatenate([[0], np.flatnonzero(changed) + 1])
    ends = np.append(starts[1:], len(order)) - 1
    last = order[ends]
    if how == "last":
        return last, rating[last]
    by_value = np.lexsort((rating, item, user))
    total = np.add.reduceat(rating[by_value].astype(np.float64), starts)
    if how == "mean":
        total /= ends - starts + 1
    return last, total.astype(np.float32)


def repeated(
    raw: Raw,
    good: Selection,
    users: IdMap,
    items: IdMap,
    user: np.ndarray,
    item: np.ndarray,
    at: int,
) -> BadRatings:
    """The error of ``duplicates="error"``: who rated what twice, and where.

    ``user`` and ``item`` are (n_good,), ``at`` is the place of a repeated row among them.
    """
    rows = rows_at(good, np.flatnonzero((user == user[at]) & (item == item[at])))
    places = " and ".join(raw.where(row) for row in rows[:CASES_SHOWN])
    return BadRatings(
        f"{raw.name}: user {users.ids[user[at]]!r} rated item {items.ids[item[at]]!r} "
        f"{len(rows)} times ({places}); choose ",
        *MERGE,
    )
