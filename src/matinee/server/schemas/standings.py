"""Standings: the rank of any item for a person."""

from pydantic import Field

from matinee.display.plain_data import JsonObject
from matinee.server.limits import MAX_LIST_LENGTH
from matinee.server.schemas.base import Envelope, Integer, example
from matinee.server.schemas.identifiers import Id
from matinee.server.schemas.persons import ChangedPersonReference
from matinee.server.schemas.weights import ListWeights


class StandingRequest(ChangedPersonReference, ListWeights):
    """Which item, for whom, and against how long a list."""

    model_config = example(user="42", item="heat-1995", n=10)

    item: Id
    by: str | None = Field(None, description="A view, such as factor or history.")
    n: Integer = Field(10, ge=1, le=MAX_LIST_LENGTH)
    width: Integer | None = Field(
        None, ge=240, le=1600, description="Adds a receipt: SVG of this width in pixels."
    )


class StandingResponse(Envelope):
    """The rank of an item among all that the person has not rated."""

    user: str
    item_id: str
    title: str
    year: int | None
    n: int
    rank: int
    n_ranked: int = Field(description="Items that the rank is among.")
    rating: float | None = Field(description="Their rating, of an item that they have rated.")
    is_listed: bool
    sentence: str
    last: JsonObject | None = Field(
        description="The terms that set it apart from the item in place n, and a sentence."
    )
    change: JsonObject | None = Field(
        description="The ratings that would take it out of the first n (removed) or bring it in "
        "(rated), and a sentence."
    )
    receipt: str | None = None
