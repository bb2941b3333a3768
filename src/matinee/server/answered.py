"""The shapes of answers, for the OpenAPI document; tests hold answers to them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """What every answer tells."""

    model_version: str
    strategy: str = Field(
        description="How it came about: personal, folded_in, features, tastes or popular for a "
        "person; model for what is the same for everybody; store for what is kept."
    )
    took_ms: float


class Term(BaseModel):
    """One part of a score."""

    name: str
    value: float
    kind: str
    detail: str | None = None


class Why(BaseModel):
    """The short reasons of a list; the values add up to the score, rounded to hundredths."""

    by: str
    sentence: str
    terms: list[Term]


class Entry(BaseModel):
    """An item, in short."""

    item_id: str
    title: str
    year: int | None
    genres: list[str]


class Listed(Entry):
    """An item of a list for a person; ``predicted`` is the score clipped to the scale."""

    rank: int
    score: float
    predicted: float
    why: Why | None = None


class ListAnswer(Answer):
    """A list for a person."""

    user: str
    items: list[Listed]
    next_cursor: str | None = None
    unknown_items: list[str] = []


class ListOf(BaseModel):
    """One list of a batch."""

    user: str
    strategy: str
    items: list[Listed]


class BatchAnswer(Answer):
    """Lists for many users, in the order asked for."""

    lists: list[ListOf]


class Shown(BaseModel):
    """A row of a waterfall."""

    name: str
    value: float
    detail: str
    start: float
    end: float


class Interval(BaseModel):
    """Limits that a rating lies between with some probability."""

    level: float
    low: float
    high: float


class ExplanationAnswer(Answer):
    """Why an item scores what it does; ``terms`` sum to the score, ``shown`` add up as rounded."""

    user: str
    item_id: str
    title: str
    by: str
    views: list[str]
    score: float
    predicted: float
    unit: str
    sentence: str
    terms: list[Term]
    clipping: float
    shown: list[Shown]
    evidence: dict[str, int] = Field(description="Ratings that it rests on: by_user, of_item.")
    personal: float = Field(description="The share of the item's lead that is this person's own.")
    interval: Interval | None = Field(
        description="Where the rating will lie with probability level; null where unknown."
    )
    svg: str | None = None
    versus: dict[str, Any] | None = None


class Moved(Listed):
    """An item of a changed list, and where it stood before."""

    rank_before: int | None


class Standing(BaseModel):
    """Score and rank of an item among ``n_unseen``."""

    score: float
    rank: int


class Change(BaseModel):
    """How an item would move."""

    user: str
    item_id: str
    title: str
    changes: list[str]
    before: Standing
    after: Standing
    n_unseen: int
    sentence: str


class WhatIfAnswer(Answer):
    """The list as it is and as it would be."""

    user: str
    before: list[Listed]
    after: list[Moved]
    item: Change


class Found(Entry):
    """An item that was searched for."""

    n_ratings: int


class ItemsAnswer(Answer):
    """Items that were found, the most rated first."""

    items: list[Found]
    total: int
    next_cursor: str | None


class ItemAnswer(Answer, Found):
    """All about one item."""

    features: dict[str, list[str]]
    mean_rating: float | None
    tastes: list[dict[str, Any]]


class Similar(Entry):
    """An item like another."""

    rank: int
    similarity: float


class SimilarAnswer(Answer):
    """The items most like one."""

    item: Entry
    items: list[Similar]


class Weighted(BaseModel):
    """An item at an end of a taste."""

    item_id: str
    title: str
    weight: float


class Taste(BaseModel):
    """What a factor stands for."""

    model_config = ConfigDict(extra="allow")
    number: int
    label: str
    name: str
    share: float
    n_people: int
    top: list[Weighted] = []
    bottom: list[Weighted] = []


class Chart(BaseModel):
    """A chart: a title, a sentence, its figures; and its picture, where a width was asked for."""

    chart: str
    title: str
    summary: str
    rows: list[dict[str, Any]]
    svg: str | None = None


class TastesAnswer(Answer):
    """All tastes, those that matter most first."""

    tastes: list[Taste]
    charts: list[Chart]


class TasteAnswer(Answer):
    """One taste."""

    taste: Taste


class UserFound(BaseModel):
    """A user that was searched for."""

    user: str
    n_ratings: int


class UsersAnswer(Answer):
    """Users that were found."""

    users: list[UserFound]
    total: int
    next_cursor: str | None


class OwnRating(BaseModel):
    """A rating that somebody gave; ``source`` is "trained" or "feedback"."""

    item_id: str
    title: str
    rating: float
    source: Literal["trained", "feedback"]
    known: bool


class UserAnswer(Answer):
    """All that is kept of a user."""

    user: str
    n_ratings: int
    mean_rating: float | None
    ratings: list[OwnRating]
    events: list[dict[str, Any]]
    tastes: list[dict[str, Any]]


class ErasedAnswer(Answer):
    """What was erased; a model that was fitted on their ratings should be refitted."""

    user: str
    events_deleted: int
    needs_refit: bool


class RowVerdict(BaseModel):
    """What became of one row."""

    status: Literal["accepted", "rejected"]
    reason: str | None = None


class FeedbackAnswer(Answer):
    """A verdict a row, in their order; what is accepted is on the disk."""

    accepted: int
    rejected: int
    replayed: bool
    verdicts: list[RowVerdict]


class Facts(BaseModel):
    """What a model is."""

    version: str
    algorithm: str
    kind: str
    scale: tuple[float, float]
    settings: dict[str, Any]
    facts: dict[str, Any]
    n_users: int
    n_items: int
    n_ratings: int
    n_factors: int
    views: list[str]
    genres: list[str]
    data_fingerprint: str
    has_tastes: bool


class ModelAnswer(Answer):
    """The model that answers, and the one beside it."""

    model: Facts
    beside: Facts | None
    feedback_events: int


class DataAnswer(Answer):
    """What is in the ratings the model was fitted on."""

    description: dict[str, Any]
    charts: list[Chart]


class QualityAnswer(Answer):
    """What was measured before the server started; empty where it was given nothing."""

    comparison: list[dict[str, Any]]
    origin: dict[str, Any]
    curve: dict[str, Any] | None
    charts: list[Chart]


class Point(BaseModel):
    """A place on the map."""

    model_config = ConfigDict(extra="allow")  # "class" is no name in Python
    id: str
    name: str
    x: float
    y: float


class MapAnswer(Answer):
    """Items or users in the plane; ``legend`` are the classes of points, commonest first."""

    of: str
    color: str
    legend: list[str]
    explained: float
    left_out: int
    points: list[Point]
    charts: list[Chart]


class ReloadAnswer(Answer):
    """The model that answers now, and the one that did before."""

    before: str


class Health(BaseModel):
    """How the server is."""

    status: str


class PartOfRequest(BaseModel):
    """A part of a request that is wrong."""

    where: str
    message: str


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[PartOfRequest] = []
    model_version: str | None = None
