"""SVD++: matrix factorization that also learns from which films were rated at all.

    score(u, i) = mu + b_u + c_i + q_i . (p_u + s_u),   s_u = sum_{j in N(u)} z_j / sqrt(n_u)
    min  sum (r - score)^2 + reg (|p_u|^2 + |q_i|^2) + bias_reg (b_u^2 + c_i^2)
         + implicit_reg sum_j |z_j|^2 / n_u,  all summed over ratings                  Koren 2008

r is in standard deviations of the ratings. N(u) are the films u rated in the training data, and
there only. The famous lower figures let N(u) see which films the test ratings are of;
``fit_transductive`` does, and is named for it. Steps are taken a user at a time in one thread, with
one step for all z_j of a user. In the model, user factors are p_u + s_u.
"""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.kernels.svdpp import Letters, UserRates, descend_users
from matinee.models.factor import FactorModel
from matinee.row_solvers import AroundImplicit, LeastSquares
from matinee.row_solvers.around_implicit import implicit_part
from matinee.splitting import check_apart
from matinee.training.epochs import Training, initial_embeddings, say_if_too_many
from matinee.training.progress import OnEpoch, quiet


@dataclass(frozen=True, kw_only=True)
class SVDpp(RatingAlgorithm):
    """``SVDpp().fit(train)``: ratings, and the choice of what to rate."""

    name: ClassVar[str] = "svdpp"

    n_factors: int = setting(
        50, "length of p_u, q_i and z_j", at_least=1, search=Whole(8, 100, log=True)
    )
    n_epochs: int = setting(27, "one epoch steps through every rating once", at_least=1)
    learning_rate: float = setting(0.011, "step size", above=0, search=Real(0.003, 0.03, log=True))
    reg: float = setting(
        0.053, "penalty per rating on p_u and q_i", at_least=0, search=Real(0.01, 0.3, log=True)
    )
    bias_reg: float = setting(0.03, "penalty per rating on b_u and c_i", at_least=0)
    implicit_reg: float = setting(
        0.18,
        "penalty on z_j, per user who rated j",
        at_least=0,
        search=Real(0.02, 2, log=True),
    )
    init_scale: float = setting(0.01, "standard deviation of the first factors", above=0)
    seed: int = setting(42, "of the first factors and the order of steps", at_least=0)

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> FactorModel:
        model = self._learn(train, train.by_user, validation, on_epoch)
        return self.with_choice(model, train)

    def fit_transductive(
        self, train: Ratings, chosen: Ratings, on_epoch: OnEpoch = quiet
    ) -> FactorModel:
        """Fit with N(u) = all that u rated in ``train`` and in ``chosen``, such as a test part.

        The ratings of ``chosen`` are not looked at, only of what they are. That tells which films
        are about to be asked for, so errors on them are not those of a forecast; compare them with
        other transductive figures only. Raises BadRatings where the parts are numbered differently
        or share a rating.
        """
        check_apart("training", train, "chosen", chosen)
        user, item = (
            np.concatenate([getattr(train, side), getattr(chosen, side)])
            for side in ("user", "item")
        )
        both = Ratings.of(train.users, train.items, user, item, np.ones(len(user)))
        model = self._learn(train, both.by_user, None, on_epoch)
        return replace(model, facts={**model.facts, "also_chosen": len(chosen)})

    def _learn(
        self,
        train: Ratings,
        implicit: Rows,
        validation: Ratings | None,
        on_epoch: OnEpoch,
    ) -> FactorModel:
        say_if_too_many(self.n_factors, train)
        unit = train.deviation
        users, items = initial_embeddings(train, self.n_factors, self.init_scale, self.seed)
        rng = np.random.default_rng((self.seed, 1))
        Z = rng.normal(0.0, self.init_scale, items.factors.shape).astype(np.float32)
        standard = users, items._replace(implicit=Z)
        own = users.factors.copy()  # p_u; users.factors holds p_u + s_u
        rows = shuffled_rows(train.standardized(train.mean).by_user, rng)
        rates = UserRates(self.learning_rate, self.reg, self.bias_reg, self.implicit_reg)
        letters = Letters(own, users.bias, items.factors, items.bias, Z)
        sides = users.in_units(unit), standard[1].in_units(unit)

        def step(epoch: int) -> None:
            rng = np.random.default_rng((self.seed, 1 + epoch))
            descend_users(rng.permutation(train.n_users), rows, implicit, 0.0, rates, letters)
            users.factors[:] = own + implicit_part(implicit, standard[1])
            for side, steps in zip(sides, standard, strict=True):
                side.fill(steps.in_units(unit))

        training = Training(train, validation, train.mean, *sides)
        remedy = f"lower learning_rate (now {self.learning_rate}) or raise reg"
        facts = training.run(step, self.n_epochs, on_epoch, remedy)
        solve = self._row_solve(facts["n_epochs_run"])
        fold_user, fold_item = (
            kind(**solve).in_units(unit) for kind in (AroundImplicit, LeastSquares)
        )
        return self.model(train, train.mean, *sides, fold_user, item_fold=fold_item, facts=facts)

    def _row_solve(self, n_epochs: int) -> dict[str, Any]:
        """The ridge whose solutions are like the steps', which end early.

        That alone is a ridge of 1 / (learning_rate n_epochs) beside reg n (Ali, Kolter & Tibshirani
        2019). The penalty below touches their sum where the two are equal.
        """
        stopped = 1 / (self.learning_rate * n_epochs)
        reg, bias_reg = (
            2 * sqrt(per_rating * stopped) or stopped for per_rating in (self.reg, self.bias_reg)
        )
        return {"reg": reg, "reg_power": 0.5, "bias_reg": bias_reg, "bias_power": 0.5}


def shuffled_rows(rows: Rows, rng: np.random.Generator) -> Rows:
    """The same rows with the ratings of each in random order, as gradient steps want them."""
    row_of = np.repeat(np.arange(len(rows.counts)), rows.counts)
    order = np.lexsort((rng.random(len(rows.values)), row_of))
    return Rows(rows.indptr, rows.indices[order], rows.values[order])
