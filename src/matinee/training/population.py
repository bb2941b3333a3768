"""The distribution that the rows of one side come from, drawn afresh in every Gibbs sweep.

    p = a + root (f G + z)       factors,  z standard normal, f the row's features
    b = c + w . p + e            bias,     e ~ N(0, bias_variance)

The covariance root root' and a have a normal-inverse-Wishart prior (Salakhutdinov & Mnih 2008),
G a normal prior whose precision is drawn as well (Simm et al. 2017), b a regression's. For a row
(q, c') of the other side the score is then

    p . q + b + c'  =  (f G + z) . q_z + e + c_z
    q_z = root' (q + w),      c_z = c' + c + a . (q + w)

so against (q_z, c_z) a row is ridge regression with a plain penalty, around f G.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.factors import score_pairs
from matinee.row_solvers.embeddings import Embeddings

ROWS_OF_MEAN = 2.0  # how many rows at zero the priors of a and c are worth


class Prior(NamedTuple):
    """One draw of the distribution, in the letters above."""

    a: np.ndarray  # (k,)
    root: np.ndarray  # (k, k) lower triangular
    G: np.ndarray  # (n_features, k)
    expected: np.ndarray  # (n, k) f G of each row
    c: float
    w: np.ndarray  # (k,)
    bias_variance: float

    def standardized(self, other: Embeddings) -> Embeddings:
        """The embeddings of the other side as (q_z, c_z)."""
        Q = other.factors + self.w
        bias = other.bias + self.c + Q @ self.a
        return Embeddings((Q @ self.root).astype(np.float32), bias.astype(np.float32))

    def restored(self, rows: np.ndarray) -> Embeddings:
        """The embeddings (p, b) whose standardized rows (f G + z, e) these are, (n, k + 1)."""
        P = self.a + rows[:, :-1] @ self.root.T
        bias = self.c + P @ self.w + rows[:, -1]
        return Embeddings(P.astype(np.float32), bias.astype(np.float32))


@dataclass
class Population:
    """The rows of one side: their ratings, their features, and what was last drawn of G."""

    rated: Rows
    row: np.ndarray  # (n_ratings,) int32: the row of each rating
    features: np.ndarray  # (n, n_features), of mean 0 over the rows with ratings, 0 elsewhere
    products: np.ndarray  # (n_features, n_features): F'F
    spread: float  # sum of squares per factor that the prior of the covariance is worth
    pulled: np.ndarray  # (n_features, k): G root' of the last draw
    expected: np.ndarray  # (n, k): f G root' of the last draw
    precision: float = 1.0  # of the entries of G

    @classmethod
    def of(cls, rated: Rows, features: np.ndarray, n_factors: int, spread: float) -> "Population":
        row = np.repeat(np.arange(len(features), dtype=np.int32), rated.counts)
        products = features.T @ features
        pulled, expected = (np.zeros((n, n_factors)) for n in reversed(features.shape))
        precision = float(len(pulled) or 1)
        return cls(rated, row, features, products, spread, pulled, expected, precision)

    def draw(self, side: Embeddings, rng: np.random.Generator) -> Prior:
        """Draw the distribution from its posterior, given the side's rows that have ratings."""
        known = self.rated.counts > 0
        P = side.factors.astype(np.float64)
        a, root = self._draw_normal((P - self.expected)[known], rng)
        G = self._draw_pull((P - a) @ np.linalg.inv(root).T, rng)
        expected = self.features @ G
        self.pulled, self.expected = G @ root.T, expected @ root.T
        of_bias = self._draw_bias(P[known], side.bias[known].astype(np.float64), rng)
        return Prior(a, root, G, expected, *of_bias)

    def beyond(self, leaning: Embeddings, other: Embeddings) -> np.ndarray:
        """The ratings less the scores of rows at what their features predict, (n_ratings,)."""
        scores = score_pairs(0.0, leaning, other, self.row, self.rated.indices)
        beyond: np.ndarray = self.rated.values - scores
        return beyond

    def _draw_normal(
        self, X: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean, and root of the covariance, of rows X beyond what features say (normal-Wishart)."""
        n, k = X.shape
        a = X.sum(axis=0) / (n + ROWS_OF_MEAN)
        off, pulled = X - a, self.pulled
        squares = off.T @ off + ROWS_OF_MEAN * np.outer(a, a) + self.precision * pulled.T @ pulled
        # Bartlett's decomposition of a Wishart precision, whose inverse is the covariance.
        chi = np.sqrt(rng.chisquare(n + len(pulled) + k - np.arange(k)))
        bartlett = np.tril(rng.normal(size=(k, k)), -1) + np.diag(chi)
        half = np.linalg.solve(bartlett, np.linalg.cholesky(squares + self.spread * np.eye(k)).T)
        root = np.linalg.cholesky(half.T @ half)
        return a + root @ rng.normal(size=k) / np.sqrt(n + ROWS_OF_MEAN), root

    def _draw_pull(self, Z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """G, from the regression of standardized factors Z on features; 0 without ratings."""
        upper = np.linalg.cholesky(self.products + self.precision * np.eye(len(self.products))).T
        middle = np.linalg.solve(upper.T, self.features.T @ Z)
        G: np.ndarray = np.linalg.solve(upper, middle + rng.normal(size=middle.shape))
        self.precision = float(rng.chisquare(1.0 + G.size) / (1.0 + (G**2).sum()))
        return G

    def _draw_bias(
        self, P: np.ndarray, bias: np.ndarray, rng: np.random.Generator
    ) -> tuple[float, np.ndarray, float]:
        """c, w and bias_variance, from the regression of biases on factors."""
        X = np.column_stack([np.ones(len(P)), P])
        upper = np.linalg.cholesky(X.T @ X + ROWS_OF_MEAN * np.eye(X.shape[1])).T
        middle = np.linalg.solve(upper.T, X.T @ bias)
        squares = self.spread + float(bias @ bias - middle @ middle)
        variance = squares / rng.chisquare(1.0 + len(bias))
        c, *w = np.linalg.solve(upper, middle + np.sqrt(variance) * rng.normal(size=len(middle)))
        return float(c), np.array(w), float(variance)
