"""Which items a list may hold: by genre, by year, or by name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matinee.errors import UnknownId, did_you_mean
from matinee.server.serving import Serving


@dataclass(frozen=True)
class Filter:
    """Conditions that all must hold; several genres mean any of them."""

    genres: Sequence[str] = ()
    year_from: int | None = None
    year_to: int | None = None
    items: Sequence[str] | None = None
    exclude: Sequence[str] = ()

    def rows(self, serving: Serving) -> np.ndarray:
        """Rows of the items that pass, ascending: int32.

        Raises UnknownId for an unknown genre or item, with the nearest.
        """
        n_items = len(serving.model.items)
        if not (self.genres or self.year_from or self.year_to or self.exclude) and (
            self.items is None
        ):
            return np.arange(n_items, dtype=np.int32)
        allowed = np.ones(n_items, dtype=bool)
        if self.genres:
            allowed &= np.logical_or.reduce([genre_of(serving, one) for one in self.genres])
        if self.year_from is not None:
            allowed &= serving.years >= self.year_from
        if self.year_to is not None:
            allowed &= (serving.years <= self.year_to) & (serving.years != 0)
        if self.items is not None:
            named = np.zeros(n_items, dtype=bool)
            named[[serving.model.items.row(one) for one in self.items]] = True
            allowed &= named
        allowed[[serving.model.items.row(one) for one in self.exclude]] = False
        return np.flatnonzero(allowed).astype(np.int32)


def genre_of(serving: Serving, genre: str) -> np.ndarray:
    """Which items are of a genre: bool (n_items,). Raises UnknownId, with the nearest."""
    if genre not in serving.genres:
        hint = did_you_mean(genre, serving.genres)
        known = ", ".join(serving.genres) or "none, as there is no catalogue"
        raise UnknownId(f"there is no genre {genre!r}{hint}; there are {known}")
    return serving.genres[genre]
