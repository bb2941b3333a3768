"""Recommendation lists: for one person and for many users."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from matinee.lists.list_rules import STRONGEST, ListRules
from matinee.server.limits import (
    MAX_BATCH_USERS,
    MAX_CONDITIONS,
    MAX_FILTER_ITEMS,
    MAX_LIST_LENGTH,
)
from matinee.server.problems import shortened
from matinee.server.schemas.base import Envelope, Flag, Integer, Number, RequestBody, example
from matinee.server.schemas.explanations import ShortExplanation
from matinee.server.schemas.identifiers import Id
from matinee.server.schemas.items import ItemSummary
from matinee.server.schemas.persons import ChangedPersonReference
from matinee.server.schemas.weights import ListWeights


class NumberRange(RequestBody):
    """A range of numbers, open where an end is not given."""

    low: Number | None = None
    high: Number | None = None


Value = str | Integer | Number
Strength = Annotated[Number, Field(ge=0, le=STRONGEST)]


def check_conditions(where: object) -> object:
    """Conditions as they are. Raises ValueError unless they are an object, and says how it looks.

    It is a validator of its own as clients of GET write them as a list of texts.
    """
    if not isinstance(where, dict):
        raise ValueError(
            f"it is {shortened(where)}; it must be an object of conditions by column, such as "
            '{"genre": "Horror", "year": {"low": 1990, "high": 1999}}'
        )
    return where


class RuleFields(RequestBody):
    """Rules that a list must keep to."""

    min_ratings: Integer = Field(0, ge=0, description="Training ratings that an item needs.")
    where: Annotated[
        dict[str, Value | list[Value] | NumberRange], BeforeValidator(check_conditions)
    ] = Field(
        {},
        max_length=MAX_CONDITIONS,
        description="Conditions by column of the catalogue: a value, a list of values, any of "
        "which will do, or {low, high}.",
    )
    diversity: Strength = Field(0.0, description="How much items must differ from those before.")
    novelty: Strength = Field(0.0, description="How much items that few people know are raised.")
    calibrated: Strength = Field(
        0.0, description="How much genres must be in the person's own proportions."
    )
    boost: dict[Id, Number] = Field(
        {}, max_length=MAX_FILTER_ITEMS, description="What is added to the scores of items."
    )
    hide: list[Id] = Field([], max_length=MAX_FILTER_ITEMS, description="Items to leave out.")

    def rules(self) -> ListRules:
        """The rules as a value."""
        where = {
            name: (one.low, one.high) if isinstance(one, NumberRange) else one
            for name, one in self.where.items()
        }
        boost: dict[object, float] = dict(self.boost.items())
        return ListRules(
            min_ratings=self.min_ratings,
            where=where,
            diversity=self.diversity,
            novelty=self.novelty,
            calibrated=self.calibrated,
            boost=boost,
            hide=self.hide,
        )


class ItemConditions(RuleFields, ListWeights):
    """Which items a list may contain, and what beside the score ranks them."""

    genre: list[str] = Field([], description="Genres; an item needs one of them.")
    year_from: Integer | None = None
    year_to: Integer | None = None
    items: list[Id] | None = Field(
        None, max_length=MAX_FILTER_ITEMS, description="Only these items."
    )
    exclude: list[Id] = Field([], max_length=MAX_FILTER_ITEMS, description="Not these items.")
    exclude_seen: Flag = Field(True, description="Leave out items the person has rated.")


class RecommendationsRequest(ChangedPersonReference, ItemConditions):
    """A list for a person described in the body."""

    model_config = example(
        ratings=[{"item_id": "heat-1995", "rating": 5}, {"item_id": "alien-1979", "rating": 2}],
        where={"genre": "Horror", "year": {"low": 1970, "high": 1999}},
        diversity=0.3,
        n=5,
        why="true",
    )

    n: Integer = Field(10, ge=1, le=MAX_LIST_LENGTH)
    offset: Integer = Field(0, ge=0)
    why: str | None = Field(None, description="true, or a view: adds the reasons.")


class BatchRequest(ItemConditions):
    """Lists for many users."""

    model_config = example(users=["42", "7"], n=3)

    users: list[Id] = Field(min_length=1, max_length=MAX_BATCH_USERS)
    n: Integer = Field(10, ge=1, le=MAX_LIST_LENGTH)
    why: str | None = None


Source = Annotated[
    Literal["prepared", "computed"],
    Field(description="Whether the list was made ahead (serve --lists) or computed now."),
]


class RecommendedItem(ItemSummary):
    """An item of a list; ``predicted`` is the rating predicted, and ``score`` what ranks."""

    rank: int
    score: float
    predicted: float
    rules: dict[str, float] | None = Field(
        None, description="What each rule adds to the score, where rules re-rank."
    )
    total: float | None = Field(None, description="The score and what the rules add.")
    moved: str | None = Field(None, description="Such as 'up 3: calibration', or empty.")
    why: ShortExplanation | None = None


class RecommendationsResponse(Envelope):
    """A list for one person."""

    user: str
    items: list[RecommendedItem]
    next_cursor: str | None = None
    unknown_items: list[str] = Field([])
    source: Source
    arm: str = Field(description="The model that made the list, by name.")
    recommendation_id: str = Field(description="Joins impressions and clicks with this list.")


class UserRecommendations(BaseModel):
    """One list of a batch."""

    user: str
    strategy: str
    source: Source
    items: list[RecommendedItem]
    arm: str
    recommendation_id: str


class BatchResponse(Envelope):
    """Lists for many users, in the order of the request."""

    lists: list[UserRecommendations]
