"""Conditions on the columns of a catalogue as text: ``genre=Horror``, ``year=1990..1999``."""

from collections.abc import Iterable

from matinee.data.catalog_filter import RANGE, alternatives_of, has_ends, is_range, number_of
from matinee.errors import BadSetting


def conditions_of(texts: Iterable[str], option: str) -> dict[str, object]:
    """Conditions by column, as ``CatalogColumns`` takes them; several values are alternatives.

    ``option`` is the name of the setting in messages. Raises BadSetting for what is no condition,
    and for a range beside another condition on the same column.
    """
    where: dict[str, object] = {}
    for text in texts:
        column, _, value = (part.strip() for part in text.partition("="))
        if not column or not value:
            raise BadSetting(f"{option} is {text!r}; write COLUMN=VALUE, such as genre=Horror")
        if has_ends(value):
            if column in where:
                raise BadSetting(f"{option} has the range {value} beside others of {column!r}")
            where[column] = tuple(end_of(column, one.strip()) for one in value.split(RANGE))
            continue
        others = where.setdefault(column, [])
        if not isinstance(others, list):
            raise BadSetting(f"{option} has {value!r} beside a range of {column!r}")
        others.append(value)
    return where


def end_of(column: str, text: str) -> float | None:
    """One end of a range, None where it is open. Raises BadSetting for what is no number."""
    end = number_of(text) if text else None
    if text and end is None:
        raise BadSetting(f"{column} is from {text!r}, not a number")
    return end


def text_of_condition(column: str, condition: object) -> str:
    """One condition as text, a range as ``1990..1999`` and alternatives as ``Horror|Sci-Fi``."""
    if is_range(condition):
        ends = ["" if end is None else f"{end:g}" for end in condition]
        return f"{column}={RANGE.join(ends)}"
    return f"{column}={'|'.join(map(str, alternatives_of(condition)))}"
