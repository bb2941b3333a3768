"""A small immutable table: what every list of results is returned as."""

from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.display.markup import html_table
from matinee.display.text_table import text_table
from matinee.errors import MatineeError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Table:
    """Named columns of equal length; rows come out as named tuples.

    Prints as aligned text, shows as HTML in notebooks, and converts with ``to_dicts``,
    ``to_pandas`` and ``to_polars``. Columns are attributes too: ``table.item_id``. In a row, a
    column whose name is no identifier (``ndcg@10``) is called by its place (``_3``).

    ``id_types`` are the integer types, by column, in which ids were given: ids are text here, and
    of these types in frames.
    """

    def __init__(
        self,
        columns: Mapping[str, Sequence[Any] | np.ndarray],
        caption: str = "",
        id_types: Mapping[str, str | None] | None = None,
    ) -> None:
        self.columns = {name: _plain(values) for name, values in columns.items()}
        self.caption = caption
        self.id_types = id_types or {}
        lengths = {len(values) for values in self.columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {lengths}")
        self._length = lengths.pop() if lengths else 0

    def __len__(self) -> int:
        return self._length

    def __getattr__(self, name: str) -> tuple[Any, ...]:
        try:
            return self.__dict__["columns"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self) -> Iterator[Any]:
        row_type = namedtuple("Row", self.columns, rename=True)  # type: ignore[misc]
        return map(row_type._make, zip(*self.columns.values(), strict=True))

    def __getitem__(self, place: int) -> Any:
        return list(self)[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self.columns == other.columns

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        """Aligned text: numbers to the right, text to the left."""
        texts = [
            place
            for place, values in enumerate(self.columns.values())
            if not all(_is_number(value) for value in values)
        ]
        rows = [list(self.columns), *([show(value) for value in row] for row in self)]
        lines = text_table(rows, left=texts)
        return "\n".join([self.caption, *lines] if self.caption else lines)

    def _repr_html_(self) -> str:
        rows = ([show(value) for value in row] for row in self)
        return html_table(self.columns, rows, self.caption)

    def to_dicts(self) -> list[dict[str, Any]]:
        """One plain dict a row, ready for JSON."""
        return [dict(zip(self.columns, row, strict=True)) for row in self]

    def to_pandas(self) -> "pd.DataFrame":
        """A pandas DataFrame; needs pandas to be installed."""
        return pandas_frame(self._typed())

    def to_polars(self) -> "pl.DataFrame":
        """A polars DataFrame; needs polars to be installed."""
        columns = {name: _as_list(values) for name, values in self._typed().items()}
        frame: pl.DataFrame = _import("polars").DataFrame(columns)
        return frame

    def _typed(self) -> dict[str, Any]:
        """The columns, with ids in the types they were given in."""
        return {
            name: ids_in_type(values, self.id_types.get(name))
            for name, values in self.columns.items()
        }


def pandas_frame(columns: Mapping[str, Any]) -> "pd.DataFrame":
    """A pandas DataFrame. Raises MatineeError where pandas is not installed."""
    frame: pd.DataFrame = _import("pandas").DataFrame(columns)
    return frame


def ids_in_type(ids: Sequence[Any], id_type: str | None) -> Any:
    """Ids as an array of the integer type they were given in; as they are where any is no such."""
    if id_type is None:
        return ids
    try:
        numbers = np.array([int(one) for one in ids], dtype=id_type)
    except (TypeError, ValueError, OverflowError):
        return ids
    same = all(str(one) == text for one, text in zip(numbers.tolist(), ids, strict=True))
    return numbers if same else ids


def show(value: object) -> str:
    """A cell as people read it: floats with three decimals, nothing for None."""
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _import(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise MatineeError(
            f"to_{name} needs {name}, which is not installed: pip install {name}"
        ) from None


def _plain(values: Sequence[Any] | np.ndarray) -> tuple[Any, ...]:
    return tuple(values.tolist() if isinstance(values, np.ndarray) else values)


def _as_list(values: Any) -> Any:
    return values if isinstance(values, np.ndarray) else list(values)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
