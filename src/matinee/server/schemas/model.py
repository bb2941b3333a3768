"""The model itself: its facts, its training data, its quality and its map."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from matinee.server.schemas.base import Envelope
from matinee.server.schemas.charts import Chart


class ModelFacts(BaseModel):
    """What a model is."""

    version: str
    algorithm: str
    kind: str
    scale: tuple[float, float]
    rating_step: float = Field(description="Such as 0.5 where ratings have halves; at most 1.")
    settings: dict[str, Any]
    facts: dict[str, Any]
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

    description: dict[str, Any]
    charts: list[Chart]


class QualityResponse(Envelope):
    """Evaluation results that the server was started with; empty where there are none."""

    comparison: list[dict[str, Any]]
    origin: dict[str, Any]
    curve: dict[str, Any] | None
    charts: list[Chart]


class MapPoint(BaseModel):
    """An item or user on the map."""

    model_config = ConfigDict(extra="allow")  # "class" is a keyword in Python
    id: str
    name: str
    x: float
    y: float
    n_ratings: int


class MapResponse(Envelope):
    """Items or users in two dimensions; ``legend`` lists the classes, the largest first."""

    of: str
    color: str
    legend: list[str]
    explained: float
    left_out: int
    points: list[MapPoint]
    charts: list[Chart]
