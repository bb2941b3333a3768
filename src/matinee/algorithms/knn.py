"""Neighbours: items that people rate alike, or people who rate alike.

    score(u, i) = b_ui + sum_j w_ij (r_uj - b_uj) / (sum_j w_ij + damping)
    b_ui = mu + b_u + c_i, the biases of ``Bias``

    item-knn: over the n_neighbors items j most like i that u rated          Sarwar et al. 2001
    user-knn: likewise over the users v most like u who rated i              Herlocker et al. 1999

Similarities w and their shrinkage are those of ``models.similarity``. The damping imagines one more
neighbour at the baseline: a score that rests on distant neighbours alone stays near it, which
gains more than the choice of a similarity.
feedback="preference": every rating counts 1, and a score is a plain sum of the weights over the
n_neighbors of the item (item-knn) or of the user (user-knn); it only ranks.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.bias import Bias
from matinee.algorithms.search_space import Real, Space, Whole
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting
from matinee.kernels.item_neighbors import NeighborLists
from matinee.kernels.similarities import nearest_rows
from matinee.models.baseline import Baseline
from matinee.models.neighbor import NeighborModel
from matinee.models.similarity import SIMILARITIES, Similarity
from matinee.models.user_neighbor import UserNeighborModel
from matinee.training.item_vectors import item_vectors
from matinee.training.progress import OnEpoch, quiet

BY_FEEDBACK: Any = None  # a setting left to the feedback; filled in when the value is made
FEEDBACKS = ("rating", "preference")


@dataclass(frozen=True, kw_only=True)
class _KNN(Algorithm):
    """What the two have in common: settings, and the baseline."""

    space: ClassVar[Space] = {
        "n_neighbors": Whole(5, 200, log=True),
        "shrinkage": Real(1, 300, log=True),
        "amplification": Real(0.5, 3),
    }
    DEFAULTS: ClassVar[dict[str, dict[str, Any]]]  # of the settings left to the feedback

    feedback: str = "rating"  # "rating": scores in stars; "preference": scores that rank
    n_neighbors: int = BY_FEEDBACK  # most that speak for one score
    similarity: str = BY_FEEDBACK  # "adjusted", "cosine" or "pearson"; cosine for preferences
    shrinkage: float = BY_FEEDBACK  # ratings in common at which a similarity counts half
    amplification: float = BY_FEEDBACK  # power that similarities are raised to, to be weights
    damping: float = BY_FEEDBACK  # rating: weight of the baseline among the neighbours
    asymmetry: float = BY_FEEDBACK  # preference: 1/2 is the cosine, more holds popular ones back

    def __post_init__(self) -> None:
        self.require("feedback", one_of=FEEDBACKS)
        for setting, value in self.DEFAULTS[self.feedback].items():
            if getattr(self, setting) is None:
                object.__setattr__(self, setting, value)
        super().__post_init__()
        kinds = SIMILARITIES if self.feedback == "rating" else ("cosine",)
        self.require("similarity", one_of=kinds)
        self.require("n_neighbors", at_least=1)
        self.require("shrinkage", at_least=0)
        self.require("amplification", above=0)
        self.require("damping", at_least=0)
        self.require("asymmetry", at_least=0)
        if self.asymmetry > 1:
            raise BadSetting(f"asymmetry is {self.asymmetry}; it must be from 0 to 1")

    @property
    def kind(self) -> str:
        return self.feedback

    def _similarity(self) -> Similarity:
        return Similarity(
            self.similarity,
            float(self.shrinkage),
            float(self.amplification),
            float(self.asymmetry),
            binary=self.feedback == "preference",
        )

    def _baseline(self, train: Ratings) -> Baseline:
        """Biases for ratings, zeros for preferences."""
        if self.feedback == "preference":
            return Baseline.zero(train)
        return Baseline.of(Bias().fit(train))


@dataclass(frozen=True, kw_only=True)
class ItemKNN(_KNN):
    """``ItemKNN().fit(train)``: you rated films like this one so, and so you will this one."""

    name: ClassVar[str] = "item-knn"
    DEFAULTS: ClassVar[dict[str, dict[str, Any]]] = {
        "rating": {
            "n_neighbors": 30,
            "similarity": "adjusted",
            "shrinkage": 25.0,
            "amplification": 1.5,
            "damping": 0.03,
            "asymmetry": 0.5,
        },
        "preference": {
            "n_neighbors": 70,
            "similarity": "cosine",
            "shrinkage": 0.0,
            "amplification": 1.0,
            "damping": 0.0,
            "asymmetry": 0.6,
        },
    }

    n_candidates: int = 500  # rating: the most alike that each item keeps to find neighbours among

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("n_candidates", at_least=1)

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> NeighborModel:
        self.check_train(train)
        baseline, rating = self._baseline(train), self.feedback == "rating"
        n = max(self.n_candidates, self.n_neighbors) if rating else self.n_neighbors
        neighbors, weights = nearest_items(train, baseline.deviations(train), self._similarity(), n)
        lists = NeighborLists.of(
            neighbors,
            weights,
            n_neighbors=self.n_neighbors,
            averaged=rating,
            damping=self.damping,
        )
        return NeighborModel.of(
            train,
            baseline,
            weights=lists,
            **self.signature,
        )


@dataclass(frozen=True, kw_only=True)
class UserKNN(_KNN):
    """``UserKNN().fit(train)``: people like you rated this so, and so you will."""

    name: ClassVar[str] = "user-knn"
    DEFAULTS: ClassVar[dict[str, dict[str, Any]]] = {
        "rating": {
            "n_neighbors": 50,
            "similarity": "adjusted",
            "shrinkage": 30.0,
            "amplification": 1.0,
            "damping": 0.1,
            "asymmetry": 0.5,
        },
        "preference": {
            "n_neighbors": 70,
            "similarity": "cosine",
            "shrinkage": 0.0,
            "amplification": 2.0,
            "damping": 0.0,
            "asymmetry": 0.5,
        },
    }

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> UserNeighborModel:
        self.check_train(train)
        return UserNeighborModel.of(
            train,
            self._baseline(train),
            **self.signature,
            similarity=self._similarity(),
            n_neighbors=self.n_neighbors,
            damping=float(self.damping),
        )


def nearest_items(
    train: Ratings, deviations: np.ndarray, similarity: Similarity, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """The n items most similar to each item, and the similarities; see ``nearest_rows``.

    ``deviations`` (n_ratings,) are those from the baseline. Both results are (n_items, n).
    """
    values = similarity.values(train.rating, deviations)
    as_item, as_neighbor = (
        similarity.norms(train.item, values, train.n_items, neighbor=one) for one in (False, True)
    )
    vectors = item_vectors(train, values)
    return nearest_rows(*vectors, (as_item, as_neighbor), similarity.comparison, n)
