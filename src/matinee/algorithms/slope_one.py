"""Slope One: how much better one item is than another, by those who rated both.

    score(u, i) = sum_j n_ij (r_uj + s_ij) / sum_j n_ij      over the j that u rated
    s_ij = mean of r_vi - r_vj over the n_ij users v who rated both     Lemire & Maclachlan 2005

The formula is written around the biases: each term is a deviation from the baseline, and the
damping is the weight of the baseline among them. With damping=0 and all items as candidates it is
exactly the weighted scheme of the paper.
"""

from dataclasses import dataclass
from typing import ClassVar

from matinee.algorithms.bias import Bias
from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Real
from matinee.data.ratings import Ratings
from matinee.kernels.item_neighbors import NeighborLists
from matinee.kernels.similarities import mean_differences
from matinee.models.baseline import Baseline
from matinee.models.neighbor import NeighborModel
from matinee.training.item_vectors import item_vectors
from matinee.training.progress import OnEpoch, quiet


@dataclass(frozen=True, kw_only=True)
class SlopeOne(RatingAlgorithm):
    """``SlopeOne().fit(train)``: weighted mean of differences, nothing to tune."""

    name: ClassVar[str] = "slope-one"

    n_candidates: int = setting(
        1000,
        "items most often rated together that each item keeps, at 12 bytes each",
        at_least=1,
    )
    damping: float = setting(
        0.0, "ratings in common that the baseline counts for", at_least=0, search=Real(0, 30)
    )

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> NeighborModel:
        baseline = Baseline.of(Bias(choice=None).fit(train))
        vectors = item_vectors(train, baseline.deviations(train))
        counts, differences = mean_differences(*vectors, self.n_candidates)
        lists = NeighborLists.of(
            counts,
            differences,
            n_neighbors=train.n_items,
            averaged=True,
            damping=self.damping,
        )
        model = NeighborModel.of(train, baseline, weights=lists, **self.signature)
        return self.with_choice(model, train)
