"""A small immutable table: what every list of results is returned as."""

from collections import namedtuple
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from matinee.display.frames import Column, Framed, ids_in_type
from matinee.display.markup import el, html_table
from matinee.display.plain_data import JsonObject
from matinee.display.text_table import text_table

MOST_ROWS = 100  # printed, or shown in a notebook
DECIMALS = 3  # of a number that is shown


class Table(Framed):
    """Named columns of equal length; rows come out as named tuples.

    Prints as aligned text, shows as HTML in notebooks, and converts with ``to_dicts``,
    ``to_pandas``, ``to_polars`` and ``to_arrow``. Columns are attributes too: ``table.item_id``. In
    a row, a column whose name is no identifier (``ndcg@10``) is called by its place (``_3``).

    ``id_types`` are the integer types, by column, in which ids were given: ids are text here, and
    of these types in frames.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
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
        lines = text_table([list(self.columns), *self._cells()], left=texts)
        more = [self._more()] if self._more() else []
        return "\n".join([*([self.caption] if self.caption else []), *lines, *more])

    def _repr_html_(self) -> str:
        table = html_table(self.columns, self._cells(), self.caption)
        return table + el("p", self._more()) if self._more() else table

    def _cells(self) -> list[list[str]]:
        """The first rows as text."""
        return [[show(value) for value in row.values()] for row in self._shown_rows()]

    def _shown_rows(self) -> list[JsonObject]:
        """The first rows, with the values that are shown."""
        return [dict(zip(self.columns, row, strict=True)) for row in islice(self, MOST_ROWS)]

    def _more(self) -> str:
        """What is said of the rows that are not shown."""
        return f"and {len(self) - MOST_ROWS:,} more" if len(self) > MOST_ROWS else ""

    def to_dicts(self) -> list[JsonObject]:
        """One plain dict a row, ready for JSON."""
        return [dict(zip(self.columns, row, strict=True)) for row in self]

    def frame_columns(self) -> dict[str, Column]:
        """The columns, with ids in the types they were given in."""
        return {
            name: ids_in_type(values, self.id_types.get(name))
            for name, values in self.columns.items()
        }


def show(value: object) -> str:
    """A cell as people read it: floats with three decimals, nothing for None."""
    if value is None:
        return "–"
    return f"{value:.{DECIMALS}f}" if isinstance(value, float) else str(value)


def _plain(values: Column) -> tuple[Any, ...]:
    return tuple(values.tolist() if isinstance(values, np.ndarray) else values)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
