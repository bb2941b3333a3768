"""DataFrames of pandas, polars or pyarrow, through narwhals."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from matinee.sources.columns import NO_RATINGS, dates_unread, find_columns
from matinee.sources.packing.numbering import (
    as_column,
    number_ids,
    read_numbers,
    read_times,
    weighed,
)
from matinee.sources.raw import UNKNOWN_TIME, Fault, Numbered, Raw, ReadOptions

if TYPE_CHECKING:
    import narwhals as nw

Series: TypeAlias = "nw.Series[Any]"  # of any library


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
    name = "the DataFrame"
    names = names_of(source)
    needed, differ = options.rating_needed, len(set(names)) == len(names)
    frame = frame_of(source) if differ else None
    dated = [] if frame is None else columns_of_dates(frame)
    at = find_columns(names, options.columns, name, rating_needed=needed, dated=dated)
    if frame is None:
        frame = frame_of(chosen_of(source, at))
    picked = list(at.values()) if differ else range(len(at))
    series = {field: frame[frame.columns[place]] for field, place in zip(at, picked, strict=True)}
    columns = {field: names[place] for field, place in at.items()}
    notes = [*dates_unread(names, at, dated)]
    users, items = (
        with_gaps(series[field], columns[field], notes) for field in ("user_id", "item_id")
    )
    if "rating" in at:
        values, gaps = plain(series["rating"])
        rating, fault = read_numbers(weighed(values, options.events), columns["rating"])
    else:
        notes.append(NO_RATINGS)
        gaps = np.zeros(len(users.code), dtype=bool)
        rating, fault = read_numbers(np.ones(len(gaps), np.float32), "rating")
    fault[gaps | (users.code < 0) | (items.code < 0)] = Fault.MISSING
    yield Raw(
        name=name,
        format=f"{frame.implementation.value} DataFrame",
        users=users,
        items=items,
        rating=rating,
        time=times(series["timestamp"], columns["timestamp"]) if "timestamp" in at else None,
        weight=weights(series["sample_weight"]) if "sample_weight" in at else None,
        fault=fault,
        show=lambda row: ", ".join(f"{one.name} {_cell(one[row])!r}" for one in series.values()),
        columns=columns,
        notes=notes,
    )


def columns_of_dates(frame: "nw.DataFrame[Any]") -> list[int]:
    """The columns whose type is that of dates or times."""
    import narwhals as nw

    return [at for at, dtype in enumerate(frame.schema.values()) if dtype in (nw.Date, nw.Datetime)]


def _cell(value: object) -> object:
    """A cell as Python writes it, which a number of numpy does not."""
    return value.item() if isinstance(value, np.generic) else value


def names_of(source: object) -> list[str]:
    """The names of the columns, of which several may be alike."""
    table: Any = source
    return list(map(str, getattr(table, "column_names", None) or frame_columns(table)))


def frame_columns(table: Any) -> list[object]:
    """The names of the columns of a frame that can have any index."""
    return list(table.collect_schema() if hasattr(table, "collect_schema") else table.columns)


def chosen_of(source: object, at: Mapping[str, int]) -> object:
    """The columns at some positions, under the names of their fields, where names are alike."""
    table: Any = source
    if hasattr(table, "iloc"):
        return table.iloc[:, list(at.values())].set_axis(list(at), axis=1)
    return table.select(list(at.values())).rename_columns(list(at))


def plain(series: Series) -> tuple[np.ndarray, np.ndarray]:
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


def with_gaps(series: Series, name: str, notes: list[str]) -> Numbered:
    """The ids of a series, with no code where it is empty."""
    values, gaps = plain(series)
    numbered = number_ids(values, name, notes)
    numbered.code[gaps] = -1
    return numbered


def weights(series: Series) -> np.ndarray:
    """The weights of a series: float32 (n_rows,), NaN where it is empty or holds no number."""
    values, gaps = plain(series)
    numbers, _ = read_numbers(values, series.name)
    numbers[gaps] = np.nan
    return numbers


def times(series: Series, name: str) -> np.ndarray:
    """The times of a series as int64 (n_rows,), in seconds where it holds dates."""
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
