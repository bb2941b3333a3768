"""SLIM: few, non-negative weights between items, by an elastic net on each item's column.

    score(u, i) = sum_j x_uj w_ji           x_uj = 1 where u has j, else 0
    min  1/2 |x_i - X w_i|^2 + l1 s sum_j w_ji + 1/2 sum_j L_j w_ji^2    with w_ji >= 0, w_ii = 0
    L_j = l2 s + dropout / (1 - dropout) n_j              Ning & Karypis 2011, equation 4

n_j is how many users have item j, and s = sqrt(mean of n_j): chance co-occurrences grow like the
root of the counts, so penalties in this unit suit small and large data alike. The dropout is that
of EASE. Most weights are exactly 0, and only the others are stored.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Real
from matinee.data.ratings import Ratings
from matinee.kernels.elastic_net import sparse_regressions
from matinee.kernels.item_neighbors import NeighborLists
from matinee.kernels.sparse import Sparse
from matinee.models.baseline import Baseline
from matinee.models.neighbor import NeighborModel
from matinee.training.progress import OnEpoch, quiet


@dataclass(frozen=True, kw_only=True)
class SLIM(Algorithm):
    """``SLIM().fit(train)``: every rating counts as a positive; scores only rank."""

    name: ClassVar[str] = "slim"

    l1: float = setting(
        0.3,
        "penalty on weights, in roots of the mean number of users of an item",
        above=0,
        search=Real(0.05, 2, log=True),
    )
    l2: float = setting(
        5.0,
        "penalty on squared weights, in the same unit",
        above=0,
        search=Real(0.5, 50, log=True),
    )
    dropout: float = setting(
        0.5, "chance that an entry is missing in training", at_least=0, below=1, search=Real(0, 0.9)
    )

    @property
    def kind(self) -> str:
        return "preference"

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> NeighborModel:
        self.check_train(train)
        n_j = train.item_counts
        unit = float(np.sqrt(n_j[n_j > 0].mean()))
        X = train.csr().astype(np.float32)
        X.data = np.ones_like(X.data)
        gram = (X.T @ X).tocsr()
        weights = sparse_regressions(
            Sparse(gram.indptr, gram.indices, gram.data),
            self.l1 * unit,
            self.l2 * unit + self.dropout / (1 - self.dropout) * n_j,
        )
        lists = NeighborLists.sums(weights)
        return NeighborModel.of(train, Baseline.zero(train), weights=lists, **self.signature)
