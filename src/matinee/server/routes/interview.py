"""Which items to ask a newcomer about."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from matinee.server.dependencies import compute, snapshot_of
from matinee.server.json_route import JsonRoute
from matinee.server.presenters.interview import questions
from matinee.server.presenters.items import item_with_count
from matinee.server.responses import respond
from matinee.server.schemas.interview import InterviewRequest, InterviewResponse

router = APIRouter(tags=["items"], route_class=JsonRoute)


@router.post("/v1/interview", response_model=InterviewResponse)
async def interview(request: Request, body: InterviewRequest) -> Response:
    """The items whose ratings by a newcomer would tell most, the most telling first."""
    snapshot = snapshot_of(request)

    def task() -> list[int]:
        return questions(snapshot, body)

    rows = await compute(task, scores=len(snapshot.model.items) * body.n * 10)
    content = {"items": [item_with_count(snapshot, row) for row in rows]}
    return respond(request, snapshot, "model", content)
