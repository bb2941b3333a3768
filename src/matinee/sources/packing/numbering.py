"""Columns in memory: numbering ids, and reading ratings and times, value by value where needed.

A whole number stands for its decimal text. A column of floats is taken for ids only where every
value is a whole number that a float represents exactly, and the report says so.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from numbers import Integral, Real

import numpy as np

from matinee.errors import BadRatings
from matinee.sources.raw import BAD_TIME, DOTTED_DATES, UNKNOWN_TIME, Fault, Numbered

EXACT_BELOW = 2**53  # whole numbers that a float represents exactly
LARGEST = float(np.finfo(np.float32).max)  # beyond it a rating would be stored as infinite


def as_column(values: object) -> np.ndarray:
    """Any sequence as an array (n_rows,): numeric where it is numbers only, else Python objects.

    Raises BadRatings for more dimensions than one.
    """
    if not isinstance(values, np.ndarray):
        values = np.asarray(values) if hasattr(values, "__array__") else as_objects(values)
    if values.ndim != 1:
        raise BadRatings(f"a column has one dimension, not the shape {values.shape}")
    return as_objects(values) if values.dtype.kind in "OUSTa" else values


def as_objects(values: object) -> np.ndarray:
    """A sequence as an array (n_rows,): numeric where it is numbers only, else Python objects."""
    items = values.tolist() if isinstance(values, np.ndarray) else list(values)  # type: ignore[call-overload]
    kinds = set(map(type, items))
    if kinds and (kinds <= {int} or kinds <= {float, int}):
        try:
            return np.array(items, dtype=np.int64 if kinds == {int} else np.float64)
        except OverflowError:
            pass
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column


def number_ids(column: np.ndarray, name: str, notes: list[str]) -> Numbered:
    """The distinct ids of a column (n_rows,) and the code of each row.

    Raises BadRatings for what is neither text nor a whole number.
    """
    kind = column.dtype.kind
    if kind in "iu":
        distinct, code = np.unique(column, return_inverse=True)
        ids = [str(value) for value in distinct.tolist()]
        return Numbered(ids, code.astype(np.int32), column.dtype.name)
    if kind == "f":
        return number_floats(column, name, notes)
    if kind != "O":
        raise BadRatings(f"ids are text or whole numbers, but {name} is a column of {column.dtype}")
    return number_objects(column, name)


def number_floats(column: np.ndarray, name: str, notes: list[str]) -> Numbered:
    """Ids of a column of floats (n_rows,): pandas turns ints into floats where one is missing.

    Raises BadRatings for a fraction, and for a number too large to be exact.
    """
    present = ~np.isnan(column)
    values = column[present]
    odd = np.flatnonzero((np.floor(values) != values) | (np.abs(values) >= EXACT_BELOW))
    if len(odd):
        raise BadRatings(
            f"{name} holds {values[odd[0]].item()!r}, which cannot be an id; "
            "give ids as text or whole numbers"
        )
    notes.append(f"{name} is a column of floats; its whole numbers were taken as ids such as '7'")
    distinct, inverse = np.unique(values.astype(np.int64), return_inverse=True)
    code = np.full(len(column), -1, dtype=np.int32)
    code[present] = inverse
    return Numbered([str(value) for value in distinct.tolist()], code, distinct.dtype.name)


def number_objects(column: np.ndarray, name: str) -> Numbered:
    """Ids of a column (n_rows,) of objects; None, NaN and empty text have no code.

    Raises BadRatings for what is neither text nor a whole number.
    """
    code_of: dict[str, int] = {}
    code = np.empty(len(column), dtype=np.int32)
    for row, value in enumerate(column.tolist()):
        text = value if type(value) is str else object_id(value, name, row)
        code[row] = code_of.setdefault(text, len(code_of)) if text else -1
    return Numbered(list(code_of), code)


def object_id(value: object, name: str, row: int) -> str:
    """The id for one value, empty where it is missing. Raises BadRatings where it cannot be one."""
    if is_missing(value):
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Integral) and not isinstance(value, bool | np.bool_):
        return str(int(value))
    raise BadRatings(
        f"{name}, row {row + 1:,}: an id is text or a whole number, not {type(value).__name__} "
        f"{value!r}; convert the column to str first"
    )


def is_missing(value: object) -> bool:
    """None, NaN, and what pandas calls NA or NaT."""
    return (
        value is None
        or (isinstance(value, Real) and math.isnan(value))
        or type(value).__name__ in ("NAType", "NaTType")
    )


def weighed(column: np.ndarray, events: Mapping[str, float] | None) -> np.ndarray:
    """A column of ratings (n_rows,) with a weight for each event, where events are given."""
    if events is None or column.dtype.kind != "O":
        return column
    return as_objects([events.get(one, one) if isinstance(one, str) else one for one in column])


def read_numbers(column: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Ratings as float32 (n_rows,) and the fault of each row: uint8 (n_rows,).

    Raises BadRatings for a column of what are no numbers.
    """
    if column.dtype.kind == "O":
        return read_objects(column)
    if column.dtype.kind not in "iuf":
        raise BadRatings(f"ratings are numbers, but {name} is a column of {column.dtype}")
    with np.errstate(over="ignore"):
        numbers = column.astype(np.float32)
    fault = np.where(np.isfinite(numbers), Fault.NONE, Fault.NOT_FINITE).astype(np.uint8)
    return numbers, fault


