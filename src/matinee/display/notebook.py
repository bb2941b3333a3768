"""What a result shows of itself: the same parts as printed text, and as HTML in a notebook."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from matinee.display.frames import Framed
from matinee.display.markup import Markup, el, html_table
from matinee.display.tables import Table
from matinee.display.text_table import text_table

Part = Union[str, "Grid", Table]
"""A line, several lines (set in columns, such as a drawing), or a table."""


@dataclass(frozen=True)
class Grid:
    """Cells of text under one another, the first row being the heading where there is one."""

    rows: Sequence[Sequence[str]]
    has_heading: bool = True
    left: Collection[int] = (0,)  # columns that are set to the left
    indent: int = 0
    gap: int = 2  # spaces between columns

    def __str__(self) -> str:
        lines = text_table(self.rows, left=self.left, gap=self.gap)
        return "\n".join(" " * self.indent + line for line in lines)

    def _repr_html_(self) -> Markup:
        head, body = (self.rows[0], self.rows[1:]) if self.has_heading else ((), self.rows)
        return html_table(head, body)


class Printable:
    """Parent of results: ``parts`` is what they print, at the prompt too, and show in notebooks.

    Its dataclasses state ``repr=False``, lest theirs stand in the place of this one.
    """

    def parts(self) -> Iterable[Part]:
        """Lines and tables, from top to bottom."""
        raise NotImplementedError

    def __str__(self) -> str:
        return "\n".join(map(str, self.parts()))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return "".join(map(_html, self.parts()))


class Tabular(Printable, Framed):
    """Parent of results whose figures are a table, which converts to frames."""

    @property
    def table(self) -> Table:
        """The figures, as numbers."""
        raise NotImplementedError

    def frame_columns(self) -> Mapping[str, Any]:
        """The columns of the table."""
        return self.table.frame_columns()


def _html(part: Part) -> str:
    if not isinstance(part, str):
        return part._repr_html_()
    return el("pre" if "\n" in part else "p", part) if part else ""
