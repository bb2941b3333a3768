"""Popularity: everybody is shown what most people rated. The baseline every ranking must beat.

score(u, i) = number of training ratings of i
"""

from dataclasses import dataclass
from typing import ClassVar

from matinee.algorithms.base import Algorithm
from matinee.data.ratings import Ratings
from matinee.models.factor import FactorModel
from matinee.row_solvers import LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.progress import OnEpoch, quiet


@dataclass(frozen=True, kw_only=True)
class Popularity(Algorithm):
    """``Popularity().fit(train)``: scores are counts, good for ranking and not in stars."""

    name: ClassVar[str] = "popularity"

    @property
    def kind(self) -> str:
        return "preference"

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> FactorModel:
        users, items = Embeddings.zeros(train.n_users, 0), Embeddings.zeros(train.n_items, 0)
        items.bias[:] = train.by_item.counts
        fold = LeastSquares(reg=1.0)  # no factors and no bias: every person is the same
        return self.model(train, 0.0, users, items, fold)
