"""Truncated singular value decomposition of the filled, centred rating matrix.

    A = F - m 1'      F: the ratings, absent ones filled in;  m: the row means taken off
    A ~ U S V'        the best approximation of rank n_factors       Eckart & Young 1936
    score(u, i) = fill_i + m_u + sum_f s_f u_uf v_if

    fill="zero"   absent ratings are 0 (PureSVD, Cremonesi et al. 2010, with center="none";
                  the well-known MovieLens-1M tutorial with center="user_all")
    fill="mean", "user_mean", "item_mean", "bias"   absent ratings are what that baseline predicts
                  ("bias": Sarwar et al. 2000); A is then zero where nothing was rated.

A is never formed: the solver (ARPACK) sees a sparse matrix plus an outer product. Factors are
P = U S^1/2 T and Q = V S^1/2 T; the orthogonal T makes them readable (tastes/canonical.py). The
singular values are among the model's facts.
"""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.bias import Bias
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Choice, Whole
from matinee.data.ratings import Ratings
from matinee.display.text import counted
from matinee.errors import BadSetting, Setting
from matinee.models.factor import FactorModel
from matinee.row_solvers import Projection
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.progress import OnEpoch, quiet
from matinee.training.singular_vectors import leading_vectors

FILLS = ("zero", "mean", "user_mean", "item_mean", "bias")
ROW_MEAN = {"none": "none", "user_all": "all", "user_observed": "observed"}


@dataclass(frozen=True, kw_only=True)
class TruncatedSVD(Algorithm):
    """``TruncatedSVD(n_factors=50).fit(train)``: deterministic, without epochs or a seed."""

    name: ClassVar[str] = "truncated-svd"

    n_factors: int = setting(
        10,
        "number of singular vectors; more fit the training ratings better and the others worse",
        at_least=1,
        search=Whole(2, 100, log=True),
    )
    fill: str = setting(
        "bias", "what absent ratings are taken to be", choices=FILLS, search=Choice(*FILLS)
    )
    center: str = setting(
        "none",
        'for fill="zero", the row means taken off: of all cells (user_all) or of ratings',
        choices=ROW_MEAN,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fill != "zero" and self.center != "none":
            raise BadSetting(
                f"center is {self.center!r}; it goes with ",
                Setting("fill", "zero"),
                " only, as ",
                Setting("fill", self.fill),
                " centres the matrix by itself",
            )

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> FactorModel:
        from scipy.sparse.linalg import LinearOperator

        if min(train.n_users, train.n_items) < 2:
            raise BadSetting("truncated-svd needs at least 2 users and 2 items")
        n_factors = self._supported(train)
        mean, users, items, fold = self._baseline(train, n_factors)
        R = train.csr().astype(np.float64)
        R.data -= mean + items.bias[train.item]
        if not fold.dense:
            R.data -= users.bias[train.user]
        m = users.bias.astype(np.float64) * fold.dense
        ones = np.ones(train.n_items)

        def times(x: np.ndarray) -> np.ndarray:
            return np.asarray(R @ x - np.multiply.outer(m, ones @ x))

        def times_transposed(y: np.ndarray) -> np.ndarray:
            return np.asarray(R.T @ y - np.multiply.outer(ones, m @ y))

        A = LinearOperator(
            R.shape,
            dtype=np.float64,
            matvec=times,
            matmat=times,
            rmatvec=times_transposed,
            rmatmat=times_transposed,
        )
        squares = (R.data**2).sum() - 2 * (m @ R.sum(axis=1)) + (m**2).sum() * train.n_items
        U, s, V = leading_vectors(A, n_factors, squares)
        users.factors[:], items.factors[:] = U * np.sqrt(s), V * np.sqrt(s)
        explained = s**2 / (squares or 1.0)
        facts = {"singular_values": s.tolist(), "variance_explained": explained.tolist()}
        return self.model(train, mean, users, items, fold, facts=facts, unrated_items_learned=True)

    def _supported(self, train: Ratings) -> int:
        most = min(train.n_users, train.n_items) - 1
        if self.n_factors > most:
            warnings.warn(
                f"n_factors is {self.n_factors}, but {counted(train.n_users, 'user')} and "
                f"{counted(train.n_items, 'item')} have at most {most} here; {most} are fitted",
                stacklevel=4,
            )
        return min(self.n_factors, most)

    def _baseline(
        self, train: Ratings, n_factors: int
    ) -> tuple[float, Embeddings, Embeddings, Projection]:
        """What is filled in or taken off: mean, biases, and how a newcomer's are found."""
        users = Embeddings.zeros(train.n_users, n_factors)
        items = Embeddings.zeros(train.n_items, n_factors)
        mean = float(train.rating.mean(dtype="f8"))
        if self.fill == "zero":
            fold = Projection(row_mean=ROW_MEAN[self.center], dense=True)
            divisor = {
                "none": np.inf,
                "all": train.n_items,
                "observed": np.maximum(train.by_user.counts, 1),
            }[fold.row_mean]
            users.bias[:] = np.bincount(train.user, train.rating, train.n_users) / divisor
            return 0.0, users, items, fold
        if self.fill == "mean":
            return mean, users, items, Projection(row_mean="none", dense=False)
        if self.fill == "user_mean":
            totals = np.bincount(train.user, train.rating - mean, train.n_users)
            users.bias[:] = totals / np.maximum(train.by_user.counts, 1)
            return mean, users, items, Projection(row_mean="observed", dense=False)
        if self.fill == "item_mean":
            totals = np.bincount(train.item, train.rating - mean, train.n_items)
            items.bias[:] = totals / np.maximum(train.by_item.counts, 1)
            return mean, users, items, Projection(row_mean="none", dense=False)
        baseline = Bias(choice=None)
        biases = baseline.fit(train)
        users.bias[:], items.bias[:] = biases.user_bias, biases.item_bias
        damping = baseline.user_damping
        return mean, users, items, Projection(row_mean="observed", dense=False, damping=damping)
