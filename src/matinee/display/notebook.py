"""What a result shows of itself: the same parts as printed text, and as HTML in a notebook."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from matinee.display.frames import Column, Framed
from matinee.display.markup import Markup, el, html_table
from matinee.display.styled import Line, Styled, plain
from matinee.display.tables import Table
from matinee.display.text import LONGEST_BAR, bar
from matinee.display.text_table import aligned, hanging

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
    shares: Sequence[float] = ()  # 0..1, one a row: a last column of bars to this scale

    def lines(self, columns: int | None = None) -> list[Line]:
        """The lines; bars are as long as lines of ``columns`` characters leave room for."""
        start, between = Styled(" " * self.indent), " " * self.gap
        cells = aligned(self.rows, left=self.left, gap=self.gap)
        if columns and not (self.has_heading or self.shares) and len(cells[0]) - 1 in self.left:
            room = columns - self.indent
            return [[start, Styled(line)] for row in cells for line in hanging(row, room, self.gap)]
        rows = [between.join(row) for row in cells]
        if self.shares:
            taken = len(rows[0]) + self.gap + self.indent
            long = min(max((columns or taken + LONGEST_BAR) - taken, 1), LONGEST_BAR)
            return [
                [start, Styled(row + between), Styled(bar(share, long), "for")]
                for row, share in zip(rows, self.shares, strict=True)
            ]
        styles = ["dim" if self.has_heading else "", *[""] * (len(rows) - 1)]
        return [
            [start, Styled(row.rstrip(), style)] for row, style in zip(rows, styles, strict=True)
        ]

    def __str__(self) -> str:
        return plain(self.lines())

    def _repr_html_(self) -> Markup:
        head, body = (self.rows[0], self.rows[1:]) if self.has_heading else ((), self.rows)
        if self.shares:
            body = [[*row, bar(share)] for row, share in zip(body, self.shares, strict=True)]
        return html_table(head, body)


class Printable:
    """Parent of results: ``parts`` is what they print, at the prompt too, and show in notebooks.

    Its dataclasses state ``repr=False``, lest theirs stand in the place of this one.
    """

    def parts(self) -> Iterable[Part]:
        """Lines and tables, from top to bottom."""
        raise NotImplementedError

    def lines(self, columns: int | None = None) -> list[Line]:
        """What is printed, as styled text; bars fit lines of ``columns`` characters where given."""
        lines: list[Line] = []
        for part in self.parts():
            if isinstance(part, Grid):
                lines += part.lines(columns)
            else:
                lines += [[Styled(line)] for line in str(part).split("\n")]
        return lines

    def __str__(self) -> str:
        return plain(self.lines())

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

    def frame_columns(self) -> Mapping[str, Column]:
        """The columns of the table."""
        return self.table.frame_columns()


def _html(part: Part) -> str:
    if not isinstance(part, str):
        return part._repr_html_()
    return el("pre" if "\n" in part else "p", part) if part else ""
