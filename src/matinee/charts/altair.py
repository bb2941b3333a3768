"""Charts of Altair, for those who want to change a picture: the same marks on the same axes.

A mark becomes a layer with rows of its own, as a picture shows more than the table says: places and
spans. Colours are those of the style sheet for light pages.
"""

import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from matinee.charts.bars import Bars
from matinee.charts.marks import Cells, Columns, Dots, Intervals, Line, Named, Rule
from matinee.charts.plot import Axis, Plot
from matinee.display.optional import CHARTS
from matinee.display.palette import AGAINST, BASE, FOR, LIGHT, TOTAL

NAMED_COLORS = {"base": BASE, "total": TOTAL, "up": FOR, "down": AGAINST}
WIDTH, HEIGHT = 560, 300  # pixels, between the axes
LETTERS = 90  # of a line under the title
Altair = Any  # the module, which is an extra, or a chart, channel or scale of it
Rows = Iterable[Mapping[str, object]]


def altair_chart(picture: object, title: str, summary: str) -> Altair:
    """The Altair chart of a picture. Raises MatineeError where Altair is not installed."""
    alt = CHARTS.load("altair", "to_altair")
    heading = alt.TitleParams(title, subtitle=textwrap.wrap(summary, LETTERS))
    if isinstance(picture, Bars):
        return _bars(alt, picture).properties(title=heading, width=WIDTH)
    assert isinstance(picture, Plot)
    axes = _Axes(alt, picture)
    layers = reduce(add, (LAYERS[type(mark)](axes, mark) for mark in picture.marks))
    return layers.properties(title=heading, width=WIDTH, height=HEIGHT)


