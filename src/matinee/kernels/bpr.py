"""Gradient steps of pairwise ranking, on blocks of positives that share no user and no item."""

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import numpy as np

from matinee.kernels.factors import Side
from matinee.kernels.jit import inlined, kernel, read_only
from matinee.kernels.random import LOW, WORD, philox
from matinee.kernels.rows import has
from matinee.kernels.threads import n_threads, run_all


@inlined
def draw_negative(group, positives, p, Q, c, n_negatives, seed, epoch, j):
    """Of n_negatives items drawn from ``group``, the one that scores highest; -1 for none.

    Drawn positives of the user count as drawn, but are passed over. The random numbers belong to
    (seed, epoch, j).
    """
    best, best_score = -1, np.float32(-np.inf)
    words = (seed, seed, seed, seed)
    for draw in range(n_negatives):
        if draw % 4 == 0:
            words = philox(
                j & LOW, j >> WORD, np.uint64(draw // 4), epoch, seed & LOW, seed >> WORD
            )
        item = group[(words[draw % 4] * np.uint64(group.size)) >> WORD]
        if has(positives, item):
            continue
        q, score = Q[item], c[item]
        for f in range(p.size):
            score += p[f] * q[f]
        if score > best_score:
            best, best_score = item, score
    return best


@kernel
def pair_step(p, q, r, c, i, j, rate, reg_p, reg_q, reg_r, bias_reg):
    """One gradient step on -ln sigmoid(s_i - s_j) + the penalties; q and r are the items' factors.

    With g = 1 / (1 + exp(s_i - s_j)):
        p   += rate (g (q - r) - reg_p p)      c_i += rate (g - bias_reg c_i)
        q   += rate (g p - reg_q q)            c_j -= rate (g + bias_reg c_j)
        r   -= rate (g p + reg_r r)
    """
    margin = c[i] - c[j]
    for f in range(p.size):
        margin += p[f] * (q[f] - r[f])
    step = rate / (np.float32(1) + np.exp(margin))
    one = np.float32(1)
    keep_p, keep_q, keep_r = one - rate * reg_p, one - rate * reg_q, one - rate * reg_r
    keep_bias = one - rate * bias_reg
    c[i] = keep_bias * c[i] + step
    c[j] = keep_bias * c[j] - step
    for f in range(p.size):
        p_f, q_f, r_f = p[f], q[f], r[f]
        p[f] = keep_p * p_f + step * (q_f - r_f)
        q[f] = keep_q * q_f + step * p_f
        r[f] = keep_r * r_f - step * p_f


class Pairs(NamedTuple):
    """Positives dealt into T x T blocks, and what negatives are drawn from.

    Block B = stratum T + a holds positives of user group a and of item group b = (a + stratum) mod
    T, from which the negatives are drawn too, in starts[B]..starts[B + 1].
    """

    starts: np.ndarray  # (T * T + 1,) int64
    user: np.ndarray  # (n_positives,) int32
    item: np.ndarray  # (n_positives,) int32
    group_starts: np.ndarray  # (T + 1,) int64: the items of group b are in group_items from here on
    group_items: np.ndarray  # (n_items,) int32
    indptr: np.ndarray  # (n_users + 1,) int64: the positives of each user, in ``indices``
    indices: np.ndarray  # (n_positives,) int32, ascending within a user


class PairRates(NamedTuple):
    """The size of the steps, penalties per step, and how many negatives one is chosen from."""

    rate: float
    user_reg: float
    item_reg: np.ndarray  # (n_items,) float32
    bias_reg: float
    n_negatives: int


def descend_pairs(
    pairs: Pairs,
    strata: Iterable[int],
    rates: PairRates,
    draw: tuple[int, int],
    users: Side,
    items: Side,
) -> None:
    """Take a step for each positive, stratum by stratum; users and items are overwritten.

    ``draw`` is the seed and the epoch that the random numbers belong to. The blocks of a stratum
    run side by side, with the same result in any order.
    """
    T = len(pairs.group_starts) - 1
    seed, epoch = (np.uint64(number) for number in draw)
    pairs = Pairs(
        read_only(pairs.starts, np.int64),
        read_only(pairs.user, np.int32),
        read_only(pairs.item, np.int32),
        read_only(pairs.group_starts, np.int64),
        read_only(pairs.group_items, np.int32),
        read_only(pairs.indptr, np.int64),
        read_only(pairs.indices, np.int32),
    )
    rate, user_reg, bias_reg = map(np.float32, (rates.rate, rates.user_reg, rates.bias_reg))
    numbers = rate, user_reg, read_only(rates.item_reg, np.float32), bias_reg, rates.n_negatives
    inputs = pairs, numbers, seed, epoch, users.factors, items.factors, items.bias
    for stratum in strata:
        parts = np.array_split(stratum * T + np.arange(T), min(n_threads(), T))
        run_all([partial(_descend_pairs, part, *inputs) for part in parts])


@kernel
def _descend_pairs(blocks, pairs, rates, seed, epoch, P, Q, c):
    """A step for each positive, in stored order, of each of the blocks."""
    starts, user, item, group_starts, group_items, indptr, indices = pairs
    rate, user_reg, item_reg, bias_reg, n_negatives = rates
    T = group_starts.size - 1
    for block in blocks:
        b = (block % T + block // T) % T
        group = group_items[group_starts[b] : group_starts[b + 1]]
        for j in range(starts[block], starts[block + 1]):
            u, i = user[j], item[j]
            positives = indices[indptr[u] : indptr[u + 1]]
            k = draw_negative(group, positives, P[u], Q, c, n_negatives, seed, epoch, np.uint64(j))
            if k >= 0:
                regs = user_reg, item_reg[i], item_reg[k], bias_reg
                pair_step(P[u], Q[i], Q[k], c, i, k, rate, *regs)
