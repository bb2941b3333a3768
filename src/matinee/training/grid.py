"""Ratings dealt into a grid of blocks, so that gradient steps can run side by side.

Users and items are each dealt into T groups; block (a, b) holds the ratings of group a's users for
group b's items. The T blocks (a, a + s mod T) of a stratum s share no user and no item, so they may
run at once in any order with the same result. T depends on the data alone: the same bits come out
at any number of threads (a Latin square; cf. Gemulla et al. 2011).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from matinee.data.ratings import Ratings
from matinee.kernels.jit import read_only
from matinee.kernels.sgd import descend
from matinee.kernels.threads import n_threads, run_all
from matinee.row_solvers.embeddings import Embeddings

RATINGS_PER_BLOCK = 3000  # small enough for cache, large enough to hide the cost of a call
MOST_GROUPS = 64
INDEX = np.int32  # of a rating, as there are few bytes for each
FLOATS_PER_LINE = 16  # of the cache, and a multiple of what a vector holds
BYTES_PER_LINE = 4 * FLOATS_PER_LINE

Penalties = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Per rating, on p_u and b_u (n_users,), q_i and c_i (n_items,)."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Ratings in block order; block B = stratum * T + a lies in starts[B]..starts[B + 1]."""

    n_groups: int  # T
    starts: np.ndarray  # (T * T + 1,) int64
    user: np.ndarray  # (n_ratings,) int32
    item: np.ndarray  # (n_ratings,) int32
    rating: np.ndarray  # (n_ratings,) float32
    places: tuple[np.ndarray, np.ndarray]  # of each user and item when they stand by groups
    seed: int

    @classmethod
    def of(cls, train: Ratings, seed: int) -> "Grid":
        """Deal the ratings, groups balanced by ratings, in random order within a block."""
        T = int(np.clip(np.sqrt(len(train) / RATINGS_PER_BLOCK), 1, MOST_GROUPS))
        T = min(T, train.n_users, train.n_items)
        rng = np.random.default_rng(seed)
        groups = [deal(counts, T, rng) for counts in (train.user_counts, train.item_counts)]
        a, b = groups[0][train.user], groups[1][train.item]
        block = (b - a) % T * T + a  # int16, a kind that is sorted by counting
        shuffled = rng.permutation(np.arange(len(train), dtype=INDEX))
        order = shuffled[np.argsort(block[shuffled], kind="stable")]
        starts = np.zeros(T * T + 1, dtype=np.int64)
        np.cumsum(np.bincount(block, minlength=T * T), out=starts[1:])
        return cls(
            T,
            starts,
            read_only(train.user[order], np.int32),
            read_only(train.item[order], np.int32),
            read_only(train.rating[order], np.float32),
            (places_of(groups[0]), places_of(groups[1])),
            seed,
        )

    def descend(
        self,
        epoch: int,
        mean: float,
        rate: float,
        penalties: Penalties,
        users: Embeddings,
        items: Embeddings,
    ) -> None:
        """Take one gradient step per rating, strata in a random order that the epoch sets."""
        T, rng = self.n_groups, np.random.default_rng((self.seed, epoch))
        keep = tuple(read_only(1.0 - rate * penalty, np.float32) for penalty in penalties)
        threads = min(n_threads(), T)
        P, Q = whole_vectors(users.factors), whole_vectors(items.factors)
        # By groups, so that blocks at work at once write into no cache line in common.
        b, c = np.empty_like(users.bias), np.empty_like(items.bias)
        b[self.places[0]], c[self.places[1]] = users.bias, items.bias

        def run(blocks: np.ndarray) -> None:
            descend(
                blocks,
                self.starts,
                self.user,
                self.item,
                self.rating,
                np.float32(mean),
                np.float32(rate),
                keep,
                self.places,
                P,
                b,
                Q,
                c,
            )

        for stratum in rng.permutation(T):
            blocks = stratum * T + np.arange(T)
            run_all([partial(run, part) for part in np.array_split(blocks, threads)])
        users.bias[:], items.bias[:] = b[self.places[0]], c[self.places[1]]
        users.factors[:], items.factors[:] = P[:, : users.n_factors], Q[:, : items.n_factors]


def whole_vectors(factors: np.ndarray) -> np.ndarray:
    """A copy of the factors whose rows begin with a cache line, with columns of zeros added.

    Steps leave these at zero. No two rows have a cache line in common.
    """
    n, k = factors.shape
    width = -(-k // FLOATS_PER_LINE) * FLOATS_PER_LINE
    room = np.zeros(n * width + FLOATS_PER_LINE, np.float32)
    first = -room.ctypes.data % BYTES_PER_LINE // room.itemsize
    whole = room[first : first + n * width].reshape(n, width)
    whole[:, :k] = factors
    return whole


def deal(counts: np.ndarray, T: int, rng: np.random.Generator) -> np.ndarray:
    """A group 0..T - 1 for each row: rows of most ratings first, like cards, back and forth."""
    shuffled = rng.permutation(len(counts))
    order = shuffled[np.argsort(-counts[shuffled], kind="stable")]
    turn = np.arange(len(counts))
    group = np.where(turn // T % 2 == 0, turn % T, T - 1 - turn % T)
    dealt = np.empty(len(counts), dtype=np.int16)
    dealt[order] = group
    return dealt


def places_of(group: np.ndarray) -> np.ndarray:
    """Where each row stands when they are sorted by group."""
    places = np.empty(len(group), np.int32)
    places[np.argsort(group, kind="stable")] = np.arange(len(group), dtype=np.int32)
    return read_only(places, np.int32)
