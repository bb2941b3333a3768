"""Tastes: what each factor stands for, and a better name for it."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from matinee.charts import taste_card
from matinee.errors import UnknownId
from matinee.models import FactorModel
from matinee.models.capabilities import TASTES
from matinee.server.dependencies import snapshot_of, state_of
from matinee.server.json_route import JsonRoute
from matinee.server.middleware.response_cache import Dependency
from matinee.server.presenters.charts import chart_data
from matinee.server.presenters.titles import with_years
from matinee.server.responses import respond
from matinee.server.routes.parameters import Beside, Width
from matinee.server.schemas.tastes import TasteName, TasteResponse, TastesResponse
from matinee.server.snapshot import ModelSnapshot
from matinee.tastes import Tastes

router = APIRouter(tags=["tastes"], route_class=JsonRoute)


@router.get("/v1/tastes", response_model=TastesResponse)
async def tastes(request: Request, width: Width = None, beside: Beside = False) -> Response:
    """All tastes of the model, the most important first; with a width, cards in that order."""
    snapshot = snapshot_of(request, beside)
    model_tastes = tastes_of(snapshot)
    cards = () if width is None else map(taste_card, model_tastes.by_share())
    catalog = snapshot.model.catalog
    described = [with_years(catalog, taste) for taste in model_tastes.to_dicts()]
    content = {"tastes": described, "charts": chart_data(cards, width)}
    return respond(request, snapshot, "model", content, Dependency())


@router.patch("/v1/tastes/{taste}", response_model=TasteResponse)
async def rename(request: Request, taste: int, body: TasteName) -> Response:
    """Name a taste, in the model folder too. Needs the token."""
    state = state_of(request)
    n_tastes = len(tastes_of(state.main))
    if not 0 <= taste < n_tastes:
        raise UnknownId(f"there is no taste {taste}; there are 0 to {n_tastes - 1}")
    snapshot = await asyncio.to_thread(state.rename_taste, taste, body.name)
    state.reload_others()
    described = tastes_of(snapshot)[taste].to_dict()
    content = {"taste": with_years(snapshot.model.catalog, described)}
    return respond(request, snapshot, "model", content)


def tastes_of(snapshot: ModelSnapshot) -> Tastes:
    """The tastes of a model. Raises BadSetting for a model without tastes."""
    if not isinstance(snapshot.model, FactorModel):
        raise TASTES.missing(snapshot.model.algorithm)
    return snapshot.model.tastes()
