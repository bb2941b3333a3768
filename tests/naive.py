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
    return sum(precision(order, relevant, place) for place in places) / len(relevant)


def capped_average_precision(order: Sequence[int], relevant: set[int], n: int) -> float:
    return average_precision(order, relevant, n) * len(relevant) / min(n, len(relevant))


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
    return dcg(order) / ideal if ideal else float("nan")


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


# Random numbers.


def philox(counter: Sequence[int], key: Sequence[int]) -> list[int]:
    """Philox4x32-10 (Salmon et al. 2011) on Python's whole numbers."""
    word = 1 << 32
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [p1 // word ^ c[1] ^ k[0], p1 % word, p0 // word ^ c[3] ^ k[1], p0 % word]
        k = [(k[0] + 0x9E3779B9) % word, (k[1] + 0xBB67AE85) % word]
    return c


def draw_normal(n: int, seed: int, draw: int, row: int) -> list[float]:
    """The n standard normal numbers of a row: Box & Muller on the words of Philox."""
    word, numbers = 1 << 32, []
    for block in range(-(-n // 4)):
        counter, key = [block, row % word, row // word, draw], [seed % word, seed // word]
        words = philox(counter, key)
        for a, b in (words[:2], words[2:]):
            radius = np.sqrt(-2 * np.log((a + 0.5) / word))
            angle = 2 * np.pi * b / word
            numbers += [radius * np.cos(angle), radius * np.sin(angle)]
    return numbers[:n]


# Scores and sparse rows.


def score_block(mean, P, b, Q, c):
    """The scores of all users for all items, one after the other."""
    return np.array(
        [[mean + b[u] + c[i] + P[u] @ Q[i] for i in range(len(Q))] for u in range(len(P))]
    )


def by_columns(rows: Sequence[Sequence[tuple[int, float]]], n_columns: int) -> list[Any]:
    """The (row, value) entries of each column, of the (column, value) entries of each row."""
    return [
        [(r, value) for r, row in enumerate(rows) for column, value in row if column == wanted]
        for wanted in range(n_columns)
    ]


# Gradient steps. They overwrite the arrays they are given, in float64.


def descend(ratings, mean, rate, penalties, P, b, Q, c):
    """One step for each (u, i, r), on half of e^2 + the penalties per rating."""
    reg_p, reg_b, reg_q, reg_c = penalties
    for u, i, r in ratings:
        e, p, q = r - (mean + b[u] + c[i] + P[u] @ Q[i]), P[u].copy(), Q[i].copy()
        P[u] = p + rate * (e * q - reg_p[u] * p)
        Q[i] = q + rate * (e * p - reg_q[i] * q)
        b[u] += rate * (e - reg_b[u] * b[u])
        c[i] += rate * (e - reg_c[i] * c[i])


def penalties_of(reg, power, more, diagonal, counts):
    """The diagonal of a row of n ratings: diagonal + reg (n + more)^power."""
    return [
        [d + r * (n + more) ** p for r, p, d in zip(reg, power, diagonal, strict=True)]
        for n in counts
    ]


def descend_users(order, rated, implicit, mean, rates, model):
    """SVD++, a user at a time: z_j take one step for all ratings of the user together."""
    rate, reg, bias_reg, implicit_reg = rates
    P, b, Q, c, Z = model
    for u in order:
        if not rated[u]:
            continue
        s = sum(Z[j] for j in implicit[u]) / np.sqrt(len(implicit[u]))
        gradient = 0.0
        for i, r in rated[u]:
            e, p, q = r - (mean + b[u] + c[i] + Q[i] @ (P[u] + s)), P[u].copy(), Q[i].copy()
            b[u] += rate * (e - bias_reg * b[u])
            c[i] += rate * (e - bias_reg * c[i])
            P[u] = p + rate * (e * q - reg * p)
            Q[i] = q + rate * (e * (p + s) - reg * q)
            gradient = gradient + e * q
        for j in implicit[u]:
            Z[j] += rate * (gradient / np.sqrt(len(implicit[u])) - implicit_reg * Z[j])


def descend_pairs(pairs, strata, rates, draw, P, Q, c):
    """BPR: for each positive, the highest scored of some random negatives, and a step between."""
    rate, user_reg, item_reg, bias_reg, n_negatives = rates
    seed, epoch = draw
    T = len(pairs.group_starts) - 1
    for stratum in strata:
        for a in range(T):
            block, group = stratum * T + a, (a + stratum) % T
            first, last = pairs.group_starts[group : group + 2]
            group_items = pairs.group_items[first:last]
            for j in range(pairs.starts[block], pairs.starts[block + 1]):
                u, i = pairs.user[j], pairs.item[j]
                positives = set(pairs.indices[pairs.indptr[u] : pairs.indptr[u + 1]].tolist())
                words = [
                    word
                    for turn in range(-(-n_negatives // 4))
                    for word in philox([j, 0, turn, epoch], [seed, 0])
                ]
                items = [group_items[word * len(group_items) >> 32] for word in words[:n_negatives]]
                negatives = [item for item in items if item not in positives]
                if not negatives:
                    continue
                k = max(negatives, key=lambda item: c[item] + P[u] @ Q[item])
                g = 1 / (1 + np.exp(c[i] - c[k] + P[u] @ (Q[i] - Q[k])))
                p, q, r = P[u].copy(), Q[i].copy(), Q[k].copy()
                P[u] = p + rate * (g * (q - r) - user_reg * p)
                Q[i] = q + rate * (g * p - item_reg[i] * q)
                Q[k] = r - rate * (g * p + item_reg[k] * r)
                c[i] += rate * (g - bias_reg * c[i])
                c[k] -= rate * (g + bias_reg * c[k])


# Neighbours. A sparse vector is a dictionary from its coordinates to its values.


def similarity(x, y, norms, comparison):
    """Of two vectors: a cosine with these norms, or Pearson's correlation of what they share."""
    shared = sorted(x.keys() & y.keys())
    if not shared:
        return 0.0
    a, b = np.array([x[c] for c in shared]), np.array([y[c] for c in shared])
    if comparison.pearson:
        a, b = a - a.mean(), b - b.mean()
        size = np.sqrt((a @ a) * (b @ b))
        likeness = a @ b / size if size > 1e-6 else 0.0
    else:
        likeness = a @ b / (norms[0] * norms[1]) if norms[0] * norms[1] > 0 else 0.0
    shrunk = max(likeness, 0.0) * len(shared) / (len(shared) + comparison.shrinkage)
    return shrunk**comparison.amplification


def similarities(x, norm, own_row, rows, norms, comparison):
    """Of one vector to all rows but its own."""
    return [
        0.0 if r == own_row else similarity(x, rows[r], (norm, norms[r]), comparison)
        for r in range(len(rows))
    ]


def nearest_rows(rows, as_row, as_neighbor, comparison, n):
    """(other row, similarity) of the n most similar rows of each row, best first."""
    lists = []
    for r, x in enumerate(rows):
        near = similarities(x, as_row[r], r, rows, as_neighbor, comparison)
        order = sorted(range(len(rows)), key=lambda other: (-near[other], other))
        lists.append([(other, near[other]) for other in order[:n] if near[other] > 0])
    return lists


def mean_differences(rows, n):
    """(other row, shared coordinates, mean difference), the n that share most, for each row."""
    lists = []
    for r, x in enumerate(rows):
        others = []
        for other, y in enumerate(rows):
            differences = [x[c] - y[c] for c in x.keys() & y.keys()]
            if other != r and differences:
                others.append((other, len(differences), sum(differences) / len(differences)))
        lists.append(sorted(others, key=lambda one: (-one[1], one[0]))[:n])
    return lists


def inner_products(rows):
    """Of each two vectors."""
    return [[sum(x[c] * y[c] for c in x.keys() & y.keys()) for y in rows] for x in rows]


def user_terms(item, weights, deviations, n_neighbors, averaged, damping):
    """{user: term} of one item's score, from similarities to users and their deviations."""
    order = sorted(range(len(weights)), key=lambda v: (-weights[v], v))
    order = [v for v in order if weights[v] > 0]
    if averaged:  # the nearest of those who rated the item
        near = [v for v in order if item in deviations[v]][:n_neighbors]
        total = sum(weights[v] for v in near) + damping
    else:  # those of the nearest who rated it
        near, total = [v for v in order[:n_neighbors] if item in deviations[v]], 1.0
    return {v: weights[v] * deviations[v][item] / total for v in near}


def add_user_scores(people_weights, items, deviations, n_neighbors, averaged, damping):
    """The scores of some items for people with these similarities to all users."""
    rule = n_neighbors, averaged, damping
    return [
        [sum(user_terms(i, weights, deviations, *rule).values()) for i in items]
        for weights in people_weights
    ]


# Sparse regressions.


def sparse_regressions(G, l1, l2, sweeps=3000):
    """Non-negative elastic net of each column on the others, from their products G."""
    W = np.zeros_like(G)
    for j in range(len(G)):
        for _ in range(sweeps):
            before = W[:, j].copy()
            for i in range(len(G)):
                if i != j:
                    rest = G[i, j] - G[i] @ W[:, j] + G[i, i] * W[i, j]
                    W[i, j] = max(0.0, rest - l1) / (G[i, i] + l2[i])
            if np.abs(W[:, j] - before).max() < 1e-12:
                break
    return W
