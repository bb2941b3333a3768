"""How a text file separates its fields, found by looking at its first lines."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matinee.errors import BadRatings
from matinee.sources.columns import is_usual
from matinee.sources.files import SAMPLE

DELIMITERS = ("::", "\t", ";", "|", ",", " ")  # in order of trust where several would do
IN_WORDS = {"\t": "tab", " ": "space"}
LINES = 200  # looked at
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+")
NO_NUMBERS = {"nan", "inf", "-inf", "+inf", "infinity", "-infinity", ""}


@dataclass(frozen=True)
class Dialect:
    """What separates, quotes and heads the fields of a text file."""

    delimiter: str
    quoted: bool  # whether a double quote encloses fields anywhere in the sample
    header: tuple[str, ...]  # empty where the first line is already a row
    n_columns: int
    rows: tuple[tuple[str, ...], ...]  # the first rows, without the header

    @property
    def details(self) -> dict[str, str]:
        """In words, for the report."""
        details = {
            "delimiter": IN_WORDS.get(self.delimiter, repr(self.delimiter)),
            "header": "yes" if self.header else "no",
        }
        return details | ({"quoted": "yes"} if self.quoted else {})

    def split(self, line: str) -> list[str]:
        """The fields of one line."""
        if self.quoted and '"' in line and len(self.delimiter) == 1:
            return next(csv.reader([line], delimiter=self.delimiter), [])
        return line.split(self.delimiter)


def sniff(path: Path, name: str, expected: Sequence[str] = (), least: int = 3) -> Dialect:
    """The dialect of a UTF-8 file, whose header may hold ``expected`` names.

    Raises BadRatings when no delimiter gives its lines ``least`` fields.
    """
    with path.open("rb") as file:
        text = file.read(SAMPLE).decode("utf-8-sig", errors="replace")
    lines = [line for line in text.splitlines()[: LINES + 1] if line.strip()]
    if len(text) >= SAMPLE // 4 and len(lines) <= LINES and len(lines) > 1:
        lines.pop()  # it may be cut
    if not lines:
        raise BadRatings(f"{name} is empty")
    quoted = any('"' in line for line in lines)
    delimiter, n_columns = best_delimiter(lines, quoted, least)
    if n_columns < least:
        raise BadRatings(
            f"{name} does not look like ratings: its first line is {clipped(lines[0])!r}, and no "
            f"delimiter splits its lines into {least} fields or more"
        )
    plain = Dialect(delimiter, quoted, (), n_columns, ())
    rows = tuple(tuple(plain.split(line)) for line in lines)
    if is_header(rows, expected):
        return Dialect(delimiter, quoted, rows[0], len(rows[0]), rows[1:])
    return Dialect(delimiter, quoted, (), n_columns, rows)


def best_delimiter(lines: Sequence[str], quoted: bool, least: int) -> tuple[str, int]:
    """The delimiter under which most lines agree on ``least`` fields or more, and how many."""
    best = ("", 0, 0.0)
    for delimiter in DELIMITERS:
        counts = Counter(len(Dialect(delimiter, quoted, (), 0, ()).split(line)) for line in lines)
        n_fields, share = max(
            ((n, count / len(lines)) for n, count in counts.items()),
            key=lambda one: (one[0] >= least, one[1], one[0]),
        )
        if n_fields >= least and share > best[2]:
            best = (delimiter, n_fields, share)
    delimiter, n_fields, _ = best
    if delimiter == "," and all(re.search(r",(?! )", line) is None for line in lines):
        delimiter = ", "
    return delimiter, n_fields


def is_header(rows: Sequence[Sequence[str]], expected: Sequence[str] = ()) -> bool:
    """Whether the first row names columns: usual or expected names, or words over numbers."""
    first = rows[0]
    if any(is_number(field) for field in first):
        return False
    if any(is_usual(field) or field in expected for field in first):
        return True
    return any(is_number(field) for row in rows[1:4] for field in row)


def is_number(field: str) -> bool:
    """Whether a field reads as a number, also with a decimal comma."""
    return bool(NUMBER.fullmatch(field.strip()) or COMMA_NUMBER.fullmatch(field.strip()))


def has_decimal_comma(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether a column writes 3,5 for three and a half."""
    fields = [row[column] for row in rows if len(row) > column]
    return any(COMMA_NUMBER.fullmatch(field) for field in fields) and not any(
        "." in field for field in fields
    )


def clipped(text: str, width: int = 60) -> str:
    """Text short enough for a message."""
    return text if len(text) <= width else text[: width - 3] + "..."
