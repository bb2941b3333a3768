"""Online figures: click-through, conversion, coverage and latency by model."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from matinee.server.arms import MAIN
from matinee.server.dependencies import snapshot_of, state_of
from matinee.server.presenters.online import arm_figures, comparisons
from matinee.server.responses import respond
from matinee.server.schemas.online import OnlineResponse

router = APIRouter(tags=["feedback"])

LEVEL = 0.95


@router.get("/v1/online", response_model=OnlineResponse)
async def online(request: Request) -> Response:
    """What became of the lists that were shown, by model, with intervals between arms."""
    state, snapshot = state_of(request), snapshot_of(request)
    outcomes, latencies = await asyncio.gather(
        asyncio.to_thread(state.outcomes), asyncio.to_thread(state.metrics.list_latencies)
    )
    serving = {one.name: one for one in state.snapshots}
    arms = []
    for name, outcome in sorted(outcomes.items()):
        model = serving.get(name)
        n_items = len((model or snapshot).model.items)
        version = None if model is None else model.version
        figures = arm_figures(outcome, n_items, latencies.get(name))
        arms.append({"arm": name, "model_version": version, **figures})
    content = {"arms": arms, "comparisons": comparisons(outcomes, MAIN), "level": LEVEL}
    return respond(request, snapshot, "store", content)
