"""A report as one HTML file, which runs no script and requests nothing."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import matinee
from matinee.charts import stylesheet
from matinee.disk.whole_files import write_whole
from matinee.display.markup import Markup, el
from matinee.display.notebook import Part, Printable
from matinee.display.plain_data import JsonObject
from matinee.errors import MatineeError
from matinee.report.elements import Section


@dataclass(frozen=True, repr=False)
class Report(Printable):
    """Sections under a title. The same content gives the same bytes."""

    title: str
    summary: str
    sections: Sequence[Section]

    def parts(self) -> Iterator[Part]:
        """The titles; the whole is for a browser."""
        yield self.title
        yield self.summary
        yield from (f"  {one.title}" for one in self.sections)

    def html(self) -> str:
        """The whole document."""
        style = stylesheet() + files("matinee.report").joinpath("report.css").read_text("utf-8")
        digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        )
        links = (el("li", el("a", one.title, href=f"#{one.key}")) for one in self.sections)
        head = el(
            "head",
            el("meta", charset="utf-8"),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'),
            el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            el("title", self.title),
            el("style", Markup(style)),
        )
        body = el(
            "body",
            el("header", el("h1", self.title), el("p", self.summary)),
            el("nav", el("h2", "Contents"), el("ol", links), aria_label="Contents"),
            el("main", *(one.figure() for one in self.sections)),
            el(
                "footer",
                f"Made by Matinee {matinee.__version__}. This file requests nothing from the "
                "network and runs no script.",
            ),
        )
        return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"

    def to_dict(self) -> JsonObject:
        """Everything as plain data, ready for JSON."""
        return {
            "title": self.title,
            "summary": self.summary,
            "sections": {one.key: one.to_dict() for one in self.sections},
        }

    def save(self, path: str | Path) -> Path:
        """Write the document to a file, atomically. Raises MatineeError where that fails."""
        file = Path(path)
        try:
            write_whole(file, self.html())
        except OSError as error:
            raise MatineeError(f"{file} cannot be written: {error.strerror}") from error
        return file

    def _repr_html_(self) -> str:
        return el("div", el("style", Markup(stylesheet())), *(s.figure() for s in self.sections))
