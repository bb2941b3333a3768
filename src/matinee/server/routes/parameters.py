"""Query parameters that several routes share."""

from typing import Annotated

from fastapi import Query

from matinee.charts.chart import NARROWEST, WIDEST
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
