"""Feedback: ratings and actions that count from the next request on."""

import asyncio
import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from matinee.feedback.actions import CHANGING_HIDDEN, RESTORE, judge_row
from matinee.feedback.restoring import with_restored_ratings
from matinee.feedback.store import EventBatch
from matinee.feedback.writer import WriterBusy
from matinee.server.dependencies import snapshot_of, state_of
from matinee.server.json_route import JsonRoute
from matinee.server.lifecycle import ServerState
from matinee.server.problems import Problem
from matinee.server.responses import respond
from matinee.server.schemas.feedback import FeedbackRequest, FeedbackResponse

router = APIRouter(tags=["feedback"], route_class=JsonRoute)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Requests with the same key count once (for a day).",
    ),
]


@router.post("/v1/feedback", response_model=FeedbackResponse)
async def feedback(
    request: Request, body: FeedbackRequest, idempotency_key: IdempotencyKey = None
) -> Response:
    """Store rows of feedback, with a verdict on each. What is accepted counts at once."""
    state, snapshot = state_of(request), snapshot_of(request)
    batch = await batch_of(request, body, idempotency_key)
    try:
        receipt = await state.writer.write(batch)
    except WriterBusy as error:
        raise Problem(429, str(error), retry_after=1) from error
    if receipt.conflict:
        raise Problem(422, "this Idempotency-Key was used with another body; use a new one")
    verdicts = [verdict.to_dict() for verdict in receipt.verdicts]
    n_accepted = sum(verdict["status"] == "accepted" for verdict in verdicts)
    n_rejected = len(verdicts) - n_accepted
    if not receipt.replayed:
        note(state, batch, receipt.seq)
        state.metrics.events.labels("accepted").inc(n_accepted)
        state.metrics.events.labels("rejected").inc(n_rejected)
    content = {
        "accepted": n_accepted,
        "rejected": n_rejected,
        "replayed": receipt.replayed,
        "verdicts": verdicts,
    }
    return respond(request, snapshot, "store", content)


async def batch_of(request: Request, body: FeedbackRequest, key: str | None) -> EventBatch:
    """The ratings, actions and verdicts of a request."""
    snapshot = snapshot_of(request)
    model, step = snapshot.model, snapshot.rating_step
    judgements = [
        judge_row(row, model.items, model.scale, model.kind == "rating", step)
        for row in body.events
    ]
    if any(one.action is not None and one.action.kind == RESTORE for one in judgements):
        changes = state_of(request).changes
        judgements = await asyncio.to_thread(with_restored_ratings, model, changes, judgements)
    return EventBatch(
        tuple(one.event for one in judgements if one.event is not None),
        tuple(one.verdict for one in judgements),
        key,
        hashlib.sha256(await request.body()).hexdigest(),
        tuple(one.action for one in judgements if one.action is not None),
    )


def note(state: ServerState, batch: EventBatch, seq: int) -> None:
    """Let a batch that was written count from the next request on."""
    state.announce(seq)
    for event in batch.events:
        state.changes.note(event.user_id, seq)
    for action in batch.actions:
        state.metrics.actions.labels(action.kind).inc()
        if action.kind in CHANGING_HIDDEN:
            state.changes.note_hiding(action.user_id, seq)
