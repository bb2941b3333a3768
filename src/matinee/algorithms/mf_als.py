"""Biased matrix factorization by alternating least squares, with implicit factors.

    score(u, i) = mu + b_u + c_i + p_u . q_i                           Koren, Bell & Volinsky 2009
    min  sum (r - score)^2 + user_reg sum_u sqrt(n_u) |p_u|^2 + item_reg sum_i sqrt(n_i) |q_i|^2
         + bias_reg (sum_u b_u^2 + sum_i c_i^2)
         + implicit_weight (|B - P Z'|^2 + |B - W Q'|^2 + implicit_reg (|Z|^2 + |W|^2))

B is 1 where a rating is and 0 elsewhere: P and Q approximate it as well (Cortes 2018). An epoch
solves items and then users, biases and factors of a row together, and the implicit factors W and Z
after each. Users are solved last, so folding a known user in returns the trained row.
"""

from matinee.data.ratings import Ratings, Rows
from matinee.models.factor import FactorModel
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.alternating import Alternation, implicit_products, implicit_rows
from matinee.training.epochs import Training, initial_embeddings
from matinee.training.priors import ItemPrior
from matinee.training.progress import OnEpoch
from matinee.training.solution import Solution


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
    if plan.implicit_reg is not None:
        users, items = users.with_implicit(), items.with_implicit()
        if start is not None:
            learn_implicit(users, items, train.by_user, plan.implicit_reg)

    def step(epoch: int) -> None:
        prior.solve(plan.fit_items, train.by_item, mean, users, items)
        learn_implicit(items, users, train.by_item, plan.implicit_reg)
        plan.fit_users.solve(train.by_user, mean, items, users)
        learn_implicit(users, items, train.by_user, plan.implicit_reg)

    training = Training(train, validation, mean, users, items)
    facts = training.run(step, plan.n_epochs, on_epoch, plan.remedy)
    explicit = Embeddings(users.factors, users.bias)
    return Solution(
        mean, explicit, items, plan.fit_users, plan.item_fold, facts, prior.learns_unrated
    )


def learn_implicit(side: Embeddings, other: Embeddings, rated: Rows, reg: float | None) -> None:
    """Set the implicit factors of a side, where it has any; see ``implicit_rows``."""
    if side.implicit is not None and reg is not None:
        side.implicit[:] = implicit_rows(rated, other, implicit_products(other, reg))
