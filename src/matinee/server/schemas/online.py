"""Online figures: what became of the lists that were shown."""

from pydantic import BaseModel, Field

from matinee.server.schemas.base import Envelope


class ArmFigures(BaseModel):
    """The figures of one model. An impression counts once for each list and item."""

    arm: str
    model_version: str | None = Field(description="Null for a model that serves no longer.")
    users: int
    impressions: int
    clicks: int
    conversions: int
    click_through: float | None = Field(description="Clicked share of impressions.")
    conversion: float | None = Field(
        description="Share of impressions with a rating, like, play or purchase."
    )
    coverage: float | None = Field(description="Share of the items that were shown.")


class ArmDifference(BaseModel):
    """A difference of means over users, with an interval that holds at every look."""

    estimate: float
    low: float
    high: float
    decided: bool = Field(description="Whether the interval excludes 0.")


class ArmComparison(BaseModel):
    """One arm against another; null while either has fewer than 30 users."""

    arm: str
    against: str
    click_through: ArmDifference | None
    conversion: ArmDifference | None


class OnlineResponse(Envelope):
    """Figures of every model, and of the arms against the main model."""

    arms: list[ArmFigures]
    comparisons: list[ArmComparison]
    level: float = Field(description="Probability that an interval holds at all times together.")
