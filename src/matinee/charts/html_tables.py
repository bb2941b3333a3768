"""Tables of charts and reports as HTML, each with links to its values as files."""

import csv
import io
import json
import re
from base64 import b64encode
from collections.abc import Container, Sequence
from math import isfinite

from matinee.display.markup import Markup, el
from matinee.display.tables import Table, show

MOST_ROWS = 2000  # shown


def twin(table: Table, title: str, best: Container[tuple[int, int]] = ()) -> Markup:
    """A table as HTML: the first column heads its rows, numbers stand to the right.

    ``best`` are the cells to mark, by row and column from 0. The whole table is there as files.
    """
    rows = list(zip(*table.columns.values(), strict=True))
    return el(
        "div",
        el(
            "table",
            el("thead", el("tr", (el("th", name, scope="col") for name in table.columns))),
            el(
                "tbody",
                (
                    el("tr", _cells(row, [(place, column) in best for column in range(len(row))]))
                    for place, row in enumerate(rows[:MOST_ROWS])
                ),
            ),
        ),
        el("p", f"and {len(rows) - MOST_ROWS:,} more") if len(rows) > MOST_ROWS else None,
        downloads(table, title),
        class_="scroll",
        tabindex="0",
        role="group",
        aria_label=title,
    )


def downloads(table: Table, title: str) -> Markup:
    """Links to a table as CSV and as JSON, one object a row; the files lie in the links."""
    name = "-".join(re.findall(r"\w+", title.casefold())) or "table"
    files = {"CSV": ("text/csv;charset=utf-8", as_csv), "JSON": ("application/json", as_json)}
    links = [
        el("a", kind, href=address(media, text(table)), download=f"{name}.{kind.lower()}")
        for kind, (media, text) in files.items()
    ]
    return el("p", links[0], " ", links[1], class_="download")


def address(media: str, text: str) -> str:
    """The data URL of a text file; base64 is shorter than escapes where much is quoted."""
    return f"data:{media};base64,{b64encode(text.encode()).decode()}"


def as_csv(table: Table) -> str:
    """A table with its heading, as CSV."""
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(table.columns)
    rows.writerows(zip(*table.columns.values(), strict=True))
    return file.getvalue()


def as_json(table: Table) -> str:
    """The rows of a table as JSON objects; null where a number is not finite."""
    rows = [{name: finite(value) for name, value in row.items()} for row in table.to_dicts()]
    return json.dumps(rows, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def finite(value: object) -> object:
    """The value, or None for a number that JSON cannot write."""
    return None if isinstance(value, float) and not isfinite(value) else value


def _cells(row: tuple[object, ...], best: Sequence[bool]) -> list[Markup]:
    first, *others = row
    return [
        el("th", cell(first), scope="row"),
        *(
            el(
                "td",
                el("strong", cell(value)) if is_best else cell(value),
                class_="n" if isinstance(value, int | float) else None,
            )
            for value, is_best in zip(others, best[1:], strict=True)
        ),
    ]


def cell(value: object) -> str:
    """A value as it stands in a table: thousands are parted, floats have four digits."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else show(value)
