"""Tables of plain values, for a terminal and for a page."""

from typing import Any

Row = dict[str, Any]


def text(value: Any) -> str:
    """A value as it is shown: fractions to four decimals, nothing for None."""
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def cells(rows: list[Row]) -> list[list[str]]:
    """The heading, then the values, as text."""
    names = list(rows[0])
    return [names, *([text(row.get(name)) for name in names] for row in rows)]


def table(rows: list[Row]) -> str:
    """Aligned columns, the first to the left."""
    lines = cells(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in lines
    )


def with_tables(page: str, tables: dict[str, str]) -> str:
    """A page with each table, by name, written anew between the comments that name it."""
    for name, content in tables.items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        before, rest = page.split(begin)
        page = before + begin + content + end + rest.split(end)[1]
    return page


def markdown(rows: list[Row]) -> str:
    """A Markdown table."""
    heading, *lines = cells(rows)
    ruled = [heading, ["---"] * len(heading), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in ruled)
