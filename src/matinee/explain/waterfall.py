"""The waterfall of a score: where the bar of each term lies, and the same as an HTML table."""

from collections.abc import Sequence
from typing import NamedTuple

from matinee.display.markup import Markup, el
from matinee.display.palette import AGAINST, BASE, FOR

WIDTH = 12.0  # of the column of bars, in em
NARROWEST = 0.1  # of a bar
COLORS = {"base": BASE, "up": FOR, "down": AGAINST, "total": "currentColor"}


class Step(NamedTuple):
    """A term whose bar begins where the one before it ended, or a sum."""

    name: str
    value: float
    start: float
    end: float
    style: str  # "base", "up", "down" or "total"
    detail: str = ""

    @property
    def figure(self) -> str:
        """The value as it is written: with a sign where it is added."""
        return f"{self.value:+.2f}" if self.style in ("up", "down") else f"{self.value:.2f}"


def step_up_or_down(name: str, value: float, start: float, detail: str = "") -> Step:
    """The step of a term that is added to ``start``."""
    return Step(name, value, start, start + value, "up" if value >= 0 else "down", detail)


def beginning(steps: Sequence[Step]) -> float:
    """Where bars begin, so that the steps are seen: a little below the lowest, or at 0."""
    ends = [steps[0].end, *(end for one in steps[1:] for end in (one.start, one.end) if end)]
    low = min(ends) - ((max(ends) - min(ends)) * 0.25 or 1.0)
    return 0.0 if low < 0 <= min(ends) else low


def html_of_steps(caption: str, steps: Sequence[Step], low: float) -> str:
    """The steps as an HTML table with bars from ``low`` on; from the first sum on, its foot."""
    high = max(max(one.start, one.end) for one in steps)
    em = WIDTH / ((high - low) or 1.0)

    def bar(step: Step) -> Markup:
        first, last = (em * (max(end, low) - low) for end in sorted((step.start, step.end)))
        place = f"margin-left:{first:.2f}em;width:{max(last - first, NARROWEST):.2f}em"
        return el("div", style=f"height:0.7em;{place};background:{COLORS[step.style]}")

    def row(step: Step, cell: str) -> Markup:
        figure = el("td", step.figure, style="text-align:right")
        bars = el("td", bar(step), style=f"width:{WIDTH:g}em")
        return el("tr", el(cell, step.name), figure, bars, el("td", step.detail))

    n_terms = [one.style for one in (*steps, steps[-1]._replace(style="total"))].index("total")
    note = f"bars begin at {low:.2f}" if low > 0 else ""
    return el(
        "table",
        el("caption", caption),
        el("thead", el("tr", el("th", "term"), el("th", "value"), el("th", note), el("th"))),
        el("tbody", [row(one, "td") for one in steps[:n_terms]]),
        el("tfoot", [row(one, "th") for one in steps[n_terms:]]),
    )
