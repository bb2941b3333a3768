"""Which tastes of one model are those of another, and the names they carry over."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from matinee.display.notebook import Grid, Part, Printable
from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting, known_arguments
from matinee.models.factor import FactorModel, with_tastes
from matinee.models.model import Model
from matinee.tastes import Taste
from matinee.tastes.labels import supported
from matinee.tastes.matching import match_factors

SAME = 0.6  # cosine from which two tastes are the same; those of one model rarely come to 0.45


@dataclass(frozen=True, repr=False)
class TasteMatch:
    """A taste of the old model, and the one of the new model that is most like it."""

    old: Taste
    new: Taste | None  # None where the new model has fewer
    similarity: float  # cosine of the item factors of both, -1..1

    def __repr__(self) -> str:
        new = "nothing" if self.new is None else repr(self.new.name)
        return f"<{self.old.name!r} and {new}: similarity {self.similarity:.2f}>"

    @property
    def same(self) -> bool:
        """Whether the old taste lives on."""
        return self.new is not None and self.similarity >= SAME


@dataclass(frozen=True, repr=False)
class TasteMatches(Printable):
    """The tastes of an old model with their partners in a new one; prints as a table."""

    matches: tuple[TasteMatch, ...]
    old: FactorModel
    new: FactorModel

    def __iter__(self) -> Iterator[TasteMatch]:
        return iter(self.matches)

    @property
    def carried(self) -> tuple[TasteMatch, ...]:
        """Those whose names, as people gave them, go over to the new model."""
        return tuple(one for one in self._with_names if one.same)

    @property
    def lost(self) -> tuple[TasteMatch, ...]:
        """Those whose names are lost, as the new model has no such taste."""
        return tuple(one for one in self._with_names if not one.same)

    def named(self) -> FactorModel:
        """The new model with the names that are carried over; names of its own stay."""
        own = dict(self.new.taste_notes.names)
        own_names = {name.casefold() for name in own.values()}
        names = {
            one.new.number: one.old.name
            for one in self.carried
            if one.new and one.new.number not in own and one.old.name.casefold() not in own_names
        }
        notes = replace(self.new.taste_notes, names=dict(sorted((own | names).items())))
        return self.new.with_notes(notes)

    def to_dicts(self) -> list[JsonObject]:
        """One plain dict an old taste."""
        return [
            {
                "old": one.old.number,
                "old_name": one.old.name,
                "new": one.new.number if one.new else None,
                "new_name": one.new.name if one.new else None,
                "similarity": one.similarity,
                "same": one.same,
            }
            for one in self.matches
        ]

    def parts(self) -> Iterator[Part]:
        """A row an old taste."""
        rows = [["", "old", "similarity", "", "new"]]
        for one in self.matches:
            new = [str(one.new.number), one.new.name] if one.same and one.new else ["", "–"]
            rows.append([str(one.old.number), one.old.name, f"{one.similarity:.2f}", *new])
        yield Grid(rows, left=(1, 4))

    @property
    def _with_names(self) -> tuple[TasteMatch, ...]:
        old_names = self.old.taste_notes.names
        return tuple(one for one in self.matches if one.old.number in old_names)


@known_arguments
def match_tastes(old: Model, new: Model) -> TasteMatches:
    """Match the tastes of an old model one to one with those of a new one, by what items they like.

    By the cosine of their item factors, over the items that both know well (Kuhn 1955). Raises
    BadSetting for models without tastes, and where no item is known to both.
    """
    old, new = with_tastes(old), with_tastes(new)
    rows = np.sort(supported(old.item_counts))
    others = new.items.rows(old.items.ids[rows])
    shared = (others >= 0) & np.isin(others, supported(new.item_counts))
    if not shared.any():
        raise BadSetting("the models know no item in common, so their tastes cannot be matched")
    partner, cosine = match_factors(
        old.taste_factors[1][rows[shared]], new.taste_factors[1][others[shared]]
    )
    theirs = new.tastes()
    matches = tuple(
        TasteMatch(taste, theirs[at] if at >= 0 else None, alike)
        for taste, at, alike in zip(old.tastes(), partner.tolist(), cosine.tolist(), strict=True)
    )
    return TasteMatches(matches, old, new)
