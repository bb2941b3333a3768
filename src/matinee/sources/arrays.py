"""Columns in a tuple, rows or records in a list, and sparse matrices.

In a sparse matrix an empty cell means *not rated*, so a stored zero is no rating either: it is
set aside and counted, unless a ``scale`` is given that has a zero in it. All rows and columns
of a matrix stay, rated or not, so that ``read_ratings(matrix).csr()`` has its shape.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import chain
from typing import Any, NamedTuple, cast

import numpy as np

from matinee.data.ids import IdMap
from matinee.errors import BadRatings
from matinee.sources.columns import FIELDS, NO_RATINGS, dates_unread, find_columns
from matinee.sources.packing.numbering import (
    as_column,
    number_ids,
    read_numbers,
    read_times,
    weighed,
)
from matinee.sources.raw import Fault, Numbered, Raw, ReadOptions

WIDTHS = (2, 3, 4)  # columns: users, items, and perhaps ratings and times


def is_columns(source: object) -> bool:
    """A tuple of columns (users, items[, ratings[, times]]), or a list of such rows or columns."""
    if isinstance(source, tuple):
        return len(source) in WIDTHS
    return isinstance(source, list) and bool(source) and all(map(is_sequence, source))


def is_sequence(value: object) -> bool:
    """Whether a value is a row or a column."""
    return (
        hasattr(value, "__len__") and hasattr(value, "__getitem__") and not isinstance(value, str)
    )


def as_columns(source: tuple[Any, ...] | list[Any]) -> tuple[list[Any], str]:
    """The columns of a source, and what they were given as.

    A tuple is one of columns. A list is one of rows, unless it holds arrays or lists too long to
    be rows. Raises BadRatings where lists could be either, and for rows of different lengths.
    """
    if isinstance(source, tuple):
        return list(source), "arrays"
    lengths = {len(one) for one in source}
    if len(source) in WIDTHS and not any(isinstance(one, tuple) for one in source):
        if any(isinstance(one, np.ndarray) or hasattr(one, "to_numpy") for one in source):
            return source, "arrays"
        if lengths & set(WIDTHS):
            raise BadRatings(
                f"a list of {len(source)} lists could be rows or columns; give columns in a tuple, "
                "as in (users, items, ratings), or rows as tuples, as in [(user, item, rating)]"
            )
        return source, "arrays"
    if len(lengths) > 1 or not lengths <= set(WIDTHS):
        raise BadRatings(
            "a list is read as rows (user, item, rating) or (user, item, rating, time), all of one "
            f"length, not of {', '.join(map(str, sorted(lengths)[:3]))}"
        )
    return [list(column) for column in zip(*source, strict=True)], "rows"


@contextmanager
def read_columns(source: object, options: ReadOptions) -> Iterator[Raw]:
    """The rows of three or four arrays or sequences. Raises BadRatings for unequal lengths."""
    assert isinstance(source, tuple | list)
    given, form = as_columns(source)
    columns = dict(zip(FIELDS, map(as_column, given), strict=False))
    lengths = {field: len(column) for field, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise BadRatings(f"the arrays have different lengths: {lengths}")
    place = "array" if form == "arrays" else "place"
    yield raw_of(
        columns,
        options,
        name=f"the {len(columns)} {form}" if form == "arrays" else "the list",
        format=form,
        called={field: f"{place} {at}" for at, field in enumerate(columns)},
    )


def is_records(source: object) -> bool:
    """A list of mappings, a row each: ``[{"user": ..., "item": ..., "rating": ...}, ...]``."""
    is_list = isinstance(source, list) and bool(source)
    return is_list and all(isinstance(one, Mapping) for one in source)  # type: ignore[attr-defined]


@contextmanager
def read_records(source: object, options: ReadOptions) -> Iterator[Raw]:
    """The rows of a list of mappings, whose keys are the names of columns."""
    rows = cast("list[Mapping[object, object]]", source)
    keys = list(dict.fromkeys(chain.from_iterable(rows)))
    values = [[row.get(key) for row in rows] for key in keys]
    dated = [at for at, column in enumerate(values) if are_dates(column)]
    names, needed = list(map(str, keys)), options.rating_needed
    at = find_columns(names, options.columns, "the list", rating_needed=needed, dated=dated)
    raw = raw_of(
        {field: as_column(values[place]) for field, place in at.items()},
        options,
        name="the list",
        format="records",
        called={field: names[place] for field, place in at.items()},
    )
    raw.notes += [*dates_unread(names, at, dated), *([NO_RATINGS] * ("rating" not in at))]
    yield raw


def are_dates(column: list[object]) -> bool:
    """Whether all values that are there are dates or times, and one is."""
    given = [one for one in column if one is not None]
    return bool(given) and all(isinstance(one, date) for one in given)


def raw_of(
    columns: Mapping[str, np.ndarray],
    options: ReadOptions,
    *,
    name: str,
    format: str,
    called: Mapping[str, str],
) -> Raw:
    """The rows of columns (n_rows,) by field; ``called`` is what each is called in the source."""
    notes: list[str] = []
    users, items = (number_ids(columns[field], field, notes) for field in ("user_id", "item_id"))
    values = columns.get("rating")
    if values is None or not options.rating_needed:
        values = np.ones(len(columns["user_id"]), np.float32)
    rating, fault = read_numbers(weighed(values, options.events), "rating")
    fault[(users.code < 0) | (items.code < 0)] = Fault.MISSING
    weight = columns.get("sample_weight")
    return Raw(
        name=name,
        format=format,
        users=users,
        items=items,
        rating=rating,
        time=read_times(columns["timestamp"], "timestamp") if "timestamp" in columns else None,
        weight=None if weight is None else read_numbers(weight, "sample_weight")[0],
        fault=fault,
        show=lambda row: ", ".join(f"{field} {one[row]!s}" for field, one in columns.items()),
        columns=called,
        notes=notes,
    )


def is_sparse(source: object) -> bool:
    """A scipy sparse matrix or array, alone or as ``(matrix, user_ids, item_ids)``."""
    matrix = source[0] if isinstance(source, tuple) and len(source) == 3 else source
    return type(matrix).__module__.startswith("scipy.sparse") and hasattr(matrix, "tocoo")


@contextmanager
def read_sparse(source: object, options: ReadOptions) -> Iterator[Raw]:
    """The stored cells of a sparse matrix; without ids, row and column numbers are the ids."""
    parts: tuple[Any, ...] = source if isinstance(source, tuple) else (source, None, None)
    cells = parts[0].tocoo()
    users = axis_ids(parts[1], cells.shape[0], "user")
    items = axis_ids(parts[2], cells.shape[1], "item")
    rating, fault = read_numbers(cells.data, "the matrix")
    if options.scale is None or not options.scale.low <= 0 <= options.scale.high:
        fault[rating == 0] = Fault.STORED_ZERO
    if not options.rating_needed:
        rating = np.ones_like(rating)
    yield Raw(
        name=f"the {cells.shape[0]:,} x {cells.shape[1]:,} matrix",
        format="scipy sparse matrix",
        users=Numbered(users.ids, cells.row.astype(np.int32), users.id_type),
        items=Numbered(items.ids, cells.col.astype(np.int32), items.id_type),
        rating=rating,
        fault=fault,
        show=lambda at: (
            f"{users.id_at(cells.row[at])!r}, {items.id_at(cells.col[at])!r}: {cells.data[at]}"
        ),
        place="cell",
        details={"ids": "row and column numbers" if parts[1] is None else "given"},
        all_ids=True,
    )


class Axis(NamedTuple):
    """The ids of the rows or columns of a matrix, in its order."""

    ids: list[str] | IdMap
    id_type: str | None = None  # the integer type they were given in

    def id_at(self, row: int) -> str:
        """The id of one row or column."""
        ids: Any = self.ids.ids if isinstance(self.ids, IdMap) else self.ids
        return str(ids[row])


def axis_ids(ids: object, n: int, kind: str) -> Axis:
    """The ids of one axis of a matrix, each once. Raises BadRatings when they do not fit."""
    if ids is None:
        return Axis(IdMap.counting(n, kind))
    column = as_column(ids)
    distinct, code, id_type = number_ids(column, f"{kind} ids", [])
    if len(code) != n:
        raise BadRatings(f"the matrix has {n:,} {kind}s but {len(code):,} {kind} ids were given")
    if len(distinct) < n or (code < 0).any():
        raise BadRatings(f"the {kind} ids of a matrix must all be there and differ")
    texts = list(distinct)
    return Axis([texts[place] for place in code.tolist()], id_type)
