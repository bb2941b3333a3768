"""Pictures of labelled rows with lying bars: counts, weights, and waterfalls."""

import textwrap
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from matinee.charts.plot import LETTER
from matinee.display.markup import Markup, el
from matinee.display.text import isolated

ROW = 24.0
NARROW = 460  # below this width a long label stands above its bar
BESIDE = 0.44  # of the width may be labels; the terms of a sum are not cut, but stand above
LONG = 16  # letters
GAP = 8.0
LINE = 16.0  # of a label above its bar
N_LINES = 2


@dataclass(frozen=True)
class Row:
    """One line: its label, its figure as it is written, and where its bar lies."""

    label: str
    figure: str
    start: float
    end: float
    style: str = "c0"  # a class of charts.css
    note: str = ""  # after the label, and never cut
    words: str = ""  # said when one points at it

    @property
    def full_label(self) -> str:
        """Label and note."""
        return f"{self.label}, {self.note}" if self.note else self.label


@dataclass(frozen=True)
class Bars:
    """Rows of lying bars on one scale, which begins at ``low``."""

    rows: tuple[Row, ...]
    low: float = 0.0
    joined: bool = False  # a waterfall: each bar begins where the one before ended
    note: str = ""

    def draw(self, width: float) -> tuple[float, list[Markup]]:
        """Height and elements at a width."""
        figures = LETTER * max((len(row.figure) for row in self.rows), default=0) + GAP
        labels = max((len(row.full_label) for row in self.rows), default=0)
        too_long = self.joined and LETTER * labels + 12 > width * BESIDE
        narrow = labels > LONG and (width < NARROW or too_long)
        left = 0.0 if narrow else min(LETTER * labels + 12, width * BESIDE)
        letters = max(int((width if narrow else left) / LETTER) - 1, 4)
        lines = [_lines(row, letters, N_LINES if narrow else 1) for row in self.rows]
        bottoms = list(accumulate(ROW + (LINE * len(one) if narrow else 0) for one in lines))
        tops = [bottom - ROW + (2 if narrow else 4) for bottom in bottoms]
        ends = [max(row.start, row.end) for row in self.rows]
        high = max([*ends, self.low + 1e-9])
        low = min([self.low, *(min(row.start, row.end) for row in self.rows[1:])])
        room = width - left - figures - GAP
        elements: list[Markup] = []

        def x(value: float) -> float:
            return left + room * (max(value, low) - low) / (high - low)

        for row, label, top in zip(self.rows, lines, tops, strict=True):
            a, b = sorted((x(row.start), x(row.end)))
            elements += _label(label, left, top, narrow)
            elements.append(
                el(
                    "rect",
                    el("title", row.words or f"{row.full_label}: {row.figure}"),
                    x=a,
                    y=top,
                    width=max(b - a, 1.2),
                    height=ROW - 8,
                    rx="2",
                    class_=row.style,
                )
            )
            elements.append(el("text", row.figure, x=b + GAP / 2 + 2, y=top + 12, class_="figure"))
        if self.joined:
            for row, (top, next_top) in zip(self.rows, pairwise(tops), strict=False):
                at = x(row.end)
                elements.append(
                    el("line", x1=at, x2=at, y1=top + ROW - 8, y2=next_top, class_="join")
                )
        bottom = (bottoms or [0.0])[-1] + 4
        if self.note:
            elements.append(el("text", self.note, x=left, y=bottom + 12, class_="label"))
        return bottom + (20 if self.note else 0), elements


def _lines(row: Row, letters: int, n_lines: int) -> list[str]:
    """The label in lines of so many letters; what has no room in them is cut from its name.

    Where words do not break evenly there is one line more. Words from right to left take one line.
    """
    is_leftward = isolated(row.label) != row.label
    room = letters if is_leftward else n_lines * letters
    name = row.label
    if len(row.full_label) > room:
        kept = max(room - 1 - (len(row.note) + 2 if row.note else 0), 4)
        name = name[:kept].rstrip() + "…"
    whole = replace(row, label=isolated(name)).full_label
    return [whole] if is_leftward or n_lines == 1 else textwrap.wrap(whole, letters)


def _label(lines: list[str], left: float, top: float, narrow: bool) -> list[Markup]:
    if not narrow:
        (line,) = lines
        return [el("text", line, x=left - GAP, y=top + 12, text_anchor="end")]
    last = len(lines) - 1
    return [
        el("text", line, x=1.0, y=top - 4 - LINE * (last - place))
        for place, line in enumerate(lines)
    ]
