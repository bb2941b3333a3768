"""Interviews: what to ask a newcomer."""

from pydantic import Field

from matinee.server.limits import MAX_LIST_LENGTH, MAX_RATINGS
from matinee.server.schemas.base import Envelope, Integer, RequestBody, example
from matinee.server.schemas.identifiers import Id
from matinee.server.schemas.items import ItemWithCount
from matinee.server.schemas.persons import Rating


class InterviewRequest(RequestBody):
    """The interview so far."""

    model_config = example(
        ratings=[{"item_id": "heat-1995", "rating": 5}], not_seen=["alien-1979"], n=3
    )

    ratings: list[Rating] = Field([], max_length=MAX_RATINGS)
    not_seen: list[Id] = Field(
        [], max_length=MAX_RATINGS, description="Items that they could not rate."
    )
    n: Integer = Field(5, ge=1, le=MAX_LIST_LENGTH)


class InterviewResponse(Envelope):
    """Items to ask about, the most telling first; never one that was asked already."""

    items: list[ItemWithCount]
