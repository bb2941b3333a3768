"""Scores from the people like a person: sums or means over their deviations from a baseline.

score(u, i) = sum over v of  w_uv d_vi / W
"""

from typing import NamedTuple

import numpy as np

from matinee.kernels.heap import keep_best, outranks
from matinee.kernels.item_neighbors import FEW, divided
from matinee.kernels.jit import inlined, kernel, read_only
from matinee.kernels.similarities import Vectors, compare, scratch_of
from matinee.kernels.sparse import Sparse, pair_costs
from matinee.kernels.threads import run_rows


class Neighborhood(NamedTuple):
    """The training users as neighbours: how to compare with them, and what they add."""

    vectors: Vectors  # users' vectors; the coordinates are items
    deviations: np.ndarray  # (n_entries,) float32: of each user from the coordinate's item
    indptr: np.ndarray  # (n_users + 1,) int64: the same by user
    items: np.ndarray  # (n_entries,) int32
    user_deviations: np.ndarray  # (n_entries,) float32
    n_neighbors: int  # most that a score takes
    averaged: bool  # W is the weight of the nearest raters of the item, plus the damping; else W is
    # 1, and only the nearest of all users count
    damping: float  # weight of an imagined neighbour whose deviation is 0


class Askers(NamedTuple):
    """People to score items for, a row each."""

    row: np.ndarray  # (n,) int32 own row among the training users; -1 for others
    vectors: Sparse  # (n, n_items) what is compared
    norms: np.ndarray  # (n,) what products with each are divided by

    def frozen(self) -> tuple[np.ndarray, ...]:
        """The arrays in the types that kernels are compiled for."""
        return (
            read_only(self.row, np.int32),
            *self.vectors.frozen(),
            read_only(self.norms, np.float64),
        )


def add_user_scores(
    people: Askers, neighborhood: Neighborhood, items: np.ndarray, out: np.ndarray
) -> None:
    """out[b, c] += the score of items[c] for person b; out is (n_people, n_items) float32."""
    cost = pair_costs(people.vectors, np.diff(neighborhood.vectors.indptr))
    cost += len(neighborhood.items)
    arrays = *people.frozen(), neighborhood, read_only(items, np.int32), out
    run_rows(_add_user_scores, cost, *arrays)


def add_user_scores_of_pairs(
    user: np.ndarray,
    item: np.ndarray,
    people: Askers,
    neighborhood: Neighborhood,
    out: np.ndarray,
) -> None:
    """out[j] += the score of item[j] for row user[j] of ``people``; quick in order of user."""
    pairs = read_only(user, np.int32), read_only(item, np.int32)
    arrays = *people.frozen(), neighborhood, out
    run_rows(_add_user_scores_of_pairs, np.ones(len(user)), *pairs, *arrays)


def user_terms(
    item: int, weights: np.ndarray, neighborhood: Neighborhood
) -> tuple[np.ndarray, np.ndarray]:
    """The users who count in the score of an item, and what each adds.

    ``weights`` (n_users,) are similarities to all users. Returns rows (n,) and terms (n,) float64,
    which sum to what ``add_user_scores`` adds.
    """
    weights = np.array(weights, np.float64)
    best = np.empty(neighborhood.n_neighbors, np.int64)
    if not neighborhood.averaged:
        keep_nearest(weights, neighborhood.n_neighbors, best)
    first, last = neighborhood.vectors.indptr[item : item + 2]
    near, terms = np.empty(last - first), np.empty(len(best))
    n, _, weight = fill_terms(item, weights, neighborhood, near, best, terms)
    return neighborhood.vectors.rows[first:last][best[:n]], terms[:n] / (weight or 1.0)


@kernel
def keep_heaviest(weights, most, best):
    """Positions of the heaviest weights above 0, heaviest first, into best; how many there are.

    Ties keep the order of positions.
    """
    n = 0
    for at in range(len(weights)):
        weight = weights[at]
        if weight <= 0.0 or (n == most and weight <= weights[best[most - 1]]):
            continue
        place = n if n < most else most - 1
        n = place + 1
        while place > 0 and weight > weights[best[place - 1]]:
            best[place] = best[place - 1]
            place -= 1
        best[place] = at
    return n


@kernel
def positions_above_0(weights, out):
    """Positions of the weights above 0, in order, into out; how many there are."""
    n = 0
    for at in range(len(weights)):
        if weights[at] > 0.0:
            out[n] = at
            n += 1
    return n


