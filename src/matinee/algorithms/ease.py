"""EASE: one weight from every item to every other, by a single matrix inversion.

    score(u, i) = sum_j x_uj B_ji           x_uj = lowest + (1 - lowest) (r_uj - low) / (high - low)
    min  |X - X B|^2 + sum_j L_j |B_j.|^2    with B_ii = 0                          Steck 2019
    B_ji = - P_ji / P_ii,   P = (X'X + diag(L))^-1
    L_j = reg m + dropout / (1 - dropout) sum_u x_uj^2

x_uj is 0 where u does not have j, and m is the mean of x^2 over the others. With lowest=1 all that
u has counts 1; below, one model learns what is chosen and what is liked, on the scale low..high.
A dropout p is what training on copies of X in which each entry is missing with chance p comes to on
average (EDLAE, Steck 2020). It is the default, as it asks less of reg, which then is close to its
best at 80 + 1.5 times the mean number of users of an item.

Where there are fewer users than items, P = D - D X' (I + X D X')^-1 X D with D = diag(L)^-1 inverts
a matrix of users instead (Woodbury).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array

from matinee.algorithms.base import Algorithm
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Real
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting
from matinee.kernels.inverse import inverse_memory, invert
from matinee.kernels.similarities import inner_products
from matinee.models.baseline import Baseline
from matinee.models.neighbor import NeighborModel
from matinee.training.item_vectors import item_vectors
from matinee.training.progress import OnEpoch, quiet


@dataclass(frozen=True, kw_only=True)
class EASE(Algorithm):
    """``EASE().fit(train)``: every rating counts as a positive; scores only rank."""

    name: ClassVar[str] = "ease"

    lowest: float = setting(
        1.0,
        "target of the lowest rating on the scale, where the highest has 1",
        at_least=0,
        at_most=1,
        search=Real(0, 1),
    )
    reg: float | None = setting(
        None,
        "penalty on squared weights, in users; learned: 80 + 1.5 times the mean number of users of "
        "an item",
        above=0,
        search=Real(10, 5000, log=True),
    )
    dropout: float = setting(
        0.5, "chance that an entry is missing in training", at_least=0, below=1, search=Real(0, 0.9)
    )
    max_memory_gb: float = setting(
        8.0,
        "refuse a fit that needs more: 12 bytes for each pair of items; with fewer users than "
        "items, 4 for these, 12 for each pair of user and item, and 8 for each pair of users",
        above=0,
    )

    @property
    def kind(self) -> str:
        return "preference"

    def device_memory(self, train: Ratings) -> int:
        return inverse_memory(min(train.n_users, train.n_items))

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> NeighborModel:
        """Raises BadSetting where the weights need more than ``max_memory_gb``."""
        self._refuse_too_many(train.n_users, train.n_items)
        targets = train.scale.targets(train.rating, self.lowest)
        squares = np.bincount(train.item, targets.astype(np.float64) ** 2, train.n_items)
        reg = usual_reg(train) if self.reg is None else self.reg
        L = reg * squares.sum() / len(train) + self.dropout / (1 - self.dropout) * squares
        solve = weights_by_users if train.n_users < train.n_items else weights_by_items
        weights = solve(train, targets, L)
        np.fill_diagonal(weights, 0.0)
        weights.flags.writeable = False
        return NeighborModel.of(
            train,
            Baseline.zero(train),
            weights=weights,
            lowest=self.lowest,
            facts={"reg": reg} if self.reg is None else {},
            **self.signature,
        )

    def _refuse_too_many(self, n_users: int, n_items: int) -> None:
        n_bytes = 12 * n_items**2  # float64 while they are inverted, float32 in the model
        if n_users < n_items:
            n_bytes = 4 * n_items**2 + 12 * n_users * n_items + 8 * n_users**2
        if n_bytes / 1e9 > self.max_memory_gb:
            raise BadSetting(
                f"ease needs {n_bytes / 1e9:,.1f} GB for {n_items:,} x {n_items:,} weights, above "
                f"max_memory_gb={self.max_memory_gb:g}; raise it, leave rare items out, or use "
                "slim, which stores the few weights that are not 0"
            )


def usual_reg(train: Ratings) -> float:
    """80 + 1.5 times the mean number of users of an item; see ``benchmarks/learned_settings.py``.

    It is meant for a dropout of one half.
    """
    return float(80 + 1.5 * len(train) / np.count_nonzero(train.item_counts))


def weights_by_items(train: Ratings, targets: np.ndarray, L: np.ndarray) -> np.ndarray:
    """B off its diagonal, by inverting X'X + diag(L): (n_items, n_items) float32.

    ``targets`` (n_ratings,) are the entries of X, ``L`` (n_items,) the penalties.
    """
    A = inner_products(*item_vectors(train, targets))
    A[np.diag_indices_from(A)] += L
    invert(A)
    weights: np.ndarray = np.divide(A, -A.diagonal(), dtype=np.float32, casting="same_kind")
    return weights


def weights_by_users(train: Ratings, targets: np.ndarray, L: np.ndarray) -> np.ndarray:
    """``weights_by_items`` by inverting K = I + X diag(L)^-1 X' (n_users, n_users).

    B_ji = x_j' K^-1 x_i / (L_j L_i P_ii) where j is not i,   L_i P_ii = 1 - x_i' K^-1 x_i / L_i
    """
    indptr, indices, *_ = train.by_user
    X = csr_array((targets.astype(np.float64), indices, indptr), (train.n_users, train.n_items))
    K = (X.multiply(1 / L) @ X.T).toarray()
    K[np.diag_indices_from(K)] += 1.0
    invert(K)
    Z = X.T.tocsr() @ K  # row i holds x_i' K^-1
    own = np.bincount(train.item, X.data * Z[train.item, train.user], train.n_items)
    weights: np.ndarray = X.T.tocsr().astype(np.float32) @ Z.T.astype(np.float32, order="C")
    weights /= L[:, None].astype(np.float32)
    weights /= (1.0 - own / L).astype(np.float32)
    return weights
