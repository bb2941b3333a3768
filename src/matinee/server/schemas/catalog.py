"""Changes to the catalogue and to what is known of users."""

from pydantic import Field

from matinee.data.catalog import Item
from matinee.feedback.catalog_changes import ItemChange
from matinee.server.limits import MAX_ITEM_CHANGES, MAX_PROPERTIES
from matinee.server.schemas.base import Envelope, Flag, Integer, RequestBody, example
from matinee.server.schemas.identifiers import Id


class ItemEntry(RequestBody):
    """What an item is, in place of what was known of it before."""

    model_config = example(
        title="Heat", year=1995, genres=["Crime"], properties={"studio": "Warner Bros."}
    )

    title: str = Field(min_length=1, max_length=1000)
    year: Integer | None = Field(None, ge=-10_000, le=10_000)
    genres: list[str] = Field([], max_length=MAX_PROPERTIES)
    properties: dict[str, str | list[str]] = Field(
        {},
        max_length=MAX_PROPERTIES,
        description='Further columns, such as {"director": "Ridley Scott"}; conditions of lists '
        "(where) may be on any of them.",
    )
    hidden: Flag = Field(False, description="Leave the item out of lists and searches.")

    def change(self) -> ItemChange:
        """The entry as a value."""
        features = {
            name: (value,) if isinstance(value, str) else tuple(value)
            for name, value in self.properties.items()
        }
        return ItemChange(Item(self.title, self.year, tuple(self.genres), features), self.hidden)


class NamedItemEntry(ItemEntry):
    """An item and what it is."""

    item_id: Id


class ItemsRequest(RequestBody):
    """Entries of several items, stored together."""

    model_config = example(
        items=[{"item_id": "heat-1995", "title": "Heat", "year": 1995, "genres": ["Crime"]}]
    )

    items: list[NamedItemEntry] = Field(min_length=1, max_length=MAX_ITEM_CHANGES)


class ItemsChanged(Envelope):
    """The items that were changed."""

    items: list[str]


class UserFeatures(RequestBody):
    """What is known of a user beside ratings, in place of what was known before."""

    model_config = example(features={"age": "25"})

    features: dict[str, str] = Field(min_length=1, max_length=MAX_PROPERTIES)


class UserChanged(Envelope):
    """The user whose features were stored."""

    user: str
    features: dict[str, str]
