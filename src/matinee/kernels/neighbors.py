"""Who is like whom, and what the neighbours say: similarities, weighted sums and means.

Vectors are sparse: those of items have users for coordinates, those of users have items. Each row
compares itself with all others through the coordinates they share, in a scratch of one entry per
row, and keeps its best: no n x n matrix is ever made.
"""

from typing import NamedTuple

import numpy as np

from matinee.kernels.jit import kernel

FEW = 0.1  # of the items: where fewer are asked for, each is asked for by itself
N, XY, XX, YY, X, Y = range(6)  # sums over the coordinates that two vectors share


class Vectors(NamedTuple):
    """Sparse vectors by coordinate (c: indptr[c]..indptr[c + 1]), and how to compare with them."""

    indptr: np.ndarray  # (n_coordinates + 1,) int64
    rows: np.ndarray  # (n_entries,) int32: whose entry it is
    values: np.ndarray  # (n_entries,) float32
    norms: np.ndarray  # (n_rows,) float64: what a product with each row is divided by
    pearson: bool  # correlate over the shared coordinates; norms are not used then
    shrinkage: float  # shared coordinates at which a similarity counts half
    amplification: float  # power of a similarity


@kernel
def share(coordinates, values, vectors, sums):
    """Fill sums (n_rows, 6) with the N, XY, ... of one vector with all the others."""
    sums[:] = 0.0
    for at in range(len(coordinates)):
        x = float(values[at])
        for entry in range(vectors.indptr[coordinates[at]], vectors.indptr[coordinates[at] + 1]):
            total, y = sums[vectors.rows[entry]], float(vectors.values[entry])
            total[N] += 1.0
            total[XY] += x * y
            if vectors.pearson:
                total[XX] += x * x
                total[YY] += y * y
                total[X] += x
                total[Y] += y


@kernel
def compare(row, coordinates, values, norm, vectors, sums, weights):
    """Fill weights (n_rows,) with one vector's similarity to all others: 0 where not above 0.

        cosine   (xy / (norm_row norm_other)  n / (n + shrinkage))^amplification
        pearson  (cov(x, y) / (sd(x) sd(y))   n / (n + shrinkage))^amplification

    ``row`` is the vector's own row, which gets 0, or -1.
    """
    share(coordinates, values, vectors, sums)
    for other in range(len(weights)):
        weights[other] = 0.0
        total = sums[other]
        n = total[N]
        if n == 0.0 or other == row:
            continue
        if vectors.pearson:
            xy = total[XY] - total[X] * total[Y] / n
            xx = total[XX] - total[X] * total[X] / n
            yy = total[YY] - total[Y] * total[Y] / n
            # What is left of a constant vector is rounding, not variance.
            varies = xx > 1e-9 * total[XX] and yy > 1e-9 * total[YY]
            size = np.sqrt(xx * yy) if varies else 0.0
        else:
            xy, size = total[XY], norm * vectors.norms[other]
        if size > 0.0 and xy > 0.0:
            weight = xy / size * n / (n + vectors.shrinkage)
            weights[other] = (
                weight if vectors.amplification == 1.0 else weight**vectors.amplification
            )


@kernel
def nearest(start, stop, indptr, coordinates, values, norms, vectors, out_rows, out_weights):
    """The most similar rows of rows start..stop, best first; -1 where there are no more.

    The vectors by row (indptr, coordinates, values) are those of ``vectors``; ``norms`` (n_rows,)
    divide as the row, ``vectors.norms`` as the neighbour. out_rows (n_rows, most) is int32,
    out_weights float32.
    """
    sums = np.empty((len(norms), 6))
    weights = np.empty(len(norms), np.float32)
    for row in range(start, stop):
        here = slice(indptr[row], indptr[row + 1])
        compare(row, coordinates[here], values[here], norms[row], vectors, sums, weights)
        best = np.argsort(-weights, kind="mergesort")
        for place in range(out_rows.shape[1]):
            other = best[place]
            kept = weights[other] > 0.0
            out_rows[row, place] = other if kept else -1
            out_weights[row, place] = weights[other] if kept else 0.0


@kernel
def mean_shifts(
    start, stop, indptr, coordinates, values, vectors, out_rows, out_counts, out_shifts
):
    """The rows that share most coordinates with rows start..stop: how many, and their mean x - y.

    Laid out as in ``nearest``; ``vectors.pearson`` must be set, as the sums of x and y are needed.
    """
    n_rows = len(indptr) - 1
    sums = np.empty((n_rows, 6))
    for row in range(start, stop):
        here = slice(indptr[row], indptr[row + 1])
        share(coordinates[here], values[here], vectors, sums)
        sums[row, N] = 0.0
        best = np.argsort(-sums[:, N], kind="mergesort")
        for place in range(out_rows.shape[1]):
            total = sums[best[place]]
            kept = total[N] > 0.0
            out_rows[row, place] = best[place] if kept else -1
            out_counts[row, place] = total[N]
            out_shifts[row, place] = (total[X] - total[Y]) / total[N] if kept else 0.0


