"""MODEL, --user and --item on the command line: a fitted model and whom or what to ask about."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from matinee.display.text import counted
from matinee.errors import BadSetting, UnknownId, did_you_mean, suggestion

if TYPE_CHECKING:
    from matinee.models import Model

SHOWN_MATCHES = 8
NEAR_WORD = 0.75  # likeness of words that people mistype for one another
WORD = re.compile(r"\w+")

model_argument = click.argument("model_path", metavar="MODEL")
ITEM_HELP = "Id of the item, or its title, such as 'Heat (1995)'."
WORDS_HELP = "Id of the item, or its title, such as 'Heat (1995)', or words of it: 'shawshank'."


def load(path: str) -> "Model":
    """The model in a folder. Raises BadModel, in words."""
    from matinee.models import load as load_model

    return load_model(path)


def find_item(model: "Model", text: str) -> str:
    """The id that a text means: an id as it is, else the title of exactly one item.

    Titles match with or without the year, in any case, and so do other titles. Raises UnknownId
    when nothing matches, and BadSetting when several items do.
    """
    if text in model.items:
        return text
    title = text.strip().casefold()
    matches = [one for one in model.items if title in map(str.casefold, model.catalog[one].names)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise BadSetting(
            f"{counted(len(matches), 'item')} have the title {text!r}{choose(model, matches)}"
        )
    titles = {name for one in model.items for name in model.catalog[one].names}
    hint = did_you_mean(text, sorted(titles | set(model.items))) or near_word(text, titles)
    raise UnknownId(
        f"no item {text!r} among the ids and titles of {counted(len(model.items), 'item')}{hint}"
    )


def near_word(text: str, titles: Iterable[str]) -> str:
    """A closing phrase that offers titles with a word much like the text, or nothing."""
    by_word: dict[str, list[str]] = {}
    for title in sorted(titles):
        for word in words_of(title):
            by_word.setdefault(word, []).append(title)
    near = get_close_matches(text.casefold(), by_word, n=1, cutoff=NEAR_WORD)
    return suggestion(title for word in near for title in by_word[word][:SHOWN_MATCHES])


def find_item_by_words(model: "Model", text: str) -> str:
    """As ``find_item``, and else the only item whose title has all words of the text.

    Raises UnknownId when nothing matches, and BadSetting, with the most rated, when several do.
    """
    words = words_of(text)
    try:
        return find_item(model, text)
    except UnknownId:
        matches = [
            one for one in model.items if words <= words_of(" ".join(model.catalog[one].names))
        ]
        if not any(word.isalpha() for word in words) or not matches:
            raise
    if len(matches) > 1:
        counts = model.item_counts[model.items.rows(matches)]
        most_rated = [matches[at] for at in counts.argsort(kind="stable")[::-1]]
        problem = f"{counted(len(matches), 'title')} have the words {text!r}"
        raise BadSetting(problem + choose(model, most_rated))
    return matches[0]


def words_of(text: str) -> frozenset[str]:
    """The words of a text, in lower case."""
    return frozenset(WORD.findall(text.casefold()))


def choose(model: "Model", matches: Sequence[str]) -> str:
    """The ids to choose from, with their titles, as the end of a message."""
    several = ", ".join(f"{one} ({model.catalog.label(one)})" for one in matches[:SHOWN_MATCHES])
    more = len(matches) - SHOWN_MATCHES
    return f"; give an id: {several}" + (f" and {more} more" if more > 0 else "")


def find_item_or_none(model: "Model", text: str) -> str | None:
    """As ``find_item_by_words``, None when nothing matches."""
    try:
        return find_item_by_words(model, text)
    except UnknownId:
        return None
