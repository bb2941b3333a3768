"""Non-negative matrix factorization of the observed ratings, by alternating least squares.

    score(u, i) = mu + b_u + c_i + p_u . q_i,    p, q >= 0
    min  sum_observed w (r - score)^2 + sum_u user_reg sqrt(n_u) |p_u|^2
         + sum_i item_reg sqrt(n_i) |q_i|^2 + user_bias_reg sum b_u^2 + item_bias_reg sum c_i^2

w is the weight of a rating. r and the scores are in standard deviations of the ratings. The biases
are fitted jointly, so they sink as far as the tastes need room to add: every taste term is a reason
for, never against. Items are solved first and users last, a row by a few sweeps of coordinate
descent, and the users once more exactly at the end. The start is the positive parts of signed
factors that varimax has made as sparse as they can be (cf. Rohe & Zeng 2023): from there the fit
mostly finds the same tastes whatever the seed.
"""

from matinee.algorithms.mf import MF
from matinee.data.ratings import Ratings
from matinee.models.factor import FactorModel
from matinee.training.alternating import Alternation
from matinee.training.epochs import Training, first_embeddings
from matinee.training.priors import ItemPrior
from matinee.training.progress import OnEpoch
from matinee.training.solution import Solution

START_EPOCHS, START_REG = 10, 1.15  # of the signed factors


def signed_start(n_factors: int, seed: int) -> MF:
    """The factorization whose positive parts are the start from varimax."""
    return MF(
        n_factors=n_factors,
        n_epochs=START_EPOCHS,
        reg=START_REG,
        implicit_weight=0.0,
        seed=seed,
        choice=None,  # nothing but its factors is used
    )


def fit_observed(
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
    mean = train.mean
    users, items = first_embeddings(plan, train, start)

    def step(epoch: int) -> None:
        prior.solve(plan.fit_items, train.by_item, mean, users, items)
        plan.fit_users.solve(train.by_user, mean, items, users)

    training = Training(train, validation, mean, users, items)
    facts = training.run(step, plan.n_epochs, on_epoch, plan.remedy)
    exact = plan.finish or plan.fit_users
    exact.solve(train.by_user, mean, items, users)
    return Solution(mean, users, items, exact, plan.item_fold, facts, prior.learns_unrated)
