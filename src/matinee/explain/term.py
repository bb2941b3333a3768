"""One part of a score, named for people."""

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


CHOOSES, CHOOSES_LESS = "you choose {}", "you choose less than others: {}"
CHOSE = "you chose it"  # the detail of what somebody chose and gave no stars


def own_deed(rating: float, unit: str) -> str:
    """What somebody did with an item that their history holds."""
    return f"you rated it {rating:g}" if unit == "stars" else CHOSE


class Opposite(NamedTuple):
    """The end of a taste in choosing that somebody is not at, so chooses less than others."""

    name: str
    by_films: str  # the same without words of the name, where these would contradict another term

    @property
    def term(self) -> str:
        """What a term is called that this takes off."""
        return CHOOSES_LESS.format(self.name)


class Label(NamedTuple):
    """What a term is called, whatever it is worth."""

    name: str  # as shown to people
    kind: str  # "base", "user", one of TELLING, "remainder", "rest" or "clipping"
    detail: str = ""  # what helps to read it, such as the rating given
    said: str = ""  # what a sentence calls it, where that is not the name
    chosen: bool = False  # whether it says what was chosen, and not what stars were given
    rated_low: bool = False  # whether it is a film that the person rated low: no reason for another
    opposite: Opposite | None = None  # of a taste in choosing: what terms below 0 are named for

    @property
    def called(self) -> str:
        """What a sentence calls it: ``Horror``, or ``films of the 1980s``."""
        return self.said or self.name

    @property
    def verb(self) -> str:
        """What the person did with a film: one verb for stars, and one for choices."""
        return "chose" if self.detail == CHOSE else "rated"

    def term(self, value: float, *, fits: bool = True) -> "Term":
        """The term of this label that is worth ``value``."""
        _, kind, detail, said, chosen, low, opposite = self
        opposite = opposite if value < 0 else None
        name = opposite.term if opposite else self.name
        return Term(name, value, kind, detail, said, chosen, low, fits, opposite)


class Term(NamedTuple):
    """One part of a score, in the units of the score; see ``Label`` for its words."""

    name: str
    value: float
    kind: str
    detail: str = ""
    said: str = ""
    chosen: bool = False
    rated_low: bool = False
    fits: bool = True  # whether its name means something for the item; else no sentence gives it
    opposite: Opposite | None = None  # what it is named for instead, where it is below 0

    @property
    def label(self) -> Label:
        """Its words alone."""
        name, _, kind, detail, said, chosen, low, _, opposite = self
        return Label(name, kind, detail, said, chosen, low, opposite)

    @property
    def called(self) -> str:
        """What a sentence calls it: ``Horror``, or ``films of the 1980s``."""
        return self.said or self.name

    def to_dict(self) -> JsonObject:
        plain: JsonObject = {"name": self.name, "value": self.value, "kind": self.kind}
        return plain | ({"detail": self.detail} if self.detail else {})
