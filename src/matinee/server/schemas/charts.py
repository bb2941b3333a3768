"""Charts in responses."""

from typing import Any

from pydantic import BaseModel


class Chart(BaseModel):
    """A chart: title, sentence and figures; its picture too when a width was requested."""

    chart: str
    title: str
    summary: str
    rows: list[dict[str, Any]]
    svg: str | None = None
