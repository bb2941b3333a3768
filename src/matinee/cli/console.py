"""Output: data to standard output, messages for people to standard error."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypedDict

import click

from matinee.display import text as text_of
from matinee.display.plain_data import JsonObject
from matinee.display.text_table import aligned

if TYPE_CHECKING:
    from matinee.display.notebook import Printable
    from matinee.display.styled import Line

DECIMALS = 2  # of scores in lists
WIDEST = 100  # columns; also what a pipe gets

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def say(text: str = "") -> None:
    """Write one line, or several, to the person at the terminal."""
    click.echo(text, err=True)


def say_whole(text: str) -> None:
    """Write a message of any length: in lines of the terminal, or in one where there is none."""
    say(wrap(text, width(sys.stderr)) if sys.stderr.isatty() else text)


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
    return (
        not stream.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    )


class Style(TypedDict, total=False):
    """How ``click.style`` writes a text: its colour of 256, and its weight."""

    fg: int
    bold: bool
    dim: bool


STYLES: dict[str, Style] = {  # as on the page; both colours read on light and on dark
    "for": {"fg": 32},
    "against": {"fg": 166},
    "best": {"fg": 32, "bold": True},
    "bold": {"bold": True},
    "dim": {"dim": True},
    "tied": {"fg": 32},
    "stars": {"fg": 136},
}


LIST_STYLES = {"title": "bold", "stars": "stars", "item_id": "dim", "user_id": "dim"}


def styled(text: str, style: str, stream: IO[str] | None = None) -> str:
    """Text in one of ``STYLES``, where the stream can show it."""
    if not style or not text.strip() or is_plain(stream or sys.stdout):
        return text
    return click.style(text, **STYLES[style])


def bold(text: str, stream: IO[str]) -> str:
    """Text in bold, where the stream can show it."""
    return styled(text, "bold", stream)


def painted(lines: "Iterable[Line]", columns: int, stream: IO[str] | None = None) -> Iterator[str]:
    """Lines of styled text for a stream; those longer than ``columns`` are broken, and plain."""
    for line in lines:
        text = "".join(part.text for part in line).rstrip()
        if len(text) > columns:
            yield from wrap(text, columns).split("\n")
        else:
            yield "".join(styled(part.text, part.style, stream) for part in line).rstrip()


def lines_of(value: "Printable", stream: IO[str] | None = None) -> list[str]:
    """A result as lines for a terminal: headings and details are dim, bars in colour."""
    columns = width(stream)
    return list(painted(value.lines(columns), columns, stream))


def show(value: "Printable") -> None:
    """Write a result to standard output, in the one look of all commands."""
    click.echo("\n".join(lines_of(value)))


def ranked_list(
    rows: Sequence[JsonObject],
    score: str,
    columns: int | None = None,
    with_ids: bool = True,
    stream: IO[str] | None = None,
) -> list[str]:
    """The lines of a list of items or users with a heading: rank, title, the column ``score``, id.

    Before a score stand the stars and the points that it is the sum of, where rows have them. Ids
    take the place of titles where there are none, and are left out without ``with_ids`` and where
    they would leave little room for titles.
    """
    from matinee.models.list_tables import added_up  # not before something was listed

    columns, rows = columns or width(), [added_up(row, DECIMALS) for row in rows]
    key = "user_id" if rows and "item_id" not in rows[0] else "item_id"
    titled = any(row.get("title", row[key]) != row[key] for row in rows)
    columns_by_name = {
        "rank": [str(row["rank"]) for row in rows],
        "title": [row.get("title", "") for row in rows] if titled else [],
        "stars": numbers([row["stars"] for row in rows if "stars" in row]),
        "points": [f"{row['points']:+,.{DECIMALS}f}" for row in rows if "points" in row],
        score: numbers([row[score] for row in rows]),
        key: [row[key] for row in rows] if with_ids or not titled else [],
    }
    filled = {name: cells for name, cells in columns_by_name.items() if cells or not rows}
    texts = [place for place, name in enumerate(filled) if name in ("title", key)]
    table = [list(filled), *map(list, zip(*filled.values(), strict=True))]
    head, *body = aligned(table, left=texts, flexible=texts, columns=columns)
    if titled and with_ids and len("  ".join(head)) > columns:
        return ranked_list(rows, score, columns, with_ids=False, stream=stream)
    heading = styled("  ".join(head).rstrip(), "dim", stream)
    styles = [LIST_STYLES.get(name, "") for name in filled]
    return [heading, *(_list_line(row, styles, stream) for row in body)]


def _list_line(cells: Sequence[str], styles: Sequence[str], stream: IO[str] | None) -> str:
    texts = [*cells[:-1], cells[-1].rstrip()]
    return "  ".join(
        styled(text, style, stream) for text, style in zip(texts, styles, strict=True)
    ).rstrip()


def numbers(values: Sequence[float]) -> list[str]:
    """The numbers of one column: whole ones as such, others to two decimals."""
    whole = all(value == round(value) for value in values) and max(values, default=0) > 10
    return [f"{value:,.0f}" if whole else f"{value:,.{DECIMALS}f}" for value in values]
