"""User neighbours: what the users most like this one thought of an item.

    score(u, i) = b_ui + sum_v w_uv (r_vi - b_vi) / (sum_v w_uv + damping)

over the n_neighbors users v most like u who rated i.                    Herlocker et al. 1999
feedback="preference": the sum of w_uv over those of the n_neighbors of u who have i.

b_ui = mu + b_u + c_i are the biases of ``Bias``, w the similarities of ``models.similarity``. The
damping counts as one more neighbour at the baseline, which keeps a score near it that rests on
distant neighbours alone. ``KNN`` states the settings that item-knn has too.
"""

from dataclasses import dataclass
from typing import ClassVar

from matinee.algorithms.hyperparameters import When, redefault
from matinee.algorithms.knn import KNN
from matinee.data.ratings import Ratings
from matinee.models.user_neighbor import UserNeighborModel


@dataclass(frozen=True, kw_only=True)
class UserKNN(KNN):
    """``UserKNN().fit(train)``: people like you rated this so, and so you will."""

    name: ClassVar[str] = "user-knn"

    n_neighbors: int = redefault(KNN, "n_neighbors", 50, When(200, feedback="preference"))
    shrinkage: float = redefault(KNN, "shrinkage", 30.0, When(0.0, feedback="preference"))
    amplification: float = redefault(KNN, "amplification", 1.0, When(2.0, feedback="preference"))
    damping: float = redefault(KNN, "damping", 0.1, When(0.0, feedback="preference"))
    asymmetry: float = redefault(KNN, "asymmetry", 0.5)

    def neighbors_of(self, train: Ratings) -> UserNeighborModel:
        return UserNeighborModel.of(
            train,
            self._baseline(train),
            **self.signature,
            similarity=self._similarity(),
            n_neighbors=self.n_neighbors,
            damping=float(self.damping),
        )
