"""The best items of one person in a large catalogue: exact, though most items are never scored.

    p . q  <=  p_h . q_h + |p_r| |q_r|          h: the first principal axes, r: the rest

Items stand in blocks, longest first, turned to the principal axes of all items. A block is passed
where even |p| |q| + bias of its longest and most favoured is below the n-th best score so far; of
the others the bound above is taken, and what passes it is scored (Teflioudi et al. 2015, LEMP; Li
et al. 2017, FEXIPRO). Bounds have room for rounding, so the list is that of scoring all.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from matinee.kernels import tiles
from matinee.kernels.blas import gram, one_blas_thread, rotated
from matinee.kernels.factors import Side
from matinee.kernels.jit import inlined, kernel, read_only
from matinee.kernels.rows import has
from matinee.kernels.threads import n_threads, run_all
from matinee.kernels.vectors import GLANCE

HEAD = 16  # principal axes in a bound
LEAST_HEAD = 0.5  # of the items' squared length that they must hold, or bounds would cut little
BLOCK = 4 * GLANCE  # items
ROUNDING = 2 * float(np.finfo(np.float32).eps)  # for each factor, of the longest score: the most
# that the sums of a bound and of a score lose in float32


class ProductIndex(NamedTuple):
    """Items in blocks, longest first; make one with ``product_index``."""

    axes: np.ndarray  # (k, k) float32: principal axes of the items, the longest first
    order: np.ndarray  # (n_items,) int32: the item in each place
    head: np.ndarray  # (n_blocks, HEAD, BLOCK) float32: items on the first axes
    rest: np.ndarray  # (n_blocks, BLOCK) float32: their length on the others
    bias: np.ndarray  # (n_blocks, BLOCK) float32; minus infinity in places without an item
    longest: np.ndarray  # (n_blocks,) float32: the greatest length
    favoured: np.ndarray  # (n_blocks,) float32: the greatest bias
    largest_bias: np.float32  # of all, whatever its sign


class Query(NamedTuple):
    """One person, as an index looks for them."""

    factors: np.ndarray  # (k,) float32
    head: np.ndarray  # (HEAD,) float32: on the first axes
    rest: np.float32  # length on the others
    length: np.float32
    base: np.float32  # the mean and the person's bias
    slack: np.float32  # what bounds may lose by rounding


def product_index(items: Side) -> ProductIndex | None:
    """The index of items, or None where it would not help: see ``LEAST_HEAD``."""
    Q, bias = items.factors, items.bias
    n, k = Q.shape
    if k <= HEAD or not (np.isfinite(Q).all() and np.isfinite(bias).all()):
        return None
    squares, axes = np.linalg.eigh(gram(Q))
    squares, axes = squares[::-1], axes[:, ::-1].astype(np.float32)
    if squares[:HEAD].sum() < LEAST_HEAD * squares.sum():
        return None
    turned = rotated(Q, axes)
    rest = np.sqrt(np.einsum("nf,nf->n", turned[:, HEAD:], turned[:, HEAD:]))
    length = np.sqrt(np.einsum("nf,nf->n", turned, turned))
    order = np.argsort(-length, kind="stable").astype(np.int32)
    n_blocks = -(-n // BLOCK)

    def in_blocks(values: np.ndarray, empty: float) -> np.ndarray:
        places = np.full((n_blocks * BLOCK, *values.shape[1:]), empty, np.float32)
        places[:n] = values[order]
        return places.reshape(n_blocks, BLOCK, *values.shape[1:])

    head = np.ascontiguousarray(in_blocks(turned[:, :HEAD], 0.0).transpose(0, 2, 1))
    placed = in_blocks(bias, -np.inf)
    longest = in_blocks(length, 0.0).max(axis=1)
    arrays = (order, head, in_blocks(rest, 0.0), placed, longest, placed.max(axis=1))
    for array in (axes, *arrays):
        array.flags.writeable = False
    return ProductIndex(axes, *arrays, np.float32(np.abs(bias).max()))


def top_by_index(
    index: ProductIndex, mean: float, person: Side, items: Side, banned: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """The n best items of one person, (n,) int32, best first, and scores (n,) float32.

    Ties by lower item number; -1 and NaN where there are fewer than n that are not ``banned``
    (ascending item numbers). ``person`` has one row.
    """
    query = query_of(index, mean, person)
    frozen = read_only(items.factors, np.float32), read_only(items.bias, np.float32)
    banned = read_only(banned, np.int32)
    n_jobs = n_threads() if len(index.longest) > n_threads() else 1
    places, scores = np.full((n_jobs + 1, n), -1, np.int32), np.full((n_jobs + 1, n), -np.inf)
    scores = scores.astype(np.float32)

    def scan(job: int, first: int, last: int, step: int, least: np.float32) -> None:
        blocks = first, last, step
        _scan(blocks, index, query, *frozen, banned, least, places[job], scores[job])

    scan(0, 0, 1, 1, np.float32(-np.inf))
    least, last = scores[0, -1], len(index.longest)
    run_all([partial(scan, 1 + job, 1 + job, last, n_jobs, least) for job in range(n_jobs)])
    order = np.lexsort((places.ravel(), -scores.ravel()))[:n]
    best, best_scores = places.ravel()[order], scores.ravel()[order]
    return best, np.where(best < 0, np.float32(np.nan), best_scores)


def query_of(index: ProductIndex, mean: float, person: Side) -> Query:
    """The one row of ``person``, turned to the axes of an index."""
    p = read_only(person.factors[0], np.float32)
    with one_blas_thread():
        turned = p @ index.axes
    rest, length = (np.linalg.norm(part.astype(np.float64)) for part in (turned[HEAD:], turned))
    base = np.float32(mean) + person.bias[0]
    most = length * index.longest[0] + index.largest_bias + abs(base)
    head = read_only(turned[:HEAD], np.float32)
    return Query(p, head, *map(np.float32, (rest, length, base, ROUNDING * len(p) * most)))


@kernel
def _scan(blocks, index, query, Q, bias, banned, least, best, best_scores):
    """The best of every ``step``-th block; ``least`` is a score that n items are known to reach."""
    first, last, step = blocks
    filled = 0
    bounds = np.empty((1, BLOCK), np.float32)
    for block in range(first, last, step):
        cut = least - query.slack - query.base
        if query.length * index.longest[block] + index.favoured[block] < cut:
            continue
        fill_bounds(index, query, block, bounds)
        for glance in range(0, BLOCK, GLANCE):
            passing = tiles.above(bounds, 0, glance, cut)
            while passing != 0:
                place = block * BLOCK + glance + tiles.lowest_bit(passing)
                passing &= passing - 1
                if place >= index.order.size:
                    break
                item = index.order[place]
                score = product(query.factors, Q, item) + (query.base + bias[item])
                if score < least or has(banned, item):
                    continue
                filled = insert_by_item(item, score, best, best_scores, filled)
                if filled == best.size and best_scores[filled - 1] > least:
                    least = best_scores[filled - 1]


@inlined
def fill_bounds(index, query, block, bounds):
    """Bounds of the scores of a block, without the person's base: (1, BLOCK)."""
    for i in range(BLOCK):
        bounds[0, i] = query.rest * index.rest[block, i] + index.bias[block, i]
    for f in range(HEAD):
        times = query.head[f]
        for i in range(BLOCK):
            bounds[0, i] += times * index.head[block, f, i]


@kernel
def product(p, Q, item):
    """p . Q[item]"""
    dot = np.float32(0.0)
    for f in range(p.size):
        dot += p[f] * Q[item, f]
    return dot


@inlined
def insert_by_item(item, score, best, best_scores, filled):
    """Put an item in its place in a sorted list that holds ``filled`` so far; its new size."""
    place = filled
    while place > 0 and (
        score > best_scores[place - 1]
        or (score == best_scores[place - 1] and item < best[place - 1])
    ):
        if place < best.size:
            best[place], best_scores[place] = best[place - 1], best_scores[place - 1]
        place -= 1
    if place < best.size:
        best[place], best_scores[place] = item, score
    return min(filled + 1, best.size)
