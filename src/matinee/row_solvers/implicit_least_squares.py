"""Least squares on implicit feedback: the fold-in of implicit ALS and BPR."""

from dataclasses import dataclass, replace

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.blas import gram, one_blas_thread, rotated, row_products, solve_each
from matinee.kernels.conjugate_gradients import Positives, improve_rows
from matinee.kernels.least_squares import (
    Penalty,
    Regularizer,
    Terms,
    dual_rows,
    normal_matrix,
    penalty_of,
)
from matinee.kernels.row_solve import Dual, solve_rows
from matinee.row_solvers.base import summed_products
from matinee.row_solvers.embeddings import Embeddings
from matinee.tastes.canonical import Freedom


@dataclass(frozen=True)
class ImplicitLeastSquares:
    """Least squares on positives, and with a smaller weight on all other items.

        min over p   sum_j w_j (x_j - p . q_j)^2 + unobserved sum over all items (p . q_i)^2
                     + reg (n + unobserved n_items)^reg_power |p|^2
        w_j = 1 + by_rating r_j,    x_j = target + slope r_j

    Every rating is a positive (Hu, Koren & Volinsky 2008; with the penalty of Rendle et al. 2021);
    with a slope, higher ratings are to score higher. The sum over all items is one matrix,
    unobserved Q'Q, for all rows; in the basis of its eigenvectors, where the dual is solved, it is
    diagonal and joins the penalty.
    While training, ``n_steps`` of conjugate gradients from the row as it is stand in for the exact
    solution, or ``sweeps`` of coordinate descent where p >= 0 (``nonnegative``); 0 means exact.
    """

    reg: float
    unobserved: float
    reg_power: float = 1.0
    by_rating: float = 0.0
    target: float = 1.0
    slope: float = 0.0
    n_steps: int = 0
    nonnegative: bool = False
    sweeps: int = 0

    @property
    def freedom(self) -> Freedom:
        return "order" if self.nonnegative else "rotation"

    def solve(
        self,
        rated: Rows,
        mean: float,
        items: Embeddings,
        users: Embeddings,
        toward: Embeddings | None = None,
    ) -> None:
        """As every fold-in; the penalty is on how far a row is from its row of ``toward``."""
        d, n_items = items.n_factors, len(items.bias)
        products = gram(items.factors)
        dual_penalty, rotation = self.dual_penalty(d, n_items, products)
        if self.n_steps:
            self._improve(rated, items, users, toward, dual_penalty, rotation)
            return
        pull, X = None, users.factors
        if toward is not None:
            pull = self.penalties(rated, n_items)[:, None] * toward.factors
        penalty = self.penalty(d, n_items, products)
        dual = self.has_dual and toward is None
        dual_Y = rotated(items.factors if dual else items.factors[:0], rotation)
        in_dual = solve_rows(
            self.terms(rated, mean, items),
            Regularizer.of(penalty, pull, self.lower(d), self.sweeps),
            Dual.of(dual_Y, dual_penalty),
            X,
        )
        if dual and in_dual:
            rotate_back(X, rated.counts, rotation)

    def _improve(
        self,
        rated: Rows,
        items: Embeddings,
        users: Embeddings,
        toward: Embeddings | None,
        penalty: Penalty,
        rotation: np.ndarray,
    ) -> None:
        """Take ``n_steps`` of conjugate gradients in the basis where the penalty is diagonal.

        The users' factors are turned into it and back where they are: they may be half the memory.
        """
        all_cells = self.unobserved * len(items.bias)
        pull = None
        if toward is not None:
            centers = rotated(toward.factors, rotation)
            pull = self.penalties(rated, len(items.bias))[:, None] * centers
        weights = self._weights(rated.values) if self.by_rating else None
        X, known = users.factors, rated.counts > 0
        rotated(X, rotation, out=X, rows=known)
        rated = rated._replace(values=self.targets(rated.values))
        positives = Positives.of(rated, weights, rotated(items.factors, rotation))
        typical = penalty.diagonal / all_cells
        improve_rows(positives, penalty, pull, typical, self.n_steps, X)
        rotated(X, rotation.T, out=X, rows=known)

    @property
    def summed(self) -> str | None:
        return "factors"

    @property
    def has_dual(self) -> bool:
        return not self.nonnegative

    def width(self, n_factors: int) -> int:
        return n_factors

    def terms(self, rated: Rows, mean: float, items: Embeddings) -> Terms:
        weights = self._weights(rated.values) if self.by_rating else None
        rated = rated._replace(values=self.targets(rated.values), weights=weights)
        return Terms.of(rated, np.zeros(len(items.bias)), items.factors)

    def penalty(self, n_factors: int, n_cols: int, products: np.ndarray | None) -> Penalty:
        assert products is not None
        reg, power = np.full(n_factors, self.reg), np.full(n_factors, self.reg_power)
        more = self.unobserved * n_cols
        return penalty_of(reg, power, more, base=self.unobserved * products)

    def dual_penalty(
        self, n_factors: int, n_cols: int, products: np.ndarray
    ) -> tuple[Penalty, np.ndarray]:
        with one_blas_thread():  # small, and many threads on it cost more than they save
            common, basis = np.linalg.eigh(self.unobserved * products)
        reg, power = np.full(n_factors, self.reg), np.full(n_factors, self.reg_power)
        more, diagonal = self.unobserved * n_cols, np.maximum(common, 0.0)
        return penalty_of(reg, power, more, diagonal=diagonal), basis.astype(np.float32)

    def lower(self, n_factors: int) -> np.ndarray:
        return np.full(n_factors, 0.0 if self.nonnegative else -np.inf)

    def pull(self, S: np.ndarray | None) -> None:
        return None

    def rows_of(self, side: Embeddings) -> np.ndarray:
        return np.array(side.factors, np.float32)

    def put(self, X: np.ndarray, side: Embeddings) -> None:
        side.factors[:] = X

    def parts(
        self,
        rated: Rows,
        items: Embeddings,
        targets: np.ndarray,
        person: Embeddings,
        products: np.ndarray | None = None,
    ) -> np.ndarray:
        Y, y = (items.factors[rows].astype(np.float64) for rows in (rated.indices, targets))
        if products is None:
            products = summed_products(self, items)
        penalty = self.penalty(items.n_factors, len(items.factors), products)
        ratings = rated.values + items.bias[rated.indices]
        w = self._weights(ratings)
        A = normal_matrix(Y, penalty, len(Y), w)
        free = np.ones(items.n_factors, dtype=bool)
        if self.nonnegative:  # a factor held at zero takes no part
            free = person.factors[0] > 0
        worth = solve_each(A[np.ix_(free, free)], y[:, free])
        result: np.ndarray = self.targets(ratings) * w * row_products(worth, Y[:, free])
        return result

    def targets(self, ratings: np.ndarray) -> np.ndarray:
        """What the score of each rating is to be: (n,) float32."""
        targets = ratings.astype(np.float64)
        targets *= self.slope
        targets += self.target
        return targets.astype(np.float32)

    def penalties(self, rated: Rows, n_items: int) -> np.ndarray:
        """The penalty on |p|^2 of each row: (n_rows,)."""
        n = rated.counts + self.unobserved * n_items
        return np.asarray(self.reg * n**self.reg_power)

    def exactly(self) -> "ImplicitLeastSquares":
        """The same solve without a shortcut: what folds in, and ends a fit."""
        return replace(self, n_steps=0, sweeps=0)

    def _weights(self, ratings: np.ndarray) -> np.ndarray:
        return 1.0 + self.by_rating * ratings.astype(np.float64)


def rotate_back(X: np.ndarray, counts: np.ndarray, rotation: np.ndarray) -> None:
    """Take the rows of X (n, d) that were solved in the dual out of the rotated basis.

    ``counts`` (n,) are the ratings of each row.
    """
    dual = dual_rows(counts, X.shape[1]) & (counts > 0)
    if dual.any():
        rotated(X, rotation.T, out=X, rows=dual)
