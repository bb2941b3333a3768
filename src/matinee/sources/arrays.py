"""Columns in a tuple, and sparse matrices.

In a sparse matrix an empty cell means *not rated*, so a stored zero is no rating either: it is
set aside and counted, unless a ``scale`` is given that has a zero in it. All rows and columns
of a matrix stay, rated or not, so that ``read_ratings(matrix).csr()`` has its shape.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from matinee.errors import BadRatings
from matinee.sources.columns import FIELDS
from matinee.sources.packing.numbering import as_column, number_ids, read_numbers, read_times
from matinee.sources.raw import Fault, Numbered, Raw, ReadOptions


def is_columns(source: object) -> bool:
    """A tuple or list of three or four columns: users, items, ratings and perhaps times."""
    return isinstance(source, tuple | list) and len(source) in (3, 4)


@contextmanager
def read_columns(source: object, options: ReadOptions) -> Iterator[Raw]:
    """The rows of three or four arrays or sequences of equal length."""
    assert isinstance(source, tuple | list)
    columns = dict(zip(FIELDS, map(as_column, source), strict=False))
    lengths = {field: len(column) for field, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise BadRatings(f"the arrays have different lengths: {lengths}")
    notes: list[str] = []
    users, items = (number_ids(columns[field], field, notes) for field in ("user_id", "item_id"))
    rating, fault = read_numbers(columns["rating"], "rating")
    fault[(users.code < 0) | (items.code < 0)] = Fault.MISSING
    yield Raw(
        name=f"the {len(columns)} arrays",
        format="arrays",
        users=users,
        items=items,
        rating=rating,
        time=read_times(columns["timestamp"], "timestamp") if "timestamp" in columns else None,
        fault=fault,
        show=lambda row: ", ".join(f"{name} {one[row]!s}" for name, one in columns.items()),
        columns={field: f"array {place}" for place, field in enumerate(columns)},
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
    yield Raw(
        name=f"the {cells.shape[0]:,} x {cells.shape[1]:,} matrix",
        format="scipy sparse matrix",
        users=Numbered(users, cells.row.astype(np.int32)),
        items=Numbered(items, cells.col.astype(np.int32)),
        rating=rating,
        fault=fault,
        show=lambda at: f"{users[cells.row[at]]!r}, {items[cells.col[at]]!r}: {cells.data[at]}",
        place="cell",
        details={"ids": "row and column numbers" if parts[1] is None else "given"},
        all_ids=True,
    )


def axis_ids(ids: object, n: int, kind: str) -> list[str]:
    """The ids of one axis of a matrix, each once. Raises BadRatings when they do not fit."""
    if ids is None:
        return [str(number) for number in range(n)]
    column = as_column(ids)
    distinct, code = number_ids(column, f"{kind} ids", [])
    if len(code) != n:
        raise BadRatings(f"the matrix has {n:,} {kind}s but {len(code):,} {kind} ids were given")
    if len(distinct) < n or (code < 0).any():
        raise BadRatings(f"the {kind} ids of a matrix must all be there and differ")
    return [distinct[place] for place in code.tolist()]
