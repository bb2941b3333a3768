"""The marks that plots are made of."""

from collections.abc import Iterable
from dataclasses import dataclass

from matinee.charts.plot import LETTER, Frame, shape
from matinee.display.markup import Markup, el


@dataclass(frozen=True)
class Columns:
    """Upright bars from 0: (from, to, height, words)."""

    bars: tuple[tuple[float, float, float, str], ...]
    of: int = 0

    def draw(self, frame: Frame) -> Iterable[Markup]:
        """A rectangle for each bar."""
        for low, high, height, words in self.bars:
            left, right, top = frame.x(low) + 1, frame.x(high) - 1, frame.y(height)
            yield el(
                "rect",
                el("title", words),
                x=left,
                y=top,
                width=max(right - left, 0.6),
                height=frame.bottom - top,
                class_=f"c{self.of}",
            )


@dataclass(frozen=True)
class Line:
    """A line through points (x, y)."""

    points: tuple[tuple[float, float], ...]
    of: int = 0

    def draw(self, frame: Frame) -> Iterable[Markup]:
        """One path."""
        path = "L".join(f"{frame.x(x):.1f} {frame.y(y):.1f}" for x, y in self.points)
        yield el("path", d=f"M{path}", class_=f"line s{self.of}")


@dataclass(frozen=True)
class Intervals:
    """Upright lines with a dot: (x, low, middle, high, words)."""

    spans: tuple[tuple[float, float, float, float, str], ...]
    of: int = 0

    def draw(self, frame: Frame) -> Iterable[Markup]:
        """A line and a dot for each."""
        for x, low, middle, high, words in self.spans:
            at = frame.x(x)
            yield el(
                "line", x1=at, x2=at, y1=frame.y(low), y2=frame.y(high), class_=f"span s{self.of}"
            )
            yield shape(at, frame.y(middle), 4, self.of, words)


@dataclass(frozen=True)
class Rule:
    """An upright line that says something."""

    x: float
    words: str

    def draw(self, frame: Frame) -> Iterable[Markup]:
        """The line, and the words on the side where there is room."""
        at = frame.x(self.x)
        to_left = at + LETTER * len(self.words) + 8 > frame.right
        yield el("line", x1=at, x2=at, y1=frame.top - 4, y2=frame.bottom, class_="rule")
        yield el(
            "text",
            self.words,
            x=at + (-6 if to_left else 6),
            y=frame.top + 6,
            text_anchor="end" if to_left else None,
            class_="strong",
        )


@dataclass(frozen=True)
class Dots:
    """Points (x, y, class, words, id)."""

    points: tuple[tuple[float, float, int, str, str], ...]
    r: float = 3.5

    def draw(self, frame: Frame) -> Iterable[Markup]:
        """A small shape each."""
        for x, y, of, words, key in self.points:
            yield shape(frame.x(x), frame.y(y), self.r, of, words, data_id=key)


@dataclass(frozen=True)
class Named:
    """Dots with a size and a name beside them: (x, y, r in pixels, name, words)."""

    points: tuple[tuple[float, float, float, str, str], ...]

    def draw(self, frame: Frame) -> Iterable[Markup]:
        """The dots, then names that are kept apart from one another."""
        placed = [(frame.x(x) - r, frame.x(x) + r, frame.y(y) + 4) for x, y, r, *_ in self.points]
        for x, y, r, name, words in sorted(self.points, key=lambda one: (-one[1], one[0])):
            at, up = frame.x(x), frame.y(y)
            yield el("circle", el("title", words), cx=at, cy=up, r=r, class_="c0 soft")
            size = LETTER * len(name)
            left = at - r - 4 - size if at + r + 4 + size > frame.right + 8 else at + r + 4
            below = up + 4
            while any(left < b and a < left + size and abs(below - c) < 13 for a, b, c in placed):
                below += 2
            placed.append((left, left + size, below))
            yield el("text", name, x=left, y=below)


@dataclass(frozen=True)
class Cells:
    """A grid of shades: (column, row, shade 0..1, words), from the upper left."""

    cells: tuple[tuple[int, int, float, str], ...]
    n: int  # cells a side

    def draw(self, frame: Frame) -> Iterable[Markup]:
        """A rectangle for each cell."""
        wide, high = (frame.right - frame.left) / self.n, (frame.bottom - frame.top) / self.n
        for column, row, shade, words in self.cells:
            yield el(
                "rect",
                el("title", words),
                x=frame.left + column * wide,
                y=frame.top + row * high,
                width=max(wide - 0.6, 0.6),
                height=max(high - 0.6, 0.6),
                class_="cell",
                fill_opacity=f"{shade:.3f}",
            )
