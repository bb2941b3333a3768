"""Pictures of labelled rows with lying bars: counts, weights, and waterfalls."""

from dataclasses import dataclass, replace

from matinee.charts.plot import LETTER
from matinee.display.markup import Markup, el
from matinee.display.text import isolated

ROW = 24.0
NARROW = 460  # below this width a long label stands above its bar
BESIDE = 0.44  # of the width may be labels; the terms of a sum are not cut, but stand above
LONG = 16  # letters
GAP = 8.0


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
        step = ROW + 16 if narrow else ROW
        ends = [max(row.start, row.end) for row in self.rows]
        high = max([*ends, self.low + 1e-9])
        low = min([self.low, *(min(row.start, row.end) for row in self.rows[1:])])
        room = width - left - figures - GAP
        elements: list[Markup] = []

        def x(value: float) -> float:
            return left + room * (max(value, low) - low) / (high - low)

        for place, row in enumerate(self.rows):
            top = place * step + (18 if narrow else 4)
            a, b = sorted((x(row.start), x(row.end)))
            elements += _label(row, left, top, width if narrow else left, narrow)
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
            if self.joined and place + 1 < len(self.rows):
                at = x(row.end)
                elements.append(
                    el("line", x1=at, x2=at, y1=top + ROW - 8, y2=top + step, class_="join")
                )
        bottom = len(self.rows) * step + 4
        if self.note:
            elements.append(el("text", self.note, x=left, y=bottom + 12, class_="label"))
        return bottom + (20 if self.note else 0), elements


def _label(row: Row, left: float, top: float, room: float, narrow: bool) -> list[Markup]:
    most = max(int(room / LETTER) - 1, 4)
    name = row.label
    if len(row.full_label) > most:
        letters = max(most - 1 - (len(row.note) + 2 if row.note else 0), 4)
        name = name[:letters].rstrip() + "…"
    short = replace(row, label=isolated(name)).full_label
    if narrow:
        return [el("text", short, x=1.0, y=top - 4)]
    return [el("text", short, x=left - GAP, y=top + 12, text_anchor="end")]
