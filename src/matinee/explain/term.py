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


CHOSE = "you chose it"  # the detail of what somebody chose and gave no stars


class Label(NamedTuple):
    """What a term is called, whatever it is worth."""

    name: str  # as shown to people
    kind: str  # "base", "user", one of TELLING, "remainder", "rest" or "clipping"
    detail: str = ""  # what helps to read it, such as the rating given
    said: str = ""  # what a sentence calls it, where that is not the name
    chosen: bool = False  # whether it says what was chosen, and not what stars were given
    rated_low: bool = False  # whether it is a film that the person rated low: no reason for another

    @property
    def called(self) -> str:
        """What a sentence calls it: ``Horror``, or ``films of the 1980s``."""
        return self.said or self.name

    @property
    def verb(self) -> str:
        """What the person did with a film: one verb for stars, and one for choices."""
        return "chose" if self.detail == CHOSE else "rated"


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

    @property
    def label(self) -> Label:
        """Its words alone."""
        return Label(self.name, self.kind, self.detail, self.said, self.chosen, self.rated_low)

    @property
    def called(self) -> str:
        """What a sentence calls it: ``Horror``, or ``films of the 1980s``."""
        return self.said or self.name

    def to_dict(self) -> JsonObject:
        plain: JsonObject = {"name": self.name, "value": self.value, "kind": self.kind}
        return plain | ({"detail": self.detail} if self.detail else {})
