"""Matrix factorization with biases, by alternating least squares or by gradient descent.

    score(u, i) = mu + b_u + c_i + p_u . q_i                           Koren, Bell & Volinsky 2009
    min  sum (r - score)^2 + user_reg sum_u sqrt(n_u) |p_u|^2 + item_reg sum_i sqrt(n_i) |q_i|^2
         + bias_reg (sum_u b_u^2 + sum_i c_i^2)

r and the scores are in standard deviations of the ratings, so that no setting depends on the scale
of the ratings. Where reg is not given, penalties are learned instead, as variances: see
``training.variances``. Those that are given grow with the root of the number of ratings: plain
ridge suits dense rows better and ALS-WR (penalties times n, Zhou et al. 2008) sparse ones, and the
root suits both.

solver="als", in ``mf_als``, solves each row exactly and learns from who rated what, too, which says
most about people and films with few ratings (Cortes 2018).
solver="sgd", in ``mf_sgd``, takes a step per rating (Funk 2006).
biased=False drops mu, b and c: the maximum a posteriori of PMF (Salakhutdinov & Mnih 2007).
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from matinee.algorithms.base import Alternating
from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.device_memory import row_solve_memory
from matinee.algorithms.hyperparameters import SameAs, When, setting
from matinee.algorithms.mf_als import fit_by_als
from matinee.algorithms.mf_sgd import GradientDescent
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.data.rows import mean_count
from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting, Setting
from matinee.models.factor import FactorModel
from matinee.row_solvers import LeastSquares
from matinee.training.alternating import Alternation, TableSummary
from matinee.training.choice_structure import excess_of_structure
from matinee.training.epochs import say_if_too_many
from matinee.training.priors import NO_PRIOR, ItemPrior
from matinee.training.progress import OnEpoch, quiet
from matinee.training.variances import VarianceLearning

REG_POWER = 0.5  # a row's penalty grows with the root of its number of ratings
REG, BIAS_REG, IMPLICIT_WEIGHT, IMPLICIT_REG = 1.15, 2.0, 1.6, 90.0  # where nothing is learned
# With learned variances: the weight of the implicit part, times that of the noise, and the penalty
# on Z and W, times the root of the number of ratings. Where an average user or item has fewer than
# LEAST_PER_ROW ratings, too little is known of each row to tell what varies from what is unsure.
IMPLICIT_SHARE, IMPLICIT_REG_PER_ROOT, LEAST_PER_ROW = 2.7, 0.106, 30


@dataclass(frozen=True, kw_only=True)
class MF(Alternating, RatingAlgorithm):
    """``MF().fit(train)``: accurate stars, by least squares or gradient steps."""

    name: ClassVar[str] = "mf"
    grows_with: ClassVar[tuple[str, ...]] = ("n_factors",)

    n_factors: int = setting(
        50, "length of p_u and q_i", at_least=1, search=Whole(8, 128, log=True)
    )
    solver: str = setting("als", "how the objective is minimised", choices=("als", "sgd"))
    biased: bool = setting(True, "whether mu, b_u and c_i take part")
    n_epochs: int = setting(
        12,
        "als: one epoch solves all items, then all users; sgd: steps through every rating once",
        When(30, solver="sgd"),
        at_least=1,
    )
    reg: float | None = setting(
        None,
        "penalty on factors, in standard deviations of the ratings; learned: the variances of all "
        "factors, biases and the noise (but 1.15 for packed ratings, Spark and hybrid, and where "
        "an average user or item has fewer than 30 ratings)",
        When(0.95, solver="sgd"),
        at_least=0,
        search=Real(0.2, 10, log=True),
    )
    user_reg: float | None = setting(SameAs("reg"), "penalty on the factors of users", at_least=0)
    item_reg: float | None = setting(SameAs("reg"), "penalty on the factors of items", at_least=0)
    bias_reg: float | None = setting(
        None,
        "penalty on biases, in ratings; learned with reg, and 2 where reg is a number",
        When(4.0, solver="sgd"),
        at_least=0,
        search=Real(0.2, 20, log=True),
    )
    implicit_weight: float | None = setting(
        None,
        "als: weight of who rated what, whatever they gave; 0 for none; learned with reg (0 where "
        "choices are random), and 1.6 where reg is a number",
        When(0.0, solver="sgd"),
        When(0.0, biased=False),
        at_least=0,
        search=Real(0.2, 20, log=True),
    )
    implicit_reg: float | None = setting(
        None,
        "als: penalty on the implicit factors Z and W; learned with reg, and 90 where reg is a "
        "number",
        above=0,
    )
    learning_rate: float = setting(
        0.045,
        "sgd: first step size; it falls linearly to zero",
        When(None, solver="als"),
        above=0,
    )
    init_scale: float = setting(
        0.1,
        "standard deviation of the first factors",
        When(0.3, biased=False),  # without a mean to start from, smaller ones take long to grow
        When(0.01, solver="sgd"),
        above=0,
    )
    seed: int = setting(42, "of the first factors and the order of steps", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.solver == "als":
            for name in ("reg", "user_reg", "item_reg", "bias_reg"):
                if self.settings[name] is not None:
                    self.require(name, above=0)
        if self.solver == "sgd" and self.implicit_weight:
            raise BadSetting(
                "implicit_weight goes with ", Setting("solver", "als"), "; svdpp is its like by sgd"
            )
        if self.solver == "als" and self.learning_rate is not None:
            raise BadSetting(
                "learning_rate goes with ",
                Setting("solver", "sgd"),
                "; als solves each row exactly",
            )

    @property
    def takes_weights(self) -> bool:
        return True

    @property
    def supports_warm_start(self) -> bool:
        return self.solver == "als"

    def device_memory(self, train: Ratings) -> int:
        return row_solve_memory(train, self.n_factors + 1) if self.solver == "als" else 0

    def fit(
        self,
        train: Ratings,
        validation: Ratings | None = None,
        on_epoch: OnEpoch = quiet,
        start: FactorModel | None = None,
        prior: ItemPrior = NO_PRIOR,
    ) -> FactorModel:
        self.check_start(train, start)
        say_if_too_many(self.n_factors, train)
        if self.implicit_weight == 0:
            self.warn_without_effect(Setting("implicit_weight", 0), "implicit_reg")
        if not self.biased:
            self.warn_without_effect("biased=False", "bias_reg")
        if self.solver == "als":
            plan = self._plan(train, prior)
            solution = fit_by_als(plan, train, validation, on_epoch, start, prior)
        else:
            solution = self._gradient_descent.fit(train, validation, on_epoch)
        return self.with_choice(self.model_of(train, solution, prior), train)

    @property
    def learns(self) -> bool:
        """Whether penalties are learned."""
        return self.solver == "als" and self.user_reg is None and self.item_reg is None

    def alternation(self, table: TableSummary) -> Alternation:
        """The fit of ratings that are not in memory, with penalties that are not learned.

        Raises BadSetting for ``sgd``.
        """
        if self.solver != "als":
            raise BadSetting("packed ratings and Spark take ", Setting("solver", "als"))
        weight = _given(self.implicit_weight, IMPLICIT_WEIGHT)
        return Alternation(
            n_factors=self.n_factors,
            n_epochs=self.n_epochs,
            seed=self.seed,
            init_scale=self.init_scale,
            centered=self.biased,
            fit_users=self._row_solve(self.user_reg),
            fit_items=self._row_solve(self.item_reg),
            item_fold=self._row_solve(self.item_reg),
            implicit_reg=_given(self.implicit_reg, IMPLICIT_REG) if weight else None,
        ).in_units(table.deviation)

    def _plan(self, train: Ratings, prior: ItemPrior) -> Alternation:
        """The fit of ratings in memory: with learned penalties where they do better."""
        stated = self.alternation(TableSummary.of(train))
        if not self.learns or prior is not NO_PRIOR:
            return stated
        if min(map(mean_count, (train.user_counts, train.item_counts))) < LEAST_PER_ROW:
            return stated
        unit, weight = train.deviation, self.implicit_weight
        learning = VarianceLearning(
            unit, self.biased, self.bias_reg, implicit_weight=0.0, mean_weight=train.mean_weight
        )
        if weight == 0 or (weight is None and excess_of_structure(train) < 1):
            return replace(stated, learning=learning, implicit_reg=None)
        reg = _given(self.implicit_reg, IMPLICIT_REG_PER_ROOT * len(train) ** 0.5)
        implicit: JsonObject = {"implicit_weight": None, "implicit_share": IMPLICIT_SHARE}
        if weight is not None:
            implicit = {"implicit_weight": unit**2 * weight}
        return replace(stated, learning=replace(learning, **implicit), implicit_reg=unit * reg)

    @property
    def _gradient_descent(self) -> GradientDescent:
        return GradientDescent(
            n_factors=self.n_factors,
            n_epochs=self.n_epochs,
            learning_rate=self.learning_rate,
            init_scale=self.init_scale,
            seed=self.seed,
            centered=self.biased,
            solve_users=self._row_solve(self.user_reg),
            solve_items=self._row_solve(self.item_reg),
        )

    def _row_solve(self, reg: float | None) -> LeastSquares:
        return LeastSquares(
            reg=_given(reg, REG),
            reg_power=REG_POWER,
            bias_reg=_given(self.bias_reg, BIAS_REG) if self.biased else None,
            implicit_weight=_given(self.implicit_weight, IMPLICIT_WEIGHT),
        )


def _given(value: float | None, usual: float) -> float:
    """A setting, or what is usual where it is not given."""
    return usual if value is None else value
