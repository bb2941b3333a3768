"""Which items of a catalogue meet conditions on its columns.

    {"genre": "Horror"}                  one value
    {"genre": ["Horror", "Sci-Fi"]}      any of several
    {"year": (1990, 1999)}               a range of numbers; None leaves an end open

The columns are ``title``, ``genre``, ``year``, and those that the catalogue holds beyond them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any, TypeGuard, cast

import numpy as np

from matinee.data.catalog import Catalog, Item
from matinee.errors import Advice, BadSetting, check_known

Value = str | int  # of an item in a column

RANGE = ".."  # between the ends of a range: 1990..1999, 1990.. or ..1999
MOST_LISTED = 20  # values of a column that a message lists
TWO_NUMBERS = re.compile(r"(\d+) *(?:-|–|to) *(\d+)")  # what may be meant as a range
DECADE = re.compile(r"(\d{3})0s")


@dataclass(frozen=True, eq=False)
class CatalogColumns:
    """The columns of a catalogue for some items; each is indexed when a condition first names it.

    Of an index lists need a few microseconds, where reading all items again would take
    milliseconds.
    """

    catalog: Catalog
    items: Sequence[str]
    indexed: dict[str, "Column"] = field(default_factory=dict)

    def column(self, name: str) -> "Column":
        """The column of a name, in the singular or the plural.

        Raises BadSetting for an unknown one, with the nearest.
        """
        if singular(name) not in self.names:
            check_known("column", name, self.names.values())
        column = self.names[singular(name)]
        if column not in self.indexed:
            values = [values_of(self.catalog[item_id], column) for item_id in self.items]
            self.indexed[column] = Column(column, values)
        return self.indexed[column]

    @cached_property
    def names(self) -> dict[str, str]:
        """The names of all columns, by what they are called in the singular and without case."""
        features = sorted(
            {one for entry in self.catalog.entries.values() for one in entry.features}
        )
        names: dict[str, str] = {}
        for column in ("title", "genre", "year", *features):
            names.setdefault(singular(column), column)
        return names


@dataclass(frozen=True, eq=False)
class Column:
    """What each item has in one column of a catalogue."""

    name: str
    values: list[tuple[Value, ...]]

    def matching(self, condition: object) -> np.ndarray:
        """Which items (n_items,) bool meet a condition; one that lacks the column does not.

        Raises BadSetting for a value that no item has, with the nearest, and for a range of what
        is no number.
        """
        matches = np.zeros(len(self.values), dtype=bool)
        if is_range(condition):
            low, high = ends_of(self.name, condition)
            rows, numbers = self.numbers
            matches[rows[(low <= numbers) & (numbers <= high)]] = True
            return matches
        for one in alternatives_of(condition):
            if text_of(one) not in self.rows_of:
                known = {text_of(value): str(value) for row in self.values for value in row}
                raise unknown_value(self.name, str(one), sorted(known.values(), key=order_of))
            matches[self.rows_of[text_of(one)]] = True
        return matches

    @cached_property
    def rows_of(self) -> dict[str, list[int]]:
        """The rows of the items that have a value, by its text."""
        rows: dict[str, list[int]] = {}
        for row, values in enumerate(self.values):
            for value in values:
                rows.setdefault(text_of(value), []).append(row)
        return rows

    @cached_property
    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and numbers (n,) of all values. Raises BadSetting for a column of text."""
        numbers = [numbers_of(self.name, values) for values in self.values]
        rows = np.repeat(np.arange(len(numbers)), [len(of_item) for of_item in numbers])
        return rows, np.array([one for of_item in numbers for one in of_item], dtype=np.float64)


def singular(name: str) -> str:
    """A column's name without case and plural."""
    return name.casefold().removesuffix("s")


def values_of(entry: Item, column: str) -> tuple[Value, ...]:
    """What an item has in a column."""
    if column == "genre":
        return entry.genres
    if column == "year":
        return () if entry.year is None else (entry.year,)
    return (entry.title,) if column == "title" else entry.features.get(column, ())


