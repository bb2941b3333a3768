"""Text for people: counts with their nouns, durations, bars, and lines that fit a width."""

import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from math import floor, isfinite, log10

PLURALS = {"person": "people"}  # of the nouns that do not end in -s
LONGEST_BAR = 40  # characters
LARGEST = 1e15  # that is written out: longer ones are no easier to read, nor are they exact
EIGHTHS = " ▏▎▍▌▋▊▉█"
BEFORE_PERCENT = re.compile(r"(?<=\d) (?=%)")


def counted(n: int, noun: str) -> str:
    """``1 rating``, ``2,000 ratings``, ``0 people``."""
    return f"{n:,} {plural(n, noun)}"


def plural(n: int, noun: str) -> str:
    """The form of a noun that goes with a number: ``rating`` with 1, else ``ratings``."""
    return noun if n == 1 else PLURALS.get(noun, f"{noun}s")


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them: "A", "A and B", "A, B and C"."""
    return ", ".join(names[:-1]) + (" and " if names[1:] else "") + names[-1]


def ended(sentence: str) -> str:
    """A sentence with its full stop, unless it ends with one of a title's own: Mars Attacks!"""
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def isolated(words: str) -> str:
    """Words that run from right to left, so that those around them keep their places."""
    is_leftward = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in words)
    return f"\N{FIRST STRONG ISOLATE}{words}\N{POP DIRECTIONAL ISOLATE}" if is_leftward else words


def percent(share: float, decimals: int = 0) -> str:
    """A share of 1 as people read it: ``95 %``."""
    return f"{100 * share:.{decimals}f} %"


def unbroken(words: str) -> str:
    """A sentence whose lines never break between a number and its %."""
    return BEFORE_PERCENT.sub("\N{NO-BREAK SPACE}", words)


def figure(value: float, digits: int = 6) -> str:
    """A number to so many significant digits: ``0.5``, ``2,130``; with an exponent from 1e15 on."""
    if not value or not isfinite(value) or abs(value) >= LARGEST:
        return f"{value:g}"
    decimals = max(digits - 1 - floor(log10(abs(value))), 0)
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def seconds(duration: float) -> str:
    """A duration in seconds as people read it: ``0.42 s``, ``12.3 s``, ``2 min 5 s``."""
    if duration < 100:
        return f"{duration:.2f} s" if duration < 10 else f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes} min {rest} s"


def memory(n_bytes: float) -> str:
    """An amount of memory as people read it, in powers of 1,000: ``980 bytes``, ``2.1 GB``."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n_bytes >= size:
            return f"{n_bytes / size:,.1f} {unit}"
    return f"{n_bytes:.0f} bytes"


def settings_in_short(settings: Mapping[str, object]) -> str:
    """Settings in a cell of a table; what is an algorithm goes by its name alone."""
    return ", ".join(f"{name}={_in_short(value)}" for name, value in settings.items())


def _in_short(value: object) -> str:
    if isinstance(value, list | tuple):
        return "+".join(map(_in_short, value))
    if isinstance(value, Mapping):  # the plain form of an algorithm
        return str(value.get("algorithm", value))
    return str(getattr(value, "name", value))


def bar(share: float, width: int = LONGEST_BAR) -> str:
    """A horizontal bar of ``share`` (0 to 1) of ``width`` characters, exact to an eighth."""
    whole, eighths = divmod(round(share * width * 8), 8)
    return "█" * whole + EIGHTHS[eighths].strip()


def shorten(text: str, columns: int) -> str:
    """Text cut to a number of columns, with an ellipsis where something is missing."""
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= columns else set_cell_size(text, columns - 1).rstrip() + "…"


def pad(text: str, columns: int, to_right: bool = False) -> str:
    """Text padded to a number of columns, counting wide letters as two."""
    from rich.cells import cell_len

    blank = " " * (columns - cell_len(text))
    return blank + text if to_right else text + blank


def wrap(text: str, columns: int) -> str:
    """Text whose lines are broken at ``columns``, but not before %; the rest keeps the indent."""
    lines = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(
            unbroken(line),
            columns,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}%", " %")
