"""Scores from the items like an item: sums or means over a person's deviations from a baseline.

list of an item   sum over j of  w_ij (d_j + e_ij) / W      over the n_neighbors heaviest j rated
full matrix       sum over j of  w_ji d_j                   over all j rated
"""

from typing import NamedTuple

import numpy as np

from matinee.data.rows import indptr_of
from matinee.kernels.jit import inlined, kernel, read_only
from matinee.kernels.sparse import Sparse
from matinee.kernels.threads import run_rows

FEW = 0.1  # of the items: where fewer are scored, each is scored by itself


class NeighborLists(NamedTuple):
    """The neighbours of each item, heaviest first, and how they are summed."""

    indptr: np.ndarray  # (n_items + 1,) int64
    neighbors: np.ndarray  # (n_weights,) int32
    weights: np.ndarray  # (n_weights,) float32
    shifts: np.ndarray  # (n_weights,) float32: e_ij; or (0,), where there are none
    n_neighbors: int  # most that a score takes
    averaged: bool  # W is the sum of the weights taken plus the damping; else 1
    damping: float  # weight of an imagined neighbour whose deviation is 0

    @classmethod
    def of(
        cls,
        weights: Sparse,
        shifts: np.ndarray | None = None,
        *,
        n_neighbors: int,
        averaged: bool = False,
        damping: float = 0.0,
    ) -> "NeighborLists":
        """Lists from a matrix (n_items, n_items) whose rows list the heaviest neighbours first.

        ``shifts`` (n_weights,) has one for each weight.
        """
        return cls(
            *weights.frozen(),
            read_only(np.empty(0) if shifts is None else shifts, np.float32),
            n_neighbors,
            averaged,
            float(damping),
        )

    @classmethod
    def sums(cls, weights: Sparse) -> "NeighborLists":
        """Lists whose scores are plain sums over all weights (n_items, n_items), an item a row."""
        most = max(1, int(weights.counts.max(initial=0)))
        return cls.of(weights, n_neighbors=most)

    def reversed(self) -> "NeighborLists":
        """The lists the other way round: at j, the items that have j for a neighbour."""
        n_items = len(self.indptr) - 1
        item = np.repeat(np.arange(n_items), np.diff(self.indptr))
        order = np.argsort(self.neighbors, kind="stable")
        shifts = self.shifts[order] if len(self.shifts) else self.shifts
        return self._replace(
            indptr=read_only(indptr_of(self.neighbors, n_items), np.int64),
            neighbors=read_only(item[order], np.int32),
            weights=read_only(self.weights[order], np.float32),
            shifts=read_only(shifts, np.float32),
        )


def add_list_scores(
    deviations: Sparse,
    lists: NeighborLists,
    reversed_lists: NeighborLists,
    items: np.ndarray,
    out: np.ndarray,
) -> None:
    """out[b, c] += the score of items[c] for the person in row b of ``deviations``.

    Args:
        deviations: (n_people, n_items) what each person's ratings are above the baseline.
        lists: the neighbours of each item.
        reversed_lists: ``lists.reversed()``.
        items: (n,) the items to score.
        out: (n_people, n) float32.
    """
    rated = deviations.frozen()
    arrays = *rated, lists, reversed_lists, read_only(items, np.int32), out
    run_rows(_add_list_scores, rated.counts + 1.0, *arrays)


def add_list_scores_of_pairs(
    user: np.ndarray, item: np.ndarray, deviations: Sparse, lists: NeighborLists, out: np.ndarray
) -> None:
    """out[j] += the score of item[j] for row user[j] of ``deviations``; quick in order of user.

    user and item (n,) are row numbers, and out (n,) is float32.
    """
    pairs = read_only(user, np.int32), read_only(item, np.int32)
    run_rows(
        _add_list_scores_of_pairs, np.ones(len(user)), *pairs, *deviations.frozen(), lists, out
    )


def add_matrix_scores(
    deviations: Sparse, matrix: np.ndarray, items: np.ndarray, out: np.ndarray
) -> None:
    """out[b, c] += sum over j of deviations[b, j] matrix[j, items[c]]; see ``add_list_scores``.

    ``matrix`` is (n_items, n_items) float32.
    """
    rated = deviations.frozen()
    arrays = *rated, read_only(matrix, np.float32), read_only(items, np.int32), out
    run_rows(_add_matrix_scores, rated.counts + 1.0, *arrays)


def add_matrix_scores_of_pairs(
    user: np.ndarray, item: np.ndarray, deviations: Sparse, matrix: np.ndarray, out: np.ndarray
) -> None:
    """out[j] += sum over i of deviations[user[j], i] matrix[i, item[j]]; all (n,)."""
    pairs = read_only(user, np.int32), read_only(item, np.int32)
    arrays = *pairs, *deviations.frozen(), read_only(matrix, np.float32), out
    run_rows(_add_matrix_scores_of_pairs, np.ones(len(user)), *arrays)


