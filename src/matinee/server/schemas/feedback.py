"""Feedback: ratings and actions that arrive after training."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, WrapValidator

from matinee.feedback.actions import MAX_RECOMMENDATION_ID, KindName
from matinee.feedback.events import LATEST_TIME
from matinee.server.limits import MAX_EVENTS
from matinee.server.schemas.base import Envelope, Integer, Number, RequestBody, example
from matinee.server.schemas.identifiers import Id


class EventRow(RequestBody):
    """A rating, or another action of a user on an item."""

    user_id: Id
    item_id: Id
    kind: KindName = Field("rating", description="What the user did.")
    rating: Number | None = Field(
        None, description="Of kind rating alone: on the scale, or null to withdraw one."
    )
    timestamp: Integer | None = Field(
        None, ge=0, le=LATEST_TIME, description="Seconds since 1970; now unless given."
    )
    recommendation_id: str | None = Field(
        None, max_length=MAX_RECOMMENDATION_ID, description="Of the list that the item stood in."
    )


# Validated row by row, so that one that is wrong does not refuse those beside it.
UncheckedRow = Annotated[EventRow, WrapValidator(lambda row, check: row)]


class FeedbackRequest(RequestBody):
    """Rows of feedback; each row gets its own verdict."""

    model_config = example(
        events=[
            {"user_id": "42", "item_id": "alien-1979", "rating": 4.5},
            {"kind": "play", "user_id": "42", "item_id": "heat-1995"},
        ]
    )

    events: list[UncheckedRow] = Field(
        min_length=1,
        max_length=MAX_EVENTS,
        description="A row of another form is rejected with a reason, and those beside it are "
        "stored.",
    )


class RowVerdict(BaseModel):
    """Whether a row was accepted."""

    status: Literal["accepted", "rejected"]
    reason: str | None = None


class FeedbackResponse(Envelope):
    """One verdict per row, in order; accepted rows are on disk."""

    accepted: int
    rejected: int
    replayed: bool
    verdicts: list[RowVerdict]
