"""Ranking the whole catalogue: the n best items of each user, and where given items stand.

Both kernels work on a block of users: ``scores`` (n_rows, n_items) float32 holds one row of scores
a user. The items a user must not be shown, most often those already seen, are *banned*: row b
bans ``banned_items[banned_indptr[b]:banned_indptr[b + 1]]`` (int32, ascending, each once; the
indptr int64). The other items are the user's candidates. NaN ranks after every number, minus
infinity included. Run them with ``run_rows(kernel, cost, ...)``: start..stop are rows of the block.
"""

import numpy as np

from matinee.kernels import tiles
from matinee.kernels.jit import kernel
from matinee.kernels.vectors import GLANCE


@kernel
def top_n(start, stop, scores, banned_indptr, banned_items, out_items, out_scores):
    """The n best candidates of each row, best first, ties by lower item number.

    ``out_items`` (n_rows, n) int32 and ``out_scores`` (n_rows, n) float32 are filled for rows
    start..stop; where a row has fewer than n candidates they end with -1 and NaN.
    """
    n_items, n = scores.shape[1], out_items.shape[1]
    for b in range(start, stop):
        kept, kept_scores, filled = out_items[b], out_scores[b], 0
        banned, last_banned = banned_indptr[b], banned_indptr[b + 1]
        least = np.float32(np.nan)  # the last score of a full list: what is not above it is passed
        for first in range(0, n_items, GLANCE):
            if first + GLANCE <= n_items:
                better = tiles.above(scores, b, first, least)
            else:
                better = (1 << (n_items - first)) - 1
            while better != 0:
                item = first + tiles.lowest_bit(better)
                better &= better - 1
                score = scores[b, item]
                if filled == n and not ranks_before(score, least):
                    continue
                while banned < last_banned and banned_items[banned] < item:
                    banned += 1
                if banned == last_banned or banned_items[banned] != item:
                    filled = keep(item, score, kept, kept_scores, filled)
                    if filled == n:
                        least = kept_scores[n - 1]
        kept[filled:] = -1
        kept_scores[filled:] = np.nan


@kernel
def keep(item, score, best, best_scores, filled):
    """Put an item in its place in a sorted list that holds ``filled`` so far; its new size."""
    filled = min(filled + 1, len(best))
    place = filled - 1
    while place > 0 and ranks_before(score, best_scores[place - 1]):
        best_scores[place] = best_scores[place - 1]
        best[place] = best[place - 1]
        place -= 1
    best_scores[place] = score
    best[place] = item
    return filled


@kernel
def rank_intervals(
    start,
    stop,
    scores,
    banned_indptr,
    banned_items,
    asked_indptr,
    asked_items,
    out_better,
    out_tied,
):
    """How many candidates score better than each asked item, and how many just as well.

    Row b asks about ``asked_items[asked_indptr[b]:asked_indptr[b + 1]]`` (int32), all candidates.
    ``out_better`` and ``out_tied`` (int32, as long as asked_items) are filled for the items of
    rows start..stop; tied counts the item itself.

    Each asked item is compared with every candidate: n_asked x n_items comparisons a user, which
    vectorise, next to the n_factors x n_items products that made the scores.
    """
    numbers = np.empty(scores.shape[1], dtype=np.float32)
    for b in range(start, stop):
        banned_here = banned_items[banned_indptr[b] : banned_indptr[b + 1]]
        n_candidates = scores.shape[1] - len(banned_here)
        n_numbers = gather_numbers(scores[b], banned_here, numbers)
        for place in range(asked_indptr[b], asked_indptr[b + 1]):
            score = scores[b, asked_items[place]]
            if score == score:
                better, tied = count_better_and_tied(numbers[:n_numbers], score)
            else:
                better, tied = n_numbers, n_candidates - n_numbers
            out_better[place] = better
            out_tied[place] = tied


@kernel
def gather_numbers(scores, banned_items, numbers):
    """Copy the candidates' scores that are not NaN to the front of ``numbers``; how many."""
    n_numbers = 0
    banned = 0
    for item in range(len(scores)):
        if banned < len(banned_items) and banned_items[banned] == item:
            banned += 1
            continue
        numbers[n_numbers] = scores[item]
        n_numbers += scores[item] == scores[item]  # the next candidate overwrites a NaN
    return n_numbers


@kernel
def count_better_and_tied(numbers, score):
    """How many numbers are above a score, and how many equal to it."""
    better = 0
    tied = 0
    for place in range(len(numbers)):  # over places, not values: only this vectorises
        better += numbers[place] > score
        tied += numbers[place] == score
    return better, tied


@kernel
def ranks_before(a, b):
    """Whether score a is strictly better than score b, NaN being the worst."""
    return a > b or (b != b and a == a)
