"""Bayesian personalised ranking: what someone chose should stand above what they did not.

    score(u, i) = c_i + p_u . q_i
    min  sum over positives (u, i), negatives j drawn for them:  -ln sigmoid(score_ui - score_uj)
         + user_reg |p_u|^2 / 2 + item_reg (|q_i|^2 / sqrt(n_i) + |q_j|^2 / sqrt(n_j)) / 2
         + bias_reg (c_i^2 + c_j^2) / 2                                           Rendle et al. 2009

Every rating is a positive, whatever its value; n_i is how many item i has. With a penalty per step
that is the same for all items, small data want twice that of large; over the root of n_i, one value
suits both. For each positive, n_negatives items are drawn and the one
that scores highest is learned from: it is where the ranking is wrong (Zhang et al. 2013; 1 is plain
BPR). Positives are dealt into a grid whose blocks share no user and no item, and a negative comes
from the item group of its positive, so blocks run side by side and the same bits come out at any
number of threads. Items are dealt anew in each epoch, popular and rare ones evenly into each
group: over the epochs every pair of items meets, and no kind of item is drawn more than another.

A newcomer's factors are the implicit least-squares solution on the items', as long as trained ones
are: near what gradient steps end at, not the same. Explanations by history show the difference.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.device_memory import row_solve_memory
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.data.rows import indptr_of
from matinee.display.plain_data import JsonObject
from matinee.kernels.bpr import PairRates, Pairs, descend_pairs
from matinee.models.factor import FactorModel
from matinee.models.trial_fits import trial_fits
from matinee.row_solvers import ImplicitLeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.epochs import (
    check_validation,
    initial_embeddings,
    run_epochs,
    say_if_too_many,
)
from matinee.training.grid import deal
from matinee.training.held_out import HeldOut, best_of
from matinee.training.progress import OnEpoch, quiet

POSITIVES_PER_BLOCK = 3000
ITEMS_PER_GROUP = 64  # at least, for negatives to be drawn from
MOST_GROUPS = 64
EPOCHS, USUAL_EPOCHS = (30, 100, 240), 30
FOLD_REG, FOLD_UNOBSERVED = 0.1, 0.05  # of the least squares that fold newcomers in


@dataclass(frozen=True, kw_only=True)
class BPR(Algorithm):
    """``BPR().fit(train)``: pairwise ranking by gradient descent."""

    name: ClassVar[str] = "bpr"
    grows_with: ClassVar[tuple[str, ...]] = ("n_factors",)

    n_factors: int = setting(
        64, "length of p_u and q_i", at_least=1, search=Whole(8, 256, log=True)
    )
    n_epochs: int | None = setting(
        None,
        "one epoch takes a step for each positive; none: the best of "
        f"{', '.join(map(str, EPOCHS))} on held-out ratings, {USUAL_EPOCHS} where these are few",
        at_least=1,
    )
    learning_rate: float = setting(
        0.05,
        "first step size; it falls linearly to a tenth",
        above=0,
        search=Real(0.01, 0.2, log=True),
    )
    user_reg: float = setting(
        0.1, "penalty per step on p_u", at_least=0, search=Real(0.01, 1, log=True)
    )
    item_reg: float = setting(
        0.15,
        "penalty per step on q_i, over the root of the item's positives",
        at_least=0,
        search=Real(0.01, 1, log=True),
    )
    bias_reg: float = setting(0.01, "penalty per step on c_i", at_least=0)
    n_negatives: int = setting(
        8,
        "items drawn for a positive; the one that scores highest is learned from",
        at_least=1,
        search=Whole(1, 32, log=True),
    )
    init_scale: float = setting(0.1, "standard deviation of the first factors", above=0)
    seed: int = setting(42, "of the first factors and the negatives", at_least=0)

    @property
    def kind(self) -> str:
        return "preference"

    def device_memory(self, train: Ratings) -> int:
        return row_solve_memory(train, self.n_factors)

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> FactorModel:
        check_validation(train, validation)
        say_if_too_many(self.n_factors, train)
        n_epochs, learned = self._epochs(train)
        users, items = initial_embeddings(train, self.n_factors, self.init_scale, self.seed)
        deals = Deals.of(train, self.seed)
        n_i = np.maximum(train.item_counts, 1)
        item_reg = self.item_reg / np.sqrt(n_i)

        def step(epoch: int) -> None:
            rate = self.learning_rate * (1 - 0.9 * (epoch - 1) / n_epochs)
            rates = PairRates(rate, self.user_reg, item_reg, self.bias_reg, self.n_negatives)
            deals.descend(epoch, rates, users, items)

        remedy = f"lower learning_rate (now {self.learning_rate}) or raise user_reg and item_reg"
        facts = learned | run_epochs(step, n_epochs, on_epoch, (users, items), remedy)
        fold = as_long_as_trained(train, users, items)
        return self.model(train, 0.0, users, items, fold, facts=facts, unrated_items_learned=True)

    def _epochs(self, train: Ratings) -> tuple[int, JsonObject]:
        """How many epochs, and what to report of how they were chosen.

        Each number is a fit of its own, as the step falls over all of them, and has to be better
        on the held-out piece than the one before.
        """
        if self.n_epochs is not None:
            return self.n_epochs, {}
        parts = HeldOut.of(train, self.seed)
        if parts is None:
            return USUAL_EPOCHS, {}
        ndcg: dict[int, float] = {}
        gains = np.ones(len(parts.test))
        for n_epochs in EPOCHS:
            with trial_fits():
                model = replace(self, n_epochs=n_epochs).fit(parts.train)
            ndcg[n_epochs] = parts.ndcg(model, gains)
            if ndcg[n_epochs] < max(ndcg.values()):
                break
        return best_of(ndcg)


@dataclass(frozen=True, eq=False)
class Deals:
    """The positives, and how they are dealt: T user groups for good, T item groups per epoch."""

    train: Ratings
    T: int
    user_group: np.ndarray  # (n_users,)
    order: np.ndarray  # (n_ratings,) the positives in random order
    seed: int

    @classmethod
    def of(cls, train: Ratings, seed: int) -> "Deals":
        T = int(np.clip(np.sqrt(len(train) / POSITIVES_PER_BLOCK), 1, MOST_GROUPS))
        T = max(1, min(T, train.n_users, train.n_items // ITEMS_PER_GROUP))
        rng = np.random.default_rng(seed)
        return cls(train, T, deal(train.user_counts, T, rng), rng.permutation(len(train)), seed)

    def descend(
        self,
        epoch: int,
        rates: PairRates,
        users: Embeddings,
        items: Embeddings,
    ) -> None:
        """Deal the items, then take a step per positive, strata in a random order."""
        train, T = self.train, self.T
        rng = np.random.default_rng((self.seed, epoch))
        item_group = deal(train.item_counts, T, rng)
        user, item = train.user[self.order], train.item[self.order]
        a = self.user_group[user]
        block = ((item_group[item] - a) % T * T + a).astype(np.uint16)
        in_blocks = np.argsort(block, kind="stable")
        pairs = Pairs(
            indptr_of(block, T * T),
            user[in_blocks],
            item[in_blocks],
            indptr_of(item_group, T),
            np.argsort(item_group, kind="stable"),
            train.by_user.indptr,
            train.by_user.indices,
        )
        descend_pairs(pairs, rng.permutation(T), rates, (self.seed, epoch), users, items)


def as_long_as_trained(
    train: Ratings, users: Embeddings, items: Embeddings
) -> ImplicitLeastSquares:
    """The fold-in whose target gives the trained users factors of the length they have."""
    fold = ImplicitLeastSquares(FOLD_REG, FOLD_UNOBSERVED)
    folded = Embeddings.zeros(*users.factors.shape)
    fold.solve(train.by_user, 0.0, items, folded)
    known = train.by_user.counts > 0
    target, length = (np.linalg.norm(side.factors[known]) for side in (users, folded))
    return replace(fold, target=float(target / length) if length > 0 else 1.0)
