"""Tastes as cards: name, share of the scores, number of people, and top items."""

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from matinee.cli.console import styled, wrap
from matinee.display.text import percent, plural, shorten
from matinee.display.text_table import aligned

if TYPE_CHECKING:
    from matinee.tastes import Taste, Tastes

DOT = " · "
STRONGEST = "strongest in "  # left out where lines are short


def cards(
    tastes: "Tastes",
    n: int,
    columns: int,
    stream: IO[str] | None = None,
    most: int | None = None,
) -> list[str]:
    """The lines of cards, those of the largest share first, at ``most`` so many.

    Each has ``n`` items of each end.
    """
    ordered = tastes.by_share()[:most]
    indent = max(len(f"{taste.number}") for taste in ordered) + 2
    lines = []
    for taste, head in zip(ordered, heads(ordered, columns, stream), strict=True):
        lines += [*head, *titles(taste.top[:n], indent, "", columns)]
        if taste.bottom:
            lines += titles(taste.bottom[:n], indent, f"{taste.low_name}: ", columns)
    return [*lines, *(wrap(words, columns) for words in tastes.warnings())]


def heads(tastes: "Sequence[Taste]", columns: int, stream: IO[str] | None) -> list[list[str]]:
    """The first lines of each card: number, name and facts, these below where lines are short."""
    from matinee.tastes.cards import said_of_stability

    wide = len(f"{max(taste.n_people for taste in tastes):,}")
    cells = [
        [
            f"{taste.number}",
            taste.name,
            f"{percent(taste.share):>5} of scores, {STRONGEST}{taste.n_people:>{wide},} "
            + plural(taste.n_people, "person")
            + "".join(f", {words}" for words in said_of_stability(taste)),
        ]
        for taste in tastes
    ]
    if excess(cells, columns) > 0:
        cells = [[number, name, facts.replace(STRONGEST, "")] for number, name, facts in cells]
    if excess(cells, columns) <= 0:
        rows = aligned(cells, left=(1, 2), flexible=(1,), columns=columns)
        return [
            [f"{number}  {styled(name, 'bold', stream)}  {styled(facts.rstrip(), 'dim', stream)}"]
            for number, name, facts in rows
        ]
    digits = max(len(number) for number, *_ in cells)
    return [
        [
            f"{number:>{digits}}  {styled(shorten(name, columns - digits - 2), 'bold', stream)}",
            f"{'':{digits}}  {styled(facts.strip(), 'dim', stream)}",
        ]
        for number, name, facts in cells
    ]


def excess(cells: Sequence[Sequence[str]], columns: int) -> int:
    """By how much the longest number, name and facts beside one another exceed the columns."""
    from rich.cells import cell_len

    widths = (max(map(cell_len, column)) for column in zip(*cells, strict=True))
    return sum(widths) + 4 - columns


def titles(
    items: "Sequence[tuple[str, str, float]]", indent: int, start: str, columns: int
) -> list[str]:
    """Titles one after another, on as many lines as they need, broken between titles only."""
    room = columns - indent
    lines = [shorten(start, room)]
    for _, title, _ in items:
        piece = shorten(title, room)
        gap = DOT if lines[-1] and lines[-1] != start else ""
        if lines[-1] and len(lines[-1] + gap + piece) > room:
            lines.append("")
            gap = ""
        lines[-1] += gap + piece
    return [" " * indent + line for line in lines]