def is_range(condition: object) -> TypeGuard[tuple[Any, ...]]:
    """Whether a condition is a range of numbers rather than one value or several."""
    return isinstance(condition, tuple) and not all(isinstance(one, str) for one in condition)


def alternatives_of(condition: object) -> list[object]:
    """The values that meet a condition which is not a range."""
    several = isinstance(condition, Iterable) and not isinstance(condition, str)
    return list(cast(Iterable[object], condition)) if several else [condition]


def text_of(value: object) -> str:
    """A value as it is compared: its text without case."""
    return str(value).strip().casefold()


def number_of(text: str) -> float | None:
    """The number that a text is; None for other texts."""
    try:
        return float(text)
    except ValueError:
        return None


def order_of(text: str) -> tuple[float, str]:
    """A key that sorts numbers by size, and other texts after them."""
    number = number_of(text)
    return (np.inf if number is None else number, text)


def ends_of(column: str, condition: tuple[Any, ...]) -> tuple[float, float]:
    """The ends of a range, open ones infinite. Raises BadSetting unless it is one."""
    try:
        first, last = condition
        low = -np.inf if first is None else float(first)
        high = np.inf if last is None else float(last)
    except (TypeError, ValueError):
        raise BadSetting(
            f"the range of {column} is {condition!r}; it must be (low, high), numbers or None"
        ) from None
    if not low <= high:
        raise BadSetting(
            f"the range of {column} is {low:g} to {high:g}; its low end is above its high"
        )
    return low, high


def numbers_of(column: str, values: tuple[Value, ...]) -> list[float]:
    """Values as numbers. Raises BadSetting for a column of text."""
    try:
        return [float(one) for one in values]
    except ValueError:
        raise BadSetting(
            f"{column} holds text such as {values[0]!r}, which has no range; give one value or a "
            "list of values"
        ) from None


def has_ends(value: str) -> bool:
    """Whether a value has the form of a range of numbers."""
    ends = value.split(RANGE)
    return len(ends) == 2 and any(ends) and not any(one.strip("0123456789.- ") for one in ends)


def range_meant(value: str) -> tuple[str, str] | None:
    """The ends of what may be meant as a range, an open one empty: ``1990-1999``, ``1990s``.

    A text with ``..`` gets here where ranges are values: in Python and in a body over HTTP.
    """
    if has_ends(value):
        low, high = value.split(RANGE)
        return low.strip(), high.strip()
    if (decade := DECADE.fullmatch(value)) is not None:
        return f"{decade[1]}0", f"{decade[1]}9"
    ends = TWO_NUMBERS.fullmatch(value)
    return (ends[1], ends[2]) if ends is not None else None


def unknown_value(column: str, value: str, known: list[str]) -> BadSetting:
    """The error for a value that no item has in a column."""
    if not known:
        remedy = Advice("catalog=...", "--catalog FILE")
        return BadSetting(f"no item has a {column}; give the fit a catalogue with it, ", remedy)
    if (ends := range_meant(value.strip())) is not None:
        low, high = ends
        written = f"{column}={low}{RANGE}{high}"
        given = ", ".join(
            f'"{name}": {end}' for name, end in zip(("low", "high"), ends, strict=True) if end
        )
        in_body = f'{{"{column}": {{{given}}}}} in a body, {written} in a query'
        advice = Advice(f"({low or None}, {high or None})", written, http=in_body)
        return BadSetting(f"no item has the {column} {value!r}; a range is ", advice)
    names = {text_of(one): one for one in known}
    near = [] if number_of(value) is not None else get_close_matches(text_of(value), names, n=3)
    if near:
        hint = f"did you mean {' or '.join(repr(names[one]) for one in near)}?"
    elif len(known) <= MOST_LISTED:
        hint = f"there are {', '.join(known)}"
    else:
        hint = f"they go from {known[0]} to {known[-1]}"
    return BadSetting(f"no item has the {column} {value!r}; {hint}")
