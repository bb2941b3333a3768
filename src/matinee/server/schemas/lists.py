"""Lists that are the same for everybody."""

from pydantic import Field

from matinee.server.schemas.base import Envelope
from matinee.server.schemas.items import ItemSummary


class OrderedItem(ItemSummary):
    """An item of a list."""

    rank: int
    value: int = Field(
        description="What orders the list: training ratings of a popular item, the year of a "
        "latest one, the users who rated a trending one in the last days."
    )


class ItemListResponse(Envelope):
    """A list of items that is the same for everybody."""

    order: str
    items: list[OrderedItem]
