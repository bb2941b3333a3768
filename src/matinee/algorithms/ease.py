"""EASE: one weight from every item to every other, by a single matrix inversion.

    score(u, i) = sum_j x_uj B_ji           x_uj = 1 where u has j, else 0
    min  |X - X B|^2 + sum_j L_j |B_j.|^2    with B_ii = 0                          Steck 2019
    B_ji = - P_ji / P_ii,   P = (X'X + diag(L))^-1,   L_j = reg + dropout / (1 - dropout) n_j

n_j is how many have j. A dropout p is what training on copies of X in which each entry is missing
with chance p comes to on average (EDLAE, Steck 2020). It is the default, as it asks less of reg:
one value suits small and large data. dropout=0 is plain EASE, and then wants a larger reg.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Real
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting, Setting
from matinee.kernels.inverse import invert
from matinee.kernels.similarities import co_occurrences
from matinee.kernels.sparse import Sparse
from matinee.models.baseline import Baseline
from matinee.models.neighbor import NeighborModel
from matinee.training.progress import OnEpoch, quiet

BYTES_PER_WEIGHT = 12  # float64 while it is inverted, float32 in the model


@dataclass(frozen=True, kw_only=True)
class EASE(Algorithm):
    """``EASE().fit(train)``: every rating counts as a positive; scores only rank."""

    name: ClassVar[str] = "ease"

    reg: float = setting(
        250.0, "penalty on squared weights, in users", above=0, search=Real(10, 5000, log=True)
    )
    dropout: float = setting(
        0.5, "chance that an entry is missing in training", at_least=0, below=1, search=Real(0, 0.9)
    )
    max_memory_gb: float = setting(
        8.0, "refuse a fit that needs more: 12 bytes for each pair of items", above=0
    )

    @property
    def kind(self) -> str:
        return "preference"

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> NeighborModel:
        self.check_train(train)
        self._refuse_too_many(train.n_items)
        A = co_occurrences(Sparse(*train.by_item), Sparse(*train.by_user))
        counts = A.diagonal()
        np.fill_diagonal(A, counts * (1 + self.dropout / (1 - self.dropout)) + self.reg)
        invert(A)
        weights = np.divide(A, -A.diagonal(), dtype=np.float32, casting="same_kind")
        np.fill_diagonal(weights, 0.0)
        weights.flags.writeable = False
        return NeighborModel.of(train, Baseline.zero(train), weights=weights, **self.signature)

    def _refuse_too_many(self, n_items: int) -> None:
        needed = BYTES_PER_WEIGHT * n_items**2 / 1e9
        if needed > self.max_memory_gb:
            raise BadSetting(
                f"ease needs {needed:,.1f} GB for {n_items:,} x {n_items:,} weights, above "
                f"max_memory_gb={self.max_memory_gb:g}; raise it, leave rare items out, or use "
                "item-knn with ",
                Setting("feedback", "preference"),
            )
