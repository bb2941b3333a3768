"""The model itself: its facts, its training data, its quality, and its map."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from matinee.charts.factor_map import MOST_POINTS
from matinee.server.dependencies import snapshot_of, state_of
from matinee.server.limits import MAX_MAP_POINTS
from matinee.server.middleware.response_cache import Dependency
from matinee.server.presenters import charts
from matinee.server.presenters.model import model_facts
from matinee.server.responses import respond
from matinee.server.routes.parameters import Beside, Width
from matinee.server.schemas.model import DataResponse, MapResponse, ModelResponse, QualityResponse

router = APIRouter(tags=["model"])


@router.get("/v1/model", response_model=ModelResponse)
async def model(request: Request) -> Response:
    """The serving model, and the one beside it."""
    state, snapshot = state_of(request), snapshot_of(request)
    n_events = await asyncio.to_thread(state.store.count)
    content = {
        "model": model_facts(snapshot),
        "beside": model_facts(state.beside) if state.beside else None,
        "feedback_events": n_events,
    }
    return respond(request, snapshot, "model", content)


@router.get("/v1/data", response_model=DataResponse)
async def data(request: Request, width: Width = None) -> Response:
    """Statistics and charts of the ratings that the model was trained on."""
    snapshot = snapshot_of(request)
    content = await asyncio.to_thread(charts.training_data, snapshot, width)
    return respond(request, snapshot, "model", content, Dependency())


@router.get("/v1/quality", response_model=QualityResponse)
async def quality(request: Request, width: Width = None) -> Response:
    """How good the model is: its own figures, its lists, a comparison and a k-curve.

    Its own figures are those that ``matinee measure MODEL`` saved with it. The comparison and the
    k-curve are those of ``serve --record FILE --k-curve FILE``; each says which data it is of.
    """
    state, snapshot = state_of(request), snapshot_of(request)
    content = await asyncio.to_thread(charts.quality, snapshot, state.evaluation, width)
    return respond(request, snapshot, "model", content, Dependency())


@router.get("/v1/map", response_model=MapResponse)
async def map_of_items(
    request: Request,
    of: Literal["items", "users"] = "items",
    color: Annotated[str | None, Query(description="genre, decade or taste.")] = None,
    most: Annotated[
        int, Query(ge=1, le=MAX_MAP_POINTS, description="Points, those with most ratings.")
    ] = MOST_POINTS,
    width: Width = None,
    beside: Beside = False,
) -> Response:
    """Items, or users, in two dimensions of factor space."""
    snapshot = snapshot_of(request, beside)
    content = await asyncio.to_thread(charts.factor_map, snapshot, of, color, most, width)
    return respond(request, snapshot, "model", content, Dependency(personal=of == "users"))
