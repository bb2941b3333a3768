"""Stochastic gradient descent on blocks of ratings that share no user and no item."""

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import numpy as np

from matinee.kernels import tiles
from matinee.kernels.factors import Side
from matinee.kernels.jit import kernel, read_only
from matinee.kernels.threads import n_threads, run_all

AHEAD = 8  # ratings by which a user's factors are fetched in advance: they come from far away
FLOATS_PER_LINE = 16  # of the cache, and a multiple of what a vector holds
BYTES_PER_LINE = 4 * FLOATS_PER_LINE

Penalties = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Per rating, on p_u and b_u (n_users,), q_i and c_i (n_items,)."""


class Blocks(NamedTuple):
    """Ratings dealt into T x T blocks: B = stratum * T + a lies in starts[B]..starts[B + 1].

    The blocks of a stratum share no user and no item. Users and items go by their places, those of
    a group side by side, so that what a block reads lies close together.
    """

    n_groups: int  # T
    starts: np.ndarray  # (T * T + 1,) int64
    user: np.ndarray  # (n_ratings,) int32: the place of its user
    item: np.ndarray  # (n_ratings,) int32: that of its item
    rating: np.ndarray  # (n_ratings,) float32
    user_place: np.ndarray  # (n_users,) int32: where each user stands when they are sorted by group
    item_place: np.ndarray  # (n_items,) int32
    weights: np.ndarray | None = None  # (n_ratings,) float32; None, where all weigh one, lets the
    # kernel be compiled without them

    def stratum(self, number: int) -> np.ndarray:
        """The blocks of a stratum."""
        return number * self.n_groups + np.arange(self.n_groups)


class Rates(NamedTuple):
    """The size of the steps."""

    mean: np.float32
    rate: np.float32
    keep: Penalties  # 1 - rate x penalty, float32


def descend(
    blocks: Blocks,
    strata: Iterable[int],
    mean: float,
    rate: float,
    penalties: Penalties,
    users: Side,
    items: Side,
) -> None:
    """Take one gradient step per rating, stratum by stratum; users and items are overwritten.

    With e = w (r - (mean + b_u + c_i + p_u . q_i)), w the rating's weight, a step is
        p_u <- keep_p[u] p_u + rate e q_i         b_u <- keep_b[u] b_u + rate e
        q_i <- keep_q[i] q_i + rate e p_u         c_i <- keep_c[i] c_i + rate e
    where keep = 1 - rate x penalty. A bias that is kept by 0 or less does not exist and stays as it
    is. The blocks of a stratum run side by side, with the same result in any order.
    """
    user_place, item_place = blocks.user_place, blocks.item_place
    sides = (user_place, user_place, item_place, item_place)
    keep_p, keep_b, keep_q, keep_c = (
        read_only(placed(1.0 - rate * penalty, place), np.float32)
        for penalty, place in zip(penalties, sides, strict=True)
    )
    rates = Rates(np.float32(mean), np.float32(rate), (keep_p, keep_b, keep_q, keep_c))
    P, Q = whole_vectors(users.factors, user_place), whole_vectors(items.factors, item_place)
    b, c = placed(users.bias, user_place), placed(items.bias, item_place)
    for number in strata:
        parts = np.array_split(blocks.stratum(number), min(n_threads(), blocks.n_groups))
        run_all(
            [partial(_descend, part, blocks, blocks.weights, rates, P, b, Q, c) for part in parts]
        )
    users.bias[:], items.bias[:] = b[user_place], c[item_place]
    k = users.factors.shape[1]
    users.factors[:], items.factors[:] = P[user_place, :k], Q[item_place, :k]


@kernel
def _descend(numbers, blocks, weights, rates, P, b, Q, c):
    """One step per rating, in stored order, for each of the blocks.

    P (n_users, width) and Q (n_items, width) are float32 rows of whole vectors (see ``tiles``); all
    stand by place.
    """
    _, starts, user, item, rating, _, _, _ = blocks
    mean, rate, keep = rates
    keep_p, keep_b, keep_q, keep_c = keep
    for block in numbers:
        last = starts[block + 1]
        for j in range(starts[block], last):
            u, i = user[j], item[j]
            ahead = min(j + AHEAD, last - 1)
            tiles.fetch_row(P, user[ahead])
            tiles.fetch_row(Q, item[ahead])
            step = rate * (rating[j] - (mean + b[u] + c[i] + tiles.dot_rows(P, u, Q, i)))
            if weights is not None:
                step *= weights[j]
            if keep_b[u] > 0:
                b[u] = keep_b[u] * b[u] + step
                c[i] = keep_c[i] * c[i] + step
            tiles.mix_rows(P, u, keep_p[u], Q, i, keep_q[i], step)


def placed(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """A copy of an array (n, ...) in which what stood at i stands at place[i]."""
    moved = np.empty_like(values)
    moved[place] = values
    return moved


def whole_vectors(factors: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The factors (n, k) by place, in rows that begin with a cache line, with columns of zeros.

    Steps leave these at zero. No two rows have a cache line in common.
    """
    n, k = factors.shape
    width = -(-k // FLOATS_PER_LINE) * FLOATS_PER_LINE
    room = np.zeros(n * width + FLOATS_PER_LINE, np.float32)
    first = -room.ctypes.data % BYTES_PER_LINE // room.itemsize
    whole = room[first : first + n * width].reshape(n, width)
    whole[place, :k] = factors
    return whole
