"""Non-negative matrix factorization where an absent rating is a rating of 0: the classic tutorial.

    score(u, i) = w_u . h_i,    min |R - W H|^2 over all cells             Lee & Seung 2001

by scikit-learn's coordinate descent on the sparse matrix. Scores rank; they are not stars.
"""

import warnings

import numpy as np

from matinee.data.ratings import Ratings
from matinee.errors import BadSetting, Setting
from matinee.row_solvers import ZeroFilled
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.solution import Solution


def fit_zero_filled(
    train: Ratings, *, n_factors: int, n_epochs: int, init: str, seed: int
) -> Solution:
    """At most ``n_epochs`` passes from the start that scikit-learn calls ``init``.

    Raises BadSetting for negative ratings.
    """
    from sklearn.decomposition import NMF as ZeroFilledNMF
    from sklearn.exceptions import ConvergenceWarning

    if train.rating.min() < 0:
        raise BadSetting(
            Setting("missing", "zero"),
            " needs ratings of at least 0; use ",
            Setting("missing", "ignore"),
        )
    solver = ZeroFilledNMF(
        n_components=min(n_factors, train.n_users, train.n_items),
        init=init,
        random_state=seed,
        max_iter=n_epochs,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # reported as a fact instead
        W = solver.fit_transform(train.csr().astype(np.float64))
    facts = {
        "n_epochs_run": int(solver.n_iter_),
        "converged": bool(solver.n_iter_ < n_epochs),
    }
    users, items = (
        Embeddings(factors.astype(np.float32), np.zeros(len(factors), np.float32))
        for factors in (W, solver.components_.T)
    )
    fold = ZeroFilled(ordered=init.startswith("nndsvd"))  # then factors stand by singular value
    return Solution(0.0, users, items, fold, facts=facts, unrated_items_learned=True)
