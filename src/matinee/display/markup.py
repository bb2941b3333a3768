"""HTML and SVG that no title can break: text is escaped as it becomes part of an element."""

import html
import re
from collections.abc import Iterable
from functools import cache
from typing import Union

Child = Union[str, "Markup", Iterable["Child"], None]

EMPTY = frozenset({"circle", "line", "meta", "path", "rect", "br"})
FORBIDDEN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML
SPECIAL = re.compile(f"""[<>&"']|{FORBIDDEN.pattern}""")


class Markup(str):
    """Text that is markup already and is not escaped again."""

    __slots__ = ()


def el(tag: str, *children: Child, **attributes: object) -> Markup:
    """An element. ``stroke_width=2`` is stroke-width, ``class_`` class; None is left out."""
    inner = "".join(rendered(children)) if children else ""
    parts = [
        f'{name_of(name)}="{text(value)}"'
        for name, value in attributes.items()
        if value is not None
    ]
    opened = " ".join([tag, *parts])
    if not inner and tag in EMPTY:
        return Markup(f"<{opened}/>")
    return Markup(f"<{opened}>{inner}</{tag}>")


def html_table(
    head: Iterable[Child], rows: Iterable[Iterable[Child]], caption: Child = None
) -> Markup:
    """A table: rows of cells under a heading row and a caption, where there are these."""
    heading = [el("th", cell) for cell in head]
    return el(
        "table",
        el("caption", caption) if caption else None,
        el("thead", el("tr", heading)) if heading else None,
        el("tbody", (el("tr", (el("td", cell) for cell in row)) for row in rows)),
    )


@cache
def name_of(keyword: str) -> str:
    """The attribute that a keyword argument means."""
    return keyword.rstrip("_").replace("_", "-")


def rendered(children: Iterable[Child]) -> Iterable[str]:
    """Children as markup, in order."""
    for child in children:
        if isinstance(child, Markup):
            yield child
        elif isinstance(child, str):
            yield escaped(child)
        elif child is not None:
            yield from rendered(child)


def escaped(words: str) -> str:
    """Text as it stands in markup; what XML forbids is shown as a replacement character."""
    if SPECIAL.search(words) is None:
        return words
    return html.escape(FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", words))


def text(value: object) -> str:
    """An attribute as it is written; floats to a tenth, which is finer than a screen."""
    if not isinstance(value, float):
        return escaped(str(value))
    short = f"{value:.1f}"
    return "0" if short == "-0.0" else short.removesuffix(".0")
