"""Tables as aligned text: the one way in which every table is printed."""

import textwrap
from collections.abc import Collection, Sequence
from itertools import product

from matinee.display.text import pad, shorten

NARROWEST_CELL = 28  # a column is shortened to this first
LEAST_CELL = 12  # and to this where all are


def text_table(
    rows: Sequence[Sequence[str]],
    *,
    left: Collection[int] = (0,),
    flexible: Sequence[int] = (),
    columns: int | None = None,
    gap: int = 2,
) -> list[str]:
    """The lines of a table whose cells stand under one another; see ``aligned``."""
    cells = aligned(rows, left=left, flexible=flexible, columns=columns, gap=gap)
    return [(" " * gap).join(row).rstrip() for row in cells]


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    left: Collection[int] = (0,),
    flexible: Sequence[int] = (),
    columns: int | None = None,
    gap: int = 2,
) -> list[list[str]]:
    """Cells padded to the widths of their columns, to be joined by ``gap`` spaces.

    Columns at the places ``left`` are set to the left, others to the right. Where lines would be
    longer than ``columns``, those at the places ``flexible`` are shortened, the first one first.
    """
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    excess = 0 if columns is None else sum(widths) + gap * (len(widths) - 1) - columns
    for narrowest, place in product((NARROWEST_CELL, LEAST_CELL), flexible):
        cut = max(0, min(excess, widths[place] - narrowest))
        widths[place] -= cut
        excess -= cut
    return [
        [
            pad(shorten(cell, width), width, to_right=place not in left)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]


def hanging(cells: Sequence[str], columns: int, gap: int = 2) -> list[str]:
    """The lines of padded cells, the last of which is broken where they exceed ``columns``.

    What is broken off stands below its beginning.
    """
    *first, last = cells
    start = "".join(cell + " " * gap for cell in first)
    room = max(columns - len(start), LEAST_CELL)
    head, *rest = textwrap.wrap(last, room, break_on_hyphens=False) or [""]
    return [(start + head).rstrip(), *(" " * len(start) + line for line in rest)]
