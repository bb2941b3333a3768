"""Users: search, export, similar users, and erasure."""

from typing import Any, Literal

from pydantic import BaseModel

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
    rating: float
    source: Literal["trained", "feedback"]
    known: bool


class UserResponse(Envelope):
    """Everything stored about a user."""

    user: str
    n_ratings: int
    mean_rating: float | None
    ratings: list[UserRating]
    events: list[dict[str, Any]]
    features: dict[str, str]
    actions: list[dict[str, Any]]
    tastes: list[dict[str, Any]]


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
