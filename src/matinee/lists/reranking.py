"""Re-ranking the candidates of many people at once, one place of their lists after another.

The terms of each rule are in the units of the score and are added to it; see ``list_rules``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

SMOOTHING = 0.01  # of a list's genres by the person's own (Steck 2018, section 3.1)

Grid = np.ndarray  # (n_people, n_candidates) of a block of people


class PlaceTerm(Protocol):
    """A rule whose term for a candidate depends on the items placed before it."""

    def terms(self, place: int) -> Grid:
        """What the rule adds to each candidate at this place, from 0."""

    def choose(self, chosen: np.ndarray) -> None:
        """Take note of the candidates (n_people,) that have been placed."""


class Fixed:
    """A term that is the same at every place, such as a boost."""

    def __init__(self, values: Grid) -> None:
        self.values = values

    def terms(self, place: int) -> Grid:
        """The values."""
        return self.values

    def choose(self, chosen: np.ndarray) -> None:
        """Nothing changes with the chosen (n_lists,)."""


class Redundancy:
    """-weight times the largest cosine with an item placed before: maximal marginal relevance."""

    def __init__(self, vectors: np.ndarray, weight: np.ndarray) -> None:
        self.vectors = vectors  # (n_people, n_candidates, n) of length 1 or 0
        self.weight = weight  # (n_people,)
        self.largest = np.zeros(vectors.shape[:2])

    def terms(self, place: int) -> Grid:
        """The terms at a place; 0 at the first."""
        return np.asarray(0.0 - self.weight[:, None] * self.largest)  # not -0.0

    def choose(self, chosen: np.ndarray) -> None:
        """Compare all candidates with the chosen ones (n_lists,)."""
        placed = self.vectors[np.arange(len(chosen)), chosen]
        cosine = np.einsum("bmg,bg->bm", self.vectors, placed)
        np.maximum(self.largest, cosine, out=self.largest)


class Miscalibration:
    """-weight (k KL(p, q_k) - (k - 1) KL(p, q_(k-1))), k counting the places with their item."""

    def __init__(self, shares: np.ndarray, liked: np.ndarray, weight: np.ndarray) -> None:
        self.shares = shares  # (n_people, n_candidates, n_genres): p(g|i), zeros without genres
        self.liked = liked  # (n_people, n_genres): p(g|u), zeros where unknown
        self.weight = weight  # (n_people,)
        self.total = np.zeros_like(liked)  # genres of the list so far
        self.before = np.zeros(len(liked))  # k KL of the list so far
        self.n_placed = 0

    def terms(self, place: int) -> Grid:
        """The terms at a place; 0 for a person whose genres are unknown."""
        listed = proportions(self.total[:, None, :] + self.shares)
        after = (place + 1) * divergence(self.liked[:, None, :], listed)
        return np.asarray(-self.weight[:, None] * (after - self.before[:, None]))

    def choose(self, chosen: np.ndarray) -> None:
        """Add the genres of the chosen items (n_lists,) to the lists."""
        self.total += self.shares[np.arange(len(chosen)), chosen]
        self.n_placed += 1
        self.before = self.n_placed * divergence(self.liked, proportions(self.total))


def proportions(totals: np.ndarray) -> np.ndarray:
    """Totals (..., n) as shares of the same shape that sum to 1 over the last axis, or to 0."""
    return np.asarray(totals / np.maximum(totals.sum(axis=-1, keepdims=True), 1e-12))


def divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """KL(p, 0.99 q + 0.01 p) over the last axis, in nats; 0 where p is."""
    mixed = (1 - SMOOTHING) * q + SMOOTHING * p
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(p > 0, p * np.log(p / mixed), 0.0)
    return np.asarray(parts.sum(axis=-1))


@dataclass(frozen=True, eq=False)
class Reranking:
    """The new order of the candidates of some people, and what led to it."""

    order: np.ndarray  # (n_people, n) int64: places among the candidates, best first
    terms: np.ndarray  # (n_rules, n_people, n): what each rule added to the item placed there
    causes: np.ndarray  # (n_people, n) int64: the rule that moved it most


def rerank(scores: Grid, rules: Sequence[PlaceTerm], n: int) -> Reranking:
    """The ``n`` candidates with the largest score and terms, one place after another.

    ``scores`` fall along each row and end with -inf where there are fewer candidates, which come
    last. Ties keep the order of the candidates. An item is moved by the rule whose terms differ
    most between it and those that it overtook, or that overtook it.
    """
    n_people, n_candidates = scores.shape
    people, n = np.arange(n_people), min(n, n_candidates)
    order = np.empty((n_people, n), np.int64)
    placed_terms = np.zeros((len(rules), n_people, n))
    raised = np.zeros((len(rules), n_people, n_candidates))  # terms of an item above those passed
    lowered = np.zeros_like(raised)  # terms of those that passed an item above its own
    left = scores > -np.inf
    for place in range(n):
        terms = np.stack([rule.terms(place) for rule in rules])
        values = np.where(left, scores + terms.sum(axis=0), -np.inf)
        chosen = np.where(left.any(axis=1), values.argmax(axis=1), place)
        own = terms[:, people, chosen]
        order[:, place], placed_terms[:, :, place] = chosen, own
        left[people, chosen] = False
        passed = left & (np.arange(n_candidates) < chosen[:, None])
        lead = np.where(passed, own[:, :, None] - terms, 0.0)
        raised[:, people, chosen] += lead.sum(axis=2)
        lowered += lead
        for rule in rules:
            rule.choose(chosen)
    up = order > np.arange(n)
    rows = people[:, None]
    causes = np.where(up, raised[:, rows, order], lowered[:, rows, order]).argmax(axis=0)
    return Reranking(order, placed_terms, causes)
