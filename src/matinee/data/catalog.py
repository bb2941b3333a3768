"""Item metadata: titles, years, genres and free features. Optional everywhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

import numpy as np

from matinee.data.ids import IdMap
from matinee.display.notebook import Grid, Part, Printable
from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.display.tables import Table
from matinee.display.text import counted


@dataclass(frozen=True, repr=False)
class Item(Printable):
    """One entry of a catalogue; ``features`` holds the rest, such as ``director`` or ``tags``.

    ``other_titles``, such as the original one, find the item and are not shown in lists.
    """

    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    other_titles: tuple[str, ...] = ()

    @cached_property
    def label(self) -> str:
        """The title as people write it, with the year where it is known: ``Heat (1995)``."""
        return self.title if self.year is None else f"{self.title} ({self.year})"

    @property
    def names(self) -> tuple[str, ...]:
        """What the item may be called: its label, its title, and its other titles."""
        return self.label, self.title, *self.other_titles

    def parts(self) -> Iterator[Part]:
        """The label, and what else is known."""
        yield self.label
        known = {"also": self.other_titles, "genres": self.genres, **self.features}
        facts = [[name, ", ".join(values)] for name, values in known.items() if values]
        if facts:
            yield Grid(facts, has_heading=False, left=(0, 1), indent=2)


@dataclass(frozen=True, repr=False)
class Catalog(Printable):
    """Items by id. An item without an entry is shown by its id and has no features."""

    entries: Mapping[str, Item]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.entries

    def __getitem__(self, item_id: str) -> Item:
        return self.entries.get(item_id) or Item(title=item_id)

    def parts(self) -> Iterator[Part]:
        """How many items there are, and the first of them."""
        yield f"<Catalog: {counted(len(self), 'item')}>"
        if self.entries:
            yield self.head()

    def head(self, n: int = 5) -> Table:
        """The first ``n`` items as a table."""
        items = {one: self[one] for one in islice(self, n)}
        return Table(
            {
                "item_id": list(items),
                "title": [one.title for one in items.values()],
                "year": [one.year for one in items.values()],
                "genres": [", ".join(one.genres) for one in items.values()],
            }
        )

    def to_plain(self) -> JsonObject:
        """The catalogue as plain JSON data; ``from_plain`` is its inverse."""
        return {
            item_id: {
                "title": entry.title,
                "year": entry.year,
                "genres": entry.genres,
                "features": dict(entry.features),
                "other_titles": entry.other_titles,
            }
            for item_id, entry in self.entries.items()
        }

    @classmethod
    def from_plain(cls, plain: JsonMapping) -> "Catalog":
        """The catalogue that ``to_plain`` wrote."""
        return cls(
            {
                item_id: Item(
                    entry["title"],
                    entry["year"],
                    tuple(entry["genres"]),
                    {name: tuple(values) for name, values in entry["features"].items()},
                    tuple(entry.get("other_titles", ())),  # absent from models saved earlier
                )
                for item_id, entry in plain.items()
            }
        )

    def label(self, item_id: str) -> str:
        """Title and year of an item, or its id where the catalogue does not know it."""
        return self[item_id].label

    def called(self, item_id: str) -> str:
        """What a sentence calls an item: title and year, or ``item 7`` where none is known."""
        return self[item_id].label if item_id in self.entries else f"item {item_id}"

    def genre_matrix(self, items: IdMap) -> tuple[tuple[str, ...], np.ndarray]:
        """Genre names in order of text, and which item has which: bool (n_items, n_genres)."""
        genres_of = [self[item_id].genres for item_id in items]
        names = tuple(sorted({genre for genres in genres_of for genre in genres}))
        column = {name: place for place, name in enumerate(names)}
        matrix = np.zeros((len(items), len(names)), dtype=bool)
        for row, genres in enumerate(genres_of):
            matrix[row, [column[genre] for genre in genres]] = True
        return names, matrix


NO_CATALOG = Catalog({})
