"""Early stopping by lists: the epoch whose lists find most of what is held out."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from matinee.data.ratings import Ratings
from matinee.training.held_out import (
    SHARE,
    USERS_AT_ONCE,
    USERS_MEASURED,
    ScoresUsers,
    ndcg_of_users,
)

PATIENCE = 10  # epochs without better lists before a fit stops
FEWEST_USERS = 50  # held out: fewer tell nothing apart
MOST_USERS = 1000
ONE_IN = 10  # users held out


@dataclass(frozen=True, eq=False)
class HeldOutLists:
    """What a fit may know of its users, and what their lists should find."""

    known: Ratings
    test: Ratings
    learning: np.ndarray  # (n_users,) bool: whom the fit learns from

    @classmethod
    def of(cls, train: Ratings, validation: Ratings | None, seed: int) -> "HeldOutLists | None":
        """By ``validation``; without one, a tenth of the users, a fifth of their ratings hidden.

        None where these are too few to judge by: then every user is learned from.
        """
        everyone = train.user_counts > 0
        if validation is not None and len(validation):
            return cls(train, validation, everyone)
        rng = np.random.default_rng(seed)
        enough = np.flatnonzero(train.user_counts >= SHARE)
        n = min(len(enough) // ONE_IN, MOST_USERS)
        if n < FEWEST_USERS:
            return None
        held_out = np.zeros(train.n_users, bool)
        held_out[rng.choice(enough, n, replace=False)] = True
        order = np.lexsort((rng.random(len(train)), train.user))
        place = np.empty(len(train), np.int64)
        place[order] = np.arange(len(train)) - train.by_user.indptr[train.user[order]]
        hidden = held_out[train.user] & (place < (train.user_counts // SHARE)[train.user])
        return cls(train.subset(~hidden), train.subset(hidden), everyone & ~held_out)

    def ndcg(self, model: ScoresUsers) -> float:
        """Mean NDCG@10 of the lists of up to USERS_MEASURED users."""
        tested = np.flatnonzero(self.test.user_counts)
        users = tested[:: -(-len(tested) // USERS_MEASURED)]
        indptr, indices, _ = self.test.by_user
        shape = self.test.n_users, self.test.n_items
        worth = csr_array((np.ones(len(self.test)), indices, indptr), shape=shape)
        each = [
            ndcg_of_users(model, self.known, worth, users[first : first + USERS_AT_ONCE])
            for first in range(0, len(users), USERS_AT_ONCE)
        ]
        return float(np.concatenate(each).mean())
