"""How well the relevant test items of each user are ranked among the whole catalogue.

The candidates of a user are all items except those seen in training. Ties are broken by a fair
draw and every metric is its exact expectation over that draw: a scorer that gives all items the
same score gets exactly what guessing gets, and nothing is gained or lost by rounding scores.
An item whose score is NaN ranks last, tied with the others that are NaN.

Only users with at least one relevant test item are measured; the evaluator counts the others.
"""

from dataclasses import dataclass
from functools import cached_property

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

    def __post_init__(self) -> None:
        if (self.relevant == 0).any():
            user = int(np.argmin(self.relevant))
            raise MatineeError(f"user {user} has no relevant test item; leave such users out")

    @property
    def relevant(self) -> np.ndarray:
        """How many relevant test items each user has: int64 (n_users,)."""
        relevant: np.ndarray = np.diff(self.indptr)
        return relevant

    @cached_property
    def place_among_tied(self) -> np.ndarray:
        """Numbers 0, 1, 2, ... within each group of relevant items of one user with one score."""
        user = np.repeat(np.arange(len(self.relevant)), self.relevant)
        order = np.lexsort((self.better, user))
        new_group = np.ones(len(order), dtype=bool)
        new_group[1:] = (np.diff(user[order]) != 0) | (np.diff(self.better[order]) != 0)
        group_start = np.flatnonzero(new_group)[np.cumsum(new_group) - 1]
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order)) - group_start
        return place


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
    shown = _sum_by_user(test, _chance_to_be_shown(test, n))
    share: np.ndarray = shown / test.relevant
    return share


def ndcg(test: RankedTest, n: int) -> np.ndarray:
    """Normalized discounted cumulative gain with binary relevance: float64 (n_users,).

    ``dcg = sum over relevant items in the first n of 1 / log2(place + 1)``, divided by the dcg
    of the best possible list, ``sum of 1 / log2(p + 1) for p = 1 .. min(n, r)``. A tied item
    counts with the mean over its places; places after n count 0 (Järvelin & Kekäläinen 2002;
    McSherry & Najork 2008 for ties).
    """
    dcg_of_first = np.zeros(n + 1)  # of a list whose first m places are all relevant
    np.cumsum(1 / np.log2(np.arange(n) + 2), out=dcg_of_first[1:])
    last = np.minimum(test.better + test.tied, n)
    before = np.minimum(test.better, n)
    gain = (dcg_of_first[last] - dcg_of_first[before]) / test.tied
    share: np.ndarray = _sum_by_user(test, gain) / dcg_of_first[np.minimum(test.relevant, n)]
    return share


def hit_rate(test: RankedTest, n: int) -> np.ndarray:
    """Chance that at least one relevant item is in the first n places: float64 (n_users,).

    It is 1 or 0 unless a group of t tied items straddles place n. If m of them are drawn and r
    of them are relevant, none is hit with the hypergeometric chance
    ``C(t - r, m) / C(t, m) = product over j < r of (t - m - j) / (t - j)``.
    """
    drawn = np.clip(n - test.better, 0, test.tied)
    j = test.place_among_tied
    missed = np.maximum(test.tied - drawn - j, 0) / (test.tied - j)
    chance: np.ndarray = 1 - np.multiply.reduceat(missed, test.indptr[:-1])
    return chance


def coverage(best_place: np.ndarray, n: int) -> float:
    """Share of the catalogue that is among the first n places of at least one measured user.

    ``best_place`` (n_items,) is the best place, from 1, that each item takes in any list, and
    more than n where it is in none. The lists are those that are shown: here, and only here,
    ties are broken as ``recommend`` breaks them, by item order.
    """
    return float(np.mean(best_place <= n))


def _chance_to_be_shown(test: RankedTest, n: int) -> np.ndarray:
    chance: np.ndarray = np.clip((n - test.better) / test.tied, 0, 1)
    return chance


def _sum_by_user(test: RankedTest, values: np.ndarray) -> np.ndarray:
    sums: np.ndarray = np.add.reduceat(values, test.indptr[:-1])
    return sums
