"""Hints about the rank of ratings from singular values alone: quick, and no more than hints.

Both look at the residuals of the biases, absent ratings being 0. Their theory is of full tables
with equal noise, which ratings are not; held-out ratings decide, these only suggest where to look.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from matinee.algorithms.bias import Bias
from matinee.data.ratings import Ratings
from matinee.kernels.blas import one_blas_thread
from matinee.training.singular_vectors import leading_vectors

MOST_ROWS = 4000  # of the smaller side: beyond, all singular values would take too long
PERMUTATIONS = 19  # the largest of so many is a 95 % bound: 1 in 20 would be above it by chance


@dataclass(frozen=True)
class Hints:
    """Numbers of factors that stand out of noise; None where it would take too long to say."""

    gavish_donoho: int | None
    parallel_analysis: int


def hints(ratings: Ratings, most: int, seed: int = 0) -> Hints:
    """Both hints, up to ``most`` factors."""
    values = ratings.rating - Bias(choice=None).fit(ratings).score_rows(ratings.user, ratings.item)
    R = scaled(ratings, values)
    most = max(1, min(most, min(R.shape) - 1))
    shuffled = (scaled(ratings, shuffle(ratings, values, (seed, k))) for k in range(PERMUTATIONS))
    return Hints(gavish_donoho(R), parallel_analysis(R, shuffled, most))


def scaled(ratings: Ratings, values: np.ndarray) -> csr_array:
    """Values in the place of ratings, over the roots of how full their row and column are.

    So that noise of one size in the ratings is noise of one size in the table. The mean is added
    to each, lest rows of a few ratings outweigh all (Qin & Rohe 2013).
    """
    R = csr_array(ratings.csr().astype(np.float64))
    rows = ratings.by_user.counts / ratings.n_items
    columns = ratings.by_item.counts / ratings.n_users
    rows, columns = rows + rows.mean(), columns + columns.mean()
    R.data = values / np.sqrt(rows[ratings.user] * columns[ratings.item])
    return R


def shuffle(ratings: Ratings, values: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
    """Values dealt anew among the ratings of each item, which keeps what an item is like."""
    draw = np.random.default_rng(seed).random(len(values))
    order = np.argsort(ratings.item, kind="stable")
    shuffled = np.empty(len(values))
    shuffled[order] = values[np.lexsort((draw, ratings.item))]
    return shuffled


def gavish_donoho(R: csr_array) -> int | None:
    """How many singular values are above the optimal threshold for a table of unknown noise.

    ``omega(b) median(s)``, b the ratio of the sides, with the approximation
    ``omega(b) = 0.56 b^3 - 0.95 b^2 + 1.82 b + 1.43`` (Gavish & Donoho 2014).
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
    """How many leading singular values are above those of all shuffled tables (Horn 1965).

    Shuffling breaks what goes with what. A value counts while it and all before it are above.
    """
    bound = np.max([_singular_values(one, most) for one in shuffled], axis=0)
    above = _singular_values(R, most) > bound
    return int(most if above.all() else np.argmin(above))


def _singular_values(R: csr_array, n: int) -> np.ndarray:
    from scipy.sparse.linalg import aslinearoperator

    return leading_vectors(aslinearoperator(R), n, float((R.data**2).sum()))[1]
