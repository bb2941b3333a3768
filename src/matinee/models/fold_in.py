"""How someone's ratings become their factors, on fixed item factors: the row solve as a value.

The value that solves every user's row in training is kept on the model. There it folds in people
who came later, and says how much each rating weighs in a score. One formula, one place.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Protocol, cast

import numpy as np

from matinee.kernels.factors import sum_rows
from matinee.kernels.jit import read_only
from matinee.kernels.least_squares import penalty_of, solve_rows
from matinee.kernels.threads import one_blas_thread, run_all, run_rows
from matinee.models.side import Side
from matinee.ratings import Rows

GRAM_PARTS, GRAM_PIECE = 64, 8192  # most parts of a Gram matrix; rows taken to float64 at once


class FoldIn(Protocol):
    """From ratings to a bias and factors, and back to what each rating adds to a score."""

    def solve(self, rated: Rows, mean: float, items: Side, users: Side) -> None:
        """Write into ``users`` the solution of each row of ``rated``; empty rows are left."""

    def parts(
        self, rated: np.ndarray, t: np.ndarray, items: Side, target: int, person: Side
    ) -> np.ndarray:
        """What each rating adds to user_bias + p . q_target: (n,), summing to it.

        ``rated`` (n,) are the rows of the items in the person's history, ``t`` (n,) their ratings
        less mean and item bias, and ``person`` is the solution for them.
        """


@dataclass(frozen=True)
class LeastSquares:
    """Ridge regression of a row's ratings on the other side's factors, with a bias for the row.

        min over p, b   sum_j (r_j - mean - c_j - b - p . q_j)^2
                        + reg n^reg_power |p|^2 + bias_reg n^bias_power b^2,      p >= 0 if asked

    n is the number of ratings in the row (Zhou et al. 2008 have power 1, plain ridge has 0).
    Without ``bias_reg`` the row has no bias. ``sweeps`` passes of coordinate descent stand in for
    the exact non-negative solution while training; 0 means exact (Kim & Park 2011).

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

    def solve(self, rated: Rows, mean: float, items: Side, users: Side) -> None:
        Y = read_only(self._design(items), np.float32)
        if Y.shape[1] == 0:
            return
        X = np.ascontiguousarray(np.column_stack([users.factors, users.bias])[:, : Y.shape[1]])
        lower = np.full(Y.shape[1], -np.inf)
        if self.nonnegative:
            lower[: items.n_factors] = 0.0
        cost = rated.counts * Y.shape[1] + Y.shape[1] ** 2 / 3
        inputs = (
            read_only(rated.indptr, np.int64),
            read_only(rated.indices, np.int32),
            read_only(rated.values, np.float32),
            read_only(np.empty(0), np.float32),
            read_only(mean + items.bias, np.float32),
        )
        penalty = penalty_of(*self._penalty(Y.shape[1]), base=self._base(items))
        pull = np.empty((0, 0))
        if self.implicit_weight:
            pull = self.implicit_weight * sums(rated, cast(np.ndarray, items.implicit))
        pull = read_only(pull, np.float32)
        run_rows(solve_rows, cost, *inputs, Y, penalty, pull, lower, self.sweeps, X)
        users.factors[:] = X[:, : items.n_factors]
        if self.bias_reg is not None:
            users.bias[:] = X[:, -1]

    def parts(
        self, rated: np.ndarray, t: np.ndarray, items: Side, target: int, person: Side
    ) -> np.ndarray:
        Y = self._design(items.take(rated)).astype(np.float64)
        y = self._design(items.row(target))[0].astype(np.float64)
        reg, power = self._penalty(len(y))
        A = Y.T @ Y + np.diag(reg * float(len(rated)) ** power) + self._base(items)
        free = np.ones(len(y), dtype=bool)
        if self.nonnegative:  # a factor held at zero takes no part
            free[: items.n_factors] = person.factors[0] > 0
        worth = np.zeros(len(y))
        worth[free] = np.linalg.solve(A[np.ix_(free, free)], y[free])
        result: np.ndarray = t * (Y @ worth)
        if self.implicit_weight:
            Z = cast(np.ndarray, items.implicit)[rated]
            result += self.implicit_weight * (Z @ worth[: items.n_factors])
        return result

    def exactly(self) -> "LeastSquares":
        """The same solve without a shortcut: what folds in, and ends a non-negative fit."""
        return replace(self, sweeps=0)

    def _design(self, items: Side) -> np.ndarray:
        """Item factors, and a column of ones for the row's bias where it has one."""
        if self.bias_reg is None:
            return np.ascontiguousarray(items.factors)
        return np.column_stack([items.factors, np.ones_like(items.bias)])

    def _base(self, items: Side) -> np.ndarray:
        """What the implicit factors of all items add to the normal matrix of every row."""
        width = items.n_factors + (self.bias_reg is not None)
        base = np.zeros((width, width))
        if self.implicit_weight:
            Z = cast(np.ndarray, items.implicit)
            base[: items.n_factors, : items.n_factors] = self.implicit_weight * gram(Z)
        return base

    def _penalty(self, width: int) -> tuple[np.ndarray, np.ndarray]:
        reg, power = np.full(width, self.reg), np.full(width, self.reg_power)
        if self.bias_reg is not None:
            reg[-1], power[-1] = self.bias_reg, self.bias_power
        return reg, power