def read_objects(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``read_numbers`` of objects (n_rows,): numbers, numbers as text, and anything else."""
    numbers = np.full(len(column), np.nan, dtype=np.float32)
    fault = np.zeros(len(column), dtype=np.uint8)
    for row, value in enumerate(column.tolist()):
        numbers[row], fault[row] = read_number(value)
    return numbers, fault


def read_number(value: object) -> tuple[float, Fault]:
    """One rating of any type, and what is wrong with it."""
    if value is None or value == "" or type(value).__name__ in ("NAType", "NaTType"):
        return math.nan, Fault.MISSING
    if isinstance(value, bool):
        return math.nan, Fault.NOT_A_NUMBER
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan, Fault.NOT_A_NUMBER
    except OverflowError:
        return math.nan, Fault.NOT_FINITE
    fits = abs(number) <= LARGEST
    return (number, Fault.NONE) if fits else (math.nan, Fault.NOT_FINITE)


def read_times(column: np.ndarray, name: str) -> np.ndarray:
    """Times as int64 (n_rows,): numbers as they are, dates and ISO text in seconds.

    Raises BadRatings for a column of anything else.
    """
    kind = column.dtype.kind
    if kind in "iu":
        return column.astype(np.int64)
    if kind == "f":
        known = np.isfinite(column)
        return np.where(known, np.floor(np.where(known, column, 0)), UNKNOWN_TIME).astype(np.int64)
    if kind == "M":
        seconds = column.astype("datetime64[s]").astype(np.int64)
        return np.where(np.isnat(column), UNKNOWN_TIME, seconds)
    if kind == "O":
        return np.array([read_time(value) for value in column.tolist()], dtype=np.int64)
    raise BadRatings(f"timestamps are numbers, dates or ISO 8601 text; {name} is {column.dtype}")


def read_time(value: object) -> int:
    """One time of any type: seconds, or the number that stands there."""
    if is_missing(value) or (isinstance(value, str) and not value.strip()):
        return UNKNOWN_TIME
    if isinstance(value, datetime):
        return math.floor((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    for reading in READINGS:
        try:
            return reading(value)
        except (TypeError, ValueError, OverflowError):
            continue
    return BAD_TIME


def iso_seconds(value: object) -> int:
    """Seconds of a date or time in ISO 8601; without a zone it is UTC."""
    return read_time(datetime.fromisoformat(str(value)))


def dotted_seconds(value: object, form: str) -> int:
    """Seconds of a date written day.month.year, perhaps with a time, in UTC."""
    return read_time(datetime.strptime(str(value), form).replace(tzinfo=UTC))


READINGS: tuple[Callable[..., int], ...] = (
    lambda value: math.floor(float(value)) if isinstance(value, float) else int(value),
    lambda value: math.floor(float(value)),
    iso_seconds,
    *(partial(dotted_seconds, form=form) for form in DOTTED_DATES),
)
