"""The best items for many people, and the rows most like a row: exact, in bounded memory."""

from collections.abc import Sequence

import numpy as np

from matinee.kernels.jit import read_only
from matinee.kernels.ranking import top_n
from matinee.kernels.threads import run_all
from matinee.models.people import People
from matinee.models.side import Side

BLOCK_SCORES = 4_000_000  # scores held at once by each thread: 16 MB


def best_items(
    people: People,
    items: Side,
    users: Sequence[object],
    candidates: np.ndarray,
    n: int,
    exclude_seen: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n_users, n) int32 of the best candidates for each user, best first, and their scores.

    Where a user has fewer than n candidates the rest is -1. Ties keep the order of items. Users
    are taken in blocks; no more than a block of scores exists at a time.
    """
    n = min(n, len(candidates))
    found = np.full((len(users), n), -1, dtype=np.int32)
    scores = np.full((len(users), n), np.nan, dtype=np.float32)
    if n == 0:
        return found, scores
    chosen = items.take(candidates)
    place = np.full(len(items.bias), -1, dtype=np.int32)
    place[candidates] = np.arange(len(candidates), dtype=np.int32)
    size = max(1, min(512, BLOCK_SCORES // len(candidates)))

    def block(first: int) -> None:
        here = users[first : first + size]
        side, _ = people.side(here)
        banned = [place[rows] for rows in people.rated(here)] if exclude_seen else []
        banned = [rows[rows >= 0] for rows in banned] or [np.empty(0, np.int32)] * len(here)
        indptr = np.zeros(len(here) + 1, dtype=np.int64)
        np.cumsum([len(rows) for rows in banned], out=indptr[1:])
        where = slice(first, first + len(here))
        block_scores = people.scores(side, chosen)
        best = np.empty((len(here), n), np.int32)
        inputs = (
            read_only(block_scores, np.float32),
            read_only(indptr, np.int64),
            read_only(np.concatenate(banned), np.int32),
        )
        top_n(0, len(here), *inputs, best, scores[where])
        found[where] = np.where(best >= 0, candidates[best], -1)

    run_all([lambda first=first: block(first) for first in range(0, len(users), size)])
    return found, scores


def similar_rows(factors: np.ndarray, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The n other rows with the highest cosine similarity to a row; ties keep row order."""
    norms = np.sqrt((factors.astype(np.float64) ** 2).sum(axis=1))
    unit = factors / np.where(norms > 0, norms, 1.0)[:, None]
    similarity = unit @ unit[row]
    similarity[row] = -np.inf
    order = np.argsort(-similarity, kind="stable")[: min(n, len(factors) - 1)]
    return order, similarity[order]
