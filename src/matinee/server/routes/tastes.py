"""Tastes: what each factor stands for, and a better name for it."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from matinee.charts import taste_card
from matinee.errors import BadSetting, UnknownId
from matinee.models.kind import NO_TASTES
from matinee.server import answered
from matinee.server.answers import Holds, answer
from matinee.server.asked import NewName
from matinee.server.pictures import shown
from matinee.server.routes.parameters import Beside, Width
from matinee.server.serving import Serving
from matinee.server.working import serving_of, state_of

router = APIRouter(tags=["tastes"])


@router.get("/v1/tastes", response_model=answered.TastesAnswer)
async def tastes(request: Request, width: Width = None, beside: Beside = False) -> Response:
    """All tastes of the model, those that matter most first; with cards to draw, in that order."""
    serving = serving_of(request, beside)
    found = tastes_of(serving)
    cards = () if width is None else map(taste_card, found.by_share())
    content = {"tastes": found.to_dicts(), "charts": shown(cards, width)}
    return answer(request, serving, "model", content, Holds())


@router.patch("/v1/tastes/{taste}", response_model=answered.TasteAnswer)
async def rename(request: Request, taste: int, body: NewName) -> Response:
    """Give a taste a name, in the model folder too. Needs the token."""
    state = state_of(request)
    known = tastes_of(state.main)
    if not 0 <= taste < len(known):
        raise UnknownId(f"there is no taste {taste}; there are 0 to {len(known) - 1}")
    serving = await asyncio.to_thread(state.rename_taste, taste, body.name)
    one = tastes_of(serving)[taste].to_dict()
    return answer(request, serving, "model", {"taste": one})


def tastes_of(serving: Serving) -> Any:
    """The tastes of a model. Raises BadSetting where it has none."""
    find = getattr(serving.model, "tastes", None)
    if find is None:
        raise BadSetting(NO_TASTES.format(serving.model.algorithm))
    return find()
