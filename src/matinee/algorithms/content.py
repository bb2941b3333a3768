"""By features alone: each person's own regression of stars on what films are like.

    score(u, i) = mu + b_u + c_i + p_u . q_i,     q_i = V' f_i,   c_i = w' f_i
    min over p_u, b_u   sum_j (r_uj - score)^2 + reg sqrt(n_u) |p_u|^2 + bias_reg b_u^2

f_i are the features of the catalogue by TF-IDF and V their leading singular directions (latent
semantic analysis, Deerwester et al. 1990): with as many factors as there are features, this is
ridge regression on the features themselves. w says which features are rated higher by everybody.
Nothing is learned of a film from its own ratings, so new ones are on the same footing as old ones:
the classic comparison for whoever learns from ratings (Pazzani & Billsus 2007).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from matinee.algorithms.bias import Bias
from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.hybrid import with_features
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.models.hybrid import HybridModel, expected
from matinee.row_solvers import LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.priors import ridge
from matinee.training.progress import OnEpoch, quiet
from matinee.training.singular_vectors import leading_vectors
from matinee.training.vocabulary import vocabulary_of

FEATURE_DAMPING = 10.0  # items of average weight assumed on which features have no effect
REG_POWER = 0.5  # a user's penalty grows with the root of the number of ratings


@dataclass(frozen=True, kw_only=True)
class ContentBased(RatingAlgorithm):
    """``ContentBased().fit(train)``: needs a catalogue with genres, people, tags or texts."""

    name: ClassVar[str] = "content"

    n_factors: int = setting(
        100,
        "directions among the features; no more than there are",
        at_least=1,
        search=Whole(8, 256, log=True),
    )
    reg: float = setting(
        1.0,
        "penalty on a user's factors, whatever the scale of the ratings",
        above=0,
        search=Real(0.1, 10, log=True),
    )
    bias_reg: float = setting(4.0, "penalty on b_u", above=0, search=Real(0.5, 20, log=True))

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> HybridModel:
        """Learn from ratings and catalogue; raises BadSetting where nothing is known of items."""
        vocabulary = vocabulary_of(train, self.name)
        F = vocabulary.encode(train.catalog, train.items)
        rated = train.by_item.counts
        mean, quality = float(train.rating.mean(dtype="f8")), Bias(choice=None).fit(train).item_bias
        nothing = np.zeros((len(vocabulary), 1), np.float32)
        w = ridge(F, rated[:, None], quality[:, None].astype(np.float64), FEATURE_DAMPING, nothing)

        warm: Any = F[np.flatnonzero(rated)].astype(np.float64)
        most = min(self.n_factors, *(n - 1 for n in warm.shape))
        _, _, V = leading_vectors(warm, most, float((warm.data**2).sum()))
        W = np.column_stack([V, w]).astype(np.float32)
        items, users = expected(F, W), Embeddings.zeros(train.n_users, most)
        fold = LeastSquares(self.reg, REG_POWER, self.bias_reg)
        fold.solve(train.by_user, mean, items, users)
        model = self.model(
            train, mean, users, items, fold, unrated_items_learned=True, canonical=False
        )
        return self.with_choice(with_features(model, self, vocabulary, W), train)
