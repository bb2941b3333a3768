"""Biases: what a film is rated on average, and how high a person rates on average.

    score(u, i) = mu + b_u + c_i                                      Koren, Bell & Volinsky 2009
    min  sum w (r - score)^2 + user_damping sum b_u^2 + item_damping sum c_i^2

w is the weight of a rating, 1 where there is none, and mu the weighted mean of the ratings.
A damping is the number of average ratings that everybody is assumed to have given beforehand: it
keeps the biases of people and films with few ratings near zero.
"""

from dataclasses import dataclass
from typing import ClassVar

from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Real
from matinee.data.ratings import Ratings
from matinee.models.factor import FactorModel
from matinee.row_solvers import LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.epochs import Training
from matinee.training.progress import OnEpoch, quiet


@dataclass(frozen=True, kw_only=True)
class Bias(RatingAlgorithm):
    """``Bias().fit(train)``: the rating baseline, by alternating exact solutions."""

    name: ClassVar[str] = "bias"

    user_damping: float = setting(
        8.0,
        "ratings at the mean assumed of each user",
        above=0,
        search=Real(0.5, 50, log=True),
    )
    item_damping: float = setting(
        4.0,
        "ratings at the mean assumed of each item",
        above=0,
        search=Real(0.5, 50, log=True),
    )
    n_epochs: int = setting(10, "one epoch solves all items, then all users", at_least=1)

    @property
    def takes_weights(self) -> bool:
        return True

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> FactorModel:
        users, items = Embeddings.zeros(train.n_users, 0), Embeddings.zeros(train.n_items, 0)
        mean = train.mean
        fit_item = LeastSquares(reg=0.0, bias_reg=self.item_damping)
        fit_user = LeastSquares(reg=0.0, bias_reg=self.user_damping)

        def step(epoch: int) -> None:
            fit_item.solve(train.by_item, mean, users, items)
            fit_user.solve(train.by_user, mean, items, users)

        training = Training(train, validation, mean, users, items)
        facts = training.run(step, self.n_epochs, on_epoch, "raise the dampings")
        model = self.model(train, mean, users, items, fit_user, item_fold=fit_item, facts=facts)
        return self.with_choice(model, train)
