"""Slope One: whoever rated both films tells how much better one is than the other.

    score(u, i) = sum_j n_ij (r_uj + s_ij) / sum_j n_ij      over the j that u rated
    s_ij = mean of r_vi - r_vj over the n_ij users v who rated both     Lemire & Maclachlan 2005

Written around the biases, each term is how far j's word is from the baseline, and the damping is a
weight of the baseline among the words; at damping=0, with all items kept, it is the paper's
weighted scheme to the letter.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.bias import Bias
from matinee.algorithms.knn import pair_costs
from matinee.algorithms.search_space import Real, Space
from matinee.data.ratings import Ratings
from matinee.kernels.jit import read_only
from matinee.kernels.neighbors import Vectors, mean_shifts
from matinee.kernels.threads import run_rows
from matinee.models.baseline import BaselineModel
from matinee.models.neighbor import NeighborModel, lists_of
from matinee.training.progress import OnEpoch, quiet


@dataclass(frozen=True, kw_only=True)
class SlopeOne(Algorithm):
    """``SlopeOne().fit(train)``: weighted mean of differences, nothing to tune."""

    name: ClassVar[str] = "slope-one"
    space: ClassVar[Space] = {"damping": Real(0, 30)}

    n_candidates: int = 1000  # items most often rated together that each item keeps; 12 bytes each
    damping: float = 0.0  # ratings in common that the baseline counts for

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("n_candidates", at_least=1)
        self.require("damping", at_least=0)

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> NeighborModel:
        self.check_train(train)
        biases = Bias().fit(train)
        sides = biases.user_embeddings, biases.item_embeddings
        expected = sides[0].bias[train.user] + sides[1].bias[train.item]
        deviations = train.rating - np.float32(biases.global_mean) - expected
        neighbors, counts, shifts = self._differences(train, deviations)
        lists = lists_of(
            neighbors, counts, shifts, most=train.n_items, averaged=True, damping=self.damping
        )
        baseline = BaselineModel.common(
            train,
            biases.global_mean,
            *sides,
            biases.fold,
            kind="rating",
            algorithm=self.name,
            settings=self.settings,
        )
        return NeighborModel(**baseline, weights=lists)

    def _differences(self, train: Ratings, deviations: np.ndarray) -> tuple[np.ndarray, ...]:
        """Rows (n_items, n) of the items most often rated with each; how often; mean difference."""
        n = min(self.n_candidates, train.n_items)
        found = tuple(
            np.empty((train.n_items, n), kind) for kind in (np.int32, np.float32, np.float32)
        )
        vectors = Vectors(
            read_only(train.by_user.indptr, np.int64),
            read_only(train.item, np.int32),
            read_only(deviations, np.float32),
            read_only(np.empty(0), np.float64),
            True,
            0.0,
            1.0,
        )
        order = np.argsort(train.item, kind="stable")
        run_rows(
            mean_shifts,
            pair_costs(train),
            read_only(train.by_item.indptr, np.int64),
            read_only(train.by_item.indices, np.int32),
            read_only(deviations[order], np.float32),
            vectors,
            *found,
        )
        return found
