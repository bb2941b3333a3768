"""The best items for many people, and the rows most like a row: exact, in bounded memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from matinee.kernels.factors import score_block
from matinee.kernels.product_index import ProductIndex
from matinee.kernels.product_lists import top_products
from matinee.kernels.ranking import ItemSets, top_n_in_blocks
from matinee.row_solvers.embeddings import Embeddings

ROWS_AT_ONCE = 1 << 16  # rows compared at once
MOST_LOOKED_UP = 8  # people; of more, all items are scored in one product
MOST_OF_INDEX = 200  # places of a list; longer ones leave little to pass over
SHRINKAGE = 10.0  # ratings at which a similarity counts half

# Writes the scores (n_people, n_items) of some people into an array that is used again.
Scorer = Callable[[Sequence[object], np.ndarray], None]
Seen = Callable[[Sequence[object]], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class ProductScorer:
    """The ``Scorer`` of a model whose scores are inner products of embeddings and their biases."""

    mean: float
    embeddings_of: Callable[[Sequence[object]], Embeddings]  # of people
    items: Embeddings
    index: ProductIndex | None = None  # of these items, where there is one

    def index_for(self, n_people: int, n: int) -> ProductIndex | None:
        """The index, where it makes lists of n places for so many people sooner."""
        return self.index if n_people <= MOST_LOOKED_UP and n <= MOST_OF_INDEX else None

    def __call__(self, people: Sequence[object], out: np.ndarray) -> None:
        score_block(self.mean, self.embeddings_of(people), self.items, out)


def best_items(
    score: Scorer,
    people: Sequence[object],
    candidates: np.ndarray,
    n: int,
    seen: Seen | None,
    n_items: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n_people, n) int32 of the best candidates for each person, best first, and scores.

    ``score`` writes the scores of the candidates. ``seen`` returns the item rows, as indptr and
    indices, that people are not shown. Where someone has fewer than n candidates, rows end with -1
    and scores with NaN. Ties keep the order of items.
    """
    n = min(n, len(candidates))
    if n == 0:
        return np.empty((len(people), 0), np.int32), np.empty((len(people), 0), np.float32)
    place = candidates  # of all items each is its own
    if len(candidates) < n_items:
        place = np.full(n_items, -1, dtype=np.int32)
        place[candidates] = np.arange(len(candidates), dtype=np.int32)

    def block(rows: slice) -> tuple[Embeddings, ItemSets]:
        assert isinstance(score, ProductScorer)
        return score.embeddings_of(people[rows]), _banned(seen, people[rows], place)

    def fill(rows: slice, scores: np.ndarray) -> ItemSets:
        score(people[rows], scores)
        return _banned(seen, people[rows], place)

    if isinstance(score, ProductScorer):
        index = score.index_for(len(people), n)
        places, scores = top_products(score.mean, block, len(people), score.items, n, index)
    else:
        places, scores = top_n_in_blocks(fill, len(people), len(candidates), n)
    return np.where(places >= 0, candidates[places], -1), scores


def _banned(seen: Seen | None, people: Sequence[object], place: np.ndarray) -> ItemSets:
    """What people have seen, as places among the candidates."""
    indptr, items = seen(people) if seen else (np.zeros(len(people) + 1, np.int64), place[:0])
    places = place[items]
    known = places >= 0
    before = np.concatenate([[0], np.cumsum(known)])  # candidates among the first of the items
    return ItemSets(before[indptr], places[known])


def similar_rows(
    factors: np.ndarray, row: int, n: int, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The n other rows with the highest cosine similarity to a row; ties keep row order.

    It is shrunk by count / (count + 10), as the factors of a row with few ratings say little.
    ``factors`` are (n_rows, n_factors), ``counts`` (n_rows,). Returns rows and similarities (n,).
    """
    similarity = np.empty(len(factors))
    direction = _unit(factors[row : row + 1])[0]
    for first in range(0, len(factors), ROWS_AT_ONCE):
        span = slice(first, first + ROWS_AT_ONCE)
        similarity[span] = _unit(factors[span]) @ direction
    similarity *= counts / (counts + SHRINKAGE)
    similarity[row] = -np.inf
    order = np.argsort(-similarity, kind="stable")[: min(n, len(factors) - 1)]
    return order, similarity[order]


def _unit(factors: np.ndarray) -> np.ndarray:
    """Rows of length 1, or 0."""
    norms = np.sqrt((factors.astype(np.float64) ** 2).sum(axis=1))
    return np.asarray(factors / np.where(norms > 0, norms, 1.0)[:, None])
