"""The best items for many people, and the rows most like a row: exact, in bounded memory."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from matinee.kernels.blas import one_blas_thread
from matinee.kernels.jit import read_only
from matinee.kernels.ranking import top_n
from matinee.kernels.threads import RANGES_PER_THREAD, n_threads, run_all
from matinee.models.kind import Scorer

BLOCK_SCORES = 400_000  # scores held at once by each thread: 1.6 MB, so that they stay in cache
BLOCK_PEOPLE = 128  # and at most the scores of so many people
ROWS_AT_ONCE = 1 << 16  # rows compared at once
SHRINKAGE = 10.0  # ratings at which a similarity counts half

Seen = Callable[[Sequence[object]], tuple[np.ndarray, np.ndarray]]


def best_items(
    score: Scorer,
    people: Sequence[object],
    candidates: np.ndarray,
    n: int,
    seen: Seen | None,
    n_items: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n_people, n) int32 of the best candidates for each person, best first, and scores.

    ``score`` writes the scores of the candidates. ``seen`` tells which item rows people are not
    shown. Where someone has fewer than n candidates the rest is -1. Ties keep the order of items.
    People are taken in blocks, and each thread holds no more than a block of scores.
    """
    n = min(n, len(candidates))
    found = np.full((len(people), n), -1, dtype=np.int32)
    scores = np.full((len(people), n), np.nan, dtype=np.float32)
    if n == 0:
        return found, scores
    place = np.full(n_items, -1, dtype=np.int32)
    place[candidates] = np.arange(len(candidates), dtype=np.int32)
    size = max(1, min(BLOCK_PEOPLE, BLOCK_SCORES // len(candidates)))

    def run(blocks: np.ndarray) -> None:
        room = np.empty((min(size, len(people)), len(candidates)), np.float32)
        for first in (blocks * size).tolist():
            here = people[first : first + size]
            where = slice(first, first + len(here))
            scored = room[: len(here)]
            score(here, scored)
            top_n(
                0,
                len(here),
                read_only(scored, np.float32),
                *banned(seen, here, place),
                found[where],
                scores[where],
            )

    parts = np.array_split(np.arange(-(-len(people) // size)), n_threads() * RANGES_PER_THREAD)
    with one_blas_thread():  # once for all blocks
        run_all([partial(run, blocks) for blocks in parts if len(blocks)])
    return np.where(found >= 0, candidates[found], -1), scores


def banned(
    seen: Seen | None, people: Sequence[object], place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What people have seen as places among the candidates, as ``top_n`` takes it."""
    indptr, items = seen(people) if seen else (np.zeros(len(people) + 1, np.int64), place[:0])
    places = place[items]
    known = places >= 0
    before = np.concatenate([[0], np.cumsum(known)])  # candidates among the first of the items
    return read_only(before[indptr], np.int64), read_only(places[known], np.int32)


def similar_rows(
    factors: np.ndarray, row: int, n: int, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The n other rows with the highest cosine similarity to a row; ties keep row order.

    It is shrunk by count / (count + 10), as the factors of a row with few ratings say little.
    """
    similarity = np.empty(len(factors))
    direction = _unit(factors[row : row + 1])[0]
    for first in range(0, len(factors), ROWS_AT_ONCE):
        here = slice(first, first + ROWS_AT_ONCE)
        similarity[here] = _unit(factors[here]) @ direction
    similarity *= counts / (counts + SHRINKAGE)
    similarity[row] = -np.inf
    order = np.argsort(-similarity, kind="stable")[: min(n, len(factors) - 1)]
    return order, similarity[order]


def _unit(factors: np.ndarray) -> np.ndarray:
    """Rows of length 1, or 0."""
    norms = np.sqrt((factors.astype(np.float64) ** 2).sum(axis=1))
    return np.asarray(factors / np.where(norms > 0, norms, 1.0)[:, None])
