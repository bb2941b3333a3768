"""Non-negative matrix factorization: tastes that only ever add.

missing="ignore", the default: fitted on observed ratings only.
    score(u, i) = mu + b_u + c_i + p_u . q_i,    p, q >= 0
    min  sum_observed (r - score)^2 + sum_u user_reg sqrt(n_u) |p_u|^2
         + sum_i item_reg sqrt(n_i) |q_i|^2 + user_bias_reg sum b_u^2 + item_bias_reg sum c_i^2
by alternating non-negative least squares, users last. The biases are fitted jointly, so they sink
as far as the tastes need room to add: every taste term is a reason for, never against. The fit
starts from the positive parts of signed factors that varimax has made as sparse as they can be
(cf. Rohe & Zeng 2023): from there it finds the same tastes whatever the seed, mostly.

missing="zero": the classic tutorial, where an absent rating is a rating of 0.
    score(u, i) = w_u . h_i,    min |R - W H|^2 over all cells             Lee & Seung 2001
by scikit-learn's coordinate descent on the sparse matrix. It ranks, but its scores are no stars.
"""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matinee.algorithms.base import Alternating
from matinee.algorithms.hyperparameters import When, setting
from matinee.algorithms.mf import MF
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting, Setting
from matinee.models.factor import FactorModel
from matinee.row_solvers import LeastSquares, ZeroFilled
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.alternating import Alternation, begin_at
from matinee.training.epochs import Training, initial_embeddings, say_if_too_many
from matinee.training.priors import NO_PRIOR, ItemPrior
from matinee.training.progress import OnEpoch, quiet

STARTS = {"ignore": ("varimax", "random"), "zero": ("random", "nndsvd", "nndsvda", "nndsvdar")}
INIT_SCALE = 0.1  # standard deviation of the first factors' chance part
START_EPOCHS = 10  # of signed factors, for the start from varimax
SWEEPS = 4  # passes of coordinate descent per row and epoch; the last user solve is exact
REMEDY = "raise user_reg and item_reg"
PENALTIES = ("user_reg", "item_reg", "user_bias_reg", "item_bias_reg")
REG_POWER = 0.5  # a row's penalty grows with the root of its number of ratings


@dataclass(frozen=True, kw_only=True)
class NMF(Alternating):
    """``NMF(n_factors=15).fit(train)``: readable tastes. Settings marked * are for "ignore"."""

    name: ClassVar[str] = "nmf"

    n_factors: int = setting(30, "number of tastes", at_least=1, search=Whole(5, 60, log=True))
    n_epochs: int = setting(
        15, '"ignore": one solves all items, then all users; "zero": the most there are', at_least=1
    )
    missing: str = setting(
        "ignore", '"ignore": absent ratings are unknown; "zero": they are zeros', choices=STARTS
    )
    user_reg: float = setting(
        0.55, "* penalty per sqrt(rating) on p_u", above=0, search=Real(0.1, 5, log=True)
    )
    item_reg: float = setting(
        1.0, "* penalty per sqrt(rating) on q_i", above=0, search=Real(0.1, 5, log=True)
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.init not in STARTS[self.missing]:
            others = " or ".join(STARTS[self.missing])
            missing = Setting("missing", self.missing)
            raise BadSetting(f"init is {self.init!r}; with ", missing, f" it is {others}")

    @property
    def supports_warm_start(self) -> bool:
        return self.missing == "ignore"

    def fit(
        self,
        train: Ratings,
        validation: Ratings | None = None,
        on_epoch: OnEpoch = quiet,
        start: FactorModel | None = None,
        prior: ItemPrior = NO_PRIOR,
    ) -> FactorModel:
        self.check_train(train)
        self.check_start(train, start)
        say_if_too_many(self.n_factors, train)
        if self.missing == "zero":
            self.warn_without_effect(Setting("missing", "zero"), *PENALTIES)
            return self._fit_zero_filled(train)
        return self._fit_observed(train, validation, on_epoch, start, prior)

    def _fit_observed(
        self,
        train: Ratings,
        validation: Ratings | None,
        on_epoch: OnEpoch,
        start: FactorModel | None,
        prior: ItemPrior,
    ) -> FactorModel:
        mean = train.mean
        users, items = self._initial_embeddings(train, start)
        fit_user, fit_item = self._row_solves()

        def step(epoch: int) -> None:
            prior.solve(fit_item, train.by_item, mean, users, items)
            fit_user.solve(train.by_user, mean, items, users)

        training = Training(train, validation, mean, users, items)
        facts = training.run(step, self.n_epochs, on_epoch, REMEDY)
        exact = fit_user.exactly()
        exact.solve(train.by_user, mean, items, users)
        return self.model(
            train,
            mean,
            users,
            items,
            exact,
            item_fold=fit_item.exactly(),
            facts=facts,
            unrated_items_learned=prior.learns_unrated,
            canonical=not prior.learns_unrated,  # its effects are to be turned along
        )

    def _initial_embeddings(
        self, train: Ratings, start: FactorModel | None
    ) -> tuple[Embeddings, Embeddings]:
        sides = initial_embeddings(train, self.n_factors, INIT_SCALE, self.seed, start)
        for side in sides:
            np.abs(side.factors, out=side.factors)
        if start is None and self.init == "varimax":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of too many factors, which has been said
                model = self._signed.fit(train)
            for side, turned in zip(
                sides, (model.user_embeddings, model.item_embeddings), strict=True
            ):
                begin_at(side, turned)
        return sides

    @property
    def _signed(self) -> MF:
        """What the start from varimax is taken from."""
        return MF(
            n_factors=self.n_factors, n_epochs=START_EPOCHS, implicit_weight=0.0, seed=self.seed
        )

    @property
    def alternation(self) -> Alternation:
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
            begin=self._signed if self.init == "varimax" else None,
            remedy=REMEDY,
        )

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

    def _fit_zero_filled(self, train: Ratings) -> FactorModel:
        from sklearn.decomposition import NMF as ZeroFilledNMF
        from sklearn.exceptions import ConvergenceWarning

        if train.rating.min() < 0:
            raise BadSetting(
                Setting("missing", "zero"),
                " needs ratings of at least 0; use ",
                Setting("missing", "ignore"),
            )
        n_factors = min(self.n_factors, train.n_users, train.n_items)
        solver = ZeroFilledNMF(
            n_components=n_factors, init=self.init, random_state=self.seed, max_iter=self.n_epochs
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # reported as a fact instead
            W = solver.fit_transform(train.csr().astype(np.float64))
        facts = {
            "n_epochs_run": int(solver.n_iter_),
            "converged": bool(solver.n_iter_ < self.n_epochs),
        }
        users, items = (
            Embeddings(factors.astype(np.float32), np.zeros(len(factors), np.float32))
            for factors in (W, solver.components_.T)
        )
        return self.model(
            train, 0.0, users, items, ZeroFilled(), facts=facts, unrated_items_learned=True
        )
