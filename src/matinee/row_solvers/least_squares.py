"""Least squares on ratings: the fold-in of MF and NMF, and the row solve that trains them."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.blas import row_products, solve_each
from matinee.kernels.least_squares import Penalty, Regularizer, Terms, normal_matrix, penalty_of
from matinee.kernels.row_solve import Dual, solve_rows
from matinee.kernels.rows import row_sums
from matinee.row_solvers.base import summed_products
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.matrix_penalty import MatrixPenalty
from matinee.tastes.canonical import Freedom


@dataclass(frozen=True)
class LeastSquares:
    """Ridge regression of a row's ratings on the other side's factors, with a bias for the row.

        min over p, b   sum_j w_j (r_j - mean - c_j - b - p . q_j)^2
                        + reg n^reg_power |p|^2 + bias_reg n^bias_power b^2,   p >= 0 if nonnegative

    w_j is the weight of a rating, and n is the number of ratings in the row, whatever they weigh
    (Zhou et al. 2008 have power 1, plain ridge has 0).
    Without ``bias_reg`` the row has no bias. ``sweeps`` passes of coordinate descent stand in for
    the exact non-negative solution while training; 0 means exact (Kim & Park 2011).

    With a ``matrix`` it takes the place of reg n^reg_power |p|^2; see ``MatrixPenalty``.

    With ``implicit_weight`` w, what was rated at all counts too, through the items' implicit
    factors z (Cortes 2018): the sum gains  w sum over all items (1 if rated else 0 - p . z_i)^2.
    """

    reg: float
    reg_power: float = 1.0
    bias_reg: float | None = None
    bias_power: float = 0.0
    nonnegative: bool = False
    sweeps: int = 0
    implicit_weight: float = 0.0
    matrix: MatrixPenalty | None = None

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
        d = self.width(items.n_factors)
        if d == 0:
            return
        terms, X = self.terms(rated, mean, items), self.rows_of(users)
        pull = self.pull(
            row_sums(rated, cast(np.ndarray, items.implicit)) if self.implicit_weight else None
        )
        if toward is not None:
            pull = self._drawn(pull, rated, toward)
        penalty, dual = self.row_penalty(items), self.has_dual and toward is None
        solve_rows(
            terms,
            Regularizer.of(penalty, pull, self.lower(items.n_factors), self.sweeps),
            Dual.of(terms.Y if dual else terms.Y[:0], penalty),
            X,
        )
        self.put(X, users)

    @property
    def summed(self) -> str | None:
        return "implicit" if self.implicit_weight else None

    @property
    def has_dual(self) -> bool:
        return not (self.nonnegative or self.implicit_weight or self.matrix)

    def width(self, n_factors: int) -> int:
        return n_factors + (self.bias_reg is not None)

    def terms(self, rated: Rows, mean: float, items: Embeddings) -> Terms:
        return Terms.of(rated, mean + items.bias, self._design(items))

    def penalty(self, n_factors: int, n_cols: int, products: np.ndarray | None) -> Penalty:
        d = self.width(n_factors)
        base, slope = np.zeros((2, d, d))
        if products is not None:
            base[:n_factors, :n_factors] += self.implicit_weight * products
        if self.matrix is not None:
            base[:n_factors, :n_factors] += self.matrix.base
            slope[:n_factors, :n_factors] = self.matrix.slope
        return penalty_of(*self._penalty(d), base=base, slope=slope)

    def row_penalty(self, items: Embeddings, products: np.ndarray | None = None) -> Penalty:
        """The penalty of every row, with what the implicit factors of all items add to it.

        ``products`` (k, k) are those of the ``summed`` matrix, where they are known already.
        """
        if products is None:
            products = summed_products(self, items)
        return self.penalty(items.n_factors, len(items.bias), products)

    def dual_penalty(
        self, n_factors: int, n_cols: int, products: np.ndarray
    ) -> tuple[Penalty, None]:
        return self.penalty(n_factors, n_cols, None), None

    def lower(self, n_factors: int) -> np.ndarray:
        lower = np.full(self.width(n_factors), -np.inf)
        if self.nonnegative:
            lower[:n_factors] = 0.0
        return lower

    def pull(self, S: np.ndarray | None) -> np.ndarray | None:
        with np.errstate(over="ignore", invalid="ignore"):  # the fit says so where it diverges
            return None if S is None else self.implicit_weight * S

    def rows_of(self, side: Embeddings) -> np.ndarray:
        X = np.column_stack([side.factors, side.bias])[:, : self.width(side.n_factors)]
        return np.ascontiguousarray(X)

    def put(self, X: np.ndarray, side: Embeddings) -> None:
        side.factors[:] = X[:, : side.n_factors]
        if self.bias_reg is not None:
            side.bias[:] = X[:, -1]

    def parts(
        self,
        rated: Rows,
        items: Embeddings,
        targets: np.ndarray,
        person: Embeddings,
        products: np.ndarray | None = None,
    ) -> np.ndarray:
        Y, t = self._rooted(rated, items)
        y = self._design(items.take(targets)).astype(np.float64)
        A, free = self._matrix(Y, self.row_penalty(items, products), person)
        worth = np.zeros(y.shape)
        worth[:, free] = solve_each(A, y[:, free])
        result: np.ndarray = t * row_products(worth, Y)
        if self.implicit_weight:
            Z = cast(np.ndarray, items.implicit)[rated.indices]
            result += self.implicit_weight * row_products(worth[:, : items.n_factors], Z)
        return result

    def spread(
        self,
        rated: Rows,
        items: Embeddings,
        targets: np.ndarray,
        person: Embeddings,
        penalty: Penalty,
    ) -> np.ndarray:
        """The posterior variance of the targets' scores, y'A^-1 y (n,), in units of the noise.

        ``rated`` is a history, one row, ``person`` is its solution, ``targets`` (n,) are rows of
        items, and ``penalty`` is that of ``row_penalty``.
        """
        y = self._design(items.take(targets)).astype(np.float64)
        Y, _ = self._rooted(rated, items)
        A, free = self._matrix(Y, penalty, person)
        worth = np.linalg.solve(A, y[:, free].T).T
        return np.asarray((y[:, free] * worth).sum(axis=1))

    def without_each(self, rated: Rows, items: Embeddings) -> np.ndarray | None:
        """The solutions (n, d) without each rating of one row in turn, by downdates of one solve.

            (A - y y')^-1 g = A^-1 g + A^-1 y (y'A^-1 g) / (1 - y'A^-1 y),    g = b - y t

        where y and t have the root of the rating's weight in them, and A has the penalty of n - 1
        ratings (Sherman & Morrison 1950). None where a solution is not linear in its ratings, or
        one rating is all there is.
        """
        if self.nonnegative or len(rated.indices) < 2:
            return None
        Y, t = self._rooted(rated, items)
        share = Y * t[:, None]  # what each rating adds to b
        if self.implicit_weight:
            Z = cast(np.ndarray, items.implicit)[rated.indices]
            share[:, : items.n_factors] += self.implicit_weight * Z
        A = normal_matrix(Y, self.row_penalty(items), len(rated.indices) - 1)
        worth = np.linalg.solve(A, Y.T).T
        rest = np.linalg.solve(A, (share.sum(axis=0) - share).T).T
        leverage = (Y * worth).sum(axis=1)
        return np.asarray(rest + worth * ((Y * rest).sum(axis=1) / (1 - leverage))[:, None])

    def _rooted(self, rated: Rows, items: Embeddings) -> tuple[np.ndarray, np.ndarray]:
        """Y (n, d) and t (n,) of one row, each times the root of its rating's weight."""
        Y = self._design(items.take(rated.indices)).astype(np.float64)
        if rated.weights is None:
            return Y, rated.values
        roots = np.sqrt(rated.weights.astype(np.float64))
        return roots[:, None] * Y, roots * rated.values

    def _matrix(
        self, Y: np.ndarray, penalty: Penalty, person: Embeddings
    ) -> tuple[np.ndarray, np.ndarray]:
        """The normal matrix of the rated Y, and which of its unknowns (d,) are free.

        A factor that is held at zero takes no part; the matrix is of the others alone.
        """
        A = normal_matrix(Y, penalty, max(len(Y), 1))
        free = np.ones(len(A), dtype=bool)
        if self.nonnegative:
            free[: person.n_factors] = person.factors[0] > 0
        return A[np.ix_(free, free)], free

    def rotated(self, rotation: np.ndarray) -> "LeastSquares":
        """The same solve on items whose factors are times an orthogonal matrix (k, k)."""
        return self if self.matrix is None else replace(self, matrix=self.matrix.rotated(rotation))

    def in_units(self, unit: float) -> "LeastSquares":
        """The solve for ratings times ``unit`` whose biases grow by it and factors by its root."""
        weight = unit**2 * self.implicit_weight
        return replace(self, reg=unit * self.reg, implicit_weight=weight)

    def exactly(self) -> "LeastSquares":
        """The same solve without a shortcut: what folds in, and ends a non-negative fit."""
        return replace(self, sweeps=0)

    def penalties(self, rated: Rows, n_items: int) -> np.ndarray:
        """The penalty on |p|^2 of each row: (n_rows,)."""
        return np.asarray(self.reg * rated.counts.astype(np.float64) ** self.reg_power)

    def _design(self, items: Embeddings) -> np.ndarray:
        """Item factors, and a column of ones for the row's bias where it has one."""
        if self.bias_reg is None:
            return np.ascontiguousarray(items.factors)
        return np.column_stack([items.factors, np.ones_like(items.bias)])

    def _drawn(self, pull: np.ndarray | None, rated: Rows, toward: Embeddings) -> np.ndarray:
        """``pull`` and what draws each row to its row of ``toward``."""
        reg, power = self._penalty(self.width(toward.n_factors))
        prior = self.rows_of(toward)
        pulls: np.ndarray = prior * (reg * rated.counts[:, None].astype(np.float64) ** power)
        if pull is not None:
            pulls[:, : pull.shape[1]] += pull
        return pulls

    def _penalty(self, width: int) -> tuple[np.ndarray, np.ndarray]:
        reg, power = np.full(width, self.reg), np.full(width, self.reg_power)
        if self.matrix is not None:
            reg[:], power[:] = 0.0, 0.0
        if self.bias_reg is not None:
            reg[-1], power[-1] = self.bias_reg, self.bias_power
        return reg, power
