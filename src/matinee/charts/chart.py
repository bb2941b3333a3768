"""A chart: data first, picture second.

The table is everything the picture shows, for programs, for screen readers and for those who
want the figures. The picture is static SVG, the same bytes for the same data.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Protocol

from matinee.charts.html_tables import twin
from matinee.disk.places import check_parent
from matinee.disk.whole_files import write_whole
from matinee.display.markup import Markup, el
from matinee.display.notebook import Part, Printable
from matinee.display.optional import CHARTS
from matinee.display.palette import COLORS
from matinee.display.plain_data import JsonObject
from matinee.display.tables import Table
from matinee.display.text import unbroken
from matinee.errors import BadSetting

if TYPE_CHECKING:
    import pandas as pd

SVG = "http://www.w3.org/2000/svg"
WIDTH = 640  # of a picture, in pixels, where nothing else is asked for
PIXEL_RATIO = 2.0  # of .png, to a pixel of the picture: sharp on today's screens
PHONE = 300  # on a small screen
NARROWEST, WIDEST = 240, 1600


class Picture(Protocol):
    """What can be drawn at some width."""

    def draw(self, width: float) -> tuple[float, list[Markup]]:
        """The height it takes, and its elements."""
        ...


@dataclass(frozen=True, repr=False)
class Chart(Printable):
    """A picture and its table, under a title and a sentence that says what is to be seen."""

    name: str  # of its kind, as in "rating-distribution"
    title: str
    summary: str
    table: Table
    picture: Picture

    def parts(self) -> Iterator[Part]:
        """Title, sentence and table, as text has no picture."""
        yield self.title
        yield self.summary
        yield self.table

    def svg(self, width: float = WIDTH) -> str:
        """The picture as an SVG document of its own, light or dark as the viewer wishes."""
        style = el("style", Markup(stylesheet()))
        return self._drawn(width, style)

    def inline(self, width: float = WIDTH) -> Markup:
        """The picture for a page that has the style sheet of charts (``stylesheet``)."""
        return self._drawn(width)

    def _drawn(self, width: float, *first: Markup) -> Markup:
        width = min(max(float(width), NARROWEST), WIDEST)
        height, elements = self.picture.draw(width)
        return el(
            "svg",
            *first,
            *elements,
            role="img",
            aria_label=f"{self.title}. {self.summary}",
            xmlns=SVG,
            class_="chart",
            width=width,
            height=height,
            viewBox=f"0 0 {width:.0f} {height:.0f}",
        )

    def figure(self, width: float | None = None) -> Markup:
        """Title, picture, and the table behind a fold, for a page that has the style sheet.

        Without a width there are two pictures, of which the style sheet shows the one that fits.
        """
        pictures = (
            [self.inline(width)]
            if width is not None
            else [
                el("div", self.inline(WIDTH), class_="wide"),
                el("div", self.inline(PHONE), class_="narrow"),
            ]
        )
        return el(
            "figure",
            el("figcaption", el("strong", self.title), " ", unbroken(self.summary)),
            *pictures,
            el("details", el("summary", "The figures"), twin(self.table, self.title)),
            class_="chart-figure",
        )

    def to_dict(self) -> JsonObject:
        """Title, summary and table, ready for JSON."""
        return {
            "chart": self.name,
            "title": self.title,
            "summary": self.summary,
            "rows": self.table.to_dicts(),
        }

    @property
    def data(self) -> "pd.DataFrame":
        """The table as a pandas DataFrame. Raises MatineeError where pandas is not installed."""
        return self.table.to_pandas()

    def save(self, path: str | Path) -> Path:
        """Write the chart to a file, in one step, as what its name ends in.

        The picture as .svg, .png or .pdf, a page with picture and table as .html, title, summary
        and table as .json. Raises BadSetting for another ending or a missing folder, and
        MatineeError where the library that draws .png and .pdf is not installed (the extra
        ``charts``).
        """
        path = Path(path)
        formats: dict[str, Callable[[], str | bytes]] = {
            ".svg": self.svg,
            ".png": partial(self._converted, "svg_to_png", scale=PIXEL_RATIO),
            ".pdf": partial(self._converted, "svg_to_pdf"),
            ".html": self._page,
            ".json": self._json,
        }
        if path.suffix.lower() not in formats:
            raise BadSetting(f"{path} names no kind of chart; end it in {', '.join(formats)}")
        check_parent(path)
        write_whole(path, formats[path.suffix.lower()]())
        return path

    def to_altair(self) -> Any:
        """The same picture as a chart of Altair, to be changed and combined with others.

        Raises MatineeError where Altair is not installed (the extra ``charts``).
        """
        from matinee.charts.altair import altair_chart  # which knows the marks of all pictures

        return altair_chart(self.picture, self.title, self.summary)

    def _converted(self, function: str, **options: float) -> bytes:
        """The picture on white, as a function of vl-convert makes it of SVG."""
        convert = CHARTS.load("vl_convert", "a chart as .png or .pdf")
        white = el("rect", width="100%", height="100%", fill="#fff")
        svg = self._drawn(WIDTH, el("style", Markup(stylesheet())), white)
        picture: bytes = getattr(convert, function)(svg, **options)
        return picture

    def _page(self) -> str:
        page = el(
            "html",
            el(
                "head",
                el("meta", charset="utf-8"),
                el("title", self.title),
                el("style", Markup(stylesheet())),
            ),
            el("body", self.figure()),
            lang="en",
        )
        return f"<!DOCTYPE html>\n{page}\n"

    def _json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=2)

    def _repr_html_(self) -> str:
        return el("div", el("style", Markup(stylesheet())), self.figure())


@cache
def stylesheet() -> str:
    """The style sheet of all charts, light and dark, on screen and on paper."""
    sheet = files("matinee.charts").joinpath("charts.css").read_text(encoding="utf-8")
    return Template(sheet).substitute(COLORS)
