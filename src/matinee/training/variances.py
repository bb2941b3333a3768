"""Penalties learned as variances: variational Bayes for biased matrix factorization.

    r = mu + b_u + c_i + p_u . q_i + e      e ~ N(0, s2),  p_uf, q_if ~ N(0, v_f),  b_u ~ N(0, v_b)

What is best believed of a row is normal (Lim & Teh 2007). Its mean is a row solve with the penalty

    sum_f (s2 / v_f + n a_qf) p_f^2 + s2 / v_b b^2      a_qf: Var[q_f], on average over the ratings

and its variance is taken to be that of a row whose n ratings are typical, factor by factor:

    Var[p_uf] = s2 / (n E[q_f^2] + s2 / v_f + w |z_f|^2),     w |z_f|^2: of the implicit part

Then each variance is what makes these beliefs likeliest:

    s2  = mean (r - score)^2 + sum_f (a_p a_q + a_p mean q^2 + a_q mean p^2)_f + those of the biases
    v_f = mean over rows of p_uf^2 + Var[p_uf]

Ratings may have weights w_j: then e_j ~ N(0, s2 / w_j), so sums over ratings are weighted. n is the
sum of a row's weights, and s2 the mean of w (r - score)^2 and what follows times the mean weight.

A factor that explains nothing gets a variance near zero and leaves the scores. P Q' = (P R)(Q T)'
where R T' = 1; the R and T that make both sides' second moments equal and diagonal make the bound
on the likelihood tightest for variances one by one (Nakajima & Sugiyama 2011).
"""

from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from matinee.kernels.blas import gram, one_blas_thread, rotated
from matinee.row_solvers import LeastSquares, MatrixPenalty
from matinee.row_solvers.embeddings import Embeddings

# What a fit begins with, in deviations of the ratings: noise, factors and biases, uncertainty. With
# more noise weak factors would fade out before they are found.
NOISE, PRIOR, SPREAD = 0.1, 0.3, 0.02
LEAST = 1e-6  # variance of a factor that explains nothing
ACTIVE = 1e-2  # variance from which a factor takes part


class Variances(NamedTuple):
    """What is believed of the sizes of all parts of a score, in squared stars."""

    noise: float  # s2
    factors: np.ndarray  # (k,) v: of both sides, as they are balanced
    biases: tuple[float, float]  # v_b of users and of items
    spreads: tuple[np.ndarray, np.ndarray]  # (k,) a_p and a_q

    def active(self, unit: float) -> int:
        """How many factors take part in scores."""
        return int(np.count_nonzero(self.factors > ACTIVE * unit))

    @classmethod
    def first(cls, k: int, unit: float, mean_weight: float = 1.0) -> "Variances":
        """What is believed before the first epoch of ratings whose deviation is ``unit``."""
        noise, bias = mean_weight * NOISE * unit**2, PRIOR * unit**2
        spread = np.full(k, SPREAD * unit)
        return cls(noise, np.full(k, PRIOR * unit), (bias, bias), (spread, spread))


@dataclass(frozen=True)
class VarianceLearning:
    """How the penalties of a fit are learned; what is given here stays as it is."""

    unit: float  # the deviation of the ratings
    biased: bool = True
    bias_reg: float | None = None
    implicit_weight: float | None = None  # in squared stars; None: ``implicit_share`` of the noise
    implicit_share: float = 0.0
    mean_weight: float = 1.0  # of the ratings

    def weight(self, noise: float) -> float:
        """The weight of the implicit part."""
        if self.implicit_weight is not None:
            return self.implicit_weight
        return self.implicit_share * noise

    def solves(self, now: Variances) -> tuple[LeastSquares, LeastSquares]:
        """The row solves of users and of items."""
        base, weight = np.diag(now.noise / now.factors), self.weight(now.noise)
        users, items = (
            LeastSquares(
                reg=0.0,
                bias_reg=self._bias_reg(now.noise, bias) if self.biased else None,
                implicit_weight=weight,
                matrix=MatrixPenalty(base, np.diag(self.mean_weight * spread)),
            )
            for bias, spread in zip(now.biases, now.spreads[::-1], strict=True)
        )
        return users, items

    def _bias_reg(self, noise: float, variance: float) -> float:
        return noise / variance if self.bias_reg is None else self.bias_reg

    def learned(
        self,
        now: Variances,
        sides: tuple[Embeddings, Embeddings],
        weights: tuple[np.ndarray, np.ndarray],
        squared_error: float,
    ) -> Variances:
        """The next variances; the factors of both sides are balanced in place.

        ``weights`` (n_users,), (n_items,) are what the ratings of each user and of each item weigh
        together, and ``squared_error`` is the mean of w (r - score)^2.
        """
        if not np.isfinite(squared_error):  # the fit says so
            return now
        rows = [
            Beliefs.of(side, n, other, spread, self._prior(now, bias))
            for side, n, other, spread, bias in zip(
                sides, weights, sides[::-1], now.spreads[::-1], now.biases, strict=True
            )
        ]
        # Beliefs on a side need the moments of the other over ratings, so they come in two steps.
        moments = [one.over_ratings(one.squares) for one in rows]
        variances = [one.variances(other) for one, other in zip(rows, moments[::-1], strict=True)]
        spreads = [one.over_ratings(of) for one, of in zip(rows, variances, strict=True)]
        a_p, a_q = (one[:-1] for one in spreads)
        m_p, m_q = (one[:-1] for one in moments)
        unsure = float((a_p * a_q + a_p * m_q + a_q * m_p).sum())
        if self.biased:
            unsure += float(spreads[0][-1] + spreads[1][-1])
        noise = max(squared_error, LEAST * self.unit**2) + self.mean_weight * unsure
        of_bias = [
            max(one.over_rows(one.squares + of)[-1], LEAST * self.unit**2)
            for one, of in zip(rows, variances, strict=True)
        ]
        means = [one.over_rows(of)[:-1] for one, of in zip(rows, variances, strict=True)]
        R, T, factors = balance(*(one.second(of) for one, of in zip(rows, means, strict=True)))
        for side, turn in zip(sides, (R, T), strict=True):
            for array in (side.factors, side.implicit):
                if array is not None:
                    rotated(array, turn.astype(np.float32), array)
        spreads_turned = a_p @ R**2, a_q @ T**2
        return Variances(
            noise, np.maximum(factors, LEAST * self.unit), (of_bias[0], of_bias[1]), spreads_turned
        )

    def _prior(self, now: Variances, bias: float) -> "RowPrior":
        """What a row of the side with this variance of biases has besides its ratings."""
        base = np.append(now.noise / now.factors, self._bias_reg(now.noise, bias))
        return RowPrior(now.noise, base, self.weight(now.noise))


