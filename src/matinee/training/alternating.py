"""What an alternating fit is, as a value: the same for ratings in memory, on disk and on Spark.

    P drawn; then in each epoch   Q = solve(items | P),   P = solve(users | Q)

with implicit factors learned after each solve, where there are any.
"""

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar, cast

import numpy as np

from matinee.data.packed import PackedRatings
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.display.plain_data import JsonMapping
from matinee.kernels.blas import gram, solve_shared
from matinee.kernels.rows import row_sums
from matinee.models.factor import FactorModel
from matinee.row_solvers import ImplicitLeastSquares, LeastSquares
from matinee.row_solvers.base import FoldIn, RowSolve
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.variances import VarianceLearning

Solve = TypeVar("Solve", bound=RowSolve | None)


class TableSummary(NamedTuple):
    """What the settings of a fit may follow from, wherever the ratings are."""

    n_ratings: int
    n_users: int  # with ratings
    n_items: int  # with ratings
    scale: Scale
    mean: float = 1.0  # of the ratings
    deviation: float = 1.0  # of the ratings

    @classmethod
    def of(cls, ratings: Ratings | PackedRatings) -> "TableSummary":
        """The summary of ratings in memory or packed."""
        n_users, n_items = (
            int(np.count_nonzero(counts)) for counts in (ratings.user_counts, ratings.item_counts)
        )
        of_ratings = ratings.scale, ratings.mean, ratings.deviation
        return cls(len(ratings), n_users, n_items, *of_ratings)


ANY_TABLE = TableSummary(1, 1, 1, Scale(0.0, 1.0))  # to ask whether there is an alternation


@dataclass(frozen=True, kw_only=True)
class Alternation:
    """The settings of an alternating fit that its epochs need."""

    n_factors: int
    n_epochs: int
    seed: int
    init_scale: float  # standard deviation of the first factors
    nonnegative: bool = False  # whether the first factors are taken without their sign
    centered: bool = True  # whether the mean rating is a part of the score
    fit_users: RowSolve
    fit_items: LeastSquares | ImplicitLeastSquares
    finish: RowSolve | None = None  # the users' last solve, where it differs from the others
    item_fold: RowSolve | None = None  # what a model keeps of the items' solve
    begin: "FirstAlgorithm | None" = None  # whose factors' positive parts start this fit
    implicit_reg: float | None = None  # penalty on implicit factors, where there are any
    stars: bool = True  # whether scores are ratings, and so have an error
    unrated_learned: bool = False  # whether who or what has no rating has a solution: zero
    remedy: str = "raise reg"  # what to do where it diverges
    learning: VarianceLearning | None = None  # of the penalties, in memory alone
    facts: JsonMapping = field(default_factory=dict)  # what was learned of the settings

    def in_units(self, deviation: float) -> "Alternation":
        """The fit of ratings with this standard deviation, of one that is stated for deviation 1.

        Biases are in stars and factors in the root of stars, on both sides. So each penalty takes
        the power of ``deviation`` that makes it grow as the squared errors do, and the fit of
        a r + b is a times that of r, plus b. Preferences have no unit.
        """
        if not self.stars:
            return self
        return replace(
            self,
            init_scale=float(np.sqrt(deviation)) * self.init_scale,
            fit_users=_in_units(self.fit_users, deviation),
            fit_items=_in_units(self.fit_items, deviation),
            finish=_in_units(self.finish, deviation),
            item_fold=_in_units(self.item_fold, deviation),
            implicit_reg=None if self.implicit_reg is None else deviation * self.implicit_reg,
        )


def _in_units(solve: Solve, deviation: float) -> Solve:
    return cast(Solve, solve.in_units(deviation)) if isinstance(solve, LeastSquares) else solve


class AlternatingAlgorithm(Protocol):
    """What a fit on ratings outside memory needs of its algorithm."""

    name: ClassVar[str]

    @property
    def settings(self) -> JsonMapping:
        """The hyper-parameters by name, as plain JSON data."""

    def alternation(self, table: TableSummary) -> Alternation:
        """The fit as a value. Raises BadSetting where these settings have none."""

    @property
    def for_blocks(self) -> "AlternatingAlgorithm":
        """The algorithm as it fits ratings that are not in memory."""

    def model(
        self,
        train: Ratings | PackedRatings,
        mean: float,
        users: Embeddings,
        items: Embeddings,
        fold: FoldIn,
        **more: Any,
    ) -> FactorModel:
        """The model of these embeddings. Raises Diverged where they are not finite."""


class FirstAlgorithm(AlternatingAlgorithm, Protocol):
    """What another fit begins with, in memory too."""

    def fit(self, train: Ratings) -> FactorModel:
        """The model of ratings in memory."""


def fit_fingerprint(algorithm: AlternatingAlgorithm, *data: str) -> str:
    """A digest that identifies a fit by its algorithm, settings and data, but not its length.

    Without the number of epochs, so that a longer fit can continue a shorter one.
    """
    settings = {**algorithm.settings, "n_epochs": None}
    identity = json.dumps([algorithm.name, settings, *data], sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()


def implicit_products(other: Embeddings, reg: float) -> np.ndarray:
    """The matrix (n_factors, n_factors) that all rows of implicit factors share: P'P + reg I."""
    products: np.ndarray = gram(other.factors) + reg * np.eye(other.n_factors)
    return products


def implicit_rows(rated: Rows, other: Embeddings, A: np.ndarray) -> np.ndarray:
    """The implicit factors Z (n_rows, n_factors) that fit the other side's P best.

    Z minimises |B - P Z'|^2 + reg |Z|^2; ``rated`` lists for each row of Z the rows of P where B is
    one, and ``A`` is P'P + reg.
    """
    return solve_shared(A, row_sums(rated, other.factors))


def begin_at(side: Embeddings, known: Embeddings) -> None:
    """Add the positive parts of known factors to the first ones, and take their biases."""
    side.factors[:] += known.factors.clip(0)
    side.bias[:] = known.bias
