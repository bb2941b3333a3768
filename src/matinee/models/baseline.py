"""A baseline, and what neighbours add to it.

    score(u, i) = mean + b_u + c_i + the sum or mean of neighbours' deviations
    d_uj = r_uj - mean - b_u - c_j

A model of preferences has no baseline: mean, b and c are 0, and d_uj is the target x_uj of the
fit: 1 for all that u has, or less where u rated it low (``Scale.targets``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np

from matinee.data.ids import as_id
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.explain.term import Label
from matinee.explain.term_table import TermTable
from matinee.kernels.sparse import Sparse
from matinee.models.factor import FactorModel
from matinee.models.fitted import fields_of
from matinee.models.folding import FoldingModel
from matinee.row_solvers import FoldIn, LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person


class Baseline(NamedTuple):
    """What is expected of a rating before neighbours are looked at: mean + b_u + c_i."""

    mean: float
    users: Embeddings  # biases, without factors
    items: Embeddings
    fold: FoldIn  # of the biases of new users

    @classmethod
    def of(cls, biases: FactorModel) -> "Baseline":
        """The baseline of a fitted model of biases."""
        return cls(biases.global_mean, biases.user_embeddings, biases.item_embeddings, biases.fold)

    @classmethod
    def zero(cls, train: Ratings) -> "Baseline":
        """The baseline of preferences."""
        users, items = Embeddings.zeros(train.n_users, 0), Embeddings.zeros(train.n_items, 0)
        return cls(0.0, users, items, LeastSquares(reg=1.0))

    def deviations(self, train: Ratings) -> np.ndarray:
        """What each rating is above the baseline: float32 (n_ratings,)."""
        expected = self.users.bias[train.user] + self.items.bias[train.item]
        return np.asarray(train.rating - np.float32(self.mean) - expected)


class People(NamedTuple):
    """Some people as kernels take them, a row each."""

    row: np.ndarray  # (n,) int32 own row among the training users; -1 for others
    bias: np.ndarray  # (n,) float32
    ratings: Sparse  # (n, n_items), in stars
    deviations: Sparse  # (n, n_items) d of each of them


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class BaselineModel(FoldingModel):
    """Embeddings of biases alone; what neighbours add to them is the subclass's."""

    lowest: float = 1.0  # preferences: target of the lowest rating on the scale

    @classmethod
    def of(cls, train: Ratings, baseline: Baseline, **own: Any) -> Self:
        """The model fitted on ``train`` from this baseline and the fields of its own."""
        return cls(
            **fields_of(train),
            global_mean=float(baseline.mean),
            user_embeddings=baseline.users.completed(train.by_user.counts > 0),
            item_embeddings=baseline.items.completed(train.by_item.counts > 0),
            fold=baseline.fold,
            **own,
        )

    @property
    def takes_weights(self) -> bool:
        return False  # neighbours take every rating alike

    def add_neighbor_scores(self, people: People, items: np.ndarray, out: np.ndarray) -> None:
        """Add to ``out`` (n_people, n) what neighbours add to the scores of ``items`` (n,)."""
        raise NotImplementedError

    def add_neighbor_scores_of_pairs(
        self, user: np.ndarray, item: np.ndarray, out: np.ndarray
    ) -> None:
        """Add to ``out`` (n,) what neighbours add to the scores of pairs of row numbers (n,)."""
        raise NotImplementedError

    @cached_property
    def _everyone(self) -> People:
        rows = np.arange(len(self.users), dtype=np.int32)
        return self._people(rows, self.user_embeddings.bias, self.seen)

    def _people(self, row: np.ndarray, bias: np.ndarray, rated: Rows) -> People:
        if self.kind == "preference":
            deviations = self.scale.targets(rated.values, self.lowest)
        else:
            expected = np.repeat(bias, rated.counts) + self.item_embeddings.bias[rated.indices]
            deviations = rated.values - np.float32(self.global_mean) - expected
        ratings = Sparse(rated.indptr, rated.indices, rated.values).frozen()
        return People(row, bias, ratings, ratings._replace(values=deviations).frozen())

    def row_of(self, user: object) -> int:
        """The row of a trained user, by id or as a Person; -1 for newcomers and unknown ids."""
        if isinstance(user, Person):
            return self.row_of(user.name) if user.strategy == "personal" else -1
        row = int(self.users.rows([as_id(user)])[0])
        return row if row >= 0 and self.seen.indptr[row] < self.seen.indptr[row + 1] else -1

    def _gather(self, users: Sequence[object]) -> People:
        """Ids and Persons as kernels take them; whoever is unknown has no ratings."""
        row = np.array([self.row_of(user) for user in users], dtype=np.int32)
        nobody = Person(
            "", self.seen.indices[:0], self.seen.values[:0], self.average_user, "popular"
        )
        people = [
            self.person(user) if known >= 0 or isinstance(user, Person) else nobody
            for user, known in zip(users, row, strict=True)
        ]
        bias = np.array([person.embeddings.bias[0] for person in people], dtype=np.float32)
        return self._people(row, bias, Rows.joined([person.history for person in people]))

    def score_people(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        return self._scores(self._gather(people), items)

    def score_block(self, users: np.ndarray) -> np.ndarray:
        people = self._people(users, self.user_embeddings.bias[users], self.seen.take(users))
        return self._scores(people, np.arange(len(self.items)))

    def score_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Scores (n,) of the pairs, computed in order of user wherever they stand."""
        order = np.argsort(user, kind="stable")
        user, item = user[order], item[order]
        sorted_scores = self.user_embeddings.bias[user] + self.item_embeddings.bias[item]
        sorted_scores += np.float32(self.global_mean)
        self.add_neighbor_scores_of_pairs(user, item, sorted_scores)
        scores: np.ndarray = np.empty_like(sorted_scores)
        scores[order] = sorted_scores
        return scores

    def _scores(self, people: People, items: np.ndarray) -> np.ndarray:
        scores: np.ndarray = people.bias[:, None] + self.item_embeddings.bias[items]
        scores += np.float32(self.global_mean)
        self.add_neighbor_scores(people, items, scores)
        return scores

    def baseline_terms(self, person: Person, items: np.ndarray) -> TermTable:
        """mean + c_i + b_u of each of the items in rows ``items`` (n,), as terms."""
        return TermTable.of_columns(
            len(items),
            (Label("average of all ratings", "base"), self.global_mean),
            (Label("how this is rated", "item"), self.item_embeddings.bias[items]),
            (Label("how you rate", "user"), float(person.embeddings.bias[0])),
        )
