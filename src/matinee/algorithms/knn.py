"""Neighbours: items that people rate alike, or people who rate alike.

    score(u, i) = b_ui + sum_j w_ij (r_uj - b_uj) / (sum_j w_ij + damping)
    b_ui = mu + b_u + c_i, the biases of ``Bias``

    item-knn: over the n_neighbors items j most like i that u rated          Sarwar et al. 2001
    user-knn: likewise over the users v most like u who rated i              Herlocker et al. 1999

Similarities w and their shrinkage are those of ``models.similarity``. The damping imagines one more
neighbour who says the baseline: a score that only far neighbours speak for stays near it, which
gains more than the choice of a similarity.
feedback="preference": whatever was rated counts 1, and a score is a plain sum of the weights, over
the n_neighbors of the item (item-knn) or of the user (user-knn); it only ranks.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.bias import Bias
from matinee.algorithms.search_space import Real, Space, Whole
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting
from matinee.kernels.jit import read_only
from matinee.kernels.neighbors import Vectors, nearest
from matinee.kernels.threads import run_rows
from matinee.models.baseline import BaselineModel
from matinee.models.neighbor import NeighborModel, lists_of
from matinee.models.similarity import SIMILARITIES, Similarity
from matinee.models.user_neighbor import UserNeighborModel
from matinee.row_solvers import LeastSquares
from matinee.row_solvers.embeddings import Embeddings
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

    def _baseline(self, train: Ratings) -> dict[str, Any]:
        """The common fields of the model: biases for ratings, zeros for preferences."""
        signature = {"kind": self.kind, "algorithm": self.name, "settings": self.settings}
        if self.feedback == "preference":
            return no_baseline(train, **signature)
        biases = Bias().fit(train)
        return BaselineModel.common(
            train,
            biases.global_mean,
            biases.user_embeddings,
            biases.item_embeddings,
            biases.fold,
            **signature,
        )


def no_baseline(train: Ratings, **signature: Any) -> dict[str, Any]:
    """The common fields of a model of preferences: a baseline of zero for everyone."""
    users, items = Embeddings.zeros(train.n_users, 0), Embeddings.zeros(train.n_items, 0)
    return BaselineModel.common(train, 0.0, users, items, LeastSquares(reg=1.0), **signature)


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
        baseline = self._baseline(train)
        rating = self.feedback == "rating"
        expected = (
            baseline["user_embeddings"].bias[train.user]
            + baseline["item_embeddings"].bias[train.item]
        )
        deviations = train.rating - np.float32(baseline["global_mean"]) - expected
        kept = max(self.n_candidates, self.n_neighbors) if rating else self.n_neighbors
        neighbors, weights = nearest_items(train, deviations, self._similarity(), kept)
        lists = lists_of(
            neighbors, weights, most=self.n_neighbors, averaged=rating, damping=self.damping
        )
        return NeighborModel(**baseline, weights=lists)


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
        return UserNeighborModel(
            **self._baseline(train),
            similarity=self._similarity(),
            n_neighbors=self.n_neighbors,
            damping=float(self.damping),
        )


def nearest_items(
    train: Ratings, deviations: np.ndarray, similarity: Similarity, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n_items, n) of the items most like each item, best first, -1 for none; similarities."""
    values = similarity.values(train.rating, deviations)
    as_neighbor, as_item = (
        similarity.norms(train.item, values, train.n_items, neighbor=one) for one in (True, False)
    )
    how = similarity.kind == "pearson", similarity.shrinkage, similarity.amplification
    return products_of_items(train, values, as_neighbor, as_item, n, *how)


def products_of_items(
    train: Ratings,
    values: np.ndarray,
    as_neighbor: np.ndarray,
    as_item: np.ndarray,
    n: int,
    pearson: bool = False,
    shrinkage: float = 0.0,
    amplification: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """The items (n_items, n) with the largest products of ``values``, and these; see ``compare``.

    A product of two items is divided by ``as_item`` of the one that asks, and by ``as_neighbor`` of
    the other, both (n_items,).
    """
    vectors = Vectors(
        read_only(train.by_user.indptr, np.int64),
        read_only(train.item, np.int32),
        read_only(values, np.float32),
        read_only(as_neighbor, np.float64),
        pearson,
        shrinkage,
        amplification,
    )
    order = np.argsort(train.item, kind="stable")
    n = min(n, train.n_items)
    found = np.empty((train.n_items, n), np.int32), np.empty((train.n_items, n), np.float32)
    run_rows(
        nearest,
        pair_costs(train),
        read_only(train.by_item.indptr, np.int64),
        read_only(train.by_item.indices, np.int32),
        read_only(values[order], np.float32),
        read_only(as_item, np.float64),
        vectors,
        *found,
    )
    return found


def pair_costs(train: Ratings) -> np.ndarray:
    """Work per item of comparing it with all others: the ratings of all who rated it."""
    ratings = train.by_user.counts[train.user].astype(np.float64)
    return np.bincount(train.item, ratings, train.n_items) + train.n_items
