"""Factors for implicit feedback: what people chose counts fully, what they did not a little.

    score(u, i) = p_u . q_i
    min  sum_chosen w (1 - score)^2 + unobserved sum over all cells score^2
         + reg (sum_u (n_u + unobserved n_items)^nu |p_u|^2
                + sum_i (n_i + unobserved n_users)^nu |q_i|^2)
    w = 1 + by_rating r,  nu = reg_power        Hu, Koren & Volinsky 2008; Rendle et al. 2021

Every rating is a positive, whatever its value (``Ratings.positives_from`` keeps the good ones). The
sum over all cells costs one small matrix, as sum_i q_i q_i' is the same for all users. Each epoch
improves every row by a few steps of conjugate gradients, items first (Takács, Pilászy & Tikk 2011);
in the basis where that matrix is diagonal three steps do what solving the row does. Users are
solved last and exactly: folding in a known user gives the trained factors, and the explanation by
history leaves no remainder. A film nobody chose scores 0. Rendle et al. take nu = 1; the root suits
small and large data with one reg.
"""

import warnings
from dataclasses import dataclass, replace
from typing import ClassVar

from matinee.algorithms.base import Alternating
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.models.factor import FactorModel
from matinee.row_solvers import ImplicitLeastSquares
from matinee.training.alternating import Alternation
from matinee.training.epochs import (
    check_validation,
    initial_embeddings,
    run_epochs,
    say_if_too_many,
)
from matinee.training.priors import NO_PRIOR, ItemPrior
from matinee.training.progress import OnEpoch, quiet

INIT_LENGTH = 0.1  # of the first factors, on average


@dataclass(frozen=True, kw_only=True)
class ImplicitALS(Alternating):
    """``ImplicitALS().fit(train)``: scores rank, 1 for what fits and 0 for what does not."""

    name: ClassVar[str] = "implicit-als"

    n_factors: int = setting(
        64, "length of p_u and q_i", at_least=1, search=Whole(8, 256, log=True)
    )
    n_epochs: int = setting(12, "one epoch solves all items, then all users", at_least=1)
    reg: float = setting(
        0.35,
        "penalty, times the weight of a row's cells to the power of reg_power",
        above=0,
        search=Real(0.02, 5, log=True),
    )
    reg_power: float = setting(
        0.5, "1: the same penalty per cell in long and short rows; 0: per row", at_least=0
    )
    unobserved: float = setting(
        0.3,
        "weight of a cell that is no positive, where a positive weighs 1",
        above=0,
        search=Real(0.01, 2, log=True),
    )
    by_rating: float = setting(
        0.0, "weight that each star, or count, adds to a positive", at_least=0
    )
    n_steps: int = setting(
        3, "conjugate gradient steps per row and epoch; 0 solves each row exactly", at_least=0
    )
    seed: int = setting(42, "of the first factors", at_least=0)

    @property
    def kind(self) -> str:
        return "preference"

    def fit(
        self,
        train: Ratings,
        validation: Ratings | None = None,
        on_epoch: OnEpoch = quiet,
        start: FactorModel | None = None,
        prior: ItemPrior = NO_PRIOR,
    ) -> FactorModel:
        """Learn from the positives in ``train``; there is nothing that ``validation`` could stop,
        as the error on positives says little of the ranking."""
        self.check_train(train)
        self.check_start(train, start)
        check_validation(train, validation)
        say_if_too_many(self.n_factors, train)
        scale = INIT_LENGTH / self.n_factors**0.5
        users, items = initial_embeddings(train, self.n_factors, scale, self.seed, start)
        for side, rated in ((users, train.by_user), (items, train.by_item)):
            side.factors[rated.counts == 0] = 0.0  # the solution for who or what has no positive
        fold = self._row_solve(self.n_steps)
        exact = fold.exactly()

        def step(epoch: int) -> None:
            prior.solve(fold, train.by_item, 0.0, users, items)
            last = epoch == self.n_epochs
            (exact if last else fold).solve(train.by_user, 0.0, items, users)

        facts = run_epochs(step, self.n_epochs, on_epoch, (users, items), "raise reg")
        return self.model(
            train,
            0.0,
            users,
            items,
            exact,
            facts=facts,
            unrated_items_learned=True,
            canonical=not prior.learns_unrated,  # its effects are to be turned along
        )

    @property
    def for_blocks(self) -> "ImplicitALS":
        """Steps of conjugate gradients would pass over the ratings again for each."""
        if self.n_steps:
            warnings.warn(
                "ratings that are not in memory are fitted with n_steps=0: rows are solved exactly",
                stacklevel=2,
            )
        return replace(self, n_steps=0)

    @property
    def alternation(self) -> Alternation:
        """The same fit for ratings that are not in memory, with exact row solves."""
        return Alternation(
            n_factors=self.n_factors,
            n_epochs=self.n_epochs,
            seed=self.seed,
            init_scale=INIT_LENGTH / self.n_factors**0.5,
            centered=False,
            fit_users=self._row_solve(),
            fit_items=self._row_solve(),
            stars=False,
            unrated_learned=True,
        )

    def _row_solve(self, n_steps: int = 0) -> ImplicitLeastSquares:
        return ImplicitLeastSquares(
            self.reg, self.unobserved, self.reg_power, self.by_rating, n_steps=n_steps
        )
