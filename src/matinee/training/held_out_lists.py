"""Early stopping by lists: the epoch whose lists find most of what is held out."""

from dataclasses import dataclass

import numpy as np

from matinee.data.ratings import Ratings
from matinee.training.held_out import SHARE, ScoresUsers, fifth_of_each_user, mean_ndcg

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
        hidden = held_out[train.user] & fifth_of_each_user(train, rng)
        return cls(train.subset(~hidden), train.subset(hidden), everyone & ~held_out)

    def ndcg(self, model: ScoresUsers) -> float:
        """``mean_ndcg`` of the lists of a model that knows ``known``."""
        return mean_ndcg(model, self.known, self.test, np.ones(len(self.test)))
