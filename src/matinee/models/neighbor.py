"""The fitted neighbour model: weights from item to item, on a baseline.

    score(u, i) = mean + b_u + c_i + sum over j that u rated of  w_ij (d_uj + e_ij) / W_ui

W_ui is 1, or the sum of the weights taken plus a damping. Item kNN, Slope One, RP3beta, EASE and
SLIM end in one of these; what each rating adds to a score is known exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from matinee.display.text import counted
from matinee.explain.term_table import TermTable
from matinee.explain.views import HISTORY, View
from matinee.kernels.item_neighbors import (
    NeighborLists,
    add_list_scores,
    add_list_scores_of_pairs,
    add_matrix_scores,
    add_matrix_scores_of_pairs,
    list_terms,
)
from matinee.models.baseline import BaselineModel, People
from matinee.models.onnx import Graph
from matinee.row_solvers.person import Person


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class NeighborModel(BaselineModel):
    """Weights between items: lists of the heaviest, or a full matrix."""

    # A matrix is (n_items, n_items) float32: row j holds what j adds to each item.
    weights: NeighborLists | np.ndarray

    def __repr__(self) -> str:
        weights = self.weights
        n = len(weights.weights) if isinstance(weights, NeighborLists) else weights.size
        return (
            f"<{self.algorithm} model: {counted(len(self.users), 'user')}, "
            f"{counted(len(self.items), 'item')}, "
            f"{counted(n, 'weight')}, {self.scale}>"
        )

    @cached_property
    def _reversed_lists(self) -> NeighborLists:
        return cast(NeighborLists, self.weights).reversed()

    def add_neighbor_scores(self, people: People, items: np.ndarray, out: np.ndarray) -> None:
        if isinstance(self.weights, NeighborLists):
            add_list_scores(people.deviations, self.weights, self._reversed_lists, items, out)
        else:
            add_matrix_scores(people.deviations, self.weights, items, out)

    def add_neighbor_scores_of_pairs(
        self, user: np.ndarray, item: np.ndarray, out: np.ndarray
    ) -> None:
        deviations = self._everyone.deviations
        if isinstance(self.weights, NeighborLists):
            add_list_scores_of_pairs(user, item, deviations, self.weights, out)
        else:
            add_matrix_scores_of_pairs(user, item, deviations, self.weights, out)

    def neighbor_terms(self, person: Person, items: np.ndarray) -> np.ndarray:
        """What each rating of a person adds to the scores of items: (n, n_ratings) float64."""
        deviations = self._gather([person]).deviations.values.astype(np.float64)
        if isinstance(self.weights, NeighborLists):
            own = (list_terms(item, person.items, deviations, self.weights) for item in items)
            return np.array(list(own)).reshape(len(items), len(deviations))
        return np.asarray(deviations * self.weights[np.ix_(person.items, items)].T)

    def scores_graph(self, of: str | None = None) -> Graph:
        """Sums over the chosen items, where the scores are no more than that."""
        self._scored(of)
        weights = self.weights if self.kind == "preference" else None
        if isinstance(weights, NeighborLists):
            weights = summed(weights)
        return super().scores_graph(of) if weights is None else Graph.of_weights(weights)

    def nearest(self, side: str, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        if side != "item":
            return super().nearest(side, row, n)
        if isinstance(self.weights, NeighborLists):
            span = slice(self.weights.indptr[row], self.weights.indptr[row + 1])
            return self.weights.neighbors[span][:n], self.weights.weights[span][:n].astype(float)
        into = self.weights[:, row].astype(float)
        into[row] = -np.inf
        order = np.argsort(-into, kind="stable")[: min(n, len(into) - 1)]
        return order, into[order]

    @property
    def views(self) -> Mapping[str, View]:
        return {HISTORY.name: HISTORY.of(terms_by_history)}


def terms_by_history(model: NeighborModel, person: Person, items: np.ndarray) -> TermTable:
    """mean + item + user + one term w_ij (d_uj + e_ij) / W_ui per rating given; exact.

    ``items`` (n,) are rows.
    """
    parts = model.neighbor_terms(person, items)
    ratings = model.rating_terms(person, parts)
    return TermTable.side_by_side(model.baseline_terms(person, items), ratings)


def summed(lists: NeighborLists) -> np.ndarray | None:
    """The full matrix (n_items, n_items) of lists whose scores are plain sums; None of others."""
    counts = np.diff(lists.indptr)
    if lists.averaged or len(lists.shifts) or counts.max(initial=0) > lists.n_neighbors:
        return None
    matrix = np.zeros((len(counts), len(counts)), np.float32)
    matrix[lists.neighbors, np.repeat(np.arange(len(counts)), counts)] = lists.weights
    return matrix
