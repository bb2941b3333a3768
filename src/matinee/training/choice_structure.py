"""Whether who rated what says anything: the top singular value beside that of chance.

    X_ui = (B_ui - n_u n_i / n) / sqrt((n_u + m) (n_i + m'))

B is 1 where a rating is, n_u and n_i are the ratings of user and item, n is all of them, and m and
m' the mean of n_u and of n_i. Under independence |X| is at most sqrt(max_u Var) + sqrt(max_i Var),
the summed variances of a row and of a column (Bandeira & van Handel 2016): it comes to 0.7 to 0.8
of that, and in real ratings to 1.1 (CiaoDVD), 2.2 (MovieLens 100K) or 3.1 (MovieLens 1M).
"""

import numpy as np
from scipy.sparse import csr_array

from matinee.data.ratings import Ratings
from matinee.data.rows import mean_count
from matinee.kernels.blas import one_blas_thread

STEPS = 10  # of the power method


def excess_of_structure(ratings: Ratings) -> float:
    """|X| over the most that chance gives; above 1, choices have structure."""
    rows = ratings.by_user
    B = csr_array(
        (np.ones(len(ratings)), rows.indices, rows.indptr), shape=(ratings.n_users, ratings.n_items)
    )
    n, sides = len(ratings), (ratings.user_counts.astype(float), ratings.item_counts.astype(float))
    w_u, w_i = (
        np.where(counts > 0, 1 / np.sqrt(counts + mean_count(counts)), 0.0) for counts in sides
    )
    a, b = w_u * sides[0] / np.sqrt(n), w_i * sides[1] / np.sqrt(n)
    x, size = np.random.default_rng(0).normal(size=ratings.n_items), 0.0
    with one_blas_thread():
        for _ in range(STEPS):
            y = w_u * (B @ (w_i * x)) - a * (b @ x)
            x = w_i * (B.T @ (w_u * y)) - b * (a @ y)
            length = float(np.linalg.norm(x))
            if length < 1e-12:  # as independent as can be
                return 0.0
            x, size = x / length, np.sqrt(length)
        of_rows, of_columns = a * w_u * (b @ w_i), b * w_i * (a @ w_u)
    return float(size / (np.sqrt(of_rows.max()) + np.sqrt(of_columns.max())))