def list_terms(
    item: int, rated: np.ndarray, deviations: np.ndarray, lists: NeighborLists
) -> np.ndarray:
    """What each item that a person rated adds to the score of an item: (n_rated,) float64.

    ``rated`` and ``deviations`` are (n_rated,). The terms sum to what ``add_list_scores`` adds.
    """
    own = np.full(len(lists.indptr) - 1, np.nan)
    own[rated] = deviations
    places, terms = np.empty(len(rated), np.int64), np.empty(len(rated))
    n, _, weight = fill_terms(item, read_only(own, np.float64), lists, places, terms)
    by_item = np.zeros(len(own))
    by_item[lists.neighbors[places[:n]]] = terms[:n] / (weight or 1.0)
    return np.asarray(by_item[rated])


@kernel
def term_of(place, deviation, lists):
    """w (d + e): what a deviation adds by one entry of the lists, before the division by W."""
    if len(lists.shifts):
        deviation += lists.shifts[place]
    return lists.weights[place] * deviation


@kernel
def fill_terms(item, own, lists, places, terms):
    """The terms of one item's score, from one person's deviations ``own`` (NaN: not rated).

    Fills the first n of ``places`` in the lists and of ``terms``, (n_rated,) at least.
    Returns n, the sum of the terms, and W.
    """
    n, total, weight = 0, 0.0, lists.damping
    for place in range(lists.indptr[item], lists.indptr[item + 1]):
        deviation = own[lists.neighbors[place]]
        if np.isnan(deviation):
            continue
        term = term_of(place, deviation, lists)
        places[n], terms[n] = place, term
        total += term
        weight += lists.weights[place]
        n += 1
        if n == lists.n_neighbors:
            break
    return n, total, weight if lists.averaged else 1.0


@kernel
def divided(total, weight):
    """A sum of terms divided by W; 0 where no weight speaks."""
    return total / weight if weight > 0.0 else 0.0


@inlined
def unrated(n_items):
    """The deviations of somebody without ratings, by a loop: np.full is a function to compile."""
    own = np.empty(n_items, np.float32)
    for i in range(n_items):
        own[i] = np.nan
    return own


@kernel
def _add_list_scores(start, stop, indptr, rated, deviations, lists, reversed_lists, items, out):
    # Where many items are scored, each rating adds its terms to all items at once; the few
    # items that more than n_neighbors ratings speak for are scored again by their heaviest.
    n_items = len(lists.indptr) - 1
    own = unrated(n_items)
    places, terms = np.empty(n_items, np.int64), np.empty(n_items, np.float32)
    total, weight, count = np.empty(n_items), np.empty(n_items), np.empty(n_items, np.int32)
    few = len(items) < FEW * n_items
    for b in range(start, stop):
        for at in range(indptr[b], indptr[b + 1]):
            own[rated[at]] = deviations[at]
        if not few:
            for i in range(n_items):
                total[i], weight[i], count[i] = 0.0, lists.damping, 0
            for at in range(indptr[b], indptr[b + 1]):
                add_terms_of(rated[at], deviations[at], reversed_lists, total, weight, count)
        for c in range(len(items)):
            i = items[c]
            if few or count[i] > lists.n_neighbors:
                _, sum_of_terms, sum_of_weights = fill_terms(i, own, lists, places, terms)
                out[b, c] += divided(sum_of_terms, sum_of_weights)
            elif not lists.averaged:
                out[b, c] += total[i]
            else:
                out[b, c] += divided(total[i], weight[i])
        for at in range(indptr[b], indptr[b + 1]):
            own[rated[at]] = np.nan


@inlined
def add_terms_of(j, deviation, reversed_lists, total, weight, count):
    """Add the term of a rating of item j to the sums of all items that have j for a neighbour."""
    for place in range(reversed_lists.indptr[j], reversed_lists.indptr[j + 1]):
        i = reversed_lists.neighbors[place]
        total[i] += term_of(place, deviation, reversed_lists)
        weight[i] += reversed_lists.weights[place]
        count[i] += 1


@kernel
def _add_list_scores_of_pairs(start, stop, user, item, indptr, rated, deviations, lists, out):
    n_items = len(lists.indptr) - 1
    own = unrated(n_items)
    places, terms = np.empty(n_items, np.int64), np.empty(n_items, np.float32)
    for j in range(start, stop):
        u = user[j]
        if j == start or u != user[j - 1]:
            for at in range(indptr[u], indptr[u + 1]):
                own[rated[at]] = deviations[at]
        _, total, weight = fill_terms(item[j], own, lists, places, terms)
        out[j] += divided(total, weight)
        if j + 1 == stop or u != user[j + 1]:
            for at in range(indptr[u], indptr[u + 1]):
                own[rated[at]] = np.nan


@kernel
def _add_matrix_scores(start, stop, indptr, rated, deviations, matrix, items, out):
    total = np.empty(matrix.shape[1], np.float32)
    for b in range(start, stop):
        total[:] = 0.0
        for at in range(indptr[b], indptr[b + 1]):
            weights, deviation = matrix[rated[at]], deviations[at]
            for i in range(len(total)):
                total[i] += deviation * weights[i]
        for c in range(len(items)):
            out[b, c] += total[items[c]]


@kernel
def _add_matrix_scores_of_pairs(start, stop, user, item, indptr, rated, deviations, matrix, out):
    for j in range(start, stop):
        total = np.float32(0.0)
        for at in range(indptr[user[j]], indptr[user[j] + 1]):
            total += deviations[at] * matrix[rated[at], item[j]]
        out[j] += total
