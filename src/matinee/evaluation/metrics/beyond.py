"""What the lists are like, beyond whether they hit: how wide, how new, how varied, for whom.

Unlike the ranking metrics these are of the lists as they are shown: ties are broken as
``recommend`` breaks them, by item order. The lists are those of the measured users, so that every
metric in a table is about the same people. None of them needs test ratings, and each is easy to
win by recommending at random: read them beside an accuracy, never alone.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

SMOOTHING = 0.01  # of a list's genres by the user's own (Steck 2018, section 3.1)


@dataclass(frozen=True, eq=False)
class ItemFacts:
    """What the metrics of lists know of the items."""

    shares: np.ndarray  # (n_items,) share of the training users who rated it, above 0
    genres: np.ndarray | None  # (n_items, n_genres) bool

    @classmethod
    def of(cls, counts: np.ndarray, n_users: int, genres: np.ndarray | None) -> "ItemFacts":
        """From training ratings per item; an item that nobody rated counts as rated once."""
        return cls(np.maximum(counts, 1) / max(n_users, 1), genres)

    @cached_property
    def genre_shares(self) -> np.ndarray:
        """p(g|i): an item's genres in equal parts, zeros where it has none."""
        assert self.genres is not None
        has = self.genres.astype(np.float64)
        shares: np.ndarray = has / np.maximum(has.sum(axis=1, keepdims=True), 1)
        return shares

    @cached_property
    def unit_genres(self) -> np.ndarray:
        """An item's genres as a vector of length 1, or 0 where it has none."""
        assert self.genres is not None
        has = self.genres.astype(np.float64)
        unit: np.ndarray = has / np.sqrt(np.maximum(has.sum(axis=1, keepdims=True), 1))
        return unit


@dataclass(frozen=True, eq=False)
class Lists:
    """What some users are shown, and what they liked before."""

    items: np.ndarray  # (n_users, length) int32, best first; -1 where there is no item
    facts: ItemFacts
    liked: np.ndarray | None  # (n_users, n_genres) p(g|u), rows of zeros where unknown


def coverage(times_shown: np.ndarray) -> float:
    """Share of the catalogue that is among the first n places of at least one measured user.

    ``times_shown`` (n_items,) is in how many lists of length n each item is.
    """
    return float(np.mean(times_shown > 0))


def gini(times_shown: np.ndarray) -> float:
    """Gini index of how often the items of the catalogue are shown: 0 equally, near 1 a few only.

    ``gini = sum_j (2 j - N - 1) x_j / (N sum_j x_j)``, with the N items in rising order of x, the
    number of lists of length n that each is in. All items count, shown or not.
    """
    x = np.sort(times_shown).astype(np.float64)
    N = len(x)
    if x.sum() == 0:
        return 0.0
    return float((2 * np.arange(1, N + 1) - N - 1) @ x / (N * x.sum()))


def shown_popularity(lists: Lists, n: int) -> np.ndarray:
    """Mean share of the training users who rated the items in the first n places, per user.

    High is what everybody knows. Neither end is good by itself; it says what kind of list it is.
    """
    return _mean_shown(lists.items[:, :n], lists.facts.shares)


def novelty(lists: Lists, n: int) -> np.ndarray:
    """Mean of ``-log2(share of the training users who rated the item)`` in n places, per user.

    In bits: one more when half as many know an item (Vargas & Castells 2011). An item that nobody
    rated counts as rated by one user.
    """
    return _mean_shown(lists.items[:, :n], -np.log2(lists.facts.shares))


def diversity(lists: Lists, n: int) -> np.ndarray:
    """Mean of ``1 - cos(genres of a, genres of b)`` over the pairs in the first n places, per user.

    An item is the 0-1 vector of its genres. Items without genres are left out; a list with fewer
    than two others has no diversity (NaN) and the user is not counted (Ziegler et al. 2005).
    """
    unit = lists.facts.unit_genres
    total, count = _sums(lists.items[:, :n], unit, unit.sum(axis=1) > 0)
    # the sum of all cosines, an item with itself included, is |sum of the unit vectors|^2
    pairs = count * (count - 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = ((total**2).sum(axis=1) - count) / pairs
    return np.where(pairs > 0, np.clip(1 - cosine, 0, 1), np.nan)


def genre_calibration(lists: Lists, n: int) -> np.ndarray:
    """How far the genres of the first n places are from those the user liked, per user: in nats.

    ``sum_g p log(p / q')``, the Kullback-Leibler divergence, with p(g|u) the mean of the genre
    shares of the relevant training items, q of the list, and ``q' = 0.99 q + 0.01 p``
    (Steck 2018). An item's genres have equal shares. Users without liked genres are not counted.
    """
    assert lists.liked is not None
    shares = lists.facts.genre_shares
    total, count = _sums(lists.items[:, :n], shares, shares.sum(axis=1) > 0)
    p, q = lists.liked, total / np.maximum(count, 1)[:, None]
    mixed = (1 - SMOOTHING) * q + SMOOTHING * p
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where(p > 0, p * np.log(p / mixed), 0.0)
    divergence = np.maximum(terms.sum(axis=1), 0.0)
    return np.where((p.sum(axis=1) > 0) & (count > 0), divergence, np.nan)


def _mean_shown(items: np.ndarray, values: np.ndarray) -> np.ndarray:
    shown = items >= 0
    total = np.where(shown, values[items], 0.0).sum(axis=1)
    count = shown.sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _sums(items: np.ndarray, vectors: np.ndarray, has: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the vectors (n_users, n_genres) of the shown items that have one, and how many do."""
    counted = (items >= 0) & has[items]
    total = np.zeros((len(items), vectors.shape[1]))
    for place in range(items.shape[1]):  # a place at a time: no users x places x genres array
        total += vectors[items[:, place]] * counted[:, place, None]
    return total, counted.sum(axis=1)
