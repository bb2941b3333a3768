"""Neighbours: items that people rate alike, or people who rate alike.

    score(u, i) = b_ui + sum_j w_ij (r_uj - b_uj) / (sum_j w_ij + damping)
    b_ui = mu + b_u + c_i, the biases of ``Bias``

    item-knn: over the n_neighbors items j most like i that u rated          Sarwar et al. 2001
    user-knn: likewise over the users v most like u who rated i              Herlocker et al. 1999

Similarities w and their shrinkage are those of ``models.similarity``. The damping imagines one more
neighbour at the baseline: a score that rests on distant neighbours alone stays near it, which
gains more than the choice of a similarity.
feedback="preference": every rating counts 1, or its weight by TF-IDF or BM25, where similarities
are concerned, and a score is a plain sum of the weights over the n_neighbors of the item (item-knn)
or of the user (user-knn); it only ranks.
"""

import warnings
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from matinee.algorithms.bias import Bias
from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.hyperparameters import When, redefault, setting
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.errors import MatineeWarning, Setting
from matinee.kernels.item_neighbors import NeighborLists
from matinee.kernels.similarities import nearest_rows
from matinee.models.baseline import Baseline
from matinee.models.neighbor import NeighborModel
from matinee.models.similarity import SIMILARITIES, WEIGHTINGS, Similarity
from matinee.models.user_neighbor import UserNeighborModel
from matinee.training.item_vectors import item_vectors
from matinee.training.progress import OnEpoch, quiet

FEEDBACKS = ("rating", "preference")
OF_CHOICES = ("adjusted", "cosine")  # similarities that, with ratings all equal, are the cosine


@dataclass(frozen=True, kw_only=True)
class _KNN(RatingAlgorithm):
    """What the two have in common: settings, and the baseline."""

    feedback: str = setting(
        "rating", '"rating": scores in stars; "preference": scores that rank', choices=FEEDBACKS
    )
    n_neighbors: int = setting(
        30,
        "most neighbours that count for one score",
        When(70, feedback="preference"),
        at_least=1,
        search=Whole(5, 200, log=True),
    )
    similarity: str = setting(
        "adjusted",
        "adjusted cosine, cosine or Pearson correlation; of preferences, cosine",
        When("cosine", feedback="preference"),
        choices=SIMILARITIES,
    )
    shrinkage: float = setting(
        25.0,
        "ratings in common at which a similarity counts half",
        When(5.0, feedback="preference"),
        at_least=0,
        search=Real(1, 300, log=True),
    )
    amplification: float = setting(
        1.5,
        "power that similarities are raised to, to be weights",
        When(1.0, feedback="preference"),
        above=0,
        search=Real(0.5, 3),
    )
    damping: float = setting(
        0.03,
        "rating: weight of the baseline among the neighbours",
        When(0.0, feedback="preference"),
        at_least=0,
    )
    asymmetry: float = setting(
        0.5,
        "preference: 1/2 is the cosine, more holds popular ones back",
        When(0.7, feedback="preference"),
        at_least=0,
        at_most=1,
    )

    weighting: str = setting(
        "none",
        "preference: weights of what is common, tf-idf or bm25: rare things say more",
        When("tf-idf", feedback="preference"),
        choices=WEIGHTINGS,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.feedback == "preference":
            self.require_one_of("similarity", ("cosine",))
        else:
            self.require_one_of("weighting", ("none",))

    @property
    def kind(self) -> str:
        return self.feedback

    def for_data(self, train: Ratings) -> Self:
        """With ``feedback="preference"`` where all ratings are equal, as they say nothing in stars.

        A similarity that only stars have is left as it is.
        """
        if (
            train.signal.kind != "choices"
            or self.feedback == "preference"
            or self.similarity not in OF_CHOICES
        ):
            return self
        return type(self)(**self.non_default_settings | {"feedback": "preference"})

    def warn_of_choices(self, train: Ratings) -> None:
        """Warn that ratings are learned from as choices, though nobody has said so."""
        message = f"{train.signal}, so {self.name} takes "
        warnings.warn(MatineeWarning(message, Setting("feedback", self.feedback)), stacklevel=3)

    def _similarity(self) -> Similarity:
        return Similarity(
            self.similarity,
            float(self.shrinkage),
            float(self.amplification),
            float(self.asymmetry),
            binary=self.feedback == "preference",
            weighting=self.weighting,
        )

    def _baseline(self, train: Ratings) -> Baseline:
        """Biases for ratings, zeros for preferences."""
        if self.feedback == "preference":
            return Baseline.zero(train)
        return Baseline.of(Bias(choice=None).fit(train))


@dataclass(frozen=True, kw_only=True)
class ItemKNN(_KNN):
    """``ItemKNN().fit(train)``: you rated films like this one so, and so you will this one."""

    name: ClassVar[str] = "item-knn"

    n_candidates: int = setting(
        500, "rating: nearest items that each item keeps to find neighbours among", at_least=1
    )

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> NeighborModel:
        self.check_train(train)
        if (other := self.for_data(train)) is not self:
            other.warn_of_choices(train)
            return other.fit(train, validation, on_epoch)
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
        model = NeighborModel.of(train, baseline, weights=lists, **self.signature)
        return self.with_choice(model, train)


@dataclass(frozen=True, kw_only=True)
class UserKNN(_KNN):
    """``UserKNN().fit(train)``: people like you rated this so, and so you will."""

    name: ClassVar[str] = "user-knn"

    n_neighbors: int = redefault(_KNN, "n_neighbors", 50, When(200, feedback="preference"))
    shrinkage: float = redefault(_KNN, "shrinkage", 30.0, When(0.0, feedback="preference"))
    amplification: float = redefault(_KNN, "amplification", 1.0, When(2.0, feedback="preference"))
    damping: float = redefault(_KNN, "damping", 0.1, When(0.0, feedback="preference"))
    asymmetry: float = redefault(_KNN, "asymmetry", 0.5)

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> UserNeighborModel:
        self.check_train(train)
        if (other := self.for_data(train)) is not self:
            other.warn_of_choices(train)
            return other.fit(train, validation, on_epoch)
        model = UserNeighborModel.of(
            train,
            self._baseline(train),
            **self.signature,
            similarity=self._similarity(),
            n_neighbors=self.n_neighbors,
            damping=float(self.damping),
        )
        return self.with_choice(model, train)


def nearest_items(
    train: Ratings, deviations: np.ndarray, similarity: Similarity, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """The n items most similar to each item, and the similarities; see ``nearest_rows``.

    ``deviations`` (n_ratings,) are those from the baseline. Both results are (n_items, n).
    """
    values = similarity.values(train.rating, deviations)
    if similarity.weighting != "none":
        mean_count = len(train) / int(np.count_nonzero(train.item_counts))
        by_item = similarity.row_weights(train.item_counts, mean_count)[train.item]
        by_user = similarity.column_weights(train.user_counts, train.n_items)[train.user]
        values = (values * by_item * by_user).astype(np.float32)
    as_item, as_neighbor = (
        similarity.norms(train.item, values, train.n_items, neighbor=one) for one in (False, True)
    )
    vectors = item_vectors(train, values)
    return nearest_rows(*vectors, (as_item, as_neighbor), similarity.comparison, n)
