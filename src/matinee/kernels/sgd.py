"""Stochastic gradient descent on blocks of ratings that share no user and no item."""

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import numpy as np

from matinee.kernels import tiles
from matinee.kernels.factors import Side
from matinee.kernels.jit import kernel, read_only
from matinee.kernels.threads import n_threads, run_all

AHEAD = 32  # ratings by which factors are fetched in advance: users' come from memory
ROWS_AT_ONCE = 4096  # copied and scaled while they are in the cache
FLOATS_PER_LINE = 16  # of the cache, and a multiple of what a vector holds
BYTES_PER_LINE = 4 * FLOATS_PER_LINE

Penalties = tuple[np.ndarray, np.ndarray]
"""What each rating carries of the penalties on its row's factors and on its bias: (n,), (n,)."""


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
    keep_users: Penalties  # 1 - rate x penalty, float32
    keep_items: Penalties


class Placed(NamedTuple):
    """The users or the items of a model by place, as steps work on them from epoch to epoch."""

    place: np.ndarray  # (n,) int32: where each row stands
    factors: np.ndarray  # (n, width) float32: rows of whole vectors; steps keep the rest at zero
    bias: np.ndarray  # (n,) float32
    penalties: Penalties

    @classmethod
    def of(cls, side: Side, place: np.ndarray, penalties: Penalties) -> "Placed":
        """A copy of a side, given by id like its penalties."""
        factors = whole_vectors(side.factors, place)
        on_factors, on_bias = (placed(penalty, place) for penalty in penalties)
        return cls(place, factors, placed(side.bias, place), (on_factors, on_bias))

    def keep(self, rate: float) -> Penalties:
        """What a step of this rate leaves of a row's factors and of its bias, float32."""
        on_factors, on_bias = (read_only(1.0 - rate * p, np.float32) for p in self.penalties)
        return on_factors, on_bias

    def write(self, side: Side, unit: float = 1.0) -> None:
        """Overwrite a side, by id, with this one for ratings times ``unit``."""
        root, k = np.float32(np.sqrt(unit)), side.factors.shape[1]
        for first in range(0, len(self.place), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            np.multiply(root, self.factors[self.place[rows]][:, :k], out=side.factors[rows])
        np.multiply(np.float32(unit), self.bias[self.place], out=side.bias)


def descend(
    blocks: Blocks, strata: Iterable[int], mean: float, rate: float, users: Placed, items: Placed
) -> None:
    """Take one gradient step per rating, stratum by stratum; users and items are overwritten.

    With e = w (r - (mean + b_u + c_i + p_u . q_i)), w the rating's weight, a step is
        p_u <- keep_p[u] p_u + rate e q_i         b_u <- keep_b[u] b_u + rate e
        q_i <- keep_q[i] q_i + rate e p_u         c_i <- keep_c[i] c_i + rate e
    where keep = 1 - rate x penalty. A bias that is kept by 0 or less does not exist and stays as it
    is. The blocks of a stratum run side by side, with the same result in any order.
    """
    rates = Rates(np.float32(mean), np.float32(rate), users.keep(rate), items.keep(rate))
    sides = users.factors, users.bias, items.factors, items.bias
    for number in strata:
        parts = np.array_split(blocks.stratum(number), min(n_threads(), blocks.n_groups))
        run_all([partial(_descend, part, blocks, blocks.weights, rates, *sides) for part in parts])


@kernel
def _descend(numbers, blocks, weights, rates, P, b, Q, c):
    """One step per rating, in stored order, for each of the blocks.

    P (n_users, width) and Q (n_items, width) are float32 rows of whole vectors (see ``tiles``); all
    stand by place.
    """
    _, starts, user, item, rating, _, _, _ = blocks
    mean, rate, (keep_p, keep_b), (keep_q, keep_c) = rates
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

    No two rows have a cache line in common.
    """
    n, k = factors.shape
    width = -(-k // FLOATS_PER_LINE) * FLOATS_PER_LINE
    room = np.zeros(n * width + FLOATS_PER_LINE, np.float32)
    first = -room.ctypes.data % BYTES_PER_LINE // room.itemsize
    whole = room[first : first + n * width].reshape(n, width)
    whole[place, :k] = factors
    return whole
