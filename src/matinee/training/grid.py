"""Ratings dealt into a grid of blocks, so that gradient steps can run side by side.

Users and items are each dealt into T groups; block (a, b) holds the ratings of group a's users for
group b's items. The T blocks (a, a + s mod T) of a stratum s share no user and no item, so they may
run at once in any order with the same result. T depends on the data alone: the same bits come out
at any number of threads (a Latin square; cf. Gemulla et al. 2011).
"""

from dataclasses import dataclass

import numpy as np

from matinee.data.ratings import Ratings
from matinee.data.rows import indptr_of
from matinee.kernels.sgd import Blocks, Penalties, Placed, descend
from matinee.row_solvers.embeddings import Embeddings

RATINGS_PER_BLOCK = 3000  # small enough for cache, large enough to hide the cost of a call
MOST_GROUPS = 20  # an epoch fetches all users from memory so often
USERS_AT_ONCE = 64  # whose factors stay in the nearest cache while a block steps through them
INDEX = np.int32  # of a rating, as there are few bytes for each


@dataclass(frozen=True, eq=False)
class Grid:
    """Ratings in block order, and the seed of the order of strata."""

    blocks: Blocks
    seed: int

    @classmethod
    def of(cls, train: Ratings, seed: int) -> "Grid":
        """Deal the ratings, groups balanced by ratings.

        A block takes some users at a time, and their ratings in random order.
        """
        T = int(np.clip(np.sqrt(len(train) / RATINGS_PER_BLOCK), 1, MOST_GROUPS))
        T = min(T, train.n_users, train.n_items)
        rng = np.random.default_rng(seed)
        groups = [deal(counts, T, rng) for counts in (train.user_counts, train.item_counts)]
        user_place, item_place = (places_of(group) for group in groups)
        a, b = groups[0][train.user], groups[1][train.item]
        block = (b - a) % T * T + a  # int16, a kind that is sorted by counting
        part = parts_of(groups[0], user_place)[train.user]
        order = rng.permutation(np.arange(len(train), dtype=INDEX))
        for key in (part, block):
            order = order[np.argsort(key[order], kind="stable")]
        blocks = Blocks(
            T,
            indptr_of(block, T * T),
            user_place[train.user[order]],
            item_place[train.item[order]],
            train.rating[order],
            user_place,
            item_place,
            None if train.sample_weight is None else train.sample_weight[order],
        )
        return cls(blocks, seed)

    def place(
        self, sides: tuple[Embeddings, Embeddings], penalties: tuple[Penalties, Penalties]
    ) -> tuple[Placed, Placed]:
        """Users and items, with the penalties that each rating carries, as ``descend`` has them."""
        places = self.blocks.user_place, self.blocks.item_place
        users, items = map(Placed.of, sides, places, penalties)
        return users, items

    def descend(self, epoch: int, mean: float, rate: float, users: Placed, items: Placed) -> None:
        """Take one gradient step per rating, strata in a random order that the epoch sets."""
        strata = np.random.default_rng((self.seed, epoch)).permutation(self.blocks.n_groups)
        descend(self.blocks, strata, mean, rate, users, items)


def deal(counts: np.ndarray, T: int, rng: np.random.Generator) -> np.ndarray:
    """A group 0..T - 1 for each row, int16 (n_rows,), by their counts (n_rows,).

    Rows are dealt like cards, back and forth, those of most ratings first.
    """
    shuffled = rng.permutation(len(counts))
    order = shuffled[np.argsort(-counts[shuffled], kind="stable")]
    turn = np.arange(len(counts))
    group = np.where(turn // T % 2 == 0, turn % T, T - 1 - turn % T)
    dealt = np.empty(len(counts), dtype=np.int16)
    dealt[order] = group
    return dealt


def places_of(group: np.ndarray) -> np.ndarray:
    """The place of each row, int32 (n_rows,), when rows are sorted by group (n_rows,)."""
    places = np.empty(len(group), np.int32)
    places[np.argsort(group, kind="stable")] = np.arange(len(group), dtype=np.int32)
    return places


def parts_of(group: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Which part of its group each row is in, int16 (n_rows,): parts are of USERS_AT_ONCE rows."""
    first = indptr_of(group, int(group.max()) + 1)
    part: np.ndarray = (places - first[group]) // USERS_AT_ONCE
    return part.astype(np.int16)
