"""Item neighbours: what a user thought of the items most like this one.

    score(u, i) = b_ui + sum_j w_ij (r_uj - b_uj) / (sum_j w_ij + damping)

over the n_neighbors items j most like i that u rated.                     Sarwar et al. 2001
feedback="preference": the sum of w_ij over those of the n_neighbors of i that u has.

b_ui = mu + b_u + c_i are the biases of ``Bias``, w the similarities of ``models.similarity``. The
damping counts as one more neighbour at the baseline, which keeps a score near it that rests on
distant neighbours alone. ``KNN`` states the settings that user-knn has too.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.knn import KNN
from matinee.data.ratings import Ratings
from matinee.data.rows import mean_count
from matinee.kernels.item_neighbors import NeighborLists
from matinee.kernels.similarities import nearest_rows
from matinee.kernels.sparse import Sparse
from matinee.models.neighbor import NeighborModel
from matinee.models.similarity import Similarity
from matinee.training.item_vectors import item_vectors


@dataclass(frozen=True, kw_only=True)
class ItemKNN(KNN):
    """``ItemKNN().fit(train)``: you rated films like this one so, and so you will this one."""

    name: ClassVar[str] = "item-knn"

    n_candidates: int = setting(
        500, "rating: nearest items that each item keeps to find neighbours among", at_least=1
    )

    def neighbors_of(self, train: Ratings) -> NeighborModel:
        baseline, rating = self._baseline(train), self.feedback == "rating"
        n = max(self.n_candidates, self.n_neighbors) if rating else self.n_neighbors
        lists = NeighborLists.of(
            nearest_items(train, baseline.deviations(train), self._similarity(), n),
            n_neighbors=self.n_neighbors,
            averaged=rating,
            damping=self.damping,
        )
        return NeighborModel.of(train, baseline, weights=lists, **self.signature)


def nearest_items(train: Ratings, deviations: np.ndarray, similarity: Similarity, n: int) -> Sparse:
    """The n items most similar to each item, and the similarities; see ``nearest_rows``.

    ``deviations`` (n_ratings,) are those from the baseline.
    """
    values = similarity.values(train.rating, deviations)
    if similarity.weighting != "none":
        weights = similarity.row_weights(train.item_counts, mean_count(train.item_counts))
        by_item = weights[train.item]
        by_user = similarity.column_weights(train.user_counts, train.n_items)[train.user]
        values = (values * by_item * by_user).astype(np.float32)
    as_item, as_neighbor = (
        similarity.norms(train.item, values, train.n_items, neighbor=one) for one in (False, True)
    )
    vectors = item_vectors(train, values)
    return nearest_rows(*vectors, (as_item, as_neighbor), similarity.comparison, n)
