"""Feedback: ratings that count from the next request on."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from matinee.feedback.events import judge
from matinee.feedback.store import EventBatch
from matinee.feedback.writer import WriterBusy
from matinee.server.dependencies import snapshot_of, state_of
from matinee.server.json_route import JsonRoute
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
    """Store ratings and return one verdict per row. Accepted rows are on disk and count at once."""
    state, snapshot = state_of(request), snapshot_of(request)
    judgements = [judge(row, snapshot.model.items, snapshot.model.scale) for row in body.events]
    events = tuple(event for event, _ in judgements if event is not None)
    digest = hashlib.sha256(await request.body()).hexdigest()
    verdicts_of_rows = tuple(verdict for _, verdict in judgements)
    batch = EventBatch(events, verdicts_of_rows, idempotency_key, digest)
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
        for event in events:
            state.changes.note(event.user_id, receipt.seq)
        state.metrics.events.labels("accepted").inc(n_accepted)
        state.metrics.events.labels("rejected").inc(n_rejected)
    content = {
        "accepted": n_accepted,
        "rejected": n_rejected,
        "replayed": receipt.replayed,
        "verdicts": verdicts,
    }
    return respond(request, snapshot, "store", content)
