"""The model itself: its facts, its training data, its quality and its map."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from matinee.display.plain_data import JsonObject
from matinee.server.schemas.base import Envelope
from matinee.server.schemas.charts import Chart


class ModelFacts(BaseModel):
    """What a model is."""

    version: str
    algorithm: str
    kind: str
    scale: tuple[float, float]
    rating_step: float | None = Field(
        description="Such as 0.5 where ratings have halves; null where they go by no step."
    )
    settings: JsonObject
    facts: JsonObject
    n_users: int
    n_items: int
    n_ratings: int
    n_factors: int
    views: list[str]
    view_labels: dict[str, str]
    genres: list[str]
    data_fingerprint: str
    cautions: list[float] = Field(
        description="Values of caution from safe to adventurous, the model's own in the middle; "
        "none for lists by scores alone."
    )
    event_weights: dict[str, float | None] = Field(
        description="The rating that each kind of action counts as; null for none."
    )
    has_similar: bool
    has_tastes: bool


class ModelResponse(Envelope):
    """The serving model, and the one beside it."""

    model: ModelFacts
    beside: ModelFacts | None
    feedback_events: int


class DataResponse(Envelope):
    """Description of the ratings the model was trained on."""

    description: JsonObject
    charts: list[Chart]


class Estimate(BaseModel):
    """A metric with its 95 % interval, beside that of the most popular items."""

    metric: str
    value: float
    interval: tuple[float, float] | None
    popularity: float | None
    difference: tuple[float, float] | None = Field(
        description="The 95 % interval of the difference to popularity, on the same test users."
    )


class CalibrationPoint(BaseModel):
    """Of the intervals of a level, the share that holds the rating."""

    level: float
    share: float
    interval: tuple[float, float]


class OwnQuality(BaseModel):
    """What ``matinee measure`` found: the same algorithm, fitted on four fifths of the ratings."""

    algorithm: str
    label: str = Field(description="Its name, with the settings that are not the defaults.")
    data_fingerprint: str
    protocol: str
    n_users: int
    n_ratings: int
    n_cold: int
    metrics: list[Estimate]
    by_activity: list[JsonObject]
    by_popularity: list[JsonObject]
    calibration: list[CalibrationPoint]
    verdict: Literal["better", "tied", "worse"] | None = Field(
        description="The lists against those of popularity, by NDCG@10."
    )
    judgement: str
    charts: list[Chart]


class LabelledItem(BaseModel):
    """An item by id and label."""

    item_id: str
    label: str


class ListPair(BaseModel):
    """The list of a user, and that of popularity."""

    user_id: str
    n_rated: int
    items: list[LabelledItem]
    popular: list[LabelledItem]
    shared: int


class PopularLists(BaseModel):
    """Example lists beside popularity, and how alike they are."""

    summary: str
    pairs: list[ListPair]


class DataOrigin(BaseModel):
    """Which ratings a result is of, and whether they are those the model was fitted on."""

    fingerprint: str | None
    is_own: bool


class QualityResponse(Envelope):
    """The measured quality of the model, and evaluation results the server was started with."""

    own: OwnQuality | None
    lists: PopularLists
    comparison: list[JsonObject]
    comparison_data: DataOrigin
    origin: JsonObject
    curve: JsonObject | None
    curve_data: DataOrigin | None
    charts: list[Chart]


class MapPoint(BaseModel):
    """An item or user on the map."""

    model_config = ConfigDict(extra="allow")  # "class" is a keyword in Python
    id: str
    name: str
    x: float
    y: float
    n_ratings: int


class MapRegion(BaseModel):
    """A taste, and the median place of the points in which it is the strongest."""

    name: str
    x: float
    y: float


class MapResponse(Envelope):
    """Items or users in two dimensions; ``legend`` lists the classes, the largest first."""

    of: str
    color: str
    legend: list[str]
    regions: list[MapRegion]
    explained: float
    left_out: int
    points: list[MapPoint]
    charts: list[Chart]