# What a person's ratings say of an item, through the items like it.


class Lists(NamedTuple):
    """The neighbours of each item, heaviest first, and how they are summed."""

    indptr: np.ndarray  # (n_items + 1,) int64
    neighbors: np.ndarray  # (n_weights,) int32
    weights: np.ndarray  # (n_weights,) float32
    shifts: np.ndarray  # (n_weights,) float32, added to what a neighbour says; or (0,)
    most: int  # neighbours that a score takes
    averaged: bool  # a mean by weight; else a plain sum
    damping: float  # weight of an imagined neighbour who says 0


@kernel
def listen(item, own, lists):
    """Sum or mean of what one person's deviations ``own`` (NaN: not rated) say of an item."""
    total, weight, found = 0.0, lists.damping, 0
    for place in range(lists.indptr[item], lists.indptr[item + 1]):
        said = own[lists.neighbors[place]]
        if np.isnan(said):
            continue
        if len(lists.shifts):
            said += lists.shifts[place]
        total += lists.weights[place] * said
        weight += lists.weights[place]
        found += 1
        if found == lists.most:
            break
    if not lists.averaged:
        return total
    return total / weight if weight > 0.0 else 0.0


@kernel
def add_heard(start, stop, indptr, rated, deviations, lists, speakers, items, out):
    """out[b, c] += what person b's ratings say of items[c], for people start..stop.

    ``speakers`` are the lists the other way round: at j, the items that have j for a neighbour, and
    its weight there. Where many items are asked for, each rating speaks to those at once; the few
    that more than ``lists.most`` speak to listen for themselves, to the heaviest.
    """
    n_items = len(lists.indptr) - 1
    own = np.full(n_items, np.nan, np.float32)
    total, weight, found = np.empty(n_items), np.empty(n_items), np.empty(n_items, np.int32)
    few = len(items) < FEW * n_items
    for b in range(start, stop):
        here = slice(indptr[b], indptr[b + 1])
        own[rated[here]] = deviations[here]
        if not few:
            total[:], weight[:], found[:] = 0.0, lists.damping, 0
            for at in range(indptr[b], indptr[b + 1]):
                speak(rated[at], deviations[at], speakers, total, weight, found)
        for c in range(len(items)):
            i = items[c]
            if few or found[i] > lists.most:
                out[b, c] += listen(i, own, lists)
            elif not lists.averaged:
                out[b, c] += total[i]
            elif weight[i] > 0.0:
                out[b, c] += total[i] / weight[i]
        own[rated[here]] = np.nan


@kernel
def speak(j, deviation, speakers, total, weight, found):
    """Add what a rating of item j says to all items that have j for a neighbour."""
    for place in range(speakers.indptr[j], speakers.indptr[j + 1]):
        i, w, said = speakers.neighbors[place], speakers.weights[place], deviation
        if len(speakers.shifts):
            said += speakers.shifts[place]
        total[i] += w * said
        weight[i] += w
        found[i] += 1


@kernel
def add_heard_pairs(start, stop, user, item, indptr, rated, deviations, lists, out):
    """out[j] += what user[j]'s ratings say of item[j]; quick where pairs are in order of user."""
    own = np.full(len(lists.indptr) - 1, np.nan, np.float32)
    for j in range(start, stop):
        u = user[j]
        here = slice(indptr[u], indptr[u + 1])
        if j == start or u != user[j - 1]:
            own[rated[here]] = deviations[here]
        out[j] += listen(item[j], own, lists)
        if j + 1 == stop or u != user[j + 1]:
            own[rated[here]] = np.nan


@kernel
def add_weighted(start, stop, indptr, rated, deviations, matrix, items, out):
    """out[b, c] += sum_j deviation_bj matrix[j, items[c]] over what person b rated."""
    total = np.empty(matrix.shape[1], np.float32)
    for b in range(start, stop):
        total[:] = 0.0
        for at in range(indptr[b], indptr[b + 1]):
            weights, deviation = matrix[rated[at]], deviations[at]
            for i in range(len(total)):
                total[i] += deviation * weights[i]
        for c in range(len(items)):
            out[b, c] += total[items[c]]


@kernel
def add_weighted_pairs(start, stop, user, item, indptr, rated, deviations, matrix, out):
    """out[j] += sum over what user[j] rated of deviation matrix[., item[j]]."""
    for j in range(start, stop):
        total = np.float32(0.0)
        for at in range(indptr[user[j]], indptr[user[j] + 1]):
            total += deviations[at] * matrix[rated[at], item[j]]
        out[j] += total


# What the people like a person say of an item.


