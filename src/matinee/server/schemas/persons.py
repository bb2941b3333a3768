"""Whom a request is about."""

from pydantic import Field

from matinee.server.limits import MAX_RATINGS, MAX_SESSION_ITEMS
from matinee.server.schemas.base import Number, RequestBody
from matinee.server.schemas.identifiers import Id


class Rating(RequestBody):
    """One rating of a history."""

    item_id: Id
    rating: Number


class PersonReference(RequestBody):
    """A user by id, or a new person by ratings, a session, points for tastes, or features.

    At most one of the fields may be given; without any it is the average person.
    """

    user: Id | None = None
    ratings: list[Rating] | None = Field(None, max_length=MAX_RATINGS)
    session: list[Id] | None = Field(
        None,
        max_length=MAX_SESSION_ITEMS,
        description="Items that somebody without an id has chosen so far; each counts as liked.",
    )
    tastes: dict[str, Number] | None = Field(
        None, description="Points for tastes, by number or name."
    )
    features: dict[str, str] | None = Field(None, description='Such as {"age": "25"}.')


class ChangedPersonReference(PersonReference):
    """A person, with some ratings forgotten and some tastes stronger or weaker."""

    without: list[Id] = Field([], max_length=MAX_RATINGS, description="Items to unrate.")
    turn: dict[str, Number] = Field(
        {},
        description="Weight of a taste, by number or name: 0 is off, 1 as it is.",
    )

    @property
    def unchanged_user(self) -> str | None:
        """The id of a user as they are known; None for anybody else, and for a changed user."""
        others = (self.ratings, self.session, self.tastes, self.features)
        changed = self.without or self.turn or any(one is not None for one in others)
        return None if changed else self.user
