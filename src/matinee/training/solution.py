"""What a method of fitting hands over to its algorithm."""

from dataclasses import dataclass, field

from matinee.display.plain_data import JsonObject
from matinee.row_solvers.base import FoldIn
from matinee.row_solvers.embeddings import Embeddings


@dataclass(frozen=True, eq=False)
class Solution:
    """Embeddings and mean of a factor model, and how it folds new users and items in."""

    mean: float
    users: Embeddings
    items: Embeddings
    user_fold: FoldIn
    item_fold: FoldIn | None = None
    facts: JsonObject = field(default_factory=dict)  # what is reported of the fit
    unrated_items_learned: bool = False  # whether items without ratings have a solution
