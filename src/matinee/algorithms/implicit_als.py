"""Factors for implicit feedback: what people chose counts fully, what they did not a little.

    score(u, i) = p_u . q_i
    min  sum_chosen w (x - score)^2 + unobserved sum over all cells score^2
         + reg (sum_u (n_u + unobserved n_items)^nu |p_u|^2
                + sum_i (n_i + unobserved n_users)^nu |q_i|^2)
    w = 1 + by_rating r,  nu = reg_power        Hu, Koren & Volinsky 2008; Rendle et al. 2021
    x = lowest + (1 - lowest) (r - low) / (high - low)       on the scale low..high

Every rating is a positive (``Ratings.positives_from`` keeps the good ones). With lowest=1 all are
equal; below 1 the model learns what is chosen and what is liked at once. The sum over all cells
costs one small matrix, as sum_i q_i q_i' is the same for all users. Each epoch improves every row
by a few steps of conjugate gradients, items first (Takács, Pilászy & Tikk 2011); in the basis where
that matrix is diagonal three steps do what solving the row does. Users are solved last and exactly:
folding in a known user gives the trained factors, and the explanation by history leaves no
remainder. A film nobody chose scores 0. Rendle et al. take nu = 1; the root suits small and large
data with one reg.

With nonnegative=True p, q >= 0, and every taste is a reason for an item, never against. The start
is the positive parts of signed factors, as in ``nmf_observed``, and coordinate descent takes the
place of conjugate gradients (cf. He et al. 2016, "eALS").

What is not given of unobserved and reg is learned; see ``training/balance``.
"""

import warnings
from dataclasses import dataclass, replace
from typing import ClassVar

from matinee.algorithms.base import Alternating
from matinee.algorithms.device_memory import longest_row, row_solve_memory
from matinee.algorithms.hyperparameters import When, setting
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting, Setting
from matinee.kernels.device_steps import steps_memory
from matinee.models.factor import FactorModel
from matinee.models.trial_fits import trial_fits
from matinee.row_solvers import ImplicitLeastSquares
from matinee.training.alternating import Alternation, TableSummary
from matinee.training.balance import BALANCES, USUAL, Balance
from matinee.training.epochs import (
    check_validation,
    first_embeddings,
    run_epochs,
    say_if_too_many,
)
from matinee.training.held_out import HeldOut, best_of
from matinee.training.priors import NO_PRIOR, ItemPrior
from matinee.training.progress import OnEpoch, quiet

INIT_LENGTH = 0.1  # of the first factors, on average
START_EPOCHS = 4  # of the signed factors whose positive parts non-negative ones begin with
SWEEPS = 2  # of coordinate descent per row and epoch; the last user solve is exact
SEARCH_FACTORS, SEARCH_EPOCHS = 32, 4  # of the fits that compare balances


