"""Explanations: why an item has its score."""

from pydantic import BaseModel, Field

from matinee.display.plain_data import JsonObject
from matinee.server.schemas.base import Envelope, Integer, example
from matinee.server.schemas.identifiers import Id
from matinee.server.schemas.persons import ChangedPersonReference
from matinee.server.schemas.weights import ListWeights


class ExplanationRequest(ChangedPersonReference, ListWeights):
    """Which item to explain, and how."""

    model_config = example(user="42", item="heat-1995", by="history", versus="alien-1979")

    item: Id
    by: str | None = Field(None, description="A view, such as factor or history.")
    of: str | None = Field(None, description="The number to take apart: list, or stars.")
    versus: Id | None = Field(None, description="Another item to compare with.")
    width: Integer | None = Field(
        None, ge=240, le=1600, description="Width of a picture, in pixels."
    )


class Term(BaseModel):
    """One part of a score."""

    name: str
    value: float
    kind: str
    detail: str | None = None


class ShortExplanation(BaseModel):
    """The reasons beside an item of a list; values rounded to hundredths sum to the score."""

    by: str
    sentence: str
    terms: list[Term]


class WaterfallRow(BaseModel):
    """A row of a waterfall chart."""

    name: str
    value: float
    detail: str
    start: float
    end: float


class Interval(BaseModel):
    """Limits that contain a rating with probability ``level``."""

    level: float
    low: float
    high: float


class ExplanationResponse(Envelope):
    """Why an item has its score: ``terms`` sum to it, and the rounded rows in ``shown`` do too."""

    user: str
    item_id: str
    title: str
    year: int | None
    by: str
    of: str = Field(description="The number that the terms sum to: the list score, or stars.")
    views: list[str]
    score: float
    score_name: str = Field(description="What the score is called: score, or list score.")
    total: str = Field(description="The score in words; a list score by its parts.")
    predicted: float
    unit: str
    sentence: str
    terms: list[Term]
    clipping: float
    shown: list[WaterfallRow]
    evidence: dict[str, int] = Field(
        description="Numbers of ratings behind the score: by_user, of_item."
    )
    personal: float | None = Field(
        description="Share of the item's lead that is specific to this person; null where it "
        "has no lead."
    )
    interval: Interval | None = Field(
        description="Prediction interval of the rating; null where the model has none."
    )
    svg: str | None = None
    versus: JsonObject | None = None
