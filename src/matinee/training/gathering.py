"""What the items' solve needs of an epoch's users, gathered block by block.

One pass over the users gives each item's normal equations, the sums of its users' factors, and the
products P'P. They are small beside the ratings, and have the same bits as those of a fit in memory,
as long as the blocks come in the order of users.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.blas import add_gram, solve_shared
from matinee.kernels.least_squares import Regularizer
from matinee.kernels.normal_sums import (
    NormalSums,
    add_ratings,
    bytes_per_row,
    solve_sums,
)
from matinee.kernels.rows import add_row_sums, by_columns
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.alternating import Alternation

MEMORY = 2 << 30  # bytes that normal equations may take at a time


@dataclass(frozen=True, eq=False)
class Sums:
    """What is summed over users, besides the normal equations."""

    of_factors: np.ndarray  # (k, k) float64: P'P
    of_implicit: np.ndarray  # (k, k) float64: W'W
    factors: np.ndarray  # (n_items, k) float64: sum of p over the users of an item
    implicit: np.ndarray  # (n_items, k) float64: sum of w

    @classmethod
    def zeros(cls, n_items: int, k: int, with_implicit: bool) -> "Sums":
        """Nothing summed yet; without implicit factors the sums by item stay empty."""
        n = n_items if with_implicit else 0
        return cls(np.zeros((k, k)), np.zeros((k, k)), np.zeros((n, k)), np.zeros((n, k)))

    def add(self, by_item: Rows | None, users: Embeddings) -> None:
        """Add a block of users, which begins at a whole piece, and its ratings by item."""
        add_gram(self.of_factors, users.factors)
        if users.implicit is not None and by_item is not None:
            add_gram(self.of_implicit, users.implicit)
            add_row_sums(self.factors, by_item, users.factors)
            add_row_sums(self.implicit, by_item, users.implicit)


@dataclass(frozen=True, eq=False)
class Gathering:
    """The normal equations of some items while users come in."""

    plan: Alternation
    mean: float
    items: np.ndarray  # (n,) the rows of these items
    slots: np.ndarray  # (n_items,) int32: where an item is among them, or -1
    sums: NormalSums

    @classmethod
    def of(cls, plan: Alternation, mean: float, items: np.ndarray, n_items: int) -> "Gathering":
        """Empty sums for the items in these rows (n,)."""
        slots = np.full(n_items, -1, np.int32)
        slots[items] = np.arange(len(items), dtype=np.int32)
        d = plan.fit_items.width(plan.n_factors)
        return cls(plan, mean, items, slots, NormalSums.zeros(len(items), d))

    def cleared(self) -> "Gathering":
        """The same with nothing gathered."""
        self.sums.clear()
        return self

    @property
    def whole(self) -> bool:
        """Whether these are all items."""
        return len(self.items) == len(self.slots)

    def add(self, rated: Rows, users: Embeddings, by_item: Rows | None = None) -> None:
        """Add the ratings (n_users, n_items) of a block of solved users.

        ``by_item`` are the same by all items, where the caller has them.
        """
        rows = by_item if self.whole else None
        if rows is None:
            rows = by_columns(rated, len(self.items), None if self.whole else self.slots)
        terms = self.plan.fit_items.terms(rows, self.mean, users)
        add_ratings(terms, self.sums)

    def solve(self, sums: Sums, n_users: int, side: Embeddings) -> None:
        """Solve these items, writing into the side of all items."""
        fit, k = self.plan.fit_items, self.plan.n_factors
        products = products_of(self.plan, sums)
        X = np.ascontiguousarray(fit.rows_of(side)[self.items])
        implicit = (
            sums.implicit[self.items].astype(np.float32) if fit.summed == "implicit" else None
        )
        penalty = fit.penalty(k, n_users, products)
        solve_sums(
            self.sums, Regularizer.of(penalty, fit.pull(implicit), fit.lower(k), fit.sweeps), X
        )
        whole = fit.rows_of(side)
        whole[self.items] = X
        fit.put(whole, side)


def products_of(plan: Alternation, sums: Sums) -> np.ndarray | None:
    """The products (d, d) that the items' penalty takes, or None where it takes none."""
    summed = plan.fit_items.summed
    return None if summed is None else getattr(sums, f"of_{summed}")


def learn_item_implicit(plan: Alternation, sums: Sums, items: Embeddings) -> None:
    """The items' implicit factors, of sums over users; see ``implicit_rows``."""
    if plan.implicit_reg is not None and items.implicit is not None:
        A = sums.of_factors + plan.implicit_reg * np.eye(plan.n_factors)
        items.implicit[:] = solve_shared(A, sums.factors.astype(np.float32))


def rounds(plan: Alternation, items: np.ndarray, memory: int = MEMORY) -> Sequence[np.ndarray]:
    """The items (n,) in parts whose normal equations fit into ``memory`` bytes."""
    d = plan.fit_items.width(plan.n_factors)
    n = max(1, -(-len(items) * bytes_per_row(d) // memory))
    return np.array_split(items, n)
