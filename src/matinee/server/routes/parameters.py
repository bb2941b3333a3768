"""Query parameters: those that several routes share, and none that a route does not have."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.routing import APIRoute

from matinee.charts.chart import NARROWEST, WIDEST
from matinee.errors import check_known
from matinee.server.limits import DEEPEST, MOST_CANDIDATES, MOST_LISTED

Length = Annotated[int, Query(ge=1, le=MOST_LISTED, description="How many.")]
Offset = Annotated[
    int, Query(ge=0, le=DEEPEST - 1, description="How many of the best to pass over.")
]
Cursor = Annotated[str | None, Query(description="Where the last answer said to go on.")]
Beside = Annotated[bool, Query(description="Ask the model beside this one (serve --beside).")]
Genre = Annotated[list[str] | None, Query(description="A genre; given again, any of them.")]
Year = Annotated[int | None, Query(description="A year.")]
Items = Annotated[
    list[str] | None, Query(max_length=MOST_CANDIDATES, description="Only this item; repeatable.")
]
Why = Annotated[
    str | None, Query(description="true, or a view such as factor or history: adds the reasons.")
]
Search = Annotated[str, Query(max_length=200, description="Words to find.")]
Width = Annotated[
    int | None,
    Query(ge=NARROWEST, le=WIDEST, description="Adds pictures, SVG so many pixels wide."),
]


async def only_known(request: Request) -> None:
    """Raise BadSetting for a parameter that a route does not have: none is passed over."""
    route: APIRoute = request.scope["route"]
    known = [one.alias for one in route.dependant.query_params]
    for name in request.query_params:
        check_known("query parameter", name, known)
