"""What is kept of tastes beside the factors: names that people gave, and how stable they are."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.errors import BadSetting

LONGEST_NAME = 60  # characters
JOINERS = "\u200c\u200d"  # format characters that some scripts and emoji need


@dataclass(frozen=True)
class TasteNotes:
    """Notes on a model's tastes, by their numbers."""

    names: Mapping[int, str] = field(default_factory=dict)  # as people gave them
    stability: tuple[float, ...] = ()  # 0..1, of every taste; empty where it was not measured
    refits: int = 0  # by which the stability was measured

    def renamed(self, number: int, name: str | None, n_tastes: int) -> "TasteNotes":
        """With a name for a taste, or without where it is empty or None.

        Raises BadSetting for an unknown taste, and for a name that is too long, holds control
        characters, or is that of another taste.
        """
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < n_tastes:
            known = f"tastes are numbered 0 to {n_tastes - 1}" if n_tastes else "there are none"
            raise BadSetting(f"there is no taste {number!r}; {known}")
        others = {at: given for at, given in self.names.items() if at != number}
        clean = checked_name(name or "")
        same = [at for at, given in others.items() if given.casefold() == clean.casefold()]
        if same:
            raise BadSetting(f"taste {same[0]} is already called {clean!r}; names must differ")
        names = others | ({number: clean} if clean else {})
        return replace(self, names=dict(sorted(names.items())))

    def to_dict(self) -> JsonObject:
        """As plain JSON data; ``from_dict`` is its inverse."""
        names = {str(number): name for number, name in self.names.items()}
        return {"names": names, "stability": list(self.stability), "refits": self.refits}

    @classmethod
    def from_dict(cls, plain: JsonMapping) -> "TasteNotes":
        """The notes that ``to_dict`` wrote."""
        names = {int(number): name for number, name in plain["names"].items()}
        return cls(names, tuple(plain["stability"]), plain["refits"])


NO_NOTES = TasteNotes()


def checked_name(name: str) -> str:
    """The name without blanks around it. Raises BadSetting where it cannot be shown in a line."""
    if not isinstance(name, str):
        raise BadSetting(f"the name of a taste is text, not {name!r}")
    clean = unicodedata.normalize("NFC", name).strip()
    bad = [one for one in clean if not one.isprintable() and one not in JOINERS]
    if bad:
        raise BadSetting(f"the name {name!r} holds the control character U+{ord(bad[0]):04X}")
    if len(clean) > LONGEST_NAME:
        raise BadSetting(
            f"the name {clean[:20] + '…'!r} has {len(clean)} characters; at most {LONGEST_NAME} fit"
        )
    return clean
