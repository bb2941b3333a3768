"""Why an item has its score, and what would change it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from matinee.display.plain_data import JsonObject
from matinee.server.dependencies import compute, resolver_of, snapshot_of, state_of
from matinee.server.json_route import JsonRoute
from matinee.server.middleware.response_cache import Dependency
from matinee.server.presenters.explanations import ScoreRequest, explanation_of
from matinee.server.presenters.standings import standing_content
from matinee.server.presenters.what_if import what_if
from matinee.server.responses import respond
from matinee.server.routes.parameters import Beside, Caution, Of, StarsWeight, View, Width
from matinee.server.schemas.explanations import ExplanationRequest, ExplanationResponse
from matinee.server.schemas.identifiers import ItemInPath, UserInPath
from matinee.server.schemas.standings import StandingRequest, StandingResponse
from matinee.server.schemas.what_if import WhatIfRequest, WhatIfResponse

router = APIRouter(tags=["reasons"], route_class=JsonRoute)


@router.get("/v1/users/{user}/explanations/{item}", response_model=ExplanationResponse)
async def explanation(
    request: Request,
    user: UserInPath,
    item: ItemInPath,
    by: View = None,
    versus: Annotated[str | None, Query(description="Another item to compare with.")] = None,
    width: Width = None,
    of: Of = None,
    stars_weight: StarsWeight = None,
    caution: Caution = None,
    beside: Beside = False,
) -> Response:
    """Why an item has its score for a user, in terms that sum to the score."""
    snapshot = snapshot_of(request, beside, user)
    stamp = state_of(request).changes.stamp(user)
    person = await resolver_of(request).by_id(snapshot, user)
    score = ScoreRequest(by, versus, width, of, stars_weight, caution)
    content = explanation_of(snapshot, person, item, score)
    return respond(request, snapshot, person.strategy, content, Dependency(user, stamp))


@router.post("/v1/explanations", response_model=ExplanationResponse)
async def explanation_for_someone(
    request: Request, body: ExplanationRequest, beside: Beside = False
) -> Response:
    """Why an item has its score for a new person, in terms that sum to the score."""
    snapshot = snapshot_of(request, beside, body.user)
    person = await resolver_of(request).by_changed_reference(snapshot, body)
    weights = body.stars_weight, body.caution
    score = ScoreRequest(body.by, body.versus, body.width, body.of, *weights)
    content = explanation_of(snapshot, person, body.item, score)
    return respond(request, snapshot, person.strategy, content)


@router.post("/v1/standings", response_model=StandingResponse)
async def standing_of_item(
    request: Request, body: StandingRequest, beside: Beside = False
) -> Response:
    """The rank of any item for a person, and what would bring it into the list or take it out."""
    snapshot = snapshot_of(request, beside, body.user)
    person = await resolver_of(request).by_changed_reference(snapshot, body)
    content = await asyncio.to_thread(standing_content, snapshot, person, body)
    return respond(request, snapshot, person.strategy, content)


@router.post("/v1/what-if", response_model=WhatIfResponse)
async def what_would_change(request: Request, body: WhatIfRequest) -> Response:
    """The list before and after changing ratings, or turning a taste up or down."""
    snapshot = snapshot_of(request, user=body.user)
    person = await resolver_of(request).by_reference(snapshot, body)

    def task() -> JsonObject:
        return what_if(snapshot, person, body)

    content = await compute(task, scores=4 * len(snapshot.model.items))
    return respond(request, snapshot, person.strategy, {"user": person.name, **content})
