"""A factor model that is the average of posterior samples, and knows how sure it is.

The samples' factors stand side by side: sample s has the columns s k .. (s + 1) k. Column f of
every sample is the same taste, as the algorithm has aligned the samples.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np

from matinee.models.factor import FactorModel
from matinee.row_solvers import PosteriorMean
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PosteriorModel(FactorModel):
    """The average over posterior samples of a factor model; ``BayesianMF`` makes it."""

    item_bias_variance: np.ndarray  # (n_items,) float32 over the samples, in squared stars

    @property
    def n_samples(self) -> int:
        """Posterior samples that scores are averaged over."""
        return len(cast(PosteriorMean, self.fold).reg)

    @property
    def n_factors(self) -> int:
        """Factors per user and item in each sample."""
        return self.item_embeddings.n_factors // self.n_samples

    @property
    def has_intervals(self) -> bool:
        return True

    @property
    def precomputed(self) -> tuple[str, ...]:
        return tuple(name for name in super().precomputed if name != "calibration")

    def reach(self, person: Person, items: np.ndarray, level: float) -> np.ndarray:
        from scipy.special import ndtri  # not above: every fit would load it

        deviation = np.sqrt(self.variance(person, items))
        return np.asarray(ndtri(0.5 + level / 2) * deviation)

    def variance(self, person: Person, items: np.ndarray) -> np.ndarray:
        """Variance (n,) of this person's ratings of the items in rows ``items`` around the scores.

            noise + E[y' A^-1 y] noise + Var[y . x] + Var[item bias]

        over the samples, where x is the person's solution, A its matrix and y = (q, 1). An item
        that nobody rated may be like any other, so its score varies as those of all others do.
        """
        n, fold = len(person.items), cast(PosteriorMean, self.fold)
        rated = person.history._replace(indices=np.arange(n, dtype=np.int32))
        scores, spreads = [], []
        for ridge, sample in fold.samples(
            self.item_embeddings.take(np.append(person.items, items))
        ):
            solved = Embeddings.zeros(1, sample.n_factors)
            ridge.solve(rated, self.global_mean, sample, solved)
            scores.append(solved.bias + sample.factors[n:] @ solved.factors[0])
            targets, penalty = np.arange(n, n + len(items)), ridge.row_penalty(sample)
            spread = ridge.spread(rated, sample, targets, solved, penalty)
            spreads.append(ridge.reg * spread)
        known = self.item_counts > 0
        everywhere = self.score_people([person], np.flatnonzero(known)).var(dtype=np.float64)
        variance: np.ndarray = np.where(known[items], self.item_bias_variance[items], everywhere)
        variance += np.mean(spreads, axis=0) + np.var(scores, axis=0) + float(np.mean(fold.reg))
        return variance
