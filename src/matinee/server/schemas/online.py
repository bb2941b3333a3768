"""Online figures: what became of the lists that were shown."""

from pydantic import BaseModel, Field

from matinee.server.schemas.base import Envelope


class MeanOverUsers(BaseModel):
    """A mean over users, with an interval that holds at every look."""

    estimate: float
    low: float
    high: float


class ArmDifference(MeanOverUsers):
    """A difference of means over users, with an interval that holds at every look."""

    decided: bool = Field(description="Whether the interval excludes 0.")


class ListLatency(BaseModel):
    """How long lists took to compute, from the buckets of ``matinee_list_duration_seconds``."""

    n: int = Field(description="Computed lists since the server started, of all its workers.")
    median_ms: float | None = Field(
        description="Bound of the bucket with the median: half took at most this. Null beyond 10 s."
    )
    p99_ms: float | None = Field(description="The same for 99 % of them.")


class ArmFigures(BaseModel):
    """The figures of one model. An impression counts once for each list and item."""

    arm: str
    model_version: str | None = Field(description="Null for a model that serves no longer.")
    users: int
    lists: int = Field(description="Lists of which an item was shown.")
    impressions: int
    clicks: int
    conversions: int
    click_through: float | None = Field(description="Clicked share of impressions.")
    conversion: float | None = Field(
        description="Share of impressions with a rating, like, play or purchase."
    )
    click_through_by_user: MeanOverUsers | None = Field(
        description="Mean of each user's click-through; null of fewer than 30 users."
    )
    conversion_by_user: MeanOverUsers | None = Field(
        description="Mean of each user's conversion; null of fewer than 30 users."
    )
    coverage: float | None = Field(description="Share of the items that were shown.")
    latency: ListLatency | None = Field(description="Null where this server computed no list.")


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
