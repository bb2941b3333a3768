"""Rows of terms as lines of text: name, figure, bar and detail, in as many columns as there are."""

import textwrap
from collections.abc import Iterable
from typing import NamedTuple

from matinee.display.styled import Line, Styled

BAR_WIDTH = 24  # characters of the bar column
NARROWEST_BAR = 8
NAME_WIDTH = 30  # characters of a name where a bar and a detail stand beside it in 80
FIGURE_WIDTH = 6
MARGINS = 2 + 2 + FIGURE_WIDTH + 2  # blanks before, between and after name and figure
INDENT = 6  # of a detail on a line of its own


class BarRow(NamedTuple):
    """A name, its figure, a bar from ``start`` to ``end`` (0..1), for or against, and a detail."""

    name: str
    figure: str
    start: float
    end: float
    is_for: bool
    detail: str = ""


class Layout(NamedTuple):
    """Widths in characters, of names and of bars, and of whole lines where these are limited."""

    name: int
    bar: int
    columns: int | None

    @classmethod
    def of(cls, names: Iterable[str], columns: int | None, details: Iterable[str] = ()) -> "Layout":
        """The layout for some names in lines of so many columns; None for no limit.

        Names are longer than usual where the longest of the ``details`` leaves them room.
        """
        longest = max(map(len, names))
        if columns is None:
            return cls(min(longest, NAME_WIDTH), BAR_WIDTH, None)
        beside = max([0, *(2 + len(one) for one in details if one)])
        name = min(longest, max(NAME_WIDTH, columns - MARGINS - BAR_WIDTH - beside))
        name = min(name, columns - MARGINS - NARROWEST_BAR)
        return cls(name, min(BAR_WIDTH, columns - MARGINS - name), columns)

    def lines(self, row: BarRow) -> list[Line]:
        """A row as one line, or with its detail below where that does not fit."""
        first = min(round(row.start * self.bar), self.bar - 1)
        n = min(round(row.end * self.bar), self.bar) - first
        bar = Styled(("█" if row.is_for else "░") * n or "▏", "for" if row.is_for else "against")
        label = Styled(f"  {cut(row.name, self.name).ljust(self.name)}  ")
        line = [label, Styled(f"{row.figure:>{FIGURE_WIDTH}}  "), Styled(" " * first), bar]
        if not row.detail:
            return [line]
        width = MARGINS + self.name + self.bar + 2 + len(row.detail)
        if self.columns is None or width <= self.columns:
            blank = Styled(" " * (self.bar - first - len(bar.text) + 2))
            return [[*line, blank, Styled(row.detail, "dim")]]
        below = textwrap.wrap(row.detail, self.columns - INDENT, break_long_words=False)
        return [line, *([Styled(" " * INDENT + part, "dim")] for part in below)]

    def total(self, name: str, figure: str, bar: str = "") -> Line:
        """A row of a sum."""
        label = f"  {cut(name, self.name).ljust(self.name)}  "
        return [Styled(label), Styled(f"{figure:>{FIGURE_WIDTH}}", "bold"), Styled(f"  {bar}")]

    @property
    def rule(self) -> Line:
        """The line above a sum."""
        return [Styled(f"  {' ' * self.name}  {'─' * FIGURE_WIDTH}")]


def cut(name: str, width: int) -> str:
    """A name of at most so many characters, with an ellipsis where some are missing."""
    return name if len(name) <= width else name[: width - 1].rstrip() + "…"
