"""What goes to standard output: JSON for programs, aligned text for people."""

import json
import os
import sys
import textwrap
from collections.abc import Sequence
from typing import IO, Any

import click

WIDEST = 100  # columns; also what a pipe gets
NARROWEST_CELL = 28  # a column is not shortened below this

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def print_json(value: object) -> None:
    """One JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))


def width(stream: IO[str] | None = None) -> int:
    """Columns to write in: those of the terminal, at most 100; 100 where there is none."""
    try:
        columns = int(os.environ.get("COLUMNS") or 0)
        columns = columns or os.get_terminal_size((stream or sys.stdout).fileno()).columns
    except (OSError, ValueError):
        return WIDEST
    return min(max(columns, 40), WIDEST)


def is_plain(stream: IO[str]) -> bool:
    """Whether a stream should get no control codes."""
    return not stream.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"


def bold(text: str, stream: IO[str]) -> str:
    """Text that stands out, where the stream can show it."""
    return text if is_plain(stream) else click.style(text, bold=True)


def shorten(text: str, columns: int) -> str:
    """Text cut to a number of columns, with an ellipsis where something is missing."""
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= columns else set_cell_size(text, columns - 1).rstrip() + "…"


def pad(text: str, columns: int, to_right: bool = False) -> str:
    """Text padded to a number of columns, counting wide letters as two."""
    from rich.cells import cell_len

    blank = " " * (columns - cell_len(text))
    return blank + text if to_right else text + blank


def align(
    rows: Sequence[Sequence[str]], left: Sequence[int], flexible: Sequence[int], columns: int
) -> list[list[str]]:
    """Cells padded so that columns stand under one another; rows then join with two spaces.

    Columns at the places ``left`` go to the left, others to the right. Where rows would be longer
    than ``columns``, those at the places ``flexible`` are shortened, the first of them first.
    """
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    too_much = sum(widths) + 2 * (len(widths) - 1) - columns
    for place in flexible:
        give = max(0, min(too_much, widths[place] - NARROWEST_CELL))
        widths[place] -= give
        too_much -= give
    return [
        [
            pad(shorten(cell, size), size, to_right=place not in left)
            for place, (cell, size) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]


def print_rows(rows: Sequence[dict[str, Any]], score: str) -> None:
    """A list of items or users: rank, title, the column ``score``, id; the best first."""
    for line in listed(rows, score):
        click.echo(line)


def listed(
    rows: Sequence[dict[str, Any]], score: str, columns: int | None = None, with_ids: bool = True
) -> list[str]:
    """The lines of a list of items or users, with a heading; see ``print_rows``.

    Ids take the place of titles where there are none, and are left out where not wanted.
    """
    key = "user_id" if rows and "item_id" not in rows[0] else "item_id"
    titled = any(row.get("title", row[key]) != row[key] for row in rows)
    shown = {
        "rank": [str(row["rank"]) for row in rows],
        "title": [row.get("title", "") for row in rows] if titled else [],
        score: numbers([row[score] for row in rows]),
        key: [row[key] for row in rows] if with_ids or not titled else [],
    }
    shown = {name: cells for name, cells in shown.items() if cells or not rows}
    texts = [place for place, name in enumerate(shown) if name in ("title", key)]
    table = [list(shown), *map(list, zip(*shown.values(), strict=True))]
    return ["  ".join(row).rstrip() for row in align(table, texts, texts, columns or width())]


def numbers(values: Sequence[float]) -> list[str]:
    """Numbers of one column: whole ones as such, others to two decimals."""
    whole = all(value == round(value) for value in values) and max(values, default=0) > 10
    return [f"{value:,.0f}" if whole else f"{value:,.2f}" for value in values]


def wrap(text: str, columns: int | None = None) -> str:
    """Text whose lines are broken where they are too long, keeping each line's indent."""
    lines = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(
            line,
            columns or width(),
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines)
