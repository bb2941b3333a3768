"""What every fold-in can do."""

from typing import Protocol

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.blas import gram
from matinee.kernels.least_squares import Penalty, Terms
from matinee.row_solvers.embeddings import Embeddings
from matinee.tastes.canonical import Freedom


class FoldIn(Protocol):
    """From ratings to a bias and factors, and back to what each rating adds to a score."""

    @property
    def summed(self) -> str | None:
        """Whose products Y'Y the solve takes: "factors" or "implicit" of the items, or None."""

    @property
    def freedom(self) -> Freedom:
        """What leaves the scores of the fold-in as they are when applied to all factors alike."""

    def solve(self, rated: Rows, mean: float, items: Embeddings, users: Embeddings) -> None:
        """Write into ``users`` the solution of each row of ``rated``; empty rows are left."""

    def parts(
        self,
        rated: Rows,
        items: Embeddings,
        targets: np.ndarray,
        person: Embeddings,
        products: np.ndarray | None = None,
    ) -> np.ndarray:
        """What each rating adds to user_bias + p . q of each target: (n_targets, n), summing to it.

        ``rated`` is the person's history, one row, whose values t (n,) are the ratings less mean
        and item bias, ``targets`` (n_targets,) are rows of items, and ``person`` is the solution
        for the ratings. The bits of a row do not depend on the other targets.
        ``products`` are those of the ``summed`` matrix, where they are known already.
        """


class RowSolve(FoldIn, Protocol):
    """A fold-in by normal equations, which ratings in parts can be summed up for.

    Besides its ratings a row has a penalty, for which the products of one matrix of the other side
    may be summed over all columns, and a pull, a sum over the row's columns.
    """

    @property
    def sweeps(self) -> int:
        """Passes of coordinate descent for a row that has bounds; 0 solves it exactly."""

    @property
    def has_dual(self) -> bool:
        """Whether rows with few ratings are solved in as many unknowns as they have ratings."""

    def width(self, n_factors: int) -> int:
        """d, the unknowns of a row."""

    def terms(self, rated: Rows, mean: float, items: Embeddings) -> Terms:
        """What the ratings are to the row solve."""

    def penalty(self, n_factors: int, n_cols: int, products: np.ndarray | None) -> Penalty:
        """What is added for all rows; ``products`` (d, d) are those of the ``summed`` matrix."""

    def dual_penalty(
        self, n_factors: int, n_cols: int, products: np.ndarray
    ) -> tuple[Penalty, np.ndarray | None]:
        """A diagonal penalty for the dual, and the basis (k, k) it holds in, where not as is."""

    def lower(self, n_factors: int) -> np.ndarray:
        """(d,) the least that each unknown may be."""

    def pull(self, S: np.ndarray | None) -> np.ndarray | None:
        """What is added to b, of sums (n_rows, n_factors) over the other side's implicit factors.

        None where nothing is.
        """

    def rows_of(self, side: Embeddings) -> np.ndarray:
        """The unknowns (n, d) float32 of a side, copied."""

    def put(self, X: np.ndarray, side: Embeddings) -> None:
        """Write the unknowns X (n_rows, d) into a side."""


def summed_products(fold: FoldIn, items: Embeddings) -> np.ndarray | None:
    """The products Y'Y (k, k) of what a fold-in sums over all items; None where it sums nothing."""
    return None if fold.summed is None else gram(getattr(items, fold.summed))
