"""Recommendation lists: for one person and for many users."""

from pydantic import BaseModel, Field

from matinee.server.limits import MAX_BATCH_USERS, MAX_FILTER_ITEMS, MAX_LIST_LENGTH
from matinee.server.schemas.base import Envelope, RequestBody
from matinee.server.schemas.explanations import ShortExplanation
from matinee.server.schemas.identifiers import Id
from matinee.server.schemas.items import ItemSummary
from matinee.server.schemas.persons import PersonReference


class ItemConditions(RequestBody):
    """Which items a list may contain."""

    genre: list[str] = Field([], description="Genres; an item needs one of them.")
    year_from: int | None = None
    year_to: int | None = None
    items: list[Id] | None = Field(
        None, max_length=MAX_FILTER_ITEMS, description="Only these items."
    )
    exclude: list[Id] = Field([], max_length=MAX_FILTER_ITEMS, description="Not these items.")
    exclude_seen: bool = Field(True, description="Leave out items the person has rated.")
    stars_weight: float | None = Field(
        None, ge=0, description="Points of choice that a star is worth: 0 ranks by choice alone."
    )
    caution: float | None = Field(
        None, description="From safe (above 0) to adventurous (0, or below): holds rare items back."
    )


class RecommendationsRequest(PersonReference, ItemConditions):
    """A list for a person described in the body."""

    n: int = Field(10, ge=1, le=MAX_LIST_LENGTH)
    offset: int = Field(0, ge=0)
    why: str | None = Field(None, description="true, or a view: adds the reasons.")


class BatchRequest(ItemConditions):
    """Lists for many users."""

    users: list[Id] = Field(min_length=1, max_length=MAX_BATCH_USERS)
    n: int = Field(10, ge=1, le=MAX_LIST_LENGTH)
    why: str | None = None


class RecommendedItem(ItemSummary):
    """An item of a list; ``predicted`` is the rating predicted, and ``score`` what ranks."""

    rank: int
    score: float
    predicted: float
    why: ShortExplanation | None = None


class RecommendationsResponse(Envelope):
    """A list for one person."""

    user: str
    items: list[RecommendedItem]
    next_cursor: str | None = None
    unknown_items: list[str] = Field([])


class UserRecommendations(BaseModel):
    """One list of a batch."""

    user: str
    strategy: str
    items: list[RecommendedItem]


class BatchResponse(Envelope):
    """Lists for many users, in the order of the request."""

    lists: list[UserRecommendations]
