"""The ratings as vectors of items, the way kernels that compare items take them."""

import numpy as np

from matinee.data.ratings import Ratings
from matinee.kernels.sparse import Sparse


def item_vectors(train: Ratings, values: np.ndarray) -> tuple[Sparse, Sparse]:
    """A number for each rating, ``values`` (n_ratings,), by item and by user.

    Returns matrices (n_items, n_users) and (n_users, n_items).
    """
    order = np.argsort(train.item, kind="stable")
    by_item, by_user = train.by_item, train.by_user
    return (
        Sparse(by_item.indptr, by_item.indices, values[order]),
        Sparse(by_user.indptr, train.item, values),
    )
