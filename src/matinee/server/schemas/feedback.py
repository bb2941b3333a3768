"""Feedback: ratings that arrive after training."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from matinee.server.limits import MAX_EVENTS
from matinee.server.schemas.base import Envelope, RequestBody


class FeedbackRequest(RequestBody):
    """Rows of feedback; each row gets its own verdict."""

    events: list[Any] = Field(
        min_length=1,
        max_length=MAX_EVENTS,
        examples=[[{"user_id": "42", "item_id": "alien-1979", "rating": 4.5}]],
        description='Rows of {"user_id", "item_id", "rating", "timestamp"}: a rating on the scale, '
        "or null to withdraw one; the time in seconds since 1970, by default now.",
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
