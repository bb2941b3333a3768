"""Tastes: what the factors of a model stand for."""

from pydantic import BaseModel, ConfigDict, Field

from matinee.server.schemas.base import Envelope, RequestBody, example
from matinee.server.schemas.charts import Chart


class TasteName(RequestBody):
    """A name for a taste; null or empty text restores its label."""

    model_config = example(name="Quiet science fiction")

    name: str | None = Field(max_length=80)


class ItemWeight(BaseModel):
    """An item at one end of a taste."""

    item_id: str
    title: str
    year: int | None
    weight: float


class Taste(BaseModel):
    """What a factor stands for."""

    model_config = ConfigDict(extra="allow")
    number: int
    label: str
    name: str
    share: float
    n_people: int
    top: list[ItemWeight] = []
    bottom: list[ItemWeight] = []


class TastesResponse(Envelope):
    """All tastes, the most important first."""

    tastes: list[Taste]
    charts: list[Chart]


class TasteResponse(Envelope):
    """One taste."""

    taste: Taste
