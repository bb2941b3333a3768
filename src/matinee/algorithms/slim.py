"""SLIM: few, non-negative weights between items, by an elastic net on each item's column.

    score(u, i) = sum_j x_uj w_ji           x_uj = lowest + (1 - lowest) (r_uj - low) / (high - low)
    min  1/2 |x_i - X w_i|^2 + l1 s sum_j w_ji + 1/2 sum_j L_j w_ji^2    with w_ji >= 0, w_ii = 0
    L_j = l2 s + dropout / (1 - dropout) sum_u x_uj^2     Ning & Karypis 2011, equation 4

x_uj is 0 where u does not have j; lowest and dropout are those of EASE. With n_j users of item j
and m the mean of x^2 over ratings, s = m sqrt(mean of n_j): chance co-occurrences grow like the
root of the counts, so penalties in this unit suit small and large data alike. Most weights are
exactly 0, and only the others are stored.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array

from matinee.algorithms.base import Algorithm
from matinee.algorithms.ease import EASE
from matinee.algorithms.hyperparameters import redefault, setting
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

    lowest: float = redefault(EASE, "lowest", 1.0)
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
        indptr, indices, *_ = train.by_user
        targets = train.scale.targets(train.rating, self.lowest)
        X = csr_array((targets, indices, indptr), (train.n_users, train.n_items))
        squares = np.bincount(train.item, targets.astype(np.float64) ** 2, train.n_items)
        n_j = train.item_counts
        unit = float(squares.sum() / len(train) * np.sqrt(n_j[n_j > 0].mean()))
        gram = X.T.tocsr() @ X
        weights = sparse_regressions(
            Sparse(gram.indptr, gram.indices, gram.data),
            self.l1 * unit,
            self.l2 * unit + self.dropout / (1 - self.dropout) * squares,
        )
        return NeighborModel.of(
            train,
            Baseline.zero(train),
            weights=NeighborLists.sums(weights),
            lowest=self.lowest,
            **self.signature,
        )
