"""The best items of a factor model: lists by inner products, here or on another device."""

from collections.abc import Callable
from functools import cache

import numpy as np

from matinee.kernels.dense_batches import rounded_up
from matinee.kernels.devices import Device, DeviceArray, accelerator, check_memory
from matinee.kernels.factors import Side, score_block
from matinee.kernels.product_index import ProductIndex, top_by_index
from matinee.kernels.ranking import ItemSets, top_n_in_blocks

SCORES = 1 << 25  # held at once on a device

People = Callable[[slice], tuple[Side, ItemSets]]  # a block's embeddings, and what is banned


def top_products(
    mean: float,
    people: People,
    n_people: int,
    items: Side,
    n: int,
    index: ProductIndex | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The n best items of each person, best first, and their scores, as ``ranking.top_n``.

    score(u, i) = mean + bias_u + bias_i + p_u . q_i

    Another device, where one is chosen, multiplies and ranks in one go, and only lists leave it.
    With an ``index`` of the items people are looked up one by one.
    """
    if (device := accelerator()) is not None:
        return _top_products_on(device, mean, people, n_people, items, n)
    if index is not None:
        lists = []
        for row in range(n_people):
            person, banned = people(slice(row, row + 1))
            lists.append(top_by_index(index, mean, person, items, banned.items, n))
        return np.array([places for places, _ in lists]), np.array([best for _, best in lists])

    def fill(rows: slice, scores: np.ndarray) -> ItemSets:
        users, banned = people(rows)
        score_block(mean, users, items, scores)
        return banned

    return top_n_in_blocks(fill, n_people, len(items.bias), n)


def _top_products_on(
    device: Device, mean: float, people: People, n_people: int, items: Side, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """``top_products`` on a device."""
    import jax

    n_items, d = items.factors.shape
    most = max(1, SCORES // n_items)
    size = min(int(rounded_up(np.array([n_people]))[0]), most)  # one for about as many people
    check_memory(device, 4 * (n_items * (d + 1) + 2 * size * n_items), "a block of lists")
    factors, bias = (jax.device_put(one, device) for one in (items.factors, items.bias))
    lists = np.empty((n_people, n), np.int32), np.empty((n_people, n), np.float32)
    for first in range(0, n_people, size):
        rows = slice(first, min(first + size, n_people))
        users, banned = people(rows)
        lacking = size - len(users.bias)
        P = np.pad(users.factors, ((0, lacking), (0, 0)))
        b = np.pad(users.bias + np.float32(mean), (0, lacking))
        room = 1 << len(banned.items).bit_length()  # a size for many blocks
        places = np.full((2, room), n_items, np.int32)  # beyond the last: dropped
        n_banned = np.diff(banned.indptr)
        places[:, : len(banned.items)] = np.repeat(np.arange(len(n_banned)), n_banned), banned.items
        block = _best()(P, b, factors, bias, places, n)
        for whole, part in zip(lists, block, strict=True):
            whole[rows] = np.asarray(part)[: size - lacking]
    places, scores = lists
    none = np.isneginf(scores)
    places[none], scores[none] = -1, np.nan
    return places, scores


@cache
def _best() -> Callable[..., DeviceArray]:
    """The n highest scores of a block, ties by lower item number, banned ones at minus infinity."""
    import jax

    def best(P, b, Q, c, banned, n):
        with jax.default_matmul_precision("highest"):
            scores = P @ Q.T + b[:, None] + c
        scores = scores.at[banned[0], banned[1]].set(-np.inf, mode="drop")
        values, places = jax.lax.top_k(scores, n)
        return places, values

    return jax.jit(best, static_argnums=5)
