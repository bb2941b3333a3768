"""Hints about the rank of ratings, from singular values alone.

Both use the residuals of the biases, with 0 for absent ratings. Their theory assumes full matrices
with uniform noise, which ratings are not: they only suggest a range, and held-out ratings decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from matinee.algorithms.bias import Bias
from matinee.data.ratings import Ratings
from matinee.kernels.blas import one_blas_thread
from matinee.training.singular_vectors import leading_vectors

MOST_ROWS = 4000  # of the smaller side; computing all singular values of more takes too long
PERMUTATIONS = 19  # the maximum over 19 is a 95 % bound: noise exceeds it 1 time in 20


@dataclass(frozen=True)
class Hints:
    """Numbers of factors above the noise; None where the computation would take too long."""

    gavish_donoho: int | None
    parallel_analysis: int


def hints(ratings: Ratings, most: int, seed: int = 0) -> Hints:
    """Both hints, of at most ``most`` factors; the seed shuffles the ratings."""
    values = ratings.rating - Bias(choice=None).fit(ratings).score_rows(ratings.user, ratings.item)
    R = scaled(ratings, values)
    most = max(1, min(most, min(R.shape) - 1))
    shuffled = (scaled(ratings, shuffle(ratings, values, (seed, k))) for k in range(PERMUTATIONS))
    return Hints(gavish_donoho(R), parallel_analysis(R, shuffled, most))


def scaled(ratings: Ratings, values: np.ndarray) -> csr_array:
    """The matrix (n_users, n_items) of values (n_ratings,), scaled by row and column density.

    Each value is divided by the square root of the share of filled cells in its row and in its
    column, so that uniform noise in the ratings is uniform in the matrix. The mean share is added
    to each, so that rows of few ratings do not dominate (Qin & Rohe 2013).
    """
    R = csr_array(ratings.csr().astype(np.float64))
    rows = ratings.by_user.counts / ratings.n_items
    columns = ratings.by_item.counts / ratings.n_users
    rows, columns = rows + rows.mean(), columns + columns.mean()
    R.data = values / np.sqrt(rows[ratings.user] * columns[ratings.item])
    return R


def shuffle(ratings: Ratings, values: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
    """Values (n_ratings,) permuted among the ratings of each item, which keeps item means."""
    draw = np.random.default_rng(seed).random(len(values))
    order = np.argsort(ratings.item, kind="stable")
    shuffled = np.empty(len(values))
    shuffled[order] = values[np.lexsort((draw, ratings.item))]
    return shuffled


def gavish_donoho(R: csr_array) -> int | None:
    """How many singular values exceed the optimal threshold for a matrix of unknown noise.

    ``omega(b) median(s)``, b the ratio of the sides, with the approximation
    ``omega(b) = 0.56 b^3 - 0.95 b^2 + 1.82 b + 1.43`` (Gavish & Donoho 2014). None where the
    matrix is too large.
    """
    smaller, larger = sorted(R.shape)
    if smaller > MOST_ROWS:
        return None
    b = smaller / larger
    omega = 0.56 * b**3 - 0.95 * b**2 + 1.82 * b + 1.43
    narrow = R if R.shape[0] <= R.shape[1] else R.T
    with one_blas_thread():
        squares = np.linalg.eigvalsh((narrow @ narrow.T).toarray())
    s = np.sqrt(np.maximum(squares, 0.0))
    return int(np.count_nonzero(s > omega * np.median(s)))


def parallel_analysis(R: csr_array, shuffled: Iterable[csr_array], most: int) -> int:
    """How many leading singular values exceed those of all shuffled matrices (Horn 1965).

    Shuffling destroys the correlations. A value counts if it and all larger ones exceed the bound.
    """
    bound = np.max([_singular_values(one, most) for one in shuffled], axis=0)
    above = _singular_values(R, most) > bound
    return int(most if above.all() else np.argmin(above))


def _singular_values(R: csr_array, n: int) -> np.ndarray:
    from scipy.sparse.linalg import aslinearoperator

    return leading_vectors(aslinearoperator(R), n, float((R.data**2).sum()))[1]
