"""The best items for many people, and the rows most like a row: exact, in bounded memory."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from matinee.kernels.jit import read_only
from matinee.kernels.ranking import top_n
from matinee.kernels.threads import run_all

BLOCK_SCORES = 2_000_000  # scores held at once by each thread: 8 MB

SHRINKAGE = 10.0  # ratings at which a similarity counts half

ScorePeople = Callable[[Sequence[object], np.ndarray], np.ndarray]


def best_items(
    score_people: ScorePeople,
    people: Sequence[object],
    candidates: np.ndarray,
    n: int,
    seen: Callable[[object], np.ndarray] | None,
    n_items: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n_people, n) int32 of the best candidates for each person, best first, and scores.

    ``seen`` tells which item rows a person is not shown. Where someone has fewer than n candidates
    the rest is -1. Ties keep the order of items. People are taken in blocks, and no more than a
    block of scores exists at a time.
    """
    n = min(n, len(candidates))
    found = np.full((len(people), n), -1, dtype=np.int32)
    scores = np.full((len(people), n), np.nan, dtype=np.float32)
    if n == 0:
        return found, scores
    place = np.full(n_items, -1, dtype=np.int32)
    place[candidates] = np.arange(len(candidates), dtype=np.int32)
    size = max(1, min(512, BLOCK_SCORES // len(candidates)))

    def block(first: int) -> None:
        here = people[first : first + size]
        banned = [place[seen(one)] if seen else place[:0] for one in here]
        banned = [places[places >= 0] for places in banned]
        ends = np.cumsum([0, *map(len, banned)])
        inputs = (
            read_only(score_people(here, candidates), np.float32),
            read_only(ends, np.int64),
            read_only(np.concatenate(banned), np.int32),
        )
        best = np.empty((len(here), n), np.int32)
        where = slice(first, first + len(here))
        top_n(0, len(here), *inputs, best, scores[where])
        found[where] = np.where(best >= 0, candidates[best], -1)

    run_all([partial(block, first) for first in range(0, len(people), size)])
    return found, scores


def similar_rows(
    factors: np.ndarray, row: int, n: int, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The n other rows with the highest cosine similarity to a row; ties keep row order.

    It is shrunk by count / (count + 10), as the factors of a row with few ratings say little.
    """
    norms = np.sqrt((factors.astype(np.float64) ** 2).sum(axis=1))
    unit = factors / np.where(norms > 0, norms, 1.0)[:, None]
    similarity = (unit @ unit[row]) * (counts / (counts + SHRINKAGE))
    similarity[row] = -np.inf
    order = np.argsort(-similarity, kind="stable")[: min(n, len(factors) - 1)]
    return order, similarity[order]
