"""How well the relevant test items of each user are ranked among the whole catalogue.

The candidates of a user are all items except those seen in training. Ties are broken by a fair
draw and every metric is its exact expectation over that draw: a scorer that gives all items the
same score gets exactly what guessing gets, and nothing is gained or lost by rounding scores.
An item whose score is NaN ranks last, tied with the others that are NaN.

Only users with at least one relevant test item are measured; the evaluator counts the others.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from matinee.errors import MatineeError


@dataclass(frozen=True, eq=False)
class RankedTest:
    """Where the relevant test items of each measured user stand among the user's candidates.

    With ``better`` candidates scored above it and ``tied`` scored like it, itself included, an
    item takes each of the places ``better + 1 .. better + tied`` with the same chance.
    Raises MatineeError when a user has no relevant item.
    """

    indptr: np.ndarray  # (n_users + 1,) int64: user u owns the items indptr[u]:indptr[u + 1]
    better: np.ndarray  # (n_relevant,) int32
    tied: np.ndarray  # (n_relevant,) int32, at least 1
    candidates: np.ndarray  # (n_users,) int32: items that could have been shown to each user
    gain: np.ndarray | None = None  # (n_relevant,) what each is worth, where that is graded

    def __post_init__(self) -> None:
        if (self.relevant == 0).any():
            user = int(np.argmin(self.relevant))
            raise MatineeError(f"user {user} has no relevant test item; leave such users out")

    @property
    def relevant(self) -> np.ndarray:
        """How many relevant test items each user has: int64 (n_users,)."""
        relevant: np.ndarray = np.diff(self.indptr)
        return relevant

    def only(self, mask: np.ndarray) -> "RankedTest":
        """The same users with only the chosen ones (a mask) of these items; gains are dropped."""
        before = np.append(0, np.cumsum(mask))
        return RankedTest(before[self.indptr], self.better[mask], self.tied[mask], self.candidates)

    @cached_property
    def user(self) -> np.ndarray:
        """The number of the user that each relevant item belongs to."""
        return np.repeat(np.arange(len(self.relevant)), self.relevant)

    @cached_property
    def groups(self) -> "Groups":
        """The groups of relevant items of one user with one score, as seen from each item."""
        order = np.lexsort((self.better, self.user))
        user, better = self.user[order], self.better[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (np.diff(user) != 0) | (np.diff(better) != 0)
        starts = np.flatnonzero(new)
        group = np.cumsum(new) - 1
        first = starts[group]
        columns = (
            np.arange(len(order)) - first,
            first - self.indptr[user],
            np.diff(np.append(starts, len(order)))[group],
        )
        unsorted = np.empty((3, len(order)), dtype=np.int64)
        unsorted[:, order] = columns
        return Groups(*unsorted)


class Groups(NamedTuple):
    """Relevant items of one user with one score, as seen from each of them: int64 (n_relevant,)."""

    place: np.ndarray  # 0, 1, 2, ... within the group
    before: np.ndarray  # relevant items of the user that score better
    size: np.ndarray  # relevant items in the group


def precision(test: RankedTest, n: int) -> np.ndarray:
    """Share of the n places that hold a relevant item, per user: float64 (n_users,).

    ``precision = (1 / n) sum over relevant items of P(item in the first n)``. The denominator is
    always n, so a user with r relevant items reaches at most r / n.
    """
    share: np.ndarray = _sum_by_user(test, _chance_to_be_shown(test, n)) / n
    return share


def recall(test: RankedTest, n: int) -> np.ndarray:
    """Share of a user's relevant items that are in the first n places: float64 (n_users,).

    ``recall = (1 / r) sum over relevant items of P(item in the first n)``. The denominator is r,
    the number of all relevant test items of the user, also when r > n.
    """
    expected = _sum_by_user(test, _chance_to_be_shown(test, n))
    share: np.ndarray = expected / test.relevant
    return share


def capped_recall(test: RankedTest, n: int) -> np.ndarray:
    """Share of the relevant items that a list of n could hold, per user: float64 (n_users,).

    ``capped_recall = (1 / min(n, r)) sum over relevant items of P(item in the first n)``: 1 can
    always be reached. The recall of Liang et al. 2018 and of the papers that compare with it.
    """
    expected = _sum_by_user(test, _chance_to_be_shown(test, n))
    share: np.ndarray = expected / np.minimum(test.relevant, n)
    return share


def ndcg(test: RankedTest, n: int) -> np.ndarray:
    """Normalized discounted cumulative gain with binary relevance: float64 (n_users,).

    ``dcg = sum over relevant items in the first n of 1 / log2(place + 1)``, divided by the dcg
    of the best possible list, ``sum of 1 / log2(p + 1) for p = 1 .. min(n, r)``. A tied item
    counts with the mean over its places; places after n count 0 (Järvelin & Kekäläinen 2002;
    McSherry & Najork 2008 for ties).
    """
    ideal = np.cumsum(1 / np.log2(np.arange(n) + 2))
    dcg = _sum_by_user(test, _mean_discount(test, n))
    share: np.ndarray = dcg / ideal[np.minimum(test.relevant, n) - 1]
    return share


def graded_ndcg(test: RankedTest, n: int) -> np.ndarray:
    """NDCG in which a test item is worth its rating: float64 (n_users,).

    Of all test items, relevant or not: ``gain = rating - lowest rating of the scale``, so 0 for
    the worst and for items not in the test part. ``dcg = sum of gain / log2(place + 1)`` in the
    first n places, divided by that of the items in order of gain. Tied items count with the mean
    over their places. NaN for a user without any gain.
    """
    assert test.gain is not None
    dcg = _sum_by_user(test, test.gain * _mean_discount(test, n))
    order = np.lexsort((-test.gain, test.user))
    place = np.arange(len(order)) - test.indptr[test.user]
    best = np.where(place < n, test.gain[order] / np.log2(place + 2), 0.0)
    ideal = _sum_by_user(test, best)
    return np.where(ideal > 0, dcg / np.where(ideal > 0, ideal, 1.0), np.nan)


def average_precision(test: RankedTest, n: int) -> np.ndarray:
    """Average precision in the first n places; its mean over users is MAP: float64 (n_users,).

    ``ap = (1 / r) sum over relevant items in the first n of precision(its place)``, r the number
    of all relevant test items of the user, also when r > n: ``map_cut`` of trec_eval.
    """
    share: np.ndarray = _sum_of_precision(test, n) / test.relevant
    return share


def capped_average_precision(test: RankedTest, n: int) -> np.ndarray:
    """Average precision of what a list of n could hold, per user: float64 (n_users,).

    ``capped_ap = (1 / min(n, r)) sum over relevant items in the first n of precision(its place)``:
    1 can always be reached. It is to ``average_precision`` what ``capped_recall`` is to ``recall``.
    """
    share: np.ndarray = _sum_of_precision(test, n) / np.minimum(test.relevant, n)
    return share


def _sum_of_precision(test: RankedTest, n: int) -> np.ndarray:
    """Sum over a user's relevant items in the first n of precision(its place): (n_users,).

    With R relevant items better than a group of t tied ones, g of them relevant, an item at the
    k-th place of its group has in expectation ``R + 1 + (k - 1) (g - 1) / (t - 1)`` relevant items
    up to it.
    """
    harmonic = np.append(0, np.cumsum(1 / np.arange(1, n + 1)))  # of whole numbers up to n
    b, t = test.better, test.tied
    m = np.clip(n - b, 0, t)  # how many of the tied places are in the list
    inverse_places = harmonic[np.minimum(b + t, n)] - harmonic[np.minimum(b, n)]
    slope = (test.groups.size - 1) / np.maximum(t - 1, 1)
    level = (test.groups.before + 1) * inverse_places
    rise = slope * (m - (b + 1.0) * inverse_places)
    precision_there = np.where(m > 0, level + rise, 0.0) / t
    return _sum_by_user(test, precision_there)


def reciprocal_rank(test: RankedTest, n: int) -> np.ndarray:
    """1 / place of the first relevant item, 0 where it is after n; mean: MRR: float64 (n_users,).

    Among t tied candidates of which g are relevant, the first of these is the k-th with chance
    ``C(t - k, g - 1) / C(t, g)``.
    """
    leads = (test.groups.before == 0) & (test.groups.place == 0)  # one item of each user
    b, t, g = (
        values[leads].astype(np.float64) for values in (test.better, test.tied, test.groups.size)
    )
    mean = np.zeros(len(b))
    chance = g / t
    for k in range(1, int(min(n, (t - g + 1).max())) + 1):
        mean += np.where(b + k <= n, chance / (b + k), 0.0)
        chance = chance * np.maximum(t - k - g + 1, 0) / np.maximum(t - k, 1)
    return mean


def hit_rate(test: RankedTest, n: int) -> np.ndarray:
    """Chance that at least one relevant item is in the first n places: float64 (n_users,).

    It is 1 or 0 unless a group of t tied items straddles place n. If m of them are drawn and r
    of them are relevant, none is hit with the hypergeometric chance
    ``C(t - r, m) / C(t, m) = product over j < r of (t - m - j) / (t - j)``.
    """
    n_drawn = np.clip(n - test.better, 0, test.tied)
    j = test.groups.place
    missed = np.maximum(test.tied - n_drawn - j, 0) / (test.tied - j)
    chance: np.ndarray = 1 - np.multiply.reduceat(missed, test.indptr[:-1])
    return chance


def auc(test: RankedTest) -> np.ndarray:
    """Chance that a relevant item is ranked before an irrelevant one, per user: float64 (n_users,).

    Over all pairs of a relevant candidate and another candidate; a tied pair counts 1/2 (Mann &
    Whitney 1947). A user whose candidates are all relevant has no pair, and counts 1/2.
    """
    place = test.better + (test.tied + 1) / 2  # the mean place of a tied item
    r = test.relevant
    wrong = _sum_by_user(test, place) - r * (r + 1) / 2
    pairs = r * (test.candidates - r)
    return np.where(pairs > 0, 1 - wrong / np.maximum(pairs, 1), 0.5)


def _chance_to_be_shown(test: RankedTest, n: int) -> np.ndarray:
    chance: np.ndarray = np.clip((n - test.better) / test.tied, 0, 1)
    return chance


def _mean_discount(test: RankedTest, n: int) -> np.ndarray:
    """Mean of 1 / log2(place + 1) over the places that an item may take, 0 after n."""
    dcg_of_first = np.zeros(n + 1)  # of a list whose first m places are all relevant
    np.cumsum(1 / np.log2(np.arange(n) + 2), out=dcg_of_first[1:])
    last, before = np.minimum(test.better + test.tied, n), np.minimum(test.better, n)
    discount: np.ndarray = (dcg_of_first[last] - dcg_of_first[before]) / test.tied
    return discount


def _sum_by_user(test: RankedTest, values: np.ndarray) -> np.ndarray:
    sums: np.ndarray = np.add.reduceat(values, test.indptr[:-1])
    return sums
