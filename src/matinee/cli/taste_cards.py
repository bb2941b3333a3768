"""Tastes as cards: name, share of the scores, number of people, and top items."""

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from matinee.cli.console import styled, wrap
from matinee.display.text import plural, shorten
from matinee.display.text_table import NARROWEST_CELL, aligned

if TYPE_CHECKING:
    from matinee.tastes import Tastes

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
    from matinee.tastes.cards import said_of_stability

    ordered = tastes.by_share()[:most]
    wide = len(f"{max(taste.n_people for taste in ordered):,}")
    heads = [
        [
            f"{taste.number}",
            taste.name,
            f"{taste.share:>3.0%} of scores, {STRONGEST}{taste.n_people:>{wide},} "
            + plural(taste.n_people, "person")
            + "".join(f", {words}" for words in said_of_stability(taste)),
        ]
        for taste in ordered
    ]
    if max(len(number + facts) for number, _, facts in heads) + 4 + NARROWEST_CELL > columns:
        heads = [[number, name, facts.replace(STRONGEST, "")] for number, name, facts in heads]
    lines = []
    for taste, head in zip(
        ordered, aligned(heads, left=(1, 2), flexible=(1,), columns=columns), strict=True
    ):
        number, name, facts = head
        painted = [number, styled(name, "bold", stream), styled(facts.rstrip(), "dim", stream)]
        lines += ["  ".join(painted).rstrip(), *titles(taste.top[:n], len(number) + 2, "", columns)]
        if taste.bottom:
            lines += titles(taste.bottom[:n], len(number) + 2, f"{taste.low_name}: ", columns)
    return [*lines, *(wrap(words, columns) for words in tastes.warnings())]


def titles(
    items: "Sequence[tuple[str, str, float]]", indent: int, start: str, columns: int
) -> list[str]:
    """Titles one after another, on as many lines as they need, broken between titles only."""
    room = columns - indent
    lines = [start]
    for _, title, _ in items:
        piece = shorten(title, room - len(start))
        gap = DOT if lines[-1] != start and lines[-1] else ""
        if gap and len(lines[-1] + gap + piece) > room:
            lines.append("")
            gap = ""
        lines[-1] += gap + piece
    return [" " * indent + line for line in lines]