@dataclass(frozen=True)
class AroundImplicit(LeastSquares):
    """Least squares around what the choice of items says: the fold-in of SVD++ (Koren 2008).

        factors = p + s,   s = sum_j z_j / sqrt(n),   p the least-squares solution for t_j - s . q_j

    z_j are the items' implicit factors.
    """

    def solve(self, rated: Rows, mean: float, items: Side, users: Side) -> None:
        S = choices(rated, items)
        row_of = np.repeat(np.arange(len(S)), rated.counts)
        expected = np.einsum("nf,nf->n", S[row_of], items.factors[rated.indices])
        super().solve(rated._replace(values=rated.values - expected), mean, items, users)
        users.factors[rated.counts > 0] += S[rated.counts > 0]

    def parts(
        self, rated: np.ndarray, t: np.ndarray, items: Side, target: int, person: Side
    ) -> np.ndarray:
        weights = super().parts(rated, np.ones(len(t)), items, target, person)
        beyond = items.factors[target] - weights @ items.factors[rated]  # what s adds directly
        choice = cast(np.ndarray, items.implicit)[rated] @ beyond / np.sqrt(len(rated))
        result: np.ndarray = weights * t + choice
        return result


def choices(rated: Rows, items: Side) -> np.ndarray:
    """s = sum_j z_j / sqrt(n) of each row: (n_rows, n_factors) float32, zeros for empty rows."""
    root = np.sqrt(np.maximum(rated.counts, 1)).astype(np.float32)
    result: np.ndarray = sums(rated, cast(np.ndarray, items.implicit)) / root[:, None]
    return result


def sums(rated: Rows, Z: np.ndarray) -> np.ndarray:
    """sum_j z_j over each row's columns j: (n_rows, k) float32 for Z (n_cols, k)."""
    S = np.zeros((len(rated.counts), Z.shape[1]), np.float32)
    inputs = (
        read_only(rated.indptr, np.int64),
        read_only(rated.indices, np.int32),
        read_only(Z, np.float32),
    )
    run_rows(sum_rows, rated.counts + 1.0, *inputs, S)
    return S


@dataclass(frozen=True)
class PosteriorMean:
    """The average of least squares over posterior samples (Salakhutdinov & Mnih 2008).

    Items hold the factors of the samples side by side. Someone's factors in sample s solve

        min over p, b   sum_j (r_j - mean - c_j - b - p . q_j)^2
                        + reg[s] |p - sum_j z_j / sqrt(n)|^2 + bias_reg[s] b^2

    z_j are the sample's implicit factors, where there are any. reg is the variance of a rating
    around its score, as p is normal with variance 1 beforehand; bias_reg is the same over the
    variance of b. The score is the average over samples, so users hold p / n_samples and the
    average of b.
    """

    reg: tuple[float, ...]
    bias_reg: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("reg", "bias_reg"):  # a saved model has lists
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def samples(self, items: Side) -> Iterator[tuple[LeastSquares, Side]]:
        """The row solve and the items of each sample; biases are those of the average."""
        k = items.n_factors // len(self.reg)
        for s, (reg, bias_reg) in enumerate(zip(self.reg, self.bias_reg, strict=True)):
            here = slice(s * k, (s + 1) * k)
            if items.implicit is None:
                yield LeastSquares(reg, 0.0, bias_reg), Side(items.factors[:, here], items.bias)
            else:
                sample = Side(items.factors[:, here], items.bias, items.implicit[:, here])
                yield AroundImplicit(reg, 0.0, bias_reg), sample

    def solve(self, rated: Rows, mean: float, items: Side, users: Side) -> None:
        rows = rated.counts > 0
        needed, places = np.unique(rated.indices, return_inverse=True)
        rated = rated._replace(indices=places.astype(np.int32))
        bias = np.zeros(len(rows))
        for s, (fold, sample) in enumerate(self.samples(items.take(needed))):
            solved = Side.zeros(len(rows), sample.n_factors)
            fold.solve(rated, mean, sample, solved)
            here = slice(s * sample.n_factors, (s + 1) * sample.n_factors)
            users.factors[rows, here] = solved.factors[rows] / np.float32(len(self.reg))
            bias += solved.bias
        users.bias[rows] = bias[rows] / len(self.reg)

    def parts(
        self, rated: np.ndarray, t: np.ndarray, items: Side, target: int, person: Side
    ) -> np.ndarray:
        needed = items.take(np.append(rated, target))
        history = np.arange(len(rated))
        parts = [
            fold.parts(history, t, sample, len(rated), person)
            for fold, sample in self.samples(needed)
        ]
        result: np.ndarray = np.mean(parts, axis=0)
        return result


