"""Titles as MovieLens writes them, taken apart.

``Matrix, The (1999)`` is The Matrix, 1999; ``Ring, The (Ringu) (1998)`` is The Ring, also Ringu.
"""

import re

YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)")
ARTICLES = (
    "The|A|An|Le|La|Les|L'|Un|Une|Una|Il|Lo|Gli|El|Los|Las|Der|Die|Das|Den|Det|De|Het|O|Os|As|I"
)
OTHER_TITLE = re.compile(r"(?P<main>.*\w.*?)\s+\((?P<other>[^()]*)\)")
ALSO_KNOWN_AS = re.compile(r"a\.?k\.?a\.?,? ", re.IGNORECASE)
UNFINISHED = (":", " or", "-", "–")  # ends of a title that what is in parentheses completes
ARTICLE_LAST = re.compile(rf"(?P<head>[^()]+), (?P<article>{ARTICLES})(?P<rest> \(.*)?")


def split_title(text: str) -> tuple[str, int | None]:
    """A title with its article in front, and the year that closed it, where there is one."""
    years = list(YEAR.finditer(text))
    year = int(years[-1][1]) if years else None
    bare = text[: years[-1].start()] + text[years[-1].end() :] if years else text
    return article_first(bare.strip()) or text, year


def article_first(title: str) -> str:
    """``City of Lost Children, The (...)`` as The City of Lost Children (...)."""
    match = ARTICLE_LAST.fullmatch(title)
    if match is None:
        return title
    space = "" if match["article"].endswith("'") else " "
    return f"{match['article']}{space}{match['head']}{match['rest'] or ''}"


def split_other_titles(title: str) -> tuple[str, tuple[str, ...]]:
    """A title, and the others that close it in parentheses, each with its article in front."""
    others: list[str] = []
    while (match := OTHER_TITLE.fullmatch(title)) is not None:
        if match["main"].casefold().endswith(UNFINISHED):
            break
        title = match["main"]
        others.insert(0, article_first(ALSO_KNOWN_AS.sub("", match["other"], count=1).strip()))
    return title, tuple(dict.fromkeys(one for one in others if one and one != title))
