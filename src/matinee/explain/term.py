"""One part of a score, named for people."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain, compress, repeat
from operator import attrgetter
from typing import NamedTuple

from matinee.display.plain_data import JsonObject

# Kinds of terms that speak of the item; "alike" is how it is rated going by its features alone.
# "popularity" is how many choose it, "choice" what someone tends to choose, and "certainty" what
# few ratings take off.
TELLING = (
    "taste",
    "choice",
    "rating",
    "feature",
    "person",
    "model",
    "item",
    "alike",
    "popularity",
    "certainty",
)


class Term(NamedTuple):
    """One part of a score, in the units of the score."""

    name: str  # as shown to people
    value: float
    kind: str  # "base", "user", one of TELLING, "remainder", "rest" or "clipping"
    detail: str = ""  # what helps to read it, such as the rating given
    said: str = ""  # what a sentence calls it, where that is not the name
    fits: bool = True  # whether its name means something for the item; else no sentence gives it

    @property
    def called(self) -> str:
        """What a sentence calls it: ``Horror``, or ``films of the 1980s``."""
        return self.said or self.name

    def worth(self, value: float) -> "Term":
        """The term with another value."""
        return Term(self.name, value, self.kind, self.detail, self.said, self.fits)

    def to_dict(self) -> JsonObject:
        plain: JsonObject = {"name": self.name, "value": self.value, "kind": self.kind}
        return plain | ({"detail": self.detail} if self.detail else {})


NAME_OF, VALUE_OF = attrgetter("name"), attrgetter("value")
NEW_TERM: Callable[[tuple[object, ...]], Term] = partial(tuple.__new__, Term)


def terms_of(
    kind: str,
    names: Iterable[str],
    values: Sequence[float],
    *,
    details: Iterable[str] = repeat(""),
    said: Iterable[str] = repeat(""),
    fits: Iterable[bool] = repeat(True),
) -> list[Term]:
    """Terms of one kind from columns, without those that are worth nothing.

    A list with reasons has hundreds, so they are made without a call of Python for each.
    """
    rows = zip(names, values, repeat(kind), details, said, fits, strict=False)
    return list(map(NEW_TERM, compress(rows, values)))


def concatenated(*parts: Sequence[Sequence[Term]]) -> list[list[Term]]:
    """The terms of each item, given in several parts, one after the other."""
    return [list(chain.from_iterable(of_item)) for of_item in zip(*parts, strict=True)]


def weighed(terms: list[list[Term]], weight: float) -> list[list[Term]]:
    """The terms of each item, each ``weight`` times as much."""
    if weight == 1:
        return terms
    result: list[list[Term]] = []
    for of_item in terms:
        names, values, *others = zip(*of_item, strict=True) if of_item else ((), ())
        rows = zip(names, [weight * value for value in values], *others, strict=True)
        result.append(list(map(NEW_TERM, rows)))
    return result


def joined(terms: list[Term]) -> list[Term]:
    """The terms, those of one name and kind as one, which is worth their sum."""
    if len(set(map(NAME_OF, terms))) == len(terms):  # as most often
        return terms
    by_name: dict[tuple[str, str], Term] = {}
    for term in terms:
        key = term.name, term.kind
        before = by_name.get(key)
        by_name[key] = term if before is None else before.worth(before.value + term.value)
    return list(by_name.values())
