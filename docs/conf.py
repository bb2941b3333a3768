"""Sphinx's settings: the pages of docs/ and the reference of Python's public names as one site.

    sphinx-build --fail-on-warning --conf-dir docs . build/site

The source is the whole project, so that links to README.md, SECURITY.md and the like stay links.
Sphinx and not MkDocs, which is no longer maintained, nor is its Material theme.
"""

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import matinee
from matinee.algorithms.base import Algorithm

project = "Matinee"
release = version = matinee.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "benchmarks/README.md", "examples/README.md"]

html_theme = "furo"
html_title = f"Matinee {version}"
html_show_sourcelink = False

myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Settings", "params_style")]

SECTION = re.compile(r"(Args|Returns|Raises|Yields|Attributes|Settings):$")


def with_literal_formulas(lines: list[str]) -> list[str]:
    """A docstring whose indented paragraphs, formulas and examples, are literal blocks."""
    marked: list[str] = []
    section = literal = False
    for line in lines:
        indented = line.startswith(" ")
        if line and not indented:
            section, literal = bool(SECTION.match(line)), False
        elif indented and not section and not literal:
            marked += ["::", ""]
            literal = True
        marked.append(line)
    return marked


def with_indented_settings(lines: list[str]) -> list[str]:
    """A docstring of an algorithm whose settings are indented, as those of a section are."""
    if "Settings:" not in lines:
        return lines
    place = lines.index("Settings:")
    return [*lines[: place + 1], *(f"    {line}" for line in lines[place + 1 :] if line), ""]


def is_algorithm(what: str, value: object) -> bool:
    """Whether what is documented is the class of an algorithm."""
    return what == "class" and isinstance(value, type) and issubclass(value, Algorithm)


def process_docstring(
    app: Any, what: str, name: str, value: object, options: Any, lines: list[str]
) -> None:
    """Prepare a docstring for Napoleon; an algorithm's begins with the mathematics of its file."""
    lines[:] = with_literal_formulas(with_indented_settings(lines))
    if is_algorithm(what, value):
        text = sys.modules[value.__module__].__doc__ or ""
        lines[:0] = [*with_literal_formulas(text.strip().splitlines()), ""]
    elif what in ("property", "attribute"):
        if lines[0].startswith("Alias for field number"):  # what Python says of a named tuple's
            lines[:] = []
        lines[:0] = ["..", ""]  # else Napoleon takes what stands before a colon for a type


def process_signature(
    app: Any, what: str, name: str, value: object, options: Any, arguments: str, returned: str
) -> tuple[str, str] | None:
    """The signature of an algorithm in short: its settings are listed below it."""
    return ("(**settings)", "") if is_algorithm(what, value) else None


def setup(app: Any) -> None:
    """Let Sphinx call these before Napoleon reads the sections."""
    app.connect("autodoc-process-docstring", process_docstring, priority=100)
    app.connect("autodoc-process-signature", process_signature)
