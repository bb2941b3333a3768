"""What-if: a list under changed ratings or tastes."""

from pydantic import BaseModel, Field

from matinee.server.limits import MAX_LIST_LENGTH, MAX_RATINGS
from matinee.server.schemas.base import Envelope, Integer, example
from matinee.server.schemas.identifiers import Id
from matinee.server.schemas.persons import ChangedPersonReference, Rating
from matinee.server.schemas.recommendations import RecommendedItem
from matinee.server.schemas.weights import ListWeights


class WhatIfRequest(ChangedPersonReference, ListWeights):
    """The ratings to remove or replace, and the tastes to weigh differently."""

    model_config = example(
        user="42", item="heat-1995", change=[{"item_id": "alien-1979", "rating": 5}], n=5
    )

    item: Id | None = Field(None, description="Also report how this item's score would change.")
    change: list[Rating] = Field([], max_length=MAX_RATINGS, description="Ratings to replace.")
    n: Integer = Field(10, ge=1, le=MAX_LIST_LENGTH)


class RerankedItem(RecommendedItem):
    """An item of the changed list, and its rank before."""

    rank_before: int | None


class ScoreAndRank(BaseModel):
    """Score and rank of an item among ``n_unseen``."""

    score: float
    rank: int


class ItemChange(BaseModel):
    """How one item would move."""

    user: str
    item_id: str
    title: str
    year: int | None
    changes: list[str]
    before: ScoreAndRank
    after: ScoreAndRank
    n_unseen: int
    sentence: str


class WhatIfResponse(Envelope):
    """The list before and after the change."""

    user: str
    before: list[RecommendedItem]
    after: list[RerankedItem]
    item: ItemChange
