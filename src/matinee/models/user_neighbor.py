"""The fitted user-neighbour model: the ratings of people like you, on a baseline.

    score(u, i) = mean + b_u + c_i + sum over v like u who rated i of  w_uv d_vi / W_ui

W_ui is 1, or the sum of the weights taken plus a damping. No weights are stored: the model is the
training ratings, and a person, trained or new, is compared with all users when scores are wanted.
A comparison reads the ratings of all users who rated an item in common, so this is a model for
thousands of users, where item weights serve millions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matinee.data.rows import mean_count
from matinee.display.text import counted
from matinee.explain.term_table import TermTable
from matinee.explain.views import HISTORY, PEOPLE, View
from matinee.kernels.similarities import Vectors, similarities
from matinee.kernels.sparse import Sparse
from matinee.kernels.user_neighbors import (
    Askers,
    Neighborhood,
    add_user_scores,
    add_user_scores_of_pairs,
    user_terms,
)
from matinee.models.baseline import BaselineModel, People
from matinee.models.nearby_users import groups_of_people
from matinee.models.similarity import Similarity
from matinee.row_solvers.person import Person


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class UserNeighborModel(BaselineModel):
    """How people are compared, and how many of them count in a score."""

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
    def neighborhood(self) -> Neighborhood:
        """The training users by item, as kernels take them."""
        everyone = self._everyone
        user = np.repeat(everyone.row, self.seen.counts)
        order = np.argsort(self.seen.indices, kind="stable")
        values = self._compared(everyone).values
        norms = self.similarity.norms(user, values, len(self.users), neighbor=True)
        by_item = Sparse(np.r_[0, np.cumsum(self.item_counts)], user[order], values[order])
        deviations = everyone.deviations
        return Neighborhood(
            Vectors.of(by_item, norms, self.similarity.comparison),
            by_item._replace(values=deviations.values[order]).frozen().values,
            *deviations,
            min(self.n_neighbors, len(self.users)),
            self.kind == "rating",
            self.damping,
        )

    def _compared(self, people: People) -> Sparse:
        """The vectors (n_people, n_items) of some people that are compared."""
        how, ratings = self.similarity, people.ratings
        values = how.values(ratings.values, people.deviations.values)
        if how.weighting != "none":
            weights = how.row_weights(ratings.counts, mean_count(self.seen.counts))
            by_person = np.repeat(weights, ratings.counts)
            by_item = how.column_weights(self.item_counts, len(self.users))[ratings.indices]
            values = (values * by_person * by_item).astype(np.float32)
        return ratings._replace(values=values)

    def _askers(self, people: People) -> Askers:
        vectors = self._compared(people)
        person = np.repeat(np.arange(len(people.row)), vectors.counts)
        norms = self.similarity.norms(person, vectors.values, len(people.row), neighbor=False)
        return Askers(people.row, vectors, norms)

    def add_neighbor_scores(self, people: People, items: np.ndarray, out: np.ndarray) -> None:
        add_user_scores(self._askers(people), self.neighborhood, items, out)

    def add_neighbor_scores_of_pairs(
        self, user: np.ndarray, item: np.ndarray, out: np.ndarray
    ) -> None:
        everyone = self._askers(self._everyone)
        add_user_scores_of_pairs(user, item, everyone, self.neighborhood, out)

    def similarities(self, person: Person, row: int) -> np.ndarray:
        """How similar all users are to a person: (n_users,) float32, with ``row`` the own row."""
        _, vectors, norms = self._askers(self._gather([person]))
        vector = vectors.indices, vectors.values
        return similarities(vector, float(norms[0]), row, self.neighborhood.vectors)

    def neighbor_terms(
        self, person: Person, items: np.ndarray
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each item, rows (n,) of the users who count in its score, and what each adds (n,)."""
        weights = self.similarities(person, self.row_of(person))
        return [user_terms(item, weights, self.neighborhood) for item in items]

    def nearest(self, side: str, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        if side != "user":
            return super().nearest(side, row, n)
        name = self.users.ids[row]
        self.require(name)
        weights = self.similarities(self.person(name), row)
        order = np.argsort(-weights, kind="stable")[:n]
        order = order[weights[order] > 0]
        return order, weights[order].astype(float)

    @property
    def views(self) -> Mapping[str, View]:
        views = (HISTORY.of(terms_by_history), PEOPLE.of(terms_by_people))
        return {view.name: view for view in views}


def terms_by_people(model: UserNeighborModel, person: Person, items: np.ndarray) -> TermTable:
    """mean + item + user + the terms w_uv d_vi / W_ui of users, at least five together.

    They are aggregated for privacy: no term shows the rating of one user.

    ``items`` (n,) are rows.
    """
    groups = []
    for item, (users, parts) in zip(items, model.neighbor_terms(person, items), strict=True):
        ratings = None
        if model.kind == "rating":
            rows = [model.seen.row(user) for user in users]
            ratings = np.array([stars[np.searchsorted(rated, item)] for rated, stars in rows])
        groups.append(groups_of_people(ratings, parts))
    people = TermTable.of_rows(groups)
    return TermTable.side_by_side(model.baseline_terms(person, items), people)


def terms_by_history(model: UserNeighborModel, person: Person, items: np.ndarray) -> TermTable:
    """mean + item + user + one term per rating given: its share in the similarities that count.

    A similarity w_uv is a sum over what u and v both rated, so it decomposes exactly into
    w_uv x_uj x_vj / sum_j x_uj x_vj.

    ``items`` (n,) are rows.
    """
    parts = np.zeros((len(items), len(person.items)))
    own = model._compared(model._gather([person])).values.astype(np.float64)
    values = model._compared(model._everyone).values
    for of_item, (users, terms) in zip(parts, model.neighbor_terms(person, items), strict=True):
        for user, term in zip(users, terms, strict=True):
            span = slice(*model.seen.indptr[user : user + 2])
            _, mine, theirs = np.intersect1d(
                person.items, model.seen.indices[span], assume_unique=True, return_indices=True
            )
            x, y = own[mine], values[span][theirs].astype(np.float64)
            if model.similarity.kind == "pearson":
                x, y = x - x.mean(), y - y.mean()
            of_item[mine] += term * x * y / (x @ y)
    ratings = model.rating_terms(person, parts)
    return TermTable.side_by_side(model.baseline_terms(person, items), ratings)
