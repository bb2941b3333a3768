"""Biased matrix factorization by alternating least squares, with implicit factors.

    score(u, i) = mu + b_u + c_i + p_u . q_i                           Koren, Bell & Volinsky 2009
    min  sum w (r - score)^2 + user_reg sum_u sqrt(n_u) |p_u|^2 + item_reg sum_i sqrt(n_i) |q_i|^2
         + bias_reg (sum_u b_u^2 + sum_i c_i^2)
         + implicit_weight (|B - P Z'|^2 + |B - W Q'|^2 + implicit_reg (|Z|^2 + |W|^2))

w is the weight of a rating. B is 1 where a rating is and 0 elsewhere: P and Q approximate it as
well (Cortes 2018). An epoch solves items and then users, biases and factors of a row together, and
the implicit factors W and Z after each. Users are solved last, so folding a known user in returns
the trained row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.models.factor import FactorModel
from matinee.models.rotation import rotated_factors
from matinee.row_solvers import LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.alternating import Alternation, implicit_products, implicit_rows
from matinee.training.epochs import Training, initial_embeddings
from matinee.training.priors import ItemPrior
from matinee.training.progress import OnEpoch
from matinee.training.solution import Solution
from matinee.training.variances import Variances, resumed


def fit_by_als(
    plan: Alternation,
    train: Ratings,
    validation: Ratings | None,
    on_epoch: OnEpoch,
    start: FactorModel | None,
    prior: ItemPrior,
) -> Solution:
    """Alternate as ``plan`` says, from ``start`` where it is given.

    Raises Diverged when the error is no longer finite.
    """
    mean = train.mean if plan.centered else 0.0
    users, items = initial_embeddings(train, plan.n_factors, plan.init_scale, plan.seed, start)
    training = Training(train, validation, mean, users, items)
    penalties = Penalties.of(plan, training, start)
    if plan.implicit_reg is not None:
        users, items = users.with_implicit(), items.with_implicit()
        if start is not None:
            learn_implicit(users, items, train.by_user, plan.implicit_reg)
        training = replace(training, users=users, items=items)

    def step(epoch: int) -> None:
        fit_users, fit_items = penalties.solves(training)
        prior.solve(fit_items, train.by_item, mean, users, items)
        learn_implicit(items, users, train.by_item, plan.implicit_reg)
        fit_users.solve(train.by_user, mean, items, users)
        learn_implicit(users, items, train.by_user, plan.implicit_reg)

    facts = training.run(step, plan.n_epochs, on_epoch, plan.remedy)
    best = facts["best_epoch" if "best_epoch" in facts else "n_epochs_run"]
    fit_users, fit_items, learned = penalties.history[best - 1]
    explicit = Embeddings(users.factors, users.bias)
    facts |= {**learned, **plan.facts}
    return Solution(mean, explicit, items, fit_users, fit_items, facts, prior.learns_unrated)


@dataclass(eq=False)
class Penalties:
    """The row solves of each epoch: those that the plan states, or learned from where a fit is."""

    plan: Alternation
    now: Variances | None = None
    begun: bool = False  # whether there is anything to learn from
    history: list[tuple[LeastSquares, LeastSquares, Mapping[str, float]]] = field(
        default_factory=list
    )

    @classmethod
    def of(cls, plan: Alternation, training: Training, start: FactorModel | None) -> "Penalties":
        """Before the first epoch; the embeddings are turned to the basis of those of ``start``."""
        if plan.learning is None:
            return cls(plan)
        mean_weight = plan.learning.mean_weight
        first = Variances.first(plan.n_factors, plan.learning.unit, mean_weight)
        if start is None or not isinstance(start.fold, LeastSquares) or start.fold.matrix is None:
            return cls(plan, first)
        folds = start.fold, start.item_fold or start.fold
        now, basis = resumed(float(start.facts["noise"]) ** 2, *folds, first, mean_weight)
        for side in (training.users, training.items):
            side.factors[:] = rotated_factors(side.factors, basis)
        return cls(plan, now, begun=True)

    def solves(self, training: Training) -> tuple[LeastSquares, LeastSquares]:
        """The row solves of users and items in the next epoch."""
        learning, train = self.plan.learning, training.train
        facts: dict[str, float] = {}
        users, items = (
            cast(LeastSquares, one) for one in (self.plan.fit_users, self.plan.fit_items)
        )
        if learning is not None and self.now is not None:
            if self.begun:
                sides = training.users, training.items
                weights = train.user_weights, train.item_weights
                self.now = learning.learned(self.now, sides, weights, training.weighted_error())
            users, items = learning.solves(self.now)
            facts = {
                "noise": float(np.sqrt(self.now.noise)),
                "n_active_factors": self.now.active(learning.unit),
            }
        self.begun = True
        self.history.append((users, items, facts))
        return users, items


def learn_implicit(side: Embeddings, other: Embeddings, rated: Rows, reg: float | None) -> None:
    """Set the implicit factors of a side, where it has any; see ``implicit_rows``."""
    if side.implicit is not None and reg is not None:
        side.implicit[:] = implicit_rows(rated, other, implicit_products(other, reg))
