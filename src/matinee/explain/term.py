"""One part of a score, named for people."""

from collections.abc import Sequence
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


def concatenated(*parts: Sequence[Sequence[Term]]) -> list[list[Term]]:
    """The terms of each item, given in several parts, one after the other."""
    return [[term for part in of_item for term in part] for of_item in zip(*parts, strict=True)]


def weighed(terms: list[list[Term]], weight: float) -> list[list[Term]]:
    """The terms of each item, each ``weight`` times as much."""
    if weight == 1:
        return terms
    return [[term.worth(weight * term.value) for term in of_item] for of_item in terms]


def joined(terms: list[Term]) -> list[Term]:
    """The terms, those of one name and kind as one, which is worth their sum."""
    if len({term.name for term in terms}) == len(terms):  # as most often
        return terms
    by_name: dict[tuple[str, str], Term] = {}
    for term in terms:
        key = term.name, term.kind
        before = by_name.get(key)
        by_name[key] = term if before is None else before.worth(before.value + term.value)
    return list(by_name.values())
