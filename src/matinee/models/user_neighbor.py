"""The fitted user-neighbour model: the ratings of people like you, on a baseline.

    score(u, i) = mean + b_u + c_i + sum over v like u who rated i of  w_uv d_vi / W_ui

W_ui is 1, or the sum of the weights taken plus a damping. There are no stored weights: the model is
the training ratings, and whoever asks, trained or new, is compared with all users at once.
A comparison reads the ratings of everybody who rated something that the asker rated, so this is a
model for thousands of users, where item weights serve millions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from matinee.display.text import counted
from matinee.explain.explanation import Term
from matinee.kernels.jit import read_only
from matinee.kernels.neighbors import Crowd, Vectors, add_asked, add_asked_pairs, compare
from matinee.kernels.threads import run_rows
from matinee.models.baseline import BaselineModel, People, Run
from matinee.models.kind import View
from matinee.models.nearby_users import groups_of_people
from matinee.models.person import Person
from matinee.models.similarity import Similarity


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class UserNeighborModel(BaselineModel):
    """How people are compared, and how many of them are asked."""

    similarity: Similarity
    n_neighbors: int
    damping: float

    def __repr__(self) -> str:
        return (
            f"<{self.algorithm} model: {counted(len(self.users), 'user')}, "
            f"{counted(len(self.items), 'item')}, "
            f"{counted(self.n_neighbors, 'neighbor')}, {self.scale}>"
        )

    @cached_property
    def crowd(self) -> Crowd:
        """The training users by item, as kernels ask them."""
        everyone = self._everyone
        user = np.repeat(everyone.row, self.seen.counts)
        order = np.argsort(self.seen.indices, kind="stable")
        values = self._values(everyone)
        norms = self.similarity.norms(user, values, len(self.users), neighbor=True)
        vectors = Vectors(
            read_only(np.r_[0, np.cumsum(self.item_counts)], np.int64),
            read_only(user[order], np.int32),
            read_only(values[order], np.float32),
            read_only(norms, np.float64),
            self.similarity.kind == "pearson",
            self.similarity.shrinkage,
            self.similarity.amplification,
        )
        return Crowd(
            vectors,
            read_only(everyone.deviations[order], np.float32),
            everyone.rated.indptr,
            everyone.rated.indices,
            everyone.deviations,
            min(self.n_neighbors, len(self.users)),
            self.kind == "rating",
            self.damping,
        )

    def _values(self, people: People) -> np.ndarray:
        """What is compared of each rating of some people."""
        return read_only(self.similarity.values(people.rated.values, people.deviations), np.float32)

    def _norms(self, people: People) -> np.ndarray:
        person = np.repeat(np.arange(len(people.row)), people.rated.counts)
        values = self._values(people)
        norms = self.similarity.norms(person, values, len(people.row), neighbor=False)
        return read_only(norms, np.float64)

    def add_said(self, people: People, items: np.ndarray, out: np.ndarray, run: Run) -> None:
        rated = people.rated
        run(
            add_asked,
            self._costs(rated.indptr, rated.indices),
            people.row,
            rated.indptr,
            rated.indices,
            self._values(people),
            self._norms(people),
            self.crowd,
            items,
            out,
        )

    def _costs(self, indptr: np.ndarray, items: np.ndarray) -> np.ndarray:
        raters = np.r_[0, np.cumsum(self.item_counts[items])]
        return np.asarray(np.diff(raters[indptr]) + len(self.seen.values))

    def add_said_pairs(self, user: np.ndarray, item: np.ndarray, out: np.ndarray) -> None:
        everyone = self._everyone
        run_rows(
            add_asked_pairs,
            np.ones(len(user)),
            user,
            item,
            everyone.rated.indptr,
            everyone.rated.indices,
            self._values(everyone),
            self._norms(everyone),
            self.crowd,
            out,
        )

    def likeness(self, person: Person, row: int) -> np.ndarray:
        """How like a person all users are: (n_users,) float32, with ``row`` the person's own."""
        people = self._gather([person])
        n = len(self.users)
        weights = np.empty(n, np.float32)
        compare(
            row,
            people.rated.indices,
            self._values(people),
            float(self._norms(people)[0]),
            self.crowd.vectors,
            np.empty((n, 6)),
            weights,
        )
        return weights

    def said_by(self, person: Person, item: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the users who are asked about an item, and what each adds to its score."""
        weights = self.likeness(person, self.row_of(person)).astype(np.float64)
        if self.kind == "preference":
            nearest = np.argsort(-weights, kind="stable")[: self.n_neighbors]
            weights[np.setdiff1d(np.arange(len(weights)), nearest)] = 0.0
        here = slice(*self.crowd.vectors.indptr[item : item + 2])
        raters = self.crowd.vectors.rows[here]
        order = np.argsort(-weights[raters], kind="stable")[: self.n_neighbors]
        order = order[weights[raters[order]] > 0]
        users, deviations = raters[order], self.crowd.deviations[here][order]
        total = weights[users].sum() + self.damping if self.kind == "rating" else 1.0
        return users, weights[users] * deviations / (total or 1.0)

    def nearest(self, side: str, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        if side != "user":
            return super().nearest(side, row, n)
        name = self.users.ids[row]
        self.require(name)
        weights = self.likeness(self.person(name), row)
        order = np.argsort(-weights, kind="stable")[:n]
        order = order[weights[order] > 0]
        return order, weights[order].astype(float)

    @property
    def views(self) -> Mapping[str, View]:
        return {"history": terms_by_history, "people": terms_by_people}

    def parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        facts, arrays = self.baseline_parts()
        own = {
            "similarity": self.similarity._asdict(),
            "n_neighbors": self.n_neighbors,
            "damping": self.damping,
        }
        return facts | own, arrays

    @classmethod
    def from_parts(
        cls, common: dict[str, Any], facts: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> Self:
        return cls(
            **common,
            **cls.baseline_from(facts, arrays),
            similarity=Similarity(**facts["similarity"]),
            n_neighbors=facts["n_neighbors"],
            damping=facts["damping"],
        )


def terms_by_people(model: UserNeighborModel, person: Person, item: int) -> list[Term]:
    """mean + item + user + the terms w_uv d_vi / W_ui of those asked, at least five together.

    People are counted, not named: what one of them rated is theirs.
    """
    users, parts = model.said_by(person, item)
    ratings = None
    if model.kind == "rating":
        rows = [model.seen.row(user) for user in users]
        ratings = np.array([stars[np.searchsorted(items, item)] for items, stars in rows])
    return [*model.baseline_terms(person, item), *groups_of_people(ratings, parts)]


def terms_by_history(model: UserNeighborModel, person: Person, item: int) -> list[Term]:
    """mean + item + user + one term per rating given: its share in the likeness of those asked.

    A weight w_uv is a sum over what u and v both rated, so it falls apart exactly into
    w_uv x_uj x_vj / sum_j x_uj x_vj.
    """
    users, said = model.said_by(person, item)
    parts = np.zeros(len(person.items))
    own = model._values(model._gather([person])).astype(np.float64)
    values = model._values(model._everyone)
    for user, part in zip(users, said, strict=True):
        here = slice(*model.seen.indptr[user : user + 2])
        _, mine, theirs = np.intersect1d(
            person.items, model.seen.indices[here], assume_unique=True, return_indices=True
        )
        x, y = own[mine], values[here][theirs].astype(np.float64)
        if model.similarity.kind == "pearson":
            x, y = x - x.mean(), y - y.mean()
        parts[mine] += part * x * y / (x @ y)
    return [*model.baseline_terms(person, item), *model.rating_terms(person, parts)]
