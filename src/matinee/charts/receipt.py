"""A receipt for one recommendation: the sum, the rank, and the model and data behind them.

It is a picture of its own, black on white, for tickets, audits and paper.
"""

import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime

from matinee.charts.chart import NARROWEST, SVG, WIDEST, WIDTH, stylesheet
from matinee.charts.explanation import waterfall
from matinee.charts.plot import LETTER
from matinee.display.markup import Markup, el
from matinee.explain.explanation import Explanation
from matinee.models.certainty import Certainty, in_words
from matinee.models.standing import Standing

MARGIN = 20.0
LINE = 18.0
DARK = "@media (prefers-color-scheme: dark)"  # where the dark colours of the style sheet begin


@dataclass(frozen=True)
class Origin:
    """What a score was computed by, and when."""

    model_version: str
    data_fingerprint: str
    date: str  # ISO 8601

    @classmethod
    def now(cls, model_version: str, data_fingerprint: str) -> "Origin":
        """The origin of a score that is computed at this moment."""
        return cls(model_version, data_fingerprint, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")

    def lines(self) -> list[str]:
        """One line for each."""
        return [
            f"model {self.model_version}",
            f"data {self.data_fingerprint}",
            f"computed {self.date}",
        ]


@dataclass(frozen=True)
class Receipt:
    """What was recommended to whom, why, and by what."""

    why: Explanation
    standing: Standing
    certainty: Certainty
    origin: Origin

    @property
    def sentences(self) -> list[str]:
        """Why the item is in the list, or why it is not, and where it stands."""
        if self.standing.is_listed:
            return [self.why.sentence(), self.standing.sentence()]
        last = None if self.standing.rating is not None else self.standing.last
        return [self.standing.sentence(), *([last.sentence()] if last else [])]

    def svg(self, width: float = WIDTH) -> str:
        """The receipt as an SVG document."""
        width = min(max(float(width), NARROWEST), WIDEST)
        room = width - 2 * MARGIN
        bars_height, bars = waterfall(self.why).picture.draw(room)
        head, top = _paragraphs(
            [(self.why.title, "strong"), (f"for {self.why.user}, {self.why.total}", "")],
            room,
            MARGIN + LINE,
        )
        foot, bottom = _paragraphs(
            [
                *((sentence, "") for sentence in self.sentences),
                (in_words(self.certainty), ""),
                *((line, "label") for line in self.origin.lines()),
            ],
            room,
            top + bars_height + LINE,
        )
        return el(
            "svg",
            el("style", Markup(stylesheet().partition(DARK)[0])),
            el("rect", width=width, height=bottom, fill="#fff"),
            *head,
            el("g", *bars, transform=f"translate({MARGIN:.0f} {top:.0f})"),
            *foot,
            role="img",
            aria_label=f"Receipt: {' '.join(self.sentences)}",
            xmlns=SVG,
            class_="chart",
            color="#1b2330",
            width=width,
            height=bottom,
            viewBox=f"0 0 {width:.0f} {bottom:.0f}",
        )


def _paragraphs(
    paragraphs: list[tuple[str, str]], room: float, top: float
) -> tuple[list[Markup], float]:
    """Wrapped lines of (words, class of charts.css) from ``top`` on, and where they end."""
    elements = []
    for words, style in paragraphs:
        for line in textwrap.wrap(words, max(int(room / LETTER), 20)):
            elements.append(el("text", line, x=MARGIN, y=top, class_=style or None))
            top += LINE
    return elements, top
