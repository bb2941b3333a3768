"""EASE: one weight from every item to every other, by a single matrix inversion.

    score(u, i) = sum_j x_uj B_ji           x_uj = 1 where u has j, else 0
    min  |X - X B|^2 + sum_j L_j |B_j.|^2    with B_ii = 0                          Steck 2019
    B_ji = - P_ji / P_ii,   P = (X'X + diag(L))^-1,   L_j = reg + dropout / (1 - dropout) n_j

n_j is how many have j. A dropout p is what training on copies of X in which each entry is missing
with chance p comes to on average (EDLAE, Steck 2020). It is the default, as it asks less of reg:
one value suits small and large data. dropout=0 is plain EASE, and then wants a larger reg.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.knn import no_baseline, pair_costs
from matinee.algorithms.search_space import Real, Space
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting, Setting
from matinee.kernels.blas import one_blas_thread
from matinee.kernels.jit import read_only
from matinee.kernels.neighbors import count_together
from matinee.kernels.threads import run_all, run_rows
from matinee.models.neighbor import NeighborModel
from matinee.training.progress import OnEpoch, quiet

BLOCK = 256  # rows and columns eliminated at once
BYTES_PER_WEIGHT = 12  # float64 while it is inverted, float32 in the model


@dataclass(frozen=True, kw_only=True)
class EASE(Algorithm):
    """``EASE().fit(train)``: every rating counts as a positive; scores only rank."""

    name: ClassVar[str] = "ease"
    space: ClassVar[Space] = {
        "reg": Real(10, 5000, log=True),
        "dropout": Real(0, 0.9),
    }

    reg: float = 250.0  # penalty on squared weights, in users
    dropout: float = 0.5  # chance of an entry to be missing in training, 0 to below 1
    max_memory_gb: float = 8.0  # refuse a fit that needs more: 12 bytes for each pair of items

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("reg", above=0)
        self.require("dropout", at_least=0)
        self.require("max_memory_gb", above=0)
        if not self.dropout < 1:
            raise BadSetting(f"dropout is {self.dropout}; it must be below 1")

    @property
    def kind(self) -> str:
        return "preference"

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> NeighborModel:
        self.check_train(train)
        self._refuse_too_many(train.n_items)
        A = together(train)
        counts = A.diagonal()
        np.fill_diagonal(A, counts * (1 + self.dropout / (1 - self.dropout)) + self.reg)
        invert(A)
        weights = np.divide(A, -A.diagonal(), dtype=np.float32, casting="same_kind")
        np.fill_diagonal(weights, 0.0)
        signature = {"kind": self.kind, "algorithm": self.name, "settings": self.settings}
        return NeighborModel(
            **no_baseline(train, **signature), weights=read_only(weights, np.float32)
        )

    def _refuse_too_many(self, n_items: int) -> None:
        needed = BYTES_PER_WEIGHT * n_items**2 / 1e9
        if needed > self.max_memory_gb:
            raise BadSetting(
                f"ease needs {needed:,.1f} GB for {n_items:,} x {n_items:,} weights, above "
                f"max_memory_gb={self.max_memory_gb:g}; raise it, leave rare items out, or use "
                "item-knn with ",
                Setting("feedback", "preference"),
            )


def together(train: Ratings) -> np.ndarray:
    """How many people have both of two items: X'X, (n_items, n_items) float64."""
    A = np.zeros((train.n_items, train.n_items))
    run_rows(
        count_together,
        pair_costs(train),
        read_only(train.by_item.indptr, np.int64),
        read_only(train.by_item.indices, np.int32),
        read_only(train.by_user.indptr, np.int64),
        train.item,
        A,
    )
    return A


def invert(A: np.ndarray) -> None:
    """Replace a symmetric positive definite matrix by its inverse; n^3 operations, like LAPACK's.

    Sweeps (Beaton 1964) over blocks of columns K, in the lower triangle alone:

        A_ij <- A_ij - A_iK A_KK^-1 A_Kj,   A_iK <- A_iK A_KK^-1,   A_KK <- -A_KK^-1

    Every product is computed whole by one thread, so there are the same bits on any number of them.
    """
    starts = range(0, len(A), BLOCK)

    def sweep(rows: slice, column: np.ndarray, pivot: np.ndarray, scaled: np.ndarray) -> None:
        scaled[rows] = column[rows] @ pivot
        A[rows, : rows.stop] -= scaled[rows] @ column[: rows.stop].T

    def reflect(rows: slice) -> None:
        A[rows, : rows.stop] *= -1.0
        A[: rows.start, rows] = A[rows, : rows.start].T
        A[rows, rows] = np.tril(A[rows, rows]) + np.tril(A[rows, rows], -1).T

    blocks = [slice(first, min(first + BLOCK, len(A))) for first in starts]
    with one_blas_thread():
        for K in blocks:
            column = np.concatenate([A[K, : K.start].T, A[K.start :, K]])
            corner = np.tril(A[K, K])
            column[K] = corner + np.tril(corner, -1).T
            pivot = np.linalg.inv(column[K])
            pivot = (pivot + pivot.T) / 2
            scaled = np.empty_like(column)
            run_all([partial(sweep, rows, column, pivot, scaled) for rows in reversed(blocks)])
            A[K, : K.start], A[K.start :, K] = scaled[: K.start].T, scaled[K.start :]
            A[K, K] = -pivot
        run_all([partial(reflect, rows) for rows in blocks])
