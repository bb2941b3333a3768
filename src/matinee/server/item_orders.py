"""Lists that are the same for everybody: popular, latest and trending items."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from matinee.feedback.store import Store
from matinee.server.snapshot import ModelSnapshot

DAY = 24 * 3600


class ItemOrder(NamedTuple):
    """Item rows, best first, and the number that orders them."""

    rows: np.ndarray  # (n,) int64
    values: np.ndarray  # (n,) of the same items, falling


@dataclass(frozen=True)
class OrderContext:
    """What an order may look at."""

    snapshot: ModelSnapshot
    store: Store
    days: float  # how far back trending looks

    @property
    def n_items(self) -> int:
        """The items of the model."""
        return len(self.snapshot.model.items)


def popular(context: OrderContext) -> ItemOrder:
    """The items with the most training ratings."""
    rows = context.snapshot.by_count
    return ItemOrder(rows, context.snapshot.model.item_counts[rows])


def latest(context: OrderContext) -> ItemOrder:
    """The items of the latest years; of one year, the most rated first."""
    by_count = context.snapshot.by_count
    years = context.snapshot.years[by_count]
    known = np.flatnonzero(years)
    order = known[np.argsort(-years[known], kind="stable")]
    return ItemOrder(by_count[order], years[order])


def trending(context: OrderContext) -> ItemOrder:
    """The items that the most users rated in the last days; of as many, the less rated before."""
    since = int(time.time() - context.days * DAY)
    counts = np.zeros(context.n_items, np.int64)
    for item, n_users in context.store.users_per_item(since).items():
        row = context.snapshot.model.items.find(item)
        if row >= 0:
            counts[row] = n_users
    rows = np.flatnonzero(counts)
    order = rows[np.lexsort((context.snapshot.model.item_counts[rows], -counts[rows]))]
    return ItemOrder(order, counts[order])


ORDERS: Mapping[str, Callable[[OrderContext], ItemOrder]] = {
    "popular": popular,
    "latest": latest,
    "trending": trending,
}
