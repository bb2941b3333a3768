"""Why: explanations, and what would change if the past were another."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from matinee.charts import waterfall
from matinee.models import Person
from matinee.server import answered
from matinee.server.answers import Holds, answer
from matinee.server.asked import ForWhy, WhatIf
from matinee.server.ids import ItemInPath, UserInPath
from matinee.server.newcomers import someone
from matinee.server.reasons import how_sure, whole
from matinee.server.routes.parameters import Beside, Width
from matinee.server.serving import Serving
from matinee.server.what_if import what_if
from matinee.server.working import people_of, serving_of, state_of, work

router = APIRouter(tags=["reasons"])


@router.get("/v1/users/{user}/explanations/{item}", response_model=answered.ExplanationAnswer)
async def explanation(
    request: Request,
    user: UserInPath,
    item: ItemInPath,
    by: Annotated[str | None, Query(description="A view, such as factor or history.")] = None,
    versus: Annotated[str | None, Query(description="Another item to compare with.")] = None,
    width: Width = None,
    beside: Beside = False,
) -> Response:
    """Why an item scores what it does for a user, in terms that sum to the score."""
    serving = serving_of(request, beside)
    stamp = state_of(request).changes.stamp(user)
    person = await people_of(request).find(serving, user)
    content = why_of(serving, person, item, by, versus, width)
    return answer(request, serving, person.strategy, content, Holds(user, stamp))


@router.post("/v1/explanations", response_model=answered.ExplanationAnswer)
async def explanation_for_someone(
    request: Request, body: ForWhy, beside: Beside = False
) -> Response:
    """Why an item scores what it does for somebody new, in terms that sum to the score."""
    serving = serving_of(request, beside)
    person = await someone(request, serving, body)
    content = why_of(serving, person, body.item, body.by, body.versus, body.width)
    return answer(request, serving, person.strategy, content)


def why_of(
    serving: Serving,
    person: Person,
    item: str,
    by: str | None,
    versus: str | None,
    width: int | None,
) -> dict[str, Any]:
    """An explanation, as a picture too and against another item where that is asked for."""
    why = serving.model.explain(person, item, by)
    content: dict[str, Any] = {
        **whole(why),
        **how_sure(serving.model, person, item),
        "views": list(serving.model.views),
    }
    if width is not None:
        content["svg"] = str(waterfall(why).inline(width))
    if versus is not None:
        content["versus"] = serving.model.explain(person, item, by, versus=versus).to_dict()
    return content


@router.post("/v1/what-if", response_model=answered.WhatIfAnswer)
async def what_would_change(request: Request, body: WhatIf) -> Response:
    """The list as it is, and as it would be with other ratings or a taste turned up or down."""
    serving = serving_of(request)
    person = await someone(request, serving, body)

    def compute() -> dict[str, Any]:
        return what_if(serving, person, body)

    content = await work(compute, scores=4 * len(serving.model.items))
    return answer(request, serving, person.strategy, {"user": person.name, **content})
