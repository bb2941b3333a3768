"""Which items of a catalogue meet conditions on its columns.

    {"genre": "Horror"}                  one value
    {"genre": ["Horror", "Sci-Fi"]}      any of several
    {"year": (1990, 1999)}               a range of numbers; None leaves an end open

The columns are ``title``, ``genre``, ``year``, and those that the catalogue holds beyond them.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeGuard, cast

import numpy as np

from matinee.data.catalog import Catalog, Item
from matinee.errors import Advice, BadSetting, check_known

MOST_LISTED = 20  # values of a column that a message lists
TWO_NUMBERS = re.compile(r"(\d+) *(?:-|–|to) *(\d+)")  # what may be meant as a range
DECADE = re.compile(r"(\d{3})0s")


def matching_items(
    catalog: Catalog, items: Iterable[str], where: Mapping[str, object]
) -> np.ndarray:
    """Which items (n_items,) bool meet all the conditions; None is no condition.

    An item that lacks a column does not meet a condition on it. Raises BadSetting for an unknown
    column or value, with the nearest, and for a range of what is not numbers.
    """
    ids = list(items)
    matches = np.ones(len(ids), dtype=bool)
    for name, condition in where.items():
        if condition is None:
            continue
        column = column_of(catalog, name)
        values = [values_of(catalog[item_id], column) for item_id in ids]
        matches &= matching_values(column, values, condition)
    return matches


def column_of(catalog: Catalog, name: str) -> str:
    """The column of a name, in the singular or the plural. Raises BadSetting, with the nearest."""
    columns = ["title", "genre", "year"]
    columns += sorted({one for entry in catalog.entries.values() for one in entry.features})
    for column in columns:
        if singular(column) == singular(name):
            return column
    check_known("column", name, columns)
    return name


Value = str | int  # of an item in a column


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


def matching_values(column: str, values: list[tuple[Value, ...]], condition: object) -> np.ndarray:
    """Which of the items' values meet one condition: bool (n_items,).

    Raises BadSetting for a value that no item has, and for a range of what is no number.
    """
    if is_range(condition):
        low, high = ends_of(column, condition)
        numbers = [numbers_of(column, row) for row in values]
        return np.array([any(low <= one <= high for one in row) for row in numbers], dtype=bool)
    alternatives = alternatives_of(condition)
    known = {text_of(one): str(one) for row in values for one in row}
    for one in alternatives:
        if text_of(one) not in known:
            raise unknown_value(column, str(one), sorted(known.values(), key=order_of))
    texts = set(map(text_of, alternatives))
    return np.array([any(text_of(one) in texts for one in row) for row in values], dtype=bool)


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
        raise BadSetting(f"the range of {column} is {condition!r}; its low end is above its high")
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


def range_meant(value: str) -> tuple[str, str] | None:
    """The ends of what may be meant as a range: ``1990-1999``, ``1990s``."""
    if (decade := DECADE.fullmatch(value)) is not None:
        return f"{decade[1]}0", f"{decade[1]}9"
    ends = TWO_NUMBERS.fullmatch(value)
    return (ends[1], ends[2]) if ends is not None else None


def unknown_value(column: str, value: str, known: list[str]) -> BadSetting:
    """The error for a value that no item has in a column."""
    if (ends := range_meant(value.strip())) is not None:
        low, high = ends
        written = f"{column}={low}..{high}"
        advice = Advice(f"({low}, {high})", written, http=written)
        return BadSetting(f"no item has the {column} {value!r}; a range is ", advice)
    names = {text_of(one): one for one in known}
    near = [] if number_of(value) is not None else get_close_matches(text_of(value), names, n=3)
    if near:
        hint = f"did you mean {' or '.join(repr(names[one]) for one in near)}?"
    elif len(known) <= MOST_LISTED:
        hint = f"there are {', '.join(known) or 'none'}"
    else:
        hint = f"they go from {known[0]} to {known[-1]}"
    return BadSetting(f"no item has the {column} {value!r}; {hint}")