def _bars(alt: Altair, picture: Bars) -> Altair:
    rows = [
        {
            "label": row.full_label,
            "start": max(row.start, picture.low),
            "end": row.end,
            "right": max(row.start, row.end),
            "figure": row.figure,
            "color": NAMED_COLORS.get(row.style, LIGHT[0]),
        }
        for row in picture.rows
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(y=alt.Y("label:N", sort=None, title=None))
    start = alt.X("start:Q", title=picture.note, scale=alt.Scale(zero=picture.low <= 0))
    color = alt.Color("color:N", scale=None)
    bars = base.mark_bar().encode(start, x2="end:Q", color=color, tooltip=["label:N", "figure:N"])
    return bars + base.mark_text(align="left", dx=4).encode(x="right:Q", text="figure:N")


@dataclass(frozen=True)
class _Axes:
    """Both axes of a plot, as encodings of a layer."""

    alt: Altair
    plot: Plot

    def layer(self, rows: Rows) -> Altair:
        """A layer of ``rows``, to be given a mark."""
        return self.alt.Chart(self.alt.Data(values=list(rows)))

    def x(self, field: str = "x") -> Altair:
        """Where a field lies from left to right."""
        return self._encoding(self.alt.X, field, self.plot.x)

    def y(self, field: str = "y") -> Altair:
        """Where a field lies from top to bottom."""
        return self._encoding(self.alt.Y, field, self.plot.y)

    def color(self, of: int) -> Altair:
        """The colour of a class, which the legend names where the plot does."""
        names = dict(self.plot.legend)
        if of not in names:
            return self.alt.value(LIGHT[of % len(LIGHT)])
        colors = [LIGHT[one % len(LIGHT)] for one in names]
        scale = self.alt.Scale(domain=list(names.values()), range=colors)
        return self.alt.Color("class:N", scale=scale, title=None)

    def classed(self, row: dict[str, object], of: int) -> dict[str, object]:
        """A row with the name of its class."""
        return {**row, "class": dict(self.plot.legend).get(of, "")}

    def _encoding(self, channel: Altair, field: str, axis: Axis) -> Altair:
        low, high = sorted((axis.low, axis.high))
        kind, undefined = "log" if axis.log else "linear", self.alt.Undefined
        words = {f"{place:.12g}": name for place, name in axis.ticks}
        shown = self.alt.Axis(
            title=axis.label,
            values=[place for place, _ in axis.ticks] or undefined,
            labelExpr=f"({words})[datum.value] || datum.label" if words else undefined,
        )
        scale = self.alt.Scale(
            domain=[low, high], type=kind, nice=False, reverse=axis.low > axis.high
        )
        return channel(f"{field}:Q", scale=scale, axis=None if self.plot.bare else shown)


def _columns(axes: _Axes, mark: Columns) -> Altair:
    rows = ({"x": a, "to": b, "y": y, "zero": 0, "words": words} for a, b, y, words in mark.bars)
    bars = axes.layer(rows).mark_rect(stroke="white").encode(axes.x(), axes.y(), x2="to:Q")
    return bars.encode(y2="zero:Q", color=axes.color(mark.of), tooltip="words:N")


def _line(axes: _Axes, mark: Line) -> Altair:
    rows = (axes.classed({"x": x, "y": y}, mark.of) for x, y in mark.points)
    return axes.layer(rows).mark_line().encode(axes.x(), axes.y(), color=axes.color(mark.of))


def _intervals(axes: _Axes, mark: Intervals) -> Altair:
    names = ("x", "low", "y", "high", "words")
    spans = axes.layer(dict(zip(names, span, strict=True)) for span in mark.spans)
    color = axes.color(mark.of)
    lines = spans.mark_rule().encode(axes.x(), axes.y("low"), y2="high:Q", color=color)
    dots = spans.mark_circle(size=50, opacity=1)
    return lines + dots.encode(axes.x(), axes.y(), color=color, tooltip="words:N")


def _rule(axes: _Axes, mark: Rule) -> Altair:
    line = axes.layer([{"x": mark.x, "words": mark.words}])
    words = line.mark_text(align="left", dx=5).encode(axes.x(), y=axes.alt.value(8), text="words:N")
    return line.mark_rule(strokeDash=[4, 3]).encode(axes.x()) + words


def _dots(axes: _Axes, mark: Dots) -> Altair:
    rows = [
        axes.classed({"x": x, "y": y, "words": words, "id": key}, of)
        for x, y, of, words, key in mark.points
    ]
    color = axes.color(mark.points[0][2]) if mark.points else axes.alt.Undefined
    shape = axes.alt.Shape("class:N", legend=None)
    dots = axes.layer(rows).mark_point(filled=True, size=30)
    return dots.encode(axes.x(), axes.y(), color=color, shape=shape, tooltip="words:N")


def _named(axes: _Axes, mark: Named) -> Altair:
    rows = [
        {"x": x, "y": y, "size": 4 * r * r, "name": name, "words": words}
        for x, y, r, name, words in mark.points
    ]
    size = axes.alt.Size("size:Q", scale=None)
    layer = axes.layer(rows)
    dots = layer.mark_circle(color=LIGHT[0]).encode(axes.x(), axes.y(), size=size)
    names = layer.mark_text(align="left", dx=16).encode(axes.x(), axes.y(), text="name:N")
    return dots.encode(tooltip="words:N") + names


def _cells(axes: _Axes, mark: Cells) -> Altair:
    rows = (
        {"x": a / mark.n, "x2": (a + 1) / mark.n, "y": b / mark.n, "y2": (b + 1) / mark.n}
        | {"shade": shade, "words": words}
        for a, b, shade, words in mark.cells
    )
    shade = axes.alt.Opacity("shade:Q", scale=None)
    cells = axes.layer(rows).mark_rect(color=LIGHT[0])
    where = {"x2": "x2:Q", "y2": "y2:Q"}
    return cells.encode(axes.x(), axes.y(), opacity=shade, tooltip="words:N", **where)


LAYERS: dict[type, Callable[[_Axes, Any], Altair]] = {
    Columns: _columns,
    Line: _line,
    Intervals: _intervals,
    Rule: _rule,
    Dots: _dots,
    Named: _named,
    Cells: _cells,
}
