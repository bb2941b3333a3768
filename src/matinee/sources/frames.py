"""DataFrames of pandas, polars or pyarrow, through narwhals."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.sources.columns import find_columns
from matinee.sources.packing.numbering import as_column, number_ids, read_numbers, read_times
from matinee.sources.raw import UNKNOWN_TIME, Fault, Numbered, Raw, ReadOptions

if TYPE_CHECKING:
    import narwhals as nw


def recognises(source: object) -> bool:
    """Whatever looks like a table with named columns."""
    return hasattr(source, "columns") and not isinstance(source, type)


def frame_of(source: object) -> "nw.DataFrame[Any]":
    """The narwhals view of a frame; a lazy one is collected."""
    import narwhals as nw

    frame: Any = nw.from_native(source)
    return frame.collect() if isinstance(frame, nw.LazyFrame) else frame


@contextmanager
def read(source: object, options: ReadOptions) -> Iterator[Raw]:
    """The rows of a DataFrame."""
    frame = frame_of(source)
    name = "the DataFrame"
    names = list(map(str, frame.columns))
    at = find_columns(names, options.columns, name)
    series = {field: frame[frame.columns[place]] for field, place in at.items()}
    columns = {field: names[place] for field, place in at.items()}
    notes: list[str] = []
    users, items = (
        with_gaps(series[field], columns[field], notes) for field in ("user_id", "item_id")
    )
    values, gaps = plain(series["rating"])
    rating, fault = read_numbers(values, columns["rating"])
    fault[gaps | (users.code < 0) | (items.code < 0)] = Fault.MISSING
    yield Raw(
        name=name,
        format=f"{frame.implementation.value} DataFrame",
        users=users,
        items=items,
        rating=rating,
        time=times(series["timestamp"], columns["timestamp"]) if "timestamp" in at else None,
        fault=fault,
        show=lambda row: ", ".join(f"{one.name} {one[row]!r}" for one in series.values()),
        columns=columns,
        notes=notes,
    )


def plain(series: "nw.Series[Any]") -> tuple[np.ndarray, np.ndarray]:
    """A series as a numpy column, and where it is empty: bool (n_rows,)."""
    import narwhals as nw

    gaps = np.asarray(series.is_null().to_numpy(), dtype=bool)
    dtype = series.dtype
    if dtype == nw.Decimal:
        series = series.cast(nw.Float64)
    elif dtype in (nw.Categorical, nw.Enum):
        series = series.cast(nw.String)
    elif dtype.is_integer() and gaps.any():
        series = series.fill_null(0)
    if dtype == nw.Boolean:
        return np.zeros(len(series), dtype=bool), gaps
    if dtype.is_numeric():
        return series.to_numpy(), gaps
    return as_column(series.to_list()), gaps


def with_gaps(series: "nw.Series[Any]", name: str, notes: list[str]) -> Numbered:
    """The ids of a series, with no code where it is empty."""
    values, gaps = plain(series)
    numbered = number_ids(values, name, notes)
    numbered.code[gaps] = -1
    return numbered


def times(series: "nw.Series[Any]", name: str) -> np.ndarray:
    """The times of a series as int64, in seconds where it holds dates."""
    import narwhals as nw

    if series.dtype == nw.Date:
        series = series.cast(nw.Datetime("us"))
    if series.dtype == nw.Datetime:
        gaps = np.asarray(series.is_null().to_numpy(), dtype=bool)
        milliseconds = series.dt.timestamp("ms").fill_null(UNKNOWN_TIME).to_numpy()
        return np.where(gaps, UNKNOWN_TIME, np.floor_divide(milliseconds, 1000)).astype(np.int64)
    values, gaps = plain(series)
    seconds = read_times(values, name)
    seconds[gaps] = UNKNOWN_TIME
    return seconds
