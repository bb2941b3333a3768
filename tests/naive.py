"""Slow, obvious twins of the kernels and metrics: loops, sorting, and counting all cases."""

from collections.abc import Callable, Sequence
from itertools import permutations
from math import isnan, log2
from typing import Any

import numpy as np

# Ranking.


def candidates(n_items: int, banned: Sequence[int]) -> list[int]:
    """The items that may be shown, ascending."""
    return [item for item in range(n_items) if item not in set(banned)]


def ranked(scores: Sequence[float], banned: Sequence[int] = ()) -> list[int]:
    """The candidates, best first; NaN last, ties by lower item number."""

    def key(item: int) -> tuple[bool, float, int]:
        score = float(scores[item])
        return isnan(score), 0.0 if isnan(score) else -score, item

    return sorted(candidates(len(scores), banned), key=key)


def top_n(scores: Sequence[float], banned: Sequence[int], n: int) -> list[int]:
    """The n best candidates, filled up with -1."""
    best = ranked(scores, banned)[:n]
    return best + [-1] * (n - len(best))


def same_score(a: float, b: float) -> bool:
    """Whether two scores tie: equal, or both NaN."""
    return a == b or (isnan(a) and isnan(b))


def stand(scores: Sequence[float], banned: Sequence[int], item: int) -> tuple[int, int]:
    """How many candidates are strictly better than an item, and how many tie with it."""
    order = ranked(scores, banned)
    tied = [other for other in order if same_score(scores[other], scores[item])]
    return order.index(tied[0]), len(tied)


# Metrics of one list without ties.


def precision(order: Sequence[int], relevant: set[int], n: int) -> float:
    return sum(item in relevant for item in order[:n]) / n


def recall(order: Sequence[int], relevant: set[int], n: int) -> float:
    return sum(item in relevant for item in order[:n]) / len(relevant)


def hit_rate(order: Sequence[int], relevant: set[int], n: int) -> float:
    return float(any(item in relevant for item in order[:n]))


def ndcg(order: Sequence[int], relevant: set[int], n: int) -> float:
    gains = [1 / log2(place + 1) for place in range(1, n + 1)]
    dcg = sum(gain for gain, item in zip(gains, order, strict=False) if item in relevant)
    return dcg / sum(gains[: len(relevant)])


def capped_recall(order: Sequence[int], relevant: set[int], n: int) -> float:
    return sum(item in relevant for item in order[:n]) / min(n, len(relevant))


def average_precision(order: Sequence[int], relevant: set[int], n: int) -> float:
    places = [place for place, item in enumerate(order[:n], start=1) if item in relevant]
    return sum(precision(order, relevant, place) for place in places) / min(n, len(relevant))


def reciprocal_rank(order: Sequence[int], relevant: set[int], n: int) -> float:
    return next((1 / place for place, item in enumerate(order[:n], 1) if item in relevant), 0.0)


def auc(order: Sequence[int], relevant: set[int], n: int) -> float:
    """Share of the (relevant, other) pairs in the right order; n is not looked at."""
    others = [item for item in order if item not in relevant]
    right = [order.index(a) < order.index(b) for a in relevant for b in others]
    return sum(right) / len(right) if right else 0.5


def graded_ndcg(order: Sequence[int], gain: dict[int, float], n: int) -> float:
    def dcg(items: Sequence[int]) -> float:
        return sum(gain.get(item, 0) / log2(k + 1) for k, item in enumerate(items[:n], start=1))

    ideal = dcg(sorted(gain, key=lambda item: -gain[item]))
    return dcg(order) / ideal if ideal else 0.0


# Metrics of a list as it is shown.


def gini(times: Sequence[float]) -> float:
    """Mean difference of all pairs over twice the mean."""
    differences = [abs(a - b) for a in times for b in times]
    return float(np.mean(differences) / (2 * np.mean(times))) if sum(times) else 0.0


def diversity(vectors: Sequence[Sequence[float]]) -> float:
    known = [np.array(vector, float) for vector in vectors if any(vector)]
    cosines = [
        a @ b / np.sqrt((a @ a) * (b @ b))
        for place, a in enumerate(known)
        for b in known[place + 1 :]
    ]
    return 1 - float(np.mean(cosines)) if cosines else float("nan")


# The mean of a metric over all ways to break ties.


def mean_over_ties(
    metric: Callable[[Sequence[int], Any, int], float],
    scores: Sequence[float],
    banned: Sequence[int],
    relevant: Any,
    n: int,
) -> float:
    """The mean of a metric over every order of the candidates in which no score ever rises."""
    best = ranked(scores, banned)
    orders = [
        order
        for order in permutations(best)
        if all(same_score(scores[a], scores[b]) for a, b in zip(order, best, strict=True))
    ]
    return float(np.mean([metric(order, relevant, n) for order in orders]))


def varimax(Q):
    """The orthogonal T of largest varimax criterion, by steps to the nearest orthogonal matrix."""
    T = np.eye(Q.shape[1])
    for _ in range(2000):
        L = Q @ T
        U, _, Vt = np.linalg.svd(Q.T @ (L * (L**2 - (L**2).mean(axis=0))))
        T = U @ Vt
    return T
