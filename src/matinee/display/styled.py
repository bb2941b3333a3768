"""Lines of text in styles, which a terminal paints and everything else prints plain."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Styled(NamedTuple):
    """Text in a style: "for", "against", "dim", "bold", or none."""

    text: str
    style: str = ""


Line = Sequence[Styled]


def plain(lines: Iterable[Line]) -> str:
    """The text of lines, without styles."""
    return "\n".join("".join(part.text for part in line).rstrip() for line in lines)
