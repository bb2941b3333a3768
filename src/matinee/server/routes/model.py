"""The model itself: what it is, what it was fitted on, how good it is, and its map."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from matinee.server import answered, pictures
from matinee.server.answers import Holds, answer
from matinee.server.routes.parameters import Beside, Width
from matinee.server.serving import Serving
from matinee.server.working import serving_of, state_of

router = APIRouter(tags=["model"])


@router.get("/v1/model", response_model=answered.ModelAnswer)
async def model(request: Request) -> Response:
    """The model that answers, and the one beside it."""
    state, serving = state_of(request), serving_of(request)
    events = await asyncio.to_thread(state.store.count)
    content = {
        "model": facts_of(serving),
        "beside": facts_of(state.beside) if state.beside else None,
        "feedback_events": events,
    }
    return answer(request, serving, "model", content)


@router.get("/v1/data", response_model=answered.DataAnswer)
async def data(request: Request, width: Width = None) -> Response:
    """What is in the ratings that the model was fitted on: counts, and charts as their data."""
    serving = serving_of(request)
    content = await asyncio.to_thread(pictures.of_data, serving, width)
    return answer(request, serving, "model", content, Holds())


@router.get("/v1/quality", response_model=answered.QualityAnswer)
async def quality(request: Request, width: Width = None) -> Response:
    """What was measured: a comparison and a k-curve (serve --record FILE --k-curve FILE)."""
    state, serving = state_of(request), serving_of(request)
    content = await asyncio.to_thread(pictures.of_quality, state.measured, width)
    return answer(request, serving, "model", content)


@router.get("/v1/map", response_model=answered.MapAnswer)
async def map_of_items(
    request: Request,
    of: Literal["items", "users"] = "items",
    color: Annotated[str | None, Query(description="genre, decade or taste.")] = None,
    width: Width = None,
    beside: Beside = False,
) -> Response:
    """Items, or users, in two dimensions of factor space."""
    serving = serving_of(request, beside)
    content = await asyncio.to_thread(pictures.of_map, serving, of, color, width)
    return answer(request, serving, "model", content, Holds())


def facts_of(serving: Serving) -> dict[str, Any]:
    """What a model is, in plain data."""
    model = serving.model
    return {
        "version": serving.version,
        "algorithm": model.algorithm,
        "kind": model.kind,
        "scale": list(model.scale),
        "settings": dict(model.settings),
        "facts": dict(model.facts),
        "n_users": len(model.users),
        "n_items": len(model.items),
        "n_ratings": len(model.seen.values),
        "n_factors": getattr(model, "n_factors", 0),
        "views": list(model.views),
        "genres": list(serving.genres),
        "data_fingerprint": model.data_fingerprint,
        "has_tastes": getattr(model, "n_factors", 0) > 0 and hasattr(model, "tastes"),
    }
