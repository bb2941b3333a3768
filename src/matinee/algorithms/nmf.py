"""Non-negative matrix factorization: tastes that only ever add.

    score(u, i) = mu + b_u + c_i + p_u . q_i,    p, q >= 0                 Lee & Seung 2001

missing="ignore", in ``nmf_observed``: fitted on observed ratings only, with penalties and biases,
from a start that mostly finds the same tastes whatever the seed (cf. Rohe & Zeng 2023).
missing="zero", in ``nmf_zero_filled``: the classic tutorial, where an absent rating is a rating of
0 and there are no biases. It ranks, but its scores are no stars.

Choices for its lists are learned by non-negative factors too, which take stars in: so a list has
reasons for a film, and none against it but what is rated below the average, and by few.
"""

from dataclasses import dataclass
from typing import ClassVar

from matinee.algorithms.base import Algorithm, Alternating
from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.device_memory import row_solve_memory
from matinee.algorithms.hyperparameters import When, redefault, setting
from matinee.algorithms.implicit_als import ImplicitALS
from matinee.algorithms.nmf_observed import fit_observed, signed_start
from matinee.algorithms.nmf_zero_filled import fit_zero_filled
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting, Setting
from matinee.models.factor import FactorModel
from matinee.row_solvers import LeastSquares
from matinee.training.alternating import Alternation, TableSummary
from matinee.training.epochs import say_if_too_many
from matinee.training.priors import NO_PRIOR, ItemPrior
from matinee.training.progress import OnEpoch, quiet

STARTS = {"ignore": ("varimax", "random"), "zero": ("random", "nndsvd", "nndsvda", "nndsvdar")}
INIT_SCALE = 0.1  # standard deviation of the first factors' chance part
SWEEPS = 4  # passes of coordinate descent per row and epoch; the last user solve is exact
REMEDY = "raise user_reg and item_reg"
PENALTIES = ("user_reg", "item_reg", "user_bias_reg", "item_bias_reg")
REG_POWER = 0.5  # a row's penalty grows with the root of its number of ratings
ADDITIVE = (ImplicitALS(nonnegative=True, lowest=0.3),)  # learns choices by reasons for alone


@dataclass(frozen=True, kw_only=True)
class NMF(Alternating, RatingAlgorithm):
    """``NMF(n_factors=15).fit(train)``: readable tastes. Settings marked * are for "ignore"."""

    name: ClassVar[str] = "nmf"
    grows_with: ClassVar[tuple[str, ...]] = ("n_factors",)

    n_factors: int = setting(30, "number of tastes", at_least=1, search=Whole(5, 60, log=True))
    n_epochs: int = setting(
        15, '"ignore": one solves all items, then all users; "zero": the most there are', at_least=1
    )
    missing: str = setting(
        "ignore", '"ignore": absent ratings are unknown; "zero": they are zeros', choices=STARTS
    )
    user_reg: float = setting(
        0.49,
        "* penalty per sqrt(rating) on p_u, in deviations",
        above=0,
        search=Real(0.1, 5, log=True),
    )
    item_reg: float = setting(
        0.89,
        "* penalty per sqrt(rating) on q_i, in deviations",
        above=0,
        search=Real(0.1, 5, log=True),
    )
    user_bias_reg: float = setting(
        3.0, "* penalty on b_u, in ratings", above=0, search=Real(0.3, 30, log=True)
    )
    item_bias_reg: float = setting(
        1.0, "* penalty on c_i, in ratings", above=0, search=Real(0.3, 30, log=True)
    )
    init: str = setting(
        "varimax",
        'start from: "ignore": varimax or random; "zero": random, nndsvd, nndsvda or nndsvdar',
        When("random", missing="zero"),
        choices=dict.fromkeys(sum(STARTS.values(), ())),
    )
    seed: int = setting(42, "of the first factors", at_least=0)
    choice: tuple[str | Algorithm, ...] | str | Algorithm | None = redefault(
        RatingAlgorithm, "choice", ADDITIVE
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.init not in STARTS[self.missing]:
            others = " or ".join(STARTS[self.missing])
            missing = Setting("missing", self.missing)
            raise BadSetting(f"init is {self.init!r}; with ", missing, f" it is {others}")

    @property
    def takes_weights(self) -> bool:
        return self.missing == "ignore"

    @property
    def supports_warm_start(self) -> bool:
        return self.missing == "ignore"

    def device_memory(self, train: Ratings) -> int:
        return row_solve_memory(train, self.n_factors + 1) if self.missing == "ignore" else 0

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
        if self.missing == "zero":
            self.warn_without_effect(Setting("missing", "zero"), *PENALTIES)
            solution = fit_zero_filled(
                train,
                n_factors=self.n_factors,
                n_epochs=self.n_epochs,
                init=self.init,
                seed=self.seed,
            )
        else:
            plan = self.alternation(TableSummary.of(train))
            solution = fit_observed(plan, train, validation, on_epoch, start, prior)
        model = self.model_of(train, solution, prior)
        return model if self.missing == "zero" else self.with_choice(model, train)

    def alternation(self, table: TableSummary) -> Alternation:
        """The same fit for ratings that are not in memory. Raises BadSetting for ``zero``."""
        if self.missing != "ignore":
            raise BadSetting("packed ratings and Spark take ", Setting("missing", "ignore"))
        fit_user, fit_item = self._row_solves()
        return Alternation(
            n_factors=self.n_factors,
            n_epochs=self.n_epochs,
            seed=self.seed,
            init_scale=INIT_SCALE,
            nonnegative=True,
            fit_users=fit_user,
            fit_items=fit_item,
            finish=fit_user.exactly(),
            item_fold=fit_item.exactly(),
            begin=signed_start(self.n_factors, self.seed) if self.init == "varimax" else None,
            remedy=REMEDY,
        ).in_units(table.deviation)

    def _row_solves(self) -> tuple[LeastSquares, LeastSquares]:
        """How a user's and an item's row is solved."""
        user, item = (
            LeastSquares(
                reg=reg, reg_power=REG_POWER, bias_reg=bias_reg, nonnegative=True, sweeps=SWEEPS
            )
            for reg, bias_reg in (
                (self.user_reg, self.user_bias_reg),
                (self.item_reg, self.item_bias_reg),
            )
        )
        return user, item
