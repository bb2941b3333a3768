"""For operators: health, metrics, and reloading the model."""

import asyncio

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from matinee.server.dependencies import state_of
from matinee.server.responses import JSON_TYPE, respond
from matinee.server.schemas.operations import Health, ReloadResponse

router = APIRouter(tags=["operations"])


@router.get("/healthz", response_model=Health)
async def healthy() -> Response:
    """The process answers."""
    return Response(to_json({"status": "ok"}), media_type=JSON_TYPE)


@router.get("/readyz", response_model=Health)
async def ready(request: Request) -> Response:
    """The model is loaded and the feedback store can be read."""
    await asyncio.to_thread(state_of(request).store.seq)
    return Response(to_json({"status": "ready"}), media_type=JSON_TYPE)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Counters of the server in the Prometheus text format."""
    state = state_of(request)
    state.metrics.set_outcomes(await asyncio.to_thread(state.outcomes))
    text = state.metrics.text()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.post("/v1/admin/reload", response_model=ReloadResponse)
async def reload(request: Request) -> Response:
    """Reload the model folder; running requests finish on the old model. Needs the token."""
    state = state_of(request)
    before = state.main.version
    snapshot = await asyncio.to_thread(state.reload)
    state.reload_others()
    return respond(request, snapshot, "model", {"before": before})