@dataclass(frozen=True)
class ImplicitLeastSquares:
    """Least squares on what was chosen, and more weakly on all that was not.

        min over p   sum_j w_j (target - p . q_j)^2 + unobserved sum over all items (p . q_i)^2
                     + reg (n + unobserved n_items)^reg_power |p|^2,       w_j = 1 + by_rating r_j

    Every rating is a positive, whatever its value (Hu, Koren & Volinsky 2008; with the penalty of
    Rendle et al. 2021). The sum over all items is one matrix, unobserved Q'Q, for all rows.
    """

    reg: float
    unobserved: float
    reg_power: float = 1.0
    by_rating: float = 0.0
    target: float = 1.0

    def solve(self, rated: Rows, mean: float, items: Side, users: Side) -> None:
        Y, X = items.factors, np.ascontiguousarray(users.factors)
        d = items.n_factors
        values = np.full(len(rated.indices), self.target, np.float32)
        weights = self._weights(rated.values) if self.by_rating else np.empty(0)
        inputs = (
            read_only(rated.indptr, np.int64),
            read_only(rated.indices, np.int32),
            read_only(values, np.float32),
            read_only(weights, np.float32),
            read_only(np.zeros(len(Y)), np.float32),
            read_only(Y, np.float32),
        )
        penalty = penalty_of(
            np.full(d, self.reg),
            np.full(d, self.reg_power),
            self.unobserved * len(Y),
            self.unobserved * gram(Y),
        )
        cost = rated.counts * d + d**2 / 3
        no_pull = read_only(np.empty((0, 0)), np.float32)
        run_rows(solve_rows, cost, *inputs, penalty, no_pull, np.full(d, -np.inf), 0, X)
        users.factors[:] = X

    def parts(
        self, rated: np.ndarray, t: np.ndarray, items: Side, target: int, person: Side
    ) -> np.ndarray:
        Y, y = items.factors[rated].astype(np.float64), items.factors[target].astype(np.float64)
        n_items = len(items.factors)
        w = self._weights(t + items.bias[rated])
        A = Y.T @ (w[:, None] * Y) + self.unobserved * gram(items.factors)
        A += np.eye(len(y)) * self.reg * (len(rated) + self.unobserved * n_items) ** self.reg_power
        result: np.ndarray = self.target * w * (Y @ np.linalg.solve(A, y))
        return result

    def _weights(self, ratings: np.ndarray) -> np.ndarray:
        return 1.0 + self.by_rating * ratings.astype(np.float64)


