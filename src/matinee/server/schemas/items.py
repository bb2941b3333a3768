"""Items: search, details, and similar items."""

from pydantic import BaseModel

from matinee.server.schemas.base import Envelope


class ItemSummary(BaseModel):
    """What identifies an item to people."""

    item_id: str
    title: str
    year: int | None
    genres: list[str]


class ItemWithCount(ItemSummary):
    """An item and its number of ratings."""

    n_ratings: int


class ItemsResponse(Envelope):
    """Items that match a search, the most rated first."""

    items: list[ItemWithCount]
    total: int
    next_cursor: str | None


class TasteWeight(BaseModel):
    """How strongly an item expresses a taste."""

    number: int
    name: str
    weight: float


class ItemResponse(Envelope, ItemWithCount):
    """Everything about one item."""

    features: dict[str, list[str]]
    mean_rating: float | None
    tastes: list[TasteWeight]


class SimilarItem(ItemSummary):
    """An item similar to another."""

    rank: int
    similarity: float


class SimilarItemsResponse(Envelope):
    """The items most similar to one."""

    item: ItemSummary
    items: list[SimilarItem]


class Rater(BaseModel):
    """A user who rated an item."""

    user: str
    rating: float


class RatingCount(BaseModel):
    """How many gave a rating."""

    rating: float
    n: int


class RatersResponse(Envelope):
    """Who rated an item, the highest ratings first, and how often each rating was given."""

    item: ItemSummary
    users: list[Rater]
    spread: list[RatingCount]
