"""Tastes: what each factor stands for, and a better name for it."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from matinee.errors import BadSetting, UnknownId
from matinee.server import answered
from matinee.server.answers import Holds, answer
from matinee.server.asked import NewName
from matinee.server.routes.parameters import Beside
from matinee.server.serving import Serving
from matinee.server.working import serving_of, state_of

router = APIRouter(tags=["tastes"])


@router.get("/v1/tastes", response_model=answered.TastesAnswer)
async def tastes(request: Request, beside: Beside = False) -> Response:
    """All tastes of the model, those that matter most first."""
    serving = serving_of(request, beside)
    content = {"tastes": tastes_of(serving).to_dicts()}
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
        raise BadSetting(f"models of {serving.model.algorithm} have no tastes; fit nmf or mf")
    return find()