def gram(Y: np.ndarray) -> np.ndarray:
    """Y' Y in float64, (d, d) for Y (n, d).

    Parts whose number depends on n alone are summed side by side, a piece in float64 at a time, so
    the bits are the same at any number of threads.
    """
    n, d = Y.shape
    ends = np.linspace(0, n, min(GRAM_PARTS, n // GRAM_PIECE + 1) + 1).astype(int)
    sums = np.zeros((len(ends) - 1, d, d))

    def add(part: int) -> None:
        for first in range(ends[part], ends[part + 1], GRAM_PIECE):
            piece = Y[first : min(first + GRAM_PIECE, ends[part + 1])].astype(np.float64)
            sums[part] += piece.T @ piece

    with one_blas_thread():
        run_all([partial(add, part) for part in range(len(sums))])
    total: np.ndarray = sums.sum(axis=0)
    return total


@dataclass(frozen=True)
class Projection:
    """Projection of a filled row on singular vectors: the fold-in of a truncated SVD.

        m   = sum_j t_j / D,   t_j = r_j - mean - c_j,   D = n (observed), n_items (all), or no m
        p_f = (sum_j x_j q_jf) / |q_f|^2,   x_j = t_j - m where rated;  -m or 0 where not

    Factors are q_f = v_f sqrt(s_f), p_f = u_f sqrt(s_f), so |q_f|^2 is the singular value s_f.
    ``row_mean`` names D; ``dense`` says that the mean is taken from unrated cells as well.
    """

    row_mean: str  # "none", "observed" or "all"
    dense: bool
    damping: float = 0.0  # ratings of value 0 added to D

    def solve(self, rated: Rows, mean: float, items: Side, users: Side) -> None:
        scaled = self._scaled(items)
        for row in np.flatnonzero(rated.counts).tolist():
            here, values = rated.row(row)
            t = values - mean - items.bias[here].astype(np.float64)
            m = t.sum() / self._divisor(len(here), items)
            users.bias[row] = m
            users.factors[row] = t @ scaled[here] - m * self._centred(here, scaled)

    def parts(
        self, rated: np.ndarray, t: np.ndarray, items: Side, target: int, person: Side
    ) -> np.ndarray:
        scaled, q = self._scaled(items), items.factors[target].astype(np.float64)
        of_mean = 1.0 - self._centred(rated, scaled) @ q
        result: np.ndarray = t * (scaled[rated] @ q + of_mean / self._divisor(len(rated), items))
        return result

    def _divisor(self, n: int, items: Side) -> float:
        count = {"none": np.inf, "observed": n, "all": len(items.bias)}[self.row_mean]
        return float(count + self.damping)

    def _centred(self, rated: np.ndarray, scaled: np.ndarray) -> np.ndarray:
        """Sum of the projected item rows of the cells that the row mean is taken from."""
        return np.asarray((scaled if self.dense else scaled[rated]).sum(axis=0))

    @staticmethod
    def _scaled(items: Side) -> np.ndarray:
        Q = items.factors.astype(np.float64)
        norms = (Q**2).sum(axis=0)
        return Q / np.where(norms > 0, norms, 1.0)


@dataclass(frozen=True)
class ZeroFilled:
    """Non-negative least squares on a row whose absent ratings are zeros.

        min over p >= 0   sum over all items (r_j - p . q_j)^2,      r_j = 0 where not rated

    Lawson & Hanson 1974, by scipy, on the triangular factor of sum_j q_j q_j'.
    """

    def solve(self, rated: Rows, mean: float, items: Side, users: Side) -> None:
        from scipy.linalg import solve_triangular
        from scipy.optimize import nnls

        factor = np.linalg.cholesky(self._gram(items))
        for row in np.flatnonzero(rated.counts).tolist():
            here, values = rated.row(row)
            b = values.astype(np.float64) @ items.factors[here]
            users.factors[row] = nnls(factor.T, solve_triangular(factor, b, lower=True))[0]

    def parts(
        self, rated: np.ndarray, t: np.ndarray, items: Side, target: int, person: Side
    ) -> np.ndarray:
        free = person.factors[0] > 0  # a factor held at zero takes no part
        Q, q = items.factors[rated].astype(np.float64), items.factors[target].astype(np.float64)
        A = self._gram(items)[np.ix_(free, free)]
        result: np.ndarray = t * (Q[:, free] @ np.linalg.solve(A, q[free]))
        return result

    @staticmethod
    def _gram(items: Side) -> np.ndarray:
        Q = items.factors.astype(np.float64)
        G = Q.T @ Q
        return np.asarray(G + np.eye(len(G)) * (1e-9 * np.trace(G) + 1e-12))


FOLD_INS: dict[str, type] = {
    "least_squares": LeastSquares,
    "implicit_least_squares": ImplicitLeastSquares,
    "around_implicit": AroundImplicit,
    "posterior_mean": PosteriorMean,
    "projection": Projection,
    "zero_filled": ZeroFilled,
}


def to_plain(fold_in: FoldIn) -> dict[str, Any]:
    """The value as plain JSON data; ``from_plain`` is its inverse."""
    name = next(name for name, kind in FOLD_INS.items() if type(fold_in) is kind)
    return {"kind": name, **asdict(fold_in)}  # type: ignore[call-overload]


def from_plain(data: dict[str, Any]) -> FoldIn:
    """The value that ``to_plain`` wrote."""
    settings = dict(data)
    fold_in: FoldIn = FOLD_INS[settings.pop("kind")](**settings)
    return fold_in
