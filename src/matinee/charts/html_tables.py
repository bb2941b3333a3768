"""Tables of charts and reports as HTML, each with a link to its values as a file."""

import csv
import io
import re
from collections.abc import Container, Sequence
from urllib.parse import quote

from matinee.display.markup import Markup, el
from matinee.display.tables import Table, show

MOST_ROWS = 2000  # shown


def twin(table: Table, title: str, best: Container[tuple[int, int]] = ()) -> Markup:
    """A table as HTML: the first column heads its rows, numbers stand to the right.

    ``best`` are the cells to mark, by row and column from 0. The whole table is there as a file.
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
        download(table, title),
        class_="scroll",
        tabindex="0",
        role="group",
        aria_label=title,
    )


def download(table: Table, title: str) -> Markup:
    """A link to a table as a CSV file, which lies in the link itself."""
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(table.columns)
    rows.writerows(zip(*table.columns.values(), strict=True))
    name = "-".join(re.findall(r"\w+", title.casefold())) or "table"
    address = f"data:text/csv;charset=utf-8,{quote(file.getvalue())}"
    return el("p", el("a", "CSV", href=address, download=f"{name}.csv"), class_="download")


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