@kernel
def keep_nearest(weights, most, best):
    """Set all but the heaviest weights to 0; ``best`` (most,) is scratch."""
    n = keep_heaviest(weights, most, best)
    for at in range(len(weights)):
        last = best[n - 1]
        if n == 0 or outranks(weights[last], last, weights[at], at):
            weights[at] = 0.0


@kernel
def fill_terms(item, weights, neighborhood, near, best, terms):
    """The terms w_uv d_vi of one item's score, from the similarities to all users.

    Fills the first n of ``best``, positions among the raters of the item, and of ``terms``;
    ``near`` (n_raters,) is scratch. Returns n, the sum of the terms, and W.
    """
    first, last = neighborhood.vectors.indptr[item], neighborhood.vectors.indptr[item + 1]
    for entry in range(first, last):
        near[entry - first] = weights[neighborhood.vectors.rows[entry]]
    total, weight = 0.0, neighborhood.damping
    if neighborhood.averaged:
        n = keep_heaviest(near[: last - first], neighborhood.n_neighbors, best)
    else:  # all but the nearest have a weight of 0
        n = positions_above_0(near[: last - first], best)
    for place in range(n):
        at = best[place]
        terms[place] = near[at] * neighborhood.deviations[first + at]
        total += terms[place]
        weight += near[at]
    return n, total, weight if neighborhood.averaged else 1.0


@inlined
def fill_all(neighborhood, users, users_weights, total, weight, count):
    """Fill total (n_items,) with the scores of all items by users (n,), the heaviest first.

    ``weight`` and ``count`` (n_items,) are scratch.
    """
    total[:], weight[:], count[:] = 0.0, neighborhood.damping, 0
    for place in range(len(users)):
        user, w = users[place], users_weights[place]
        for at in range(neighborhood.indptr[user], neighborhood.indptr[user + 1]):
            i = neighborhood.items[at]
            if not neighborhood.averaged or count[i] < neighborhood.n_neighbors:
                total[i] += w * neighborhood.user_deviations[at]
                weight[i] += w
                count[i] += 1
    if neighborhood.averaged:
        for i in range(len(total)):
            total[i] = divided(total[i], weight[i])


@kernel
def _add_user_scores(start, stop, row, indptr, rated, values, norms, neighborhood, items, out):
    n, n_items = len(neighborhood.vectors.norms), len(neighborhood.vectors.indptr) - 1
    sums, others = scratch_of(neighborhood.vectors)
    weights, near = np.empty(n, np.float32), np.empty(n, np.float32)
    best = np.empty(neighborhood.n_neighbors, np.int64)
    terms = np.empty(neighborhood.n_neighbors, np.float32)
    total, weight, count = np.empty(n_items), np.empty(n_items), np.empty(n_items, np.int32)
    few = len(items) < FEW * n_items
    users, users_weights = np.empty(n, np.int32), np.empty(n, np.float32)
    for b in range(start, stop):
        span = slice(indptr[b], indptr[b + 1])
        weights[:] = 0.0
        met = compare(
            row[b], rated[span], values[span], norms[b], neighborhood.vectors, sums, others, weights
        )
        if not neighborhood.averaged:
            keep_nearest(weights, neighborhood.n_neighbors, best)
        if not few:
            size = keep_best(weights, others, met, users, users_weights, n)
            fill_all(neighborhood, users[:size], users_weights[:size], total, weight, count)
        for c in range(len(items)):
            i = items[c]
            if few:
                _, sum_of_terms, w = fill_terms(i, weights, neighborhood, near, best, terms)
                out[b, c] += divided(sum_of_terms, w)
            else:
                out[b, c] += total[i]


@kernel
def _add_user_scores_of_pairs(
    start, stop, user, item, row, indptr, rated, values, norms, neighborhood, out
):
    n = len(neighborhood.vectors.norms)
    sums, others = scratch_of(neighborhood.vectors)
    weights, near = np.empty(n, np.float32), np.empty(n, np.float32)
    best = np.empty(neighborhood.n_neighbors, np.int64)
    terms = np.empty(neighborhood.n_neighbors, np.float32)
    for j in range(start, stop):
        u = user[j]
        if j == start or u != user[j - 1]:
            span = slice(indptr[u], indptr[u + 1])
            weights[:] = 0.0
            compare(
                row[u],
                rated[span],
                values[span],
                norms[u],
                neighborhood.vectors,
                sums,
                others,
                weights,
            )
            if not neighborhood.averaged:
                keep_nearest(weights, neighborhood.n_neighbors, best)
        _, total, weight = fill_terms(item[j], weights, neighborhood, near, best, terms)
        out[j] += divided(total, weight)
