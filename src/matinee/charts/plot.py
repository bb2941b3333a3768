"""Pictures with two axes: marks drawn on a frame.

A mark draws itself on a ``Frame``, which knows where a value lies. All places are rounded to a
tenth of a pixel, so a picture has the same bytes wherever it is drawn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Protocol

from matinee.display.markup import Markup, el

HEIGHT = 300.0
LETTER = 7.0  # pixels of a letter at 12 px, in a font that is rather wide
N_TICKS = 5
N_COLORS = 8  # as in charts.css
SHAPES = 4


@dataclass(frozen=True)
class Axis:
    """What is measured along one side, and from where to where."""

    label: str
    low: float
    high: float
    log: bool = False
    ticks: tuple[tuple[float, str], ...] = ()  # (place, words); round numbers where empty

    @classmethod
    def around(cls, label: str, values: Iterable[float], *, zero: bool = False) -> "Axis":
        """An axis that holds all values, with a little room; from 0 where asked."""
        known = list(values)
        low, high = min(known, default=0.0), max(known, default=1.0)
        room = (high - low) * 0.06 or abs(high) * 0.06 or 1.0
        return cls(label, 0.0 if zero else low - room, high + room)

    def share(self, value: float) -> float:
        """Where a value lies, from 0 at the low end to 1."""
        if self.log:
            low, high, value = log10(self.low), log10(self.high), log10(max(value, self.low))
            return (value - low) / ((high - low) or 1.0)
        return (value - self.low) / ((self.high - self.low) or 1.0)

    def marked(self) -> tuple[tuple[float, str], ...]:
        """Where the ticks are, and what they say."""
        if self.ticks:
            return self.ticks
        if self.log:
            powers = range(ceil(log10(self.low) - 1e-9), floor(log10(self.high) + 1e-9) + 1)
            return tuple((10.0**power, in_short(10.0**power)) for power in powers)
        return tuple((place, in_short(place)) for place in round_numbers(self.low, self.high))


@dataclass(frozen=True)
class Frame:
    """The area between the axes, in pixels."""

    x_axis: Axis
    y_axis: Axis
    left: float
    top: float
    right: float
    bottom: float

    def x(self, value: float) -> float:
        """Pixels from the left."""
        return self.left + (self.right - self.left) * self.x_axis.share(value)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return self.bottom - (self.bottom - self.top) * self.y_axis.share(value)


class Mark(Protocol):
    """Something drawn on a frame."""

    def draw(self, frame: Frame) -> Iterable[Markup]:
        """Its elements."""
        ...


@dataclass(frozen=True)
class Plot:
    """Marks between two axes, under a legend of the classes they have."""

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    legend: tuple[tuple[int, str], ...] = ()  # classes and their names
    height: float = HEIGHT
    bare: bool = False  # without axes: places mean nothing by themselves

    def draw(self, width: float) -> tuple[float, list[Markup]]:
        """Height and elements at a width."""
        legend, top = legend_of(self.legend, width)
        widest = max((len(words) for _, words in self.y.marked()), default=0)
        left = 8.0 if self.bare else 14 + LETTER * widest
        bottom = top + self.height - (8 if self.bare else 42)
        above = 8 if self.bare else 22
        frame = Frame(self.x, self.y, left, top + above, width - 12, bottom)
        axes = [] if self.bare else list(axes_of(frame))
        marks = [one for mark in self.marks for one in mark.draw(frame)]
        return top + self.height, [*legend, *axes, *marks]


def axes_of(frame: Frame) -> Iterable[Markup]:
    """Grid lines, ticks and labels."""
    for value, words in frame.y_axis.marked():
        y = frame.y(value)
        yield el("line", x1=frame.left, x2=frame.right, y1=y, y2=y, class_="grid")
        yield el("text", words, x=frame.left - 6, y=y + 4, text_anchor="end")
    end = -1e9
    for value, words in frame.x_axis.marked():
        x, half = frame.x(value), LETTER * len(words) / 2
        middle = min(max(x, half + 1), frame.right + 11 - half)
        if middle - half > end + 6:
            yield el("text", words, x=middle, y=frame.bottom + 17, text_anchor="middle")
            end = middle + half
        yield el("line", x1=x, x2=x, y1=frame.bottom, y2=frame.bottom + 4, class_="axis")
    yield el("line", x1=frame.left, x2=frame.right, y1=frame.bottom, y2=frame.bottom, class_="axis")
    yield el("text", frame.y_axis.label, x=4, y=frame.top - 10, class_="label")
    yield el(
        "text",
        frame.x_axis.label,
        x=frame.right,
        y=frame.bottom + 35,
        text_anchor="end",
        class_="label",
    )


def legend_of(names: Sequence[tuple[int, str]], width: float) -> tuple[list[Markup], float]:
    """A line, or more, of shapes and names; and the height they take."""
    elements, x, y = [], 10.0, 14.0
    for of, name in names:
        size = 22 + LETTER * len(name)
        if x + size > width and x > 10:
            x, y = 10.0, y + 20
        elements += [shape(x + 4, y - 4, 5, of), el("text", name, x=x + 14, y=y)]
        x += size + 10
    return elements, y + 8 if names else 0.0


def shape(x: float, y: float, r: float, of: int, title: str = "", **data: object) -> Markup:
    """A dot of a class: its colour is never the only thing that tells it from others."""
    inner = el("title", title) if title else None
    name = f"c{of % N_COLORS}"
    if of % SHAPES == 0:
        return el("circle", inner, cx=x, cy=y, r=float(r), class_=name, **data)
    corners = {
        1: ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        2: ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
        3: ((0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)),
    }[of % SHAPES]
    path = "L".join(f"{x + r * dx:.1f} {y + r * dy:.1f}" for dx, dy in corners)
    return el("path", inner, d=f"M{path}Z", class_=name, **data)


def round_numbers(low: float, high: float, most: int = N_TICKS) -> list[float]:
    """About ``most`` numbers with few digits from low to high."""
    rough = (high - low) / most or 1.0
    power = 10.0 ** floor(log10(rough))
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(place * step, 10) for place in range(first, last + 1)]


def in_short(value: float) -> str:
    """A number in few letters: 1.5k, 20M, 0.85."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.4g}"