class Crowd(NamedTuple):
    """The training users as neighbours: how to compare with them, and what they say."""

    vectors: Vectors  # users' vectors; the coordinates are items
    deviations: np.ndarray  # (n_entries,) float32: what each says of the coordinate's item
    indptr: np.ndarray  # (n_users + 1,) int64: the same by user
    items: np.ndarray  # (n_entries,) int32
    said: np.ndarray  # (n_entries,) float32
    most: int  # neighbours that a score takes
    averaged: bool  # a mean by weight over raters of the item; else a sum over the nearest of all
    damping: float  # weight of an imagined neighbour who says 0


@kernel
def keep_heaviest(weights, most, best):
    """Positions of the heaviest weights above 0, heaviest first, into best; how many there are.

    Ties keep the order of positions.
    """
    found = 0
    for at in range(len(weights)):
        weight = weights[at]
        if weight <= 0.0 or (found == most and weight <= weights[best[most - 1]]):
            continue
        place = found if found < most else most - 1
        found = place + 1
        while place > 0 and weight > weights[best[place - 1]]:
            best[place] = best[place - 1]
            place -= 1
        best[place] = at
    return found


@kernel
def weigh_people(row, items, values, norm, crowd, sums, weights, best):
    """Fill weights (n_users,) with one person's similarity to all users, as the crowd counts."""
    compare(row, items, values, norm, crowd.vectors, sums, weights)
    if not crowd.averaged:
        n = keep_heaviest(weights, crowd.most, best)
        kept = weights[best[:n]]
        weights[:] = 0.0
        weights[best[:n]] = kept


@kernel
def ask(item, crowd, weights, near, best):
    """Sum or mean of what the people with these weights say of an item."""
    first, last = crowd.vectors.indptr[item], crowd.vectors.indptr[item + 1]
    total, weight = 0.0, crowd.damping
    for entry in range(first, last):
        near[entry - first] = weights[crowd.vectors.rows[entry]]
        total += near[entry - first] * crowd.deviations[entry]
    if not crowd.averaged:
        return total
    total = 0.0
    for place in range(keep_heaviest(near[: last - first], crowd.most, best)):
        at = best[place]
        total += near[at] * crowd.deviations[first + at]
        weight += near[at]
    return total / weight if weight > 0.0 else 0.0


@kernel
def ask_all(crowd, weights, total, weight, found):
    """Fill total (n_items,) with what ``ask`` says of every item: the heaviest people speak first.

    ``weight`` and ``found`` (n_items,) are scratch.
    """
    total[:], weight[:], found[:] = 0.0, crowd.damping, 0
    for person in np.argsort(-weights, kind="mergesort"):
        w = weights[person]
        if w <= 0.0:
            break
        for at in range(crowd.indptr[person], crowd.indptr[person + 1]):
            i = crowd.items[at]
            if not crowd.averaged or found[i] < crowd.most:
                total[i] += w * crowd.said[at]
                weight[i] += w
                found[i] += 1
    if crowd.averaged:
        for i in range(len(total)):
            total[i] = total[i] / weight[i] if weight[i] > 0.0 else 0.0


@kernel
def add_asked(start, stop, row, indptr, rated, values, norms, crowd, items, out):
    """out[b, c] += what the people like person b say of items[c], for people start..stop.

    ``row`` (n_people,) is each person's own row among the users, or -1 for a newcomer.
    """
    n, n_items = len(crowd.vectors.norms), len(crowd.vectors.indptr) - 1
    sums, weights, near = np.empty((n, 6)), np.empty(n, np.float32), np.empty(n, np.float32)
    best = np.empty(crowd.most, np.int64)
    total, weight, found = np.empty(n_items), np.empty(n_items), np.empty(n_items, np.int32)
    few = len(items) < FEW * n_items
    for b in range(start, stop):
        here = slice(indptr[b], indptr[b + 1])
        weigh_people(row[b], rated[here], values[here], norms[b], crowd, sums, weights, best)
        if not few:
            ask_all(crowd, weights, total, weight, found)
        for c in range(len(items)):
            i = items[c]
            out[b, c] += ask(i, crowd, weights, near, best) if few else total[i]


@kernel
def add_asked_pairs(start, stop, user, item, indptr, rated, values, norms, crowd, out):
    """out[j] += what the people like user[j] say of item[j]; quick in order of user."""
    n = len(crowd.vectors.norms)
    sums, weights, near = np.empty((n, 6)), np.empty(n, np.float32), np.empty(n, np.float32)
    best = np.empty(crowd.most, np.int64)
    for j in range(start, stop):
        u = user[j]
        if j == start or u != user[j - 1]:
            here = slice(indptr[u], indptr[u + 1])
            weigh_people(u, rated[here], values[here], norms[u], crowd, sums, weights, best)
        out[j] += ask(item[j], crowd, weights, near, best)


@kernel
def count_together(start, stop, indptr, users, item_indptr, items, out):
    """out[i, j] = how many of the users of item i have item j, for items i in start..stop."""
    for i in range(start, stop):
        for user in users[indptr[i] : indptr[i + 1]]:
            for j in items[item_indptr[user] : item_indptr[user + 1]]:
                out[i, j] += 1.0
