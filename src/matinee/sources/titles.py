"""Titles as MovieLens writes them, taken apart: ``Matrix, The (1999)`` is The Matrix, 1999."""

import re

YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)")
ARTICLES = "The|A|An|Le|La|Les|L'|Un|Une|Il|Lo|Gli|El|Los|Las|Der|Die|Das|Den|Det|De|Het|O|Os|As|I"
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
