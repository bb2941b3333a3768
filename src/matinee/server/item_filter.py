"""Which items a list may contain: by genre, by year, or by id."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matinee.errors import UnknownId, offered
from matinee.server.snapshot import ModelSnapshot


@dataclass(frozen=True)
class ItemFilter:
    """Conditions that must all hold; an item needs only one of several genres."""

    genres: Sequence[str] = ()
    year_from: int | None = None
    year_to: int | None = None
    items: Sequence[str] | None = None
    exclude: Sequence[str] = ()

    def rows(self, snapshot: ModelSnapshot) -> np.ndarray:
        """Rows of the items that pass, ascending: int32.

        Raises UnknownId for an unknown genre or item, and suggests the nearest.
        """
        n_items = len(snapshot.model.items)
        if self.is_empty() and not snapshot.hidden:
            return np.arange(n_items, dtype=np.int32)
        allowed = snapshot.visible.copy()
        if self.genres:
            masks = [genre_mask(snapshot, genre) for genre in self.genres]
            allowed &= np.logical_or.reduce(masks)
        if self.year_from is not None:
            allowed &= snapshot.years >= self.year_from
        if self.year_to is not None:
            allowed &= (snapshot.years <= self.year_to) & (snapshot.years != 0)
        if self.items is not None:
            listed = np.zeros(n_items, dtype=bool)
            listed[[snapshot.model.items.row(item_id) for item_id in self.items]] = True
            allowed &= listed
        allowed[[snapshot.model.items.row(item_id) for item_id in self.exclude]] = False
        return np.flatnonzero(allowed).astype(np.int32)

    def is_empty(self) -> bool:
        """Whether every item passes."""
        conditions = self.genres or self.year_from or self.year_to or self.exclude
        return not conditions and self.items is None


def genre_mask(snapshot: ModelSnapshot, genre: str) -> np.ndarray:
    """The items of a genre: bool (n_items,). Raises UnknownId and suggests the nearest."""
    if not snapshot.genres:
        raise UnknownId(
            f"there is no genre {genre!r}, as no item has any; give items genres by "
            "PUT /v1/items/ITEM, or fit the model with a catalogue"
        )
    if genre not in snapshot.genres:
        raise UnknownId(
            f"there is no genre {genre!r}{offered(genre, snapshot.genres, 'there are')}"
        )
    return snapshot.genres[genre]
