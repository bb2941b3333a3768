"""Settings chosen on a held-out piece of the training ratings: whose lists find most of it."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from scipy.sparse import csr_array

from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonObject
from matinee.kernels.ranking import ItemSets, top_n

SHARE = 5  # one in so many of each user's ratings is held out
LENGTH = 10  # of the lists
LEAST_USERS = 300  # with ratings held out: fewer tell nothing apart
MOST_USERS = 10_000  # whose ratings are looked at
USERS_MEASURED = 2000
USERS_AT_ONCE = 256

Candidate = TypeVar("Candidate", bound=Hashable)


class ScoresUsers(Protocol):
    """What scores all items for users by row."""

    def score_block(self, users: np.ndarray) -> np.ndarray:
        """Scores (n, n_items) float32 for the users in rows ``users`` (n,)."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A fifth of each user's ratings, held out from the rest."""

    train: Ratings
    test: Ratings

    @classmethod
    def of(cls, ratings: Ratings, seed: int) -> "HeldOut | None":
        """The parts of up to MOST_USERS random users; None where they are too few to judge by.

        The same ratings and seed give the same parts.
        """
        rng = np.random.default_rng(seed)
        if np.count_nonzero(ratings.user_counts) > MOST_USERS:
            ratings = sample_of_users(ratings, MOST_USERS, rng)
        in_test = fifth_of_each_user(ratings, rng)
        if len(np.unique(ratings.user[in_test])) < LEAST_USERS:
            return None
        return cls(ratings.subset(~in_test), ratings.subset(in_test))

    def ndcg(self, model: ScoresUsers, gains: np.ndarray) -> float:
        """``mean_ndcg`` of a model that was fitted to ``train``; ``gains`` (n_test,)."""
        return mean_ndcg(model, self.train, self.test, gains)

    def ndcg_by_factors(
        self, model: ScoresUsers, factors: Mapping[Candidate, np.ndarray]
    ) -> dict[Candidate, float]:
        """``ndcg`` where every find is worth 1, with each item's scores times a factor of its own.

        The model scores once for all the factors (n_items,) by candidate.
        """
        ndcg: dict[Candidate, list[np.ndarray]] = {candidate: [] for candidate in factors}
        for users, worth in measured_users(self.test, np.ones(len(self.test))):
            scores = model.score_block(users)
            for candidate, factor in factors.items():
                lists = lists_of_users(scores * factor.astype(np.float32), self.train, users)
                ndcg[candidate].append(ndcg_of_lists(lists, worth))
        return {candidate: float(np.concatenate(each).mean()) for candidate, each in ndcg.items()}


def best_of(ndcg: Mapping[Candidate, float]) -> tuple[Candidate, JsonObject]:
    """The candidate of highest NDCG, the first of equals; and what a model reports of all."""
    by_candidate = {str(candidate): value for candidate, value in ndcg.items()}
    return max(ndcg, key=ndcg.__getitem__), {f"held_out_ndcg@{LENGTH}": by_candidate}


def fifth_of_each_user(ratings: Ratings, rng: np.random.Generator) -> np.ndarray:
    """A mask (n_ratings,) of one in SHARE of each user's ratings, by chance, rounded down."""
    order = np.lexsort((rng.random(len(ratings)), ratings.user))
    place = np.arange(len(ratings)) - ratings.by_user.indptr[ratings.user]
    part = np.zeros(len(ratings), dtype=bool)
    part[order] = place < (ratings.user_counts // SHARE)[ratings.user]
    return part


def mean_ndcg(model: ScoresUsers, known: Ratings, test: Ratings, gains: np.ndarray) -> float:
    """Mean NDCG@10 of the lists of up to USERS_MEASURED users, without what is known of them.

    ``gains`` (n_test,) are what it is worth to find each rating of ``test``. The ideal list holds
    a user's greatest gains.
    """
    each = [
        ndcg_of_lists(lists_of_users(model.score_block(users), known, users), worth)
        for users, worth in measured_users(test, gains)
    ]
    return float(np.concatenate(each).mean())


def measured_users(test: Ratings, gains: np.ndarray) -> Iterator[tuple[np.ndarray, csr_array]]:
    """Up to USERS_MEASURED users in blocks, (n,) int32, with their gains (n, n_items)."""
    tested = np.flatnonzero(test.user_counts).astype(np.int32)
    users = tested[:: -(-len(tested) // USERS_MEASURED)]
    indptr, indices, *_ = test.by_user
    shape = test.n_users, test.n_items
    worth = csr_array((gains.astype(np.float64), indices, indptr), shape=shape)
    for first in range(0, len(users), USERS_AT_ONCE):
        block = users[first : first + USERS_AT_ONCE]
        yield block, worth[block]


def lists_of_users(scores: np.ndarray, known: Ratings, users: np.ndarray) -> np.ndarray:
    """The items (n, LENGTH) of highest scores (n, n_items) that users are not known to have."""
    seen = known.by_user.take(users)
    return top_n(scores, ItemSets(seen.indptr, seen.indices), LENGTH)[0]


def ndcg_of_lists(lists: np.ndarray, worth: csr_array) -> np.ndarray:
    """NDCG@10 (n,) of each user's list (n, LENGTH), -1 where it ends, with gains (n, n_items)."""
    n = len(lists)
    gains = worth[np.arange(n)[:, None], np.maximum(lists, 0)].toarray()
    discounts = 1 / np.log2(np.arange(2, LENGTH + 2))
    user = np.repeat(np.arange(n), np.diff(worth.indptr))
    best_first = np.lexsort((-worth.data, user))
    place = np.arange(len(user)) - worth.indptr[user]
    in_list = place < LENGTH
    highest = worth.data[best_first][in_list] * discounts[place[in_list]]
    ideal = np.bincount(user[in_list], highest, n)
    result: np.ndarray = np.where(lists < 0, 0.0, gains) @ discounts
    return result / np.maximum(ideal, 1e-12)  # all gains may be zero


def sample_of_users(ratings: Ratings, n: int, rng: np.random.Generator) -> Ratings:
    """The ratings of ``n`` random users that have some, over these users and what they rated."""
    rated = np.flatnonzero(ratings.user_counts)
    mask = np.zeros(ratings.n_users, dtype=bool)
    mask[rng.choice(rated, n, replace=False)] = True
    part = ratings.subset(mask[ratings.user])
    users, items = (
        IdMap.of(ids.ids[np.unique(rows)].tolist(), kind, ids.id_type)
        for ids, rows, kind in ((part.users, part.user, "user"), (part.items, part.item, "item"))
    )
    return part.renumbered(users, items)
