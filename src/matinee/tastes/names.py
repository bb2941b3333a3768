"""Names for tastes: what sets each apart from the others, and never a number.

A name is the label of an end. Where another taste has the same words, a further word that passes
the test of labels is added, or else two films of its card. A factor that follows how often items
are rated is called popular.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from matinee.display.text import shorten
from matinee.tastes.labels import Label, is_period

POPULAR = "popular {}{}"  # with a decade, where a label is one, and the noun
POPULAR_ALONE = re.compile(POPULAR.format("", r"\w+"))
LIKE, AND = " like ", " & "
UNLIKE = "anything but "
LONGEST_TITLE = 30  # characters of a title in a name
WORD = re.compile(r"[\w'-]+")


@dataclass(frozen=True)
class NamedEnd:
    """One end of a factor, as far as its name goes."""

    label: Label
    titles: Sequence[str]  # of the items that weigh most, without years
    is_popular: bool = False  # whether its weights follow the numbers of ratings
    noun: str = "films"  # of the items; "items" where no catalogue says what they are
    resembles_other: bool = False  # whether its titles bear the label of the other end too

    @property
    def base(self) -> str:
        """What it is called where no other is called so; empty where nothing says it."""
        if self.is_popular and self.label.is_period:
            period = f"{self.label.text} " if self.label.words else ""
            return POPULAR.format(period, self.noun)
        return self.label.text if self.label.words else ""

    def names(self) -> Iterator[str]:
        """What it may be called, the best first."""
        if self.base:
            yield self.base
            yield from (label.text for label in self._longer_labels())
        brief = self.label.brief()
        kind = brief.text if brief.words else ""
        kind = " ".join([kind, self.noun]).strip() if is_period(kind) or not kind else kind
        titles = sorted(dict.fromkeys(map(short_title, self.titles)), key=is_cut)
        yield from (f"{kind}{LIKE}{one}{AND}{other}" for one, other in combinations(titles, 2))

    def label_in(self, name: str) -> Label:
        """What one of its names says, which may be more or less than its label.

        A word that only describes the card of a taste without a label makes it no taste of a genre.
        """
        if LIKE in name:
            return self.label.brief() if self.label.words else self.label
        return next((one for one in self._longer_labels() if one.text == name), self.label)

    def _longer_labels(self) -> Iterator[Label]:
        """The label with each of the further words."""
        return map(self.label.with_word, self.label.further)


class Names:
    """The names that are taken, in any case and order of words."""

    def __init__(self, given: Sequence[str]) -> None:
        self.taken = {words_of(name) for name in given}

    def free(self, names: Iterator[str], last: str) -> str:
        """The first of the names that is free, which it is no more; else the ``last``."""
        name = next((one for one in names if words_of(one) not in self.taken), last)
        self.taken.add(words_of(name))
        return name


def names_of(
    high: Sequence[NamedEnd], low: Sequence[NamedEnd] | None, given: dict[int, str]
) -> tuple[list[str], list[str]]:
    """A name for each factor, and for its low end where there are such, that no other has.

    ``given`` are names by people, which come first. A low end that no word is found for is called
    by what it is not, ``anything but Horror``, unless its titles are that too.
    """
    names = Names(list(given.values()))
    high_names = [given.get(f) or names.free(end.names(), unnamed(f)) for f, end in enumerate(high)]
    if low is None:
        return high_names, [""] * len(high_names)
    low_names = [
        names.free(low_end_names(end, name), unlike(name))
        for end, name in zip(low, high_names, strict=True)
    ]
    return high_names, low_names


def labels_in(ends: Sequence[NamedEnd], names: Sequence[str]) -> list[Label]:
    """What the name of each end says."""
    return [end.label_in(name) for end, name in zip(ends, names, strict=True)]


def low_end_names(end: NamedEnd, high_name: str) -> Iterator[str]:
    """What a low end may be called, the best first."""
    if not end.base and not end.resembles_other and LIKE not in high_name:
        yield unlike(high_name)
    yield from end.names()


def films_in(name: str) -> list[str]:
    """Short titles that a name gives as examples, and what may be a part of one."""
    films = name.partition(LIKE)[2]
    return [films, *films.split(AND)] if films else []


def unnamed(f: int) -> str:
    """What to call a factor that has neither words nor films."""
    return f"taste {f}"


def unlike(name: str) -> str:
    """What to call the other end of a factor of this name."""
    return f"{UNLIKE}{name}"


def avoided(name: str) -> str | None:
    """What an end is not that is called by it; None for an end with a name of its own."""
    return name.removeprefix(UNLIKE) if name.startswith(UNLIKE) else None


def is_of_popularity(name: str) -> bool:
    """Whether a name says no more than that many choose: ``popular films``."""
    return POPULAR_ALONE.fullmatch(name) is not None


def is_much_like(one: str, other: str) -> bool:
    """Whether one name only says more than the other: ``Crime & Horror``, ``Horror``.

    Names that give films are told apart by them.
    """
    if LIKE in one + other or (avoided(one) is None) != (avoided(other) is None):
        return False
    words, others = words_of(one), words_of(other)
    return words <= others or others <= words


def words_of(name: str) -> frozenset[str]:
    """The words of a name: what two names have in common that differ in order alone."""
    return frozenset(WORD.findall(name.casefold()))


def short_title(title: str) -> str:
    """A title without what stands in parentheses, nor a subtitle where it is long."""
    short = title.split(" (")[0] or title
    if len(short) > LONGEST_TITLE:
        short = short.split(": ")[0].removesuffix(" or")  # Dr. Strangelove or: How I Learned ...
    return shorten(short, LONGEST_TITLE)


def is_cut(title: str) -> bool:
    """Whether a short title misses something at its end."""
    return title.endswith("…")
