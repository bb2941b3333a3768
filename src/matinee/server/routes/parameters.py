"""Query parameters that several routes share, and the check for unknown ones."""

from collections import Counter
from typing import Annotated, Any, get_args, get_origin

from fastapi import Depends, Query, Request
from fastapi.routing import APIRoute

from matinee.charts.chart import NARROWEST, WIDEST
from matinee.data.condition_texts import conditions_of
from matinee.errors import BadSetting, check_known
from matinee.lists.list_rules import STRONGEST, ListRules
from matinee.server.limits import (
    MAX_CONDITIONS,
    MAX_FILTER_ITEMS,
    MAX_LIST_DEPTH,
    MAX_LIST_LENGTH,
)

Length = Annotated[int, Query(ge=1, le=MAX_LIST_LENGTH, description="Number of entries.")]
Offset = Annotated[
    int, Query(ge=0, le=MAX_LIST_DEPTH - 1, description="Number of the best entries to skip.")
]
Cursor = Annotated[str | None, Query(description="next_cursor of the page before.")]
Beside = Annotated[bool, Query(description="Use the model beside this one (serve --beside).")]
Genre = Annotated[list[str] | None, Query(description="A genre; repeat it to allow several.")]
Year = Annotated[int | None, Query(description="A year.")]
Items = Annotated[
    list[str] | None, Query(max_length=MAX_FILTER_ITEMS, description="Only this item; repeatable.")
]
Exclude = Annotated[
    list[str] | None,
    Query(max_length=MAX_FILTER_ITEMS, description="Not this item; repeatable."),
]
Where = Annotated[
    list[str] | None,
    Query(
        max_length=MAX_CONDITIONS,
        description="COLUMN=VALUE or COLUMN=LOW..HIGH of the catalogue, such as genre=Horror or "
        "year=1990..1999; repeatable: any of several values, all of several columns.",
        examples=["genre=Horror"],
    ),
]
Strength = Annotated[
    float, Query(ge=0, le=STRONGEST, description="How strong the rule is, from 0 for not at all.")
]


async def rules_in_query(
    where: Where = None,
    min_ratings: Annotated[
        int, Query(ge=0, description="Training ratings that an item needs.")
    ] = 0,
    diversity: Strength = 0.0,
    novelty: Strength = 0.0,
    calibrated: Strength = 0.0,
) -> ListRules:
    """The rules that query parameters can state; a POST takes them all.

    It is asynchronous as FastAPI would compute it on a thread of its own, which takes longer.
    """
    return ListRules(
        where=conditions_of(where or (), "where"),
        min_ratings=min_ratings,
        diversity=diversity,
        novelty=novelty,
        calibrated=calibrated,
    )


RuleQuery = Annotated[ListRules, Depends(rules_in_query)]
Why = Annotated[
    str | None, Query(description="true, or a view such as factor or history: adds the reasons.")
]
StarsWeight = Annotated[
    float | None,
    Query(
        ge=0,
        allow_inf_nan=False,
        description="Points of choice that a star is worth: 0 ranks by choice alone.",
    ),
]
Caution = Annotated[
    float | None,
    Query(
        allow_inf_nan=False,
        description="From safe (above 0) to adventurous (0, or below): holds rare items back.",
    ),
]
Of = Annotated[
    str | None, Query(description="The number to take apart: list, its score, or stars.")
]
View = Annotated[str | None, Query(description="A view, such as factor or history.")]
Search = Annotated[str, Query(max_length=200, description="Text to search for.")]
Width = Annotated[
    int | None,
    Query(ge=NARROWEST, le=WIDEST, description="Adds pictures: SVG of this width in pixels."),
]


async def check_query_parameters(request: Request) -> None:
    """Raise BadSetting for a query parameter that the route does not have, or has once only."""
    route: APIRoute = request.scope["route"]
    own = route.dependant
    parts = [own, *own.dependencies]
    known = {one.alias: one.field_info for part in parts for one in part.query_params}
    counts = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in counts.items():
        check_known("query parameter", name, list(known))
        if count > 1 and not takes_list(known[name].annotation):
            raise BadSetting(f"the query parameter {name!r} is given {count} times; give it once")


def takes_list(annotation: Any) -> bool:
    """Whether a type is a list, or a union with one."""
    return any(get_origin(one) is list for one in (annotation, *get_args(annotation)))
