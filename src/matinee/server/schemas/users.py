"""Users: search, export, similar users, and erasure."""

from typing import Literal

from pydantic import BaseModel, Field

from matinee.feedback.actions import KindName
from matinee.server.schemas.base import Envelope


class UserWithCount(BaseModel):
    """A user and their number of ratings."""

    user: str
    n_ratings: int


class UsersResponse(Envelope):
    """Users that match a search."""

    users: list[UserWithCount]
    total: int
    next_cursor: str | None


class UserRating(BaseModel):
    """A rating by a user; ``source`` is "trained" or "feedback"."""

    item_id: str
    title: str
    year: int | None
    rating: float
    source: Literal["trained", "feedback"]
    known: bool


class StoredEvent(BaseModel):
    """A rating in the feedback store; null withdraws one."""

    item_id: str
    rating: float | None
    timestamp: int = Field(description="Seconds since 1970.")


class StoredAction(BaseModel):
    """Another action in the feedback store."""

    user_id: str
    item_id: str
    kind: KindName
    recommendation_id: str | None
    arm: str | None = Field(description="The model of the list, by name.")
    at: int = Field(description="Seconds since 1970.")


class TasteStrength(BaseModel):
    """What a taste adds to a person's score of an average item."""

    number: int
    name: str
    strength: float


class UserResponse(Envelope):
    """Everything stored about a user."""

    user: str
    n_ratings: int
    mean_rating: float | None
    ratings: list[UserRating]
    events: list[StoredEvent]
    features: dict[str, str]
    actions: list[StoredAction]
    tastes: list[TasteStrength]


class SimilarUser(BaseModel):
    """A user similar to another."""

    rank: int
    user: str
    similarity: float


class SimilarUsersResponse(Envelope):
    """The users most similar to one."""

    user: str
    users: list[SimilarUser]


class ErasureResponse(Envelope):
    """What was erased; refit the model when it was trained on the user's ratings."""

    user: str
    events_deleted: int
    needs_refit: bool