class RowPrior(NamedTuple):
    """What a row has besides its ratings."""

    noise: float
    penalty: np.ndarray  # (k + 1,) s2 / v, of the bias too
    implicit_weight: float


@dataclass(frozen=True, eq=False)
class Beliefs:
    """What is believed of the rows of a side that have ratings, factors and then the bias."""

    n: np.ndarray  # (n_rows,) what the ratings of each weigh together
    side: Embeddings
    squares: np.ndarray  # (n_rows, k + 1)
    noise: float
    more: np.ndarray  # (k + 1,) what a row's precision has besides that of its ratings
    slope: np.ndarray  # (k + 1,) what the other side's uncertainty adds for each rating

    @classmethod
    def of(
        cls,
        side: Embeddings,
        weights: np.ndarray,
        other: Embeddings,
        spread: np.ndarray,
        prior: RowPrior,
    ) -> "Beliefs":
        """Of a side whose ratings are of ``other``, which has this ``spread`` (k,)."""
        rows = weights > 0
        known = Embeddings(side.factors[rows], side.bias[rows])
        squares = np.column_stack([known.factors, known.bias]).astype(np.float64) ** 2
        more = prior.penalty.copy()
        if prior.implicit_weight and other.implicit is not None:
            more[:-1] += prior.implicit_weight * gram(other.implicit).diagonal()
        n = weights[rows].astype(np.float64)
        return cls(n, known, squares, prior.noise, more, np.append(spread, 0.0))

    def variances(self, moments: np.ndarray) -> np.ndarray:
        """(n_rows, k + 1), where ``moments`` are E[q^2] of the other side over the ratings."""
        per_rating = np.append(moments[:-1], 1.0) + self.slope
        return np.asarray(self.noise / (self.n[:, None] * per_rating + self.more))

    def over_ratings(self, values: np.ndarray) -> np.ndarray:
        """The average of values (n_rows, k + 1) over the ratings."""
        return np.asarray((self.n[:, None] * values).sum(axis=0) / self.n.sum())

    def over_rows(self, values: np.ndarray) -> np.ndarray:
        """The average of values (n_rows, k + 1) over the rows."""
        return np.asarray(values.mean(axis=0))

    def second(self, variances: np.ndarray) -> np.ndarray:
        """E[p p'] over the rows (k, k), with their variances (k,)."""
        return np.asarray(gram(self.side.factors) / len(self.n) + np.diag(variances))


def balance(C: np.ndarray, D: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """R and T with R T' = 1 that make R' C R and T' D T one diagonal matrix, and its diagonal.

    C and D (k, k) are the second moments of the factors of both sides.
    """
    with one_blas_thread():
        L, M = np.linalg.cholesky(C), np.linalg.cholesky(D)
        U, sizes, V = np.linalg.svd(L.T @ M)
        root = np.sqrt(sizes)
        return np.linalg.solve(L.T, U) * root, np.linalg.solve(M.T, V.T) * root, sizes


def resumed(
    noise: float,
    users: LeastSquares,
    items: LeastSquares,
    first: Variances,
    mean_weight: float,
) -> tuple[Variances, np.ndarray]:
    """The variances that the row solves of a model were made of, and the basis they hold in.

    ``mean_weight`` is taken to be that of the ratings of the model too. Factors that ``first`` has
    beyond those of the model have its variances. The basis (k, k) is orthogonal.
    """
    matrices = [cast(MatrixPenalty, one.matrix) for one in (users, items)]
    known, basis = len(matrices[0].base), np.eye(len(first.factors))
    with one_blas_thread():
        base, turn = np.linalg.eigh(matrices[0].base)
        of_items, of_users = (np.diag(one.rotated(turn).slope) / mean_weight for one in matrices)
    basis[:known, :known] = turn
    grown = [
        np.append(old, new[known:])
        for old, new in zip(
            (noise / base, of_users, of_items), (first.factors, *first.spreads), strict=True
        )
    ]
    biases = tuple(noise / one.bias_reg if one.bias_reg else 1.0 for one in (users, items))
    return Variances(noise, grown[0], (biases[0], biases[1]), (grown[1], grown[2])), basis
