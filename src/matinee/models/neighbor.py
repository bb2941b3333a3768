"""The fitted neighbour model: weights from item to item, on a baseline.

    score(u, i) = mean + b_u + c_i + sum over j that u rated of  w_ij (d_uj + e_ij) / W_ui

W_ui is 1, or the sum of the weights taken plus a damping. Item kNN, Slope One, RP3beta and
EASE end in one of these; what each rating adds to a score is known exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, cast

import numpy as np

from matinee.display.text import counted
from matinee.explain.explanation import Term
from matinee.kernels.jit import read_only
from matinee.kernels.neighbors import (
    Lists,
    add_heard,
    add_heard_pairs,
    add_weighted,
    add_weighted_pairs,
)
from matinee.kernels.threads import run_rows
from matinee.models.baseline import BaselineModel, People, Run
from matinee.models.kind import View
from matinee.models.person import Person


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class NeighborModel(BaselineModel):
    """Weights between items: ``Lists`` of the heaviest, or a full matrix."""

    weights: Lists | np.ndarray  # matrix (n_items, n_items) float32: row j is what j adds to each

    def __repr__(self) -> str:
        n = self.weights.weights.size if isinstance(self.weights, Lists) else self.weights.size
        return (
            f"<{self.algorithm} model: {counted(len(self.users), 'user')}, "
            f"{counted(len(self.items), 'item')}, "
            f"{counted(n, 'weight')}, {self.scale}>"
        )

    @cached_property
    def speakers(self) -> Lists:
        """The lists the other way round: to which items each speaks, and with what weight."""
        lists = cast(Lists, self.weights)
        item = np.repeat(np.arange(len(self.items)), np.diff(lists.indptr))
        order = np.argsort(lists.neighbors, kind="stable")
        ends = np.cumsum(np.bincount(lists.neighbors, minlength=len(self.items)))
        shifts = lists.shifts[order] if len(lists.shifts) else lists.shifts
        return lists._replace(
            indptr=read_only(np.r_[0, ends], np.int64),
            neighbors=read_only(item[order], np.int32),
            weights=read_only(lists.weights[order], np.float32),
            shifts=read_only(shifts, np.float32),
        )

    def add_said(self, people: People, items: np.ndarray, out: np.ndarray, run: Run) -> None:
        rated = people.rated
        given = rated.indptr, rated.indices, people.deviations, self.weights
        if isinstance(self.weights, Lists):
            run(add_heard, rated.counts + 1, *given, self.speakers, items, out)
        else:
            run(add_weighted, rated.counts + 1, *given, items, out)

    def add_said_pairs(self, user: np.ndarray, item: np.ndarray, out: np.ndarray) -> None:
        rated = self._everyone.rated
        add = add_heard_pairs if isinstance(self.weights, Lists) else add_weighted_pairs
        run_rows(
            add,
            np.ones(len(user)),
            user,
            item,
            rated.indptr,
            rated.indices,
            self._everyone.deviations,
            self.weights,
            out,
        )

    def said_by(self, person: Person, item: int) -> np.ndarray:
        """What each rating of a person adds to the score of an item: (n,) float64."""
        rated = self._gather([person])
        deviations = rated.deviations.astype(np.float64)
        if not isinstance(self.weights, Lists):
            return np.asarray(deviations * self.weights[person.items, item])
        lists = self.weights
        here = slice(lists.indptr[item], lists.indptr[item + 1])
        place = np.full(len(self.items), -1)
        place[person.items] = np.arange(len(person.items))
        at = place[lists.neighbors[here]]
        taken = np.flatnonzero(at >= 0)[: lists.most]
        weights = lists.weights[here][taken].astype(np.float64)
        said = deviations[at[taken]]
        if len(lists.shifts):
            said = said + lists.shifts[here][taken]
        total = weights.sum() + lists.damping if lists.averaged else 1.0
        parts = np.zeros(len(person.items))
        parts[at[taken]] = weights * said / (total or 1.0)
        return parts

    def nearest(self, side: str, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        if side != "item":
            return super().nearest(side, row, n)
        if isinstance(self.weights, Lists):
            here = slice(self.weights.indptr[row], self.weights.indptr[row + 1])
            return self.weights.neighbors[here][:n], self.weights.weights[here][:n].astype(float)
        into = self.weights[:, row].astype(float)
        into[row] = -np.inf
        order = np.argsort(-into, kind="stable")[: min(n, len(into) - 1)]
        return order, into[order]

    @property
    def views(self) -> Mapping[str, View]:
        return {"history": terms_by_history}

    def parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        facts, arrays = self.baseline_parts()
        if not isinstance(self.weights, Lists):
            return facts, arrays | {"weights": self.weights}
        lists = self.weights._asdict()
        sums = {name: lists.pop(name) for name in ("most", "averaged", "damping")}
        return facts | {"sums": sums}, arrays | {f"list_{key}": lists[key] for key in lists}

    @classmethod
    def from_parts(
        cls, common: dict[str, Any], facts: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> Self:
        weights: Lists | np.ndarray
        if "sums" in facts:
            names = ("indptr", "neighbors", "weights", "shifts")
            lists: dict[str, Any] = {name: arrays[f"list_{name}"] for name in names}
            weights = Lists(**lists, **facts["sums"])
        else:
            weights = arrays["weights"]
        return cls(**common, **cls.baseline_from(facts, arrays), weights=weights)


def lists_of(
    neighbors: np.ndarray,
    weights: np.ndarray,
    shifts: np.ndarray | None = None,
    *,
    most: int,
    averaged: bool,
    damping: float,
) -> Lists:
    """Lists from tables (n_items, n) of neighbours, heaviest first and -1 where there are none."""
    filled = neighbors >= 0
    return Lists(
        read_only(np.r_[0, np.cumsum(filled.sum(axis=1))], np.int64),
        read_only(neighbors[filled], np.int32),
        read_only(weights[filled], np.float32),
        read_only(np.empty(0) if shifts is None else shifts[filled], np.float32),
        most,
        averaged,
        float(damping),
    )


def terms_by_history(model: NeighborModel, person: Person, item: int) -> list[Term]:
    """mean + item + user + one term w_ij (d_uj + e_ij) / W_ui per rating given; exact."""
    parts = model.said_by(person, item)
    return [*model.baseline_terms(person, item), *model.rating_terms(person, parts)]
