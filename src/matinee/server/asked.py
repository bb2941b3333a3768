"""The shapes of what is asked for in a body: checked on the way in."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from matinee.server.ids import Id
from matinee.server.limits import (
    MOST_CANDIDATES,
    MOST_EVENTS,
    MOST_LISTED,
    MOST_RATINGS,
    MOST_USERS,
)


class Asked(BaseModel):
    """Something asked for; an unknown field is an error, so that none is passed over."""

    model_config = ConfigDict(extra="forbid")


class Rating(Asked):
    """One rating of a history."""

    item_id: Id
    rating: FiniteFloat


class Filtered(Asked):
    """Conditions on the items of a list."""

    genre: list[str] = Field([], description="Genres; any of them will do.")
    year_from: int | None = None
    year_to: int | None = None
    items: list[Id] | None = Field(
        None, max_length=MOST_CANDIDATES, description="Only these items."
    )
    exclude: list[Id] = Field([], max_length=MOST_CANDIDATES, description="Not these items.")
    exclude_seen: bool = Field(True, description="Leave out what was rated.")


class Someone(Asked):
    """Who is meant: a user, or somebody new by ratings, by points for tastes, or by features."""

    user: Id | None = None
    ratings: list[Rating] | None = Field(None, max_length=MOST_RATINGS)
    tastes: dict[str, FiniteFloat] | None = Field(
        None, description="Points for tastes, by number or name."
    )
    features: dict[str, str] | None = Field(None, description='Such as {"age": "25"}.')


class ForSomeone(Someone, Filtered):
    """A list for somebody new."""

    n: int = Field(10, ge=1, le=MOST_LISTED)
    offset: int = Field(0, ge=0)
    why: str | None = Field(None, description="true, or a view: adds the reasons.")


class Batch(Filtered):
    """Lists for many users."""

    users: list[Id] = Field(min_length=1, max_length=MOST_USERS)
    n: int = Field(10, ge=1, le=MOST_LISTED)
    why: str | None = None


class WhatIf(Someone):
    """What would change if ratings were gone or other ones, or a taste counted more or less."""

    item: Id | None = Field(None, description="Also how the score of this item would change.")
    without: list[Id] = Field([], max_length=MOST_RATINGS, description="Ratings taken away.")
    change: list[Rating] = Field([], max_length=MOST_RATINGS, description="Ratings put instead.")
    turn: dict[str, FiniteFloat] = Field(
        {}, description="Factor by which a taste counts, by number or name: 0 is off, 1 as it is."
    )
    n: int = Field(10, ge=1, le=MOST_LISTED)


class ForWhy(Someone):
    """Why an item scores what it does for somebody."""

    item: Id
    by: str | None = Field(None, description="A view, such as factor or history.")
    versus: Id | None = Field(None, description="Another item to compare with.")
    width: int | None = Field(None, ge=240, le=1600, description="Of a picture, in pixels.")


class NewName(Asked):
    """A name for a taste; none, or an empty one, brings the label back."""

    name: str | None = Field(max_length=80)


class Feedback(Asked):
    """Rows of feedback; each gets a verdict of its own."""

    events: list[Any] = Field(
        min_length=1,
        max_length=MOST_EVENTS,
        description='Rows of {"user_id", "item_id", "rating", "timestamp"}: a rating on the scale, '
        "or null to take one back; the time in seconds since 1970, now when it is left out.",
    )
