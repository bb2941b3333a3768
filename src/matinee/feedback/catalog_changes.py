"""Changes to the catalogue and to what is known of users, kept beside feedback.

A change replaces what was known of an item or a user before. A deleted item stays as a mark, so
that it is left out of lists although the model still knows it.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, insert, select

from matinee.data.catalog import Catalog, Item
from matinee.display.plain_data import JsonObject
from matinee.feedback.tables import item_changes, profiles


@dataclass(frozen=True)
class ItemChange:
    """What an item is now; None as its entry leaves that of the model."""

    entry: Item | None = None
    hidden: bool = False  # left out of lists and searches
    deleted: bool = False


@dataclass(frozen=True)
class CatalogChanges:
    """All changes to a catalogue, by item id, until the change numbered ``seq``."""

    seq: int = 0
    changes: Mapping[str, ItemChange] = field(default_factory=dict)

    @property
    def entries(self) -> dict[str, Item]:
        """The new entries of items."""
        return {
            item: change.entry
            for item, change in self.changes.items()
            if change.entry is not None and not change.deleted
        }

    @property
    def hidden(self) -> frozenset[str]:
        """The items that are left out of lists and searches."""
        return frozenset(
            item for item, change in self.changes.items() if change.hidden or change.deleted
        )

    @property
    def deleted(self) -> frozenset[str]:
        """The items that a refit leaves out."""
        return frozenset(item for item, change in self.changes.items() if change.deleted)

    def over(self, catalog: Catalog) -> Catalog:
        """A catalogue with the new entries in place of its own."""
        return Catalog({**catalog.entries, **self.entries}) if self.entries else catalog


def write_item(connection: Connection, seq: int, item_id: str, change: ItemChange) -> None:
    """Store a change in place of an earlier one of the same item."""
    entry = None if change.entry is None else Catalog({item_id: change.entry}).to_plain()[item_id]
    row = {
        "item_id": item_id,
        "seq": seq,
        "entry": None if entry is None else json.dumps(entry),
        "hidden": change.hidden,
        "deleted": change.deleted,
        "at": int(time.time()),
    }
    connection.execute(delete(item_changes).where(item_changes.c.item_id == item_id))
    connection.execute(insert(item_changes), [row])


def last_change(connection: Connection, after: int, through: int) -> int:
    """The number of the last change of an item with ``after < seq <= through``; 0 for none."""
    span = item_changes.c.seq > after, item_changes.c.seq <= through
    return int(connection.execute(select(func.max(item_changes.c.seq)).where(*span)).scalar() or 0)


def read_items(connection: Connection) -> CatalogChanges:
    """All changes of items."""
    columns = item_changes.c
    query = select(columns.item_id, columns.entry, columns.hidden, columns.deleted, columns.seq)
    rows = connection.execute(query.order_by(columns.seq)).all()
    changes = {
        item_id: ItemChange(parsed_entry(item_id, entry), hidden, deleted)
        for item_id, entry, hidden, deleted, _ in rows
    }
    return CatalogChanges(rows[-1][-1] if rows else 0, changes)


def parsed_entry(item_id: str, text: str | None) -> Item | None:
    """The entry that ``write_item`` stored as text."""
    return None if text is None else Catalog.from_plain({item_id: json.loads(text)})[item_id]


def write_profile(
    connection: Connection, seq: int, user_id: str, features: Mapping[str, str]
) -> None:
    """Store the features of a user in place of earlier ones."""
    connection.execute(delete(profiles).where(profiles.c.user_id == user_id))
    row = {"user_id": user_id, "seq": seq, "features": json.dumps(dict(features))}
    connection.execute(insert(profiles), [row])


def read_profile(connection: Connection, user_id: str) -> dict[str, str]:
    """The features of a user; empty where none are stored."""
    query = select(profiles.c.features).where(profiles.c.user_id == user_id)
    text = connection.execute(query).scalar()
    found: JsonObject = json.loads(text) if text else {}
    return found
