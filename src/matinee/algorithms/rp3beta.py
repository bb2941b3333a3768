"""RP3beta: a random walk of three steps, from a person to their items, to people, to new items.

    score(u, i) = sum_j x_uj w_ji             x_uj = 1 where u has j, else 0
    w_ji = sum_v x_vj x_vi / (n_j n_v)^alpha / n_i^beta                      Paudel et al. 2016

n_v is how many items v has, n_j and n_i how many people have them. With alpha = 1 and beta = 0,
w_ji is the chance to come from j to i by way of someone who has both; beta holds back the items
that every walk leads to, which is the better the more people have an item. Unlike in a cosine,
people who have nearly everything say little. An item keeps the n_neighbors items that lead to it
most, so the model is as small as that of item-knn. These are the same for any beta: so one fit
without it is enough to compare the lists of many on a held-out piece.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonObject
from matinee.kernels.item_neighbors import NeighborLists
from matinee.kernels.similarities import Comparison, nearest_rows
from matinee.models.baseline import Baseline
from matinee.models.neighbor import NeighborModel
from matinee.training.held_out import HeldOut, best_of
from matinee.training.item_vectors import item_vectors
from matinee.training.progress import OnEpoch, quiet

BETAS, USUAL_BETA = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), 0.3
SEED = 0  # of what is held out


@dataclass(frozen=True, kw_only=True)
class RP3beta(Algorithm):
    """``RP3beta().fit(train)``: every rating counts as a positive; scores only rank."""

    name: ClassVar[str] = "rp3beta"

    n_neighbors: int = setting(
        200, "items that lead to each item", at_least=1, search=Whole(20, 500, log=True)
    )
    alpha: float = setting(
        0.6, "power of the chances of each step", at_least=0, search=Real(0.2, 1.5)
    )
    beta: float | None = setting(
        None,
        "power of an item's popularity, which its scores are divided by; none: the best of "
        f"{', '.join(map(str, BETAS))} on held-out ratings, {USUAL_BETA} where these are few",
        at_least=0,
        search=Real(0, 1),
    )

    @property
    def kind(self) -> str:
        return "preference"

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> NeighborModel:
        n_v, n_i = (counts.astype(np.float64) for counts in (train.user_counts, train.item_counts))
        halves = n_v[train.user] ** (-self.alpha / 2)  # a product has one of v's for each item
        beta, learned = self._best_beta(train)
        norms = n_i**beta, n_i**self.alpha  # of the item led to, and of its neighbour
        weights = nearest_rows(*item_vectors(train, halves), norms, Comparison(), self.n_neighbors)
        lists = NeighborLists.of(weights, n_neighbors=self.n_neighbors)
        return NeighborModel.of(
            train,
            Baseline.zero(train),
            weights=lists,
            facts=learned,
            **self.signature,
        )

    def _best_beta(self, train: Ratings) -> tuple[float, JsonObject]:
        """The power of popularity, and what to report of how it was chosen."""
        if self.beta is not None:
            return self.beta, {}
        parts = HeldOut.of(train, SEED)
        if parts is None:
            return USUAL_BETA, {"beta": USUAL_BETA}
        walks = replace(self, beta=0.0).fit(parts.train)
        n_i = np.maximum(parts.train.item_counts, 1.0)
        ndcg = parts.ndcg_by_factors(walks, {beta: n_i**-beta for beta in BETAS})
        beta, report = best_of(ndcg)
        return beta, {"beta": beta, **report}
