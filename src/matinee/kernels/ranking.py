"""Ranking the whole catalogue: the n best items of each user, and where given items stand.

A block of users has one row of ``scores`` (n_rows, n_items) float32 each. The items a user must
not be shown, most often those already seen, are *banned*; the others are the user's candidates.
NaN ranks after every number, minus infinity included.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from matinee.kernels import tiles
from matinee.kernels.blas import one_blas_thread
from matinee.kernels.jit import inlined, kernel, read_only
from matinee.kernels.threads import (
    RANGES_PER_THREAD,
    n_threads,
    run_all,
    run_rows,
)
from matinee.kernels.vectors import GLANCE

BLOCK_SCORES = 400_000  # scores held at once by each thread: 1.6 MB, so that they stay in cache
BLOCK_ROWS = 128  # and at most so many rows of scores
CANDIDATE_COST = 8.0  # finding the candidates of a row, in comparisons of one item with all


class ItemSets(NamedTuple):
    """Some items of each row: row b has ``items[indptr[b]:indptr[b + 1]]``."""

    indptr: np.ndarray  # (n_rows + 1,) int64
    items: np.ndarray  # int32, ascending in each row, each once

    def frozen(self) -> tuple[np.ndarray, np.ndarray]:
        """The arrays in the types that kernels are compiled for."""
        return read_only(self.indptr, np.int64), read_only(self.items, np.int32)


FillBlock = Callable[[slice, np.ndarray], ItemSets]  # writes the scores of rows; what is banned


def top_n(scores: np.ndarray, banned: ItemSets, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The n best candidates of each row, best first, ties by lower item number.

    Returns:
        items (n_rows, n) int32 and their scores (n_rows, n) float32; where a row has fewer than n
        candidates they end with -1 and NaN.
    """
    items = np.empty((len(scores), n), np.int32)
    best = np.empty((len(scores), n), np.float32)
    inputs = read_only(scores, np.float32), *banned.frozen()
    run_rows(_top_n, np.ones(len(scores)), *inputs, items, best)
    return items, best


def top_n_in_blocks(
    fill: FillBlock, n_rows: int, n_items: int, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """``top_n`` of more rows than scores should be held of at once.

    ``fill(rows, scores)`` writes the scores of a slice of rows and returns their banned items. It
    is called by several threads, each of which holds no more than a block of scores.
    """
    items = np.empty((n_rows, n), np.int32)
    best = np.empty((n_rows, n), np.float32)
    size = max(1, min(BLOCK_ROWS, BLOCK_SCORES // n_items))

    def run(blocks: np.ndarray) -> None:
        buffer = np.empty((min(size, n_rows), n_items), np.float32)
        for first in (blocks * size).tolist():
            rows = slice(first, min(first + size, n_rows))
            scores = buffer[: rows.stop - first]
            banned = fill(rows, scores)
            inputs = read_only(scores, np.float32), *banned.frozen()
            _top_n(0, len(scores), *inputs, items[rows], best[rows])

    n_blocks = -(-n_rows // size)
    n_parts = max(1, min(n_blocks, n_threads() * RANGES_PER_THREAD))
    with one_blas_thread():  # once for all blocks
        run_all([partial(run, blocks) for blocks in np.array_split(np.arange(n_blocks), n_parts)])
    return items, best


def rank_intervals(
    scores: np.ndarray, banned: ItemSets, items: ItemSets
) -> tuple[np.ndarray, np.ndarray]:
    """How many candidates score better than each of ``items``, and how many just as well.

    All ``items`` of a row are candidates. Returns better and tied, int32, as long as
    ``items.items``; tied counts the item itself.

    Each item is compared with every candidate: n_items_ranked x n_items comparisons a user, which
    vectorise, next to the n_factors x n_items products that made the scores.
    """
    better, tied = np.empty(len(items.items), np.int32), np.empty(len(items.items), np.int32)
    cost = CANDIDATE_COST + np.diff(items.indptr)
    inputs = read_only(scores, np.float32), *banned.frozen(), *items.frozen()
    run_rows(_rank_intervals, cost, *inputs, better, tied)
    return better, tied


@kernel
def _top_n(start, stop, scores, banned_indptr, banned_items, out_items, out_scores):
    n_items, n = scores.shape[1], out_items.shape[1]
    for b in range(start, stop):
        best, best_scores, filled = out_items[b], out_scores[b], 0
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
                    filled = insert(item, score, best, best_scores, filled)
                    if filled == n:
                        least = best_scores[n - 1]
        best[filled:] = -1
        best_scores[filled:] = np.nan


@inlined
def insert(item, score, best, best_scores, filled):
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
def _rank_intervals(
    start, stop, scores, banned_indptr, banned_items, indptr, items, out_better, out_tied
):
    numbers = np.empty(scores.shape[1], dtype=np.float32)
    for b in range(start, stop):
        banned = banned_items[banned_indptr[b] : banned_indptr[b + 1]]
        n_candidates = scores.shape[1] - len(banned)
        n_numbers = gather_numbers(scores[b], banned, numbers)
        for place in range(indptr[b], indptr[b + 1]):
            score = scores[b, items[place]]
            if score == score:
                better, tied = count_better_and_tied(numbers[:n_numbers], score)
            else:
                better, tied = n_numbers, n_candidates - n_numbers
            out_better[place] = better
            out_tied[place] = tied


@inlined
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


@inlined
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
