"""Biased matrix factorization by stochastic gradient descent.

    score(u, i) = mu + b_u + c_i + p_u . q_i                           Koren, Bell & Volinsky 2009
    e = w (r - score)
    p_u += rate (e q_i - user_reg n_u^-1/2 p_u),   b_u += rate (e - bias_reg / n_u b_u)
    q_i += rate (e p_u - item_reg n_i^-1/2 q_i),   c_i += rate (e - bias_reg / n_i c_i)

w is the weight of a rating. One step per rating in each epoch, at a rate that falls linearly to
zero (Funk 2006). r is in standard deviations, so that the size of a step does not depend on the
scale. The penalties are those of the least-squares objective, spread over a row's ratings. The
small start and the finite number of steps regularise too.
"""

from dataclasses import dataclass

import numpy as np

from matinee.data.ratings import Ratings
from matinee.kernels.sgd import Penalties
from matinee.row_solvers import LeastSquares
from matinee.training.epochs import Training, initial_embeddings
from matinee.training.grid import Grid
from matinee.training.progress import OnEpoch
from matinee.training.solution import Solution


@dataclass(frozen=True, kw_only=True)
class GradientDescent:
    """The settings of a descent; ``solve_users`` and ``solve_items`` state the penalties."""

    n_factors: int
    n_epochs: int
    learning_rate: float  # of the first epoch
    init_scale: float  # standard deviation of the first factors
    seed: int
    centered: bool  # whether the mean rating is a part of the score
    solve_users: LeastSquares
    solve_items: LeastSquares

    def fit(self, train: Ratings, validation: Ratings | None, on_epoch: OnEpoch) -> Solution:
        """Descend for ``n_epochs``. Raises Diverged when the error is no longer finite."""
        mean = train.mean if self.centered else 0.0
        users, items = initial_embeddings(train, self.n_factors, self.init_scale, self.seed)
        grid = Grid.of(train.standardized(mean), self.seed)
        placed = grid.place((users, items), self.penalties(train))

        def step(epoch: int) -> None:
            rate = self.learning_rate * (1 - (epoch - 1) / self.n_epochs)
            grid.descend(epoch, 0.0, rate, *placed)
            for side, steps in zip((users, items), placed, strict=True):
                steps.write(side, train.deviation)

        training = Training(train, validation, mean, users, items)
        remedy = f"lower learning_rate (now {self.learning_rate}) or raise reg"
        facts = training.run(step, self.n_epochs, on_epoch, remedy)
        fold, item_fold = (
            solve.in_units(train.deviation) for solve in (self.solve_users, self.solve_items)
        )
        return Solution(mean, users, items, fold, item_fold, facts)

    def penalties(self, train: Ratings) -> tuple[Penalties, Penalties]:
        """What each rating carries of the penalties on its user and on its item."""
        return (
            penalties_per_rating(self.solve_users, train.user_counts),
            penalties_per_rating(self.solve_items, train.item_counts),
        )


def penalties_per_rating(solve: LeastSquares, counts: np.ndarray) -> Penalties:
    """The shares of the penalties on factors and bias that each rating of a row carries.

    ``counts`` (n,) are the ratings of the rows. Without biases the share is infinite.
    """
    n = np.maximum(counts, 1)
    bias_reg = np.inf if solve.bias_reg is None else solve.bias_reg
    return solve.reg * n ** (solve.reg_power - 1), bias_reg / n
