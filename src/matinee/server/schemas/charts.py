"""Charts in responses."""

from pydantic import BaseModel

from matinee.display.plain_data import JsonObject


class Chart(BaseModel):
    """A chart: title, sentence and figures; its picture too when a width was requested."""

    chart: str
    title: str
    summary: str
    rows: list[JsonObject]
    svg: str | None = None
