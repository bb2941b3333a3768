"""Feedback: ratings that count from now on."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from matinee.feedback.events import judge
from matinee.feedback.store import Post
from matinee.feedback.writing import TooMuch
from matinee.server import answered
from matinee.server.answers import answer
from matinee.server.asked import Feedback
from matinee.server.problems import Problem
from matinee.server.working import serving_of, state_of

router = APIRouter(tags=["feedback"])

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="However often a post with one key comes, it counts once (for a day).",
    ),
]


@router.post("/v1/feedback", response_model=answered.FeedbackAnswer)
async def feedback(request: Request, body: Feedback, idempotency_key: Key = None) -> Response:
    """Keep ratings, with a verdict a row. What is accepted is on the disk, and counts at once."""
    state, serving = state_of(request), serving_of(request)
    judged = [judge(row, serving.model.items, serving.model.scale) for row in body.events]
    events = tuple(event for event, _ in judged if event is not None)
    digest = hashlib.sha256(await request.body()).hexdigest()
    post = Post(events, tuple(verdict for _, verdict in judged), idempotency_key, digest)
    try:
        receipt = await state.writer.write(post)
    except TooMuch as busy:
        raise Problem(429, str(busy), retry_after=1) from busy
    if receipt.conflict:
        raise Problem(422, "this Idempotency-Key came with another body before; use a new one")
    if not receipt.replayed:
        for event in events:
            state.changes.note(event.user_id, receipt.seq)
    verdicts = [one.to_dict() for one in receipt.verdicts]
    accepted = sum(one["status"] == "accepted" for one in verdicts)
    if not receipt.replayed:
        state.metrics.events.labels("accepted").inc(accepted)
        state.metrics.events.labels("rejected").inc(len(verdicts) - accepted)
    content = {
        "accepted": accepted,
        "rejected": len(verdicts) - accepted,
        "replayed": receipt.replayed,
        "verdicts": verdicts,
    }
    return answer(request, serving, "store", content)
