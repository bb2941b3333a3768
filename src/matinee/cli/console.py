"""Output: data to standard output, messages for people to standard error."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from matinee.display import text as text_of
from matinee.display.text_table import text_table

WIDEST = 100  # columns; also what a pipe gets

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def say(text: str = "") -> None:
    """Write one line, or several, to the person at the terminal."""
    click.echo(text, err=True)


def print_json(value: object) -> None:
    """Write one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))


def program() -> str:
    """The command that runs this program again, as a shell finds it."""
    python = Path(sys.executable)
    script = shutil.which("matinee")
    if script and Path(script).parent == python.parent:
        return "matinee"
    on_path = shutil.which(python.name)
    return f"{python.name if on_path and Path(on_path) == python else python} -m matinee"


def width(stream: IO[str] | None = None) -> int:
    """Columns to write in: those of the terminal, 40 to 100; 100 where there is none."""
    try:
        columns = int(os.environ.get("COLUMNS") or 0)
        columns = columns or os.get_terminal_size((stream or sys.stdout).fileno()).columns
    except (OSError, ValueError):
        return WIDEST
    return min(max(columns, 40), WIDEST)


def wrap(text: str, columns: int | None = None) -> str:
    """Text broken at ``columns``, those of the terminal unless given."""
    return text_of.wrap(text, columns or width())


def is_plain(stream: IO[str]) -> bool:
    """Whether a stream should get no control codes."""
    return not stream.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"


def bold(text: str, stream: IO[str]) -> str:
    """Text in bold, where the stream can show it."""
    return text if is_plain(stream) else click.style(text, bold=True)


def ranked_list(
    rows: Sequence[dict[str, Any]], score: str, columns: int | None = None, with_ids: bool = True
) -> list[str]:
    """The lines of a list of items or users with a heading: rank, title, the column ``score``, id.

    Ids take the place of titles where there are none, and are left out without ``with_ids``.
    """
    key = "user_id" if rows and "item_id" not in rows[0] else "item_id"
    titled = any(row.get("title", row[key]) != row[key] for row in rows)
    columns_by_name = {
        "rank": [str(row["rank"]) for row in rows],
        "title": [row.get("title", "") for row in rows] if titled else [],
        "stars": numbers([row["stars"] for row in rows if "stars" in row]),
        score: numbers([row[score] for row in rows]),
        key: [row[key] for row in rows] if with_ids or not titled else [],
    }
    filled = {name: cells for name, cells in columns_by_name.items() if cells or not rows}
    texts = [place for place, name in enumerate(filled) if name in ("title", key)]
    table = [list(filled), *map(list, zip(*filled.values(), strict=True))]
    return text_table(table, left=texts, flexible=texts, columns=columns or width())


def numbers(values: Sequence[float]) -> list[str]:
    """The numbers of one column: whole ones as such, others to two decimals."""
    whole = all(value == round(value) for value in values) and max(values, default=0) > 10
    return [f"{value:,.0f}" if whole else f"{value:,.2f}" for value in values]
