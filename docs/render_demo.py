"""The picture of the terminal in README, from a real run: ``python docs/render_demo.py``.

It shows the comparison, the list and the reasons of ``matinee demo``, in its own words; what is
left out is marked by an ellipsis.
"""

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from matinee.cli import walkthrough as demo
from matinee.cli.commands.demo import report

PICTURE = Path(__file__).resolve().parent / "images" / "demo.svg"
COLUMNS = 96
LEFT_OUT = ("The data", "The tastes", "Next")  # sections, by how their titles begin
FONTS = "Menlo, DejaVu Sans Mono, monospace"  # of the reader; a picture loads nothing
WEB_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
STYLES = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    """A stream that takes bold text, as a terminal does."""

    def isatty(self) -> bool:
        return True


def demonstration() -> list[str]:
    """The lines that ``matinee demo`` shows on a terminal."""
    os.environ.pop("NO_COLOR", None)
    with TemporaryDirectory() as folder, redirect_stderr(Terminal()):
        return report(demo.run(Path(folder) / "matinee-demo"), COLUMNS)


def abridged(lines: list[str]) -> Iterator[str]:
    """The lines without the sections left out, each of which begins after a blank line."""
    titles = {n + 1 for n, line in enumerate(lines) if not line and is_title(lines[n + 1])}
    out = False
    for n, line in enumerate(lines):
        if n + 1 in titles:
            left_out = STYLES.sub("", lines[n + 1]).startswith(LEFT_OUT)
            if left_out and not out:
                yield from ("", "…")
            out = left_out
        if not out:
            yield line


def is_title(line: str) -> bool:
    """Whether a whole line is in bold."""
    return line.startswith("\x1b[1m") and line.endswith("\x1b[0m")


def main() -> None:
    """Write the picture."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print("[bold green]$[/] python -m matinee demo")
    for line in abridged(demonstration()):
        console.print(Text.from_ansi(line), soft_wrap=True)
    svg = console.export_svg(title="matinee", theme=MONOKAI, unique_id="demo")
    svg = WEB_FONTS.sub("", svg).replace("Fira Code, monospace", FONTS)
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)  # some viewers drop leading blanks
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(svg, encoding="utf-8")
    print(PICTURE, file=sys.stderr)


if __name__ == "__main__":
    main()