@dataclass(frozen=True, kw_only=True)
class ImplicitALS(Alternating):
    """``ImplicitALS().fit(train)``: scores rank, 1 for what fits and 0 for what does not."""

    name: ClassVar[str] = "implicit-als"
    grows_with: ClassVar[tuple[str, ...]] = ("n_factors",)

    n_factors: int = setting(
        128,
        "length of p_u and q_i",
        When(64, nonnegative=True),
        at_least=1,
        search=Whole(8, 256, log=True),
    )
    n_epochs: int = setting(
        12,
        "one epoch solves all items, then all users",
        When(16, nonnegative=True),
        at_least=1,
    )
    lowest: float = setting(
        1.0,
        "target of the lowest rating on the scale, where the highest has 1",
        at_least=0,
        at_most=1,
        search=Real(0, 1),
    )
    reg: float | None = setting(
        None,
        "penalty, times the weight of a row's cells to the power of reg_power; learned: of three "
        "balances of penalty and unobserved, that whose lists are best on a held-out fifth (the "
        "middle one for packed ratings, Spark, and fewer than 300 users)",
        above=0,
    )
    reg_power: float = setting(
        0.5, "1: the same penalty per cell in long and short rows; 0: per row", at_least=0
    )
    unobserved: float | None = setting(
        None,
        "weight of a cell that is no positive, where a positive weighs 1; learned with reg, so "
        "that all of them weigh 4, 12 or 36 times what the positives do",
        above=0,
    )
    by_rating: float = setting(
        0.0, "weight that each star, or count, adds to a positive", at_least=0
    )
    nonnegative: bool = setting(False, "whether all factors are at least 0")
    n_steps: int = setting(
        3, "conjugate gradient steps per row and epoch; 0 solves each row exactly", at_least=0
    )
    seed: int = setting(42, "of the first factors, and of the ratings held out", at_least=0)

    @property
    def kind(self) -> str:
        return "preference"

    def device_memory(self, train: Ratings) -> int:
        steps = steps_memory(longest_row(train), self.n_factors)
        return max(row_solve_memory(train, self.n_factors), steps)

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
        self.check_start(train, start)
        check_validation(train, validation)
        if "n_factors" in self.non_default_settings:  # nobody chose the default, which is large
            say_if_too_many(self.n_factors, train)
        table = TableSummary.of(train)
        if start is not None and "balance" in start.facts:
            balance = Balance(**start.facts["balance"])
            ndcg: JsonObject = {}
        else:
            balance, ndcg = self._best_balance(train)
        fold = self._row_solve(table, balance)
        plan, exact = self._alternation(fold, balance), fold.exactly()
        users, items = first_embeddings(plan, train, start)
        if not self.nonnegative:
            fold = replace(fold, n_steps=self.n_steps)

        def step(epoch: int) -> None:
            prior.solve(fold, train.by_item, 0.0, users, items)
            last = epoch == self.n_epochs
            (exact if last else fold).solve(train.by_user, 0.0, items, users)

        facts = run_epochs(step, self.n_epochs, on_epoch, (users, items), plan.remedy)
        return self.model(
            train,
            0.0,
            users,
            items,
            exact,
            facts={**facts, **plan.facts, **ndcg},
            unrated_items_learned=True,
            canonical=not prior.learns_unrated,  # its effects are to be turned along
        )

    @property
    def for_blocks(self) -> "ImplicitALS":
        """Steps of conjugate gradients would pass over the ratings again for each."""
        if self.nonnegative or not self.n_steps:
            return self
        warnings.warn(
            "ratings that are not in memory are fitted with n_steps=0: rows are solved exactly",
            stacklevel=2,
        )
        return replace(self, n_steps=0)

    @property
    def learned(self) -> tuple[str, ...]:
        """The settings that are not given, and so learned."""
        return tuple(name for name in ("reg", "unobserved") if self.settings[name] is None)

    def alternation(self, table: TableSummary) -> Alternation:
        """The same fit for ratings that are not in memory, with exact row solves."""
        return self._alternation(self._row_solve(table, USUAL), USUAL)

    def _row_solve(self, table: TableSummary, balance: Balance) -> ImplicitLeastSquares:
        self._check_weights(table.scale)
        low, high = table.scale
        slope = (1 - self.lowest) / (high - low) if high > low else 0.0
        mean = (1.0 - slope * (high - table.mean)) or 1.0  # all targets are 0, whatever reg is
        unobserved = self.unobserved or balance.unobserved(table)
        reg = self.reg or balance.reg(table, unobserved, self.reg_power, mean)
        return ImplicitLeastSquares(
            reg,
            unobserved,
            self.reg_power,
            self.by_rating,
            target=1.0 - slope * high,
            slope=slope,
            nonnegative=self.nonnegative,
            sweeps=SWEEPS if self.nonnegative else 0,
        )

    def _check_weights(self, scale: Scale) -> None:
        """Raise BadSetting unless w = 1 + by_rating r is above 0 on all of the scale.

        Below it the objective has no minimum.
        """
        weight = 1 + self.by_rating * scale.low
        if weight <= 0:
            raise BadSetting(
                f"by_rating={self.by_rating:g} makes the weight of a rating of {scale.low:g} "
                f"{'negative' if weight < 0 else 'zero'} (1 + by_rating r is {weight:g}); choose "
                f"by_rating below {-1 / scale.low:g}, or ",
                Setting("by_rating", 0),
            )

    def _alternation(self, fold: ImplicitLeastSquares, balance: Balance) -> Alternation:
        weights: JsonObject = {"reg": fold.reg, "unobserved": fold.unobserved}
        signed = replace(self, nonnegative=False, n_steps=0, n_epochs=START_EPOCHS, **weights)
        return Alternation(
            n_factors=self.n_factors,
            n_epochs=self.n_epochs,
            seed=self.seed,
            init_scale=INIT_LENGTH / self.n_factors**0.5,
            nonnegative=self.nonnegative,
            centered=False,
            fit_users=fold,
            fit_items=fold,
            finish=fold.exactly() if self.nonnegative else None,
            begin=signed if self.nonnegative else None,
            stars=False,
            unrated_learned=True,
            facts={**weights, "balance": balance._asdict()} if self.learned else {},
        )

    def _best_balance(self, train: Ratings) -> tuple[Balance, JsonObject]:
        """The balance whose lists are best on a held-out piece, and the NDCG@10 of each."""
        parts = HeldOut.of(train, self.seed) if self.learned else None
        if parts is None:
            return USUAL, {}
        small = replace(self, n_factors=min(self.n_factors, SEARCH_FACTORS), n_epochs=SEARCH_EPOCHS)
        table = TableSummary.of(parts.train)
        ndcg: dict[Balance, float] = {}
        for balance in BALANCES:
            fold = small._row_solve(table, balance)
            with trial_fits():
                model = replace(small, reg=fold.reg, unobserved=fold.unobserved).fit(parts.train)
            ndcg[balance] = parts.ndcg(model, fold.targets(parts.test.rating))
        return best_of(ndcg)
