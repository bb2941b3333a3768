"""What operators ask: is it well, what does it count, load the model again."""

import asyncio

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from matinee.server import answered
from matinee.server.answers import JSON_TYPE, answer
from matinee.server.working import state_of

router = APIRouter(tags=["operations"])


@router.get("/healthz", response_model=answered.Health)
async def healthy() -> Response:
    """The process answers."""
    return Response(to_json({"status": "ok"}), media_type=JSON_TYPE)


@router.get("/readyz", response_model=answered.Health)
async def ready(request: Request) -> Response:
    """The model is loaded and the store can be read."""
    await asyncio.to_thread(state_of(request).store.seq)
    return Response(to_json({"status": "ready"}), media_type=JSON_TYPE)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """What the server counts, as Prometheus reads it."""
    text = state_of(request).metrics.text()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.post("/v1/admin/reload", response_model=answered.ReloadAnswer)
async def reload(request: Request) -> Response:
    """Load the model folder again; what runs finishes on the old model. Needs the token."""
    state = state_of(request)
    before = state.main.version
    serving = await asyncio.to_thread(state.reload)
    return answer(request, serving, "model", {"before": before})
