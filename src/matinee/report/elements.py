"""The blocks of a report's sections. Charts are blocks too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from matinee.charts import twin
from matinee.display.markup import Markup, el
from matinee.display.plain_data import JsonObject
from matinee.display.tables import Table
from matinee.display.text import unbroken


class Block(Protocol):
    """A part of a section."""

    def figure(self) -> Markup:
        """As markup."""
        ...

    def to_dict(self) -> JsonObject:
        """As plain data."""
        ...


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    text: str

    def figure(self) -> Markup:
        """A paragraph."""
        return el("p", unbroken(self.text))

    def to_dict(self) -> JsonObject:
        """Its text."""
        return {"text": self.text}


@dataclass(frozen=True)
class Points:
    """Sentences in a list, under a small heading."""

    title: str
    sentences: Sequence[str]

    def figure(self) -> Markup:
        """A heading and a list."""
        return el(
            "div",
            el("h3", self.title),
            el("ul", (el("li", unbroken(one)) for one in self.sentences)),
        )

    def to_dict(self) -> JsonObject:
        """Title and sentences."""
        return {"title": self.title, "points": list(self.sentences)}


@dataclass(frozen=True)
class Facts:
    """Names with their values."""

    rows: Mapping[str, object]

    def figure(self) -> Markup:
        """A list of terms and descriptions."""
        pairs = (
            (el("dt", name), el("dd", unbroken(str(value)))) for name, value in self.rows.items()
        )
        return el("dl", *(el("div", pair) for pair in pairs))

    def to_dict(self) -> JsonObject:
        """The same names and values."""
        return {"facts": dict(self.rows)}


@dataclass(frozen=True)
class Listing:
    """A table under a title, with notes below it."""

    title: str
    table: Table
    notes: Sequence[str] = ()
    best: frozenset[tuple[int, int]] = frozenset()  # row and column of the cells to mark

    def figure(self) -> Markup:
        """The table with its title."""
        return el(
            "div",
            el("h3", self.title),
            twin(self.table, self.title, self.best),
            *(el("p", unbroken(note), class_="note") for note in self.notes),
            class_="listing chart-figure",
        )

    def to_dict(self) -> JsonObject:
        """Title, rows and notes."""
        return {"title": self.title, "rows": self.table.to_dicts(), "notes": list(self.notes)}


@dataclass(frozen=True)
class Wall:
    """Charts side by side, as many to a row as fit."""

    blocks: Sequence[Any]  # charts, drawn small

    def figure(self) -> Markup:
        """Small figures in a grid."""
        return el("div", *(chart.figure(CARD_WIDTH) for chart in self.blocks), class_="wall")

    def to_dict(self) -> JsonObject:
        """The charts."""
        return {"cards": [chart.to_dict() for chart in self.blocks]}


CARD_WIDTH = 340


@dataclass(frozen=True)
class Section:
    """A part of a report."""

    key: str  # the anchor
    title: str
    blocks: Sequence[Block]

    def figure(self) -> Markup:
        """The section under its heading."""
        blocks = [block.figure() for block in self.blocks]
        return el("section", el("h2", self.title), *blocks, id=self.key)

    def to_dict(self) -> JsonObject:
        """Title and blocks."""
        return {"title": self.title, "blocks": [block.to_dict() for block in self.blocks]}
