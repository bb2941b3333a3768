"""Lists of many users as a file, streamed."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from matinee.feedback.history import is_trained
from matinee.server.dependencies import snapshot_of, state_of
from matinee.server.json_route import JsonRoute
from matinee.server.list_export import FORMATS, ListExport, started
from matinee.server.presenters.recommendations import ListRequest, allowed_items
from matinee.server.routes.recommendations import filter_of
from matinee.server.schemas.exports import ExportRequest

router = APIRouter(tags=["recommendations"], route_class=JsonRoute)
FILES = {
    "description": "A row for each place of a list: user_id, rank, item_id, title, year, score "
    "and predicted.",
    "content": {one.media_type: {"schema": {"type": "string"}} for one in FORMATS.values()},
}


@router.post("/v1/recommendations:export", response_class=StreamingResponse, responses={200: FILES})
async def export_recommendations(request: Request, body: ExportRequest) -> Response:
    """The lists of many users, or of all trained ones, as NDJSON or Parquet."""
    state, snapshot = state_of(request), snapshot_of(request)
    model, rules = snapshot.model, body.rules()
    users = body.users
    if users is None:
        users = [user for user in model.users if is_trained(model, state.changes, user)]
    weights = body.stars_weight, body.caution
    requested = ListRequest(body.n, 0, None, body.exclude_seen, *weights, rules)
    candidates = allowed_items(snapshot, filter_of(body), rules)
    export = ListExport(snapshot, state.changes, users, candidates, requested)
    form = FORMATS[body.format]
    pieces = await asyncio.to_thread(started, form.write(export))
    headers = {"Content-Disposition": f'attachment; filename="lists.{body.format}"'}
    return StreamingResponse(pieces, media_type=form.media_type, headers=headers)
