"""What a kind of model says of itself, from which all that models answer follows.

A model is one immutable value. Its kind says how it scores people (``score_people``), how it makes
a newcomer of a history (``solve``), and which terms a score has (``views``).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from matinee.data.catalog import NO_CATALOG, Catalog
from matinee.data.ids import IdMap
from matinee.data.ratings import Rows
from matinee.data.scale import Scale
from matinee.errors import BadSetting
from matinee.explain.explanation import Term
from matinee.models.person import Person
from matinee.row_solvers.embeddings import Embeddings

# Writes the scores (n_people, n_items) of some people into an array that is used again.
Scorer = Callable[[Sequence[object], np.ndarray], None]
View = Callable[[Any, Person, int], list[Term]]  # the terms of (model, person, item row)
NO_TASTES = "models of {} have no tastes; fit nmf or mf to find some"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Kind:
    """The data of a model, and what its kind must say."""

    users: IdMap
    items: IdMap
    seen: Rows  # the training ratings of each user
    scale: Scale
    kind: str  # "rating": scores are stars; "preference": scores only rank
    algorithm: str  # its registered name
    settings: Mapping[str, Any]  # its hyper-parameters
    data_fingerprint: str
    catalog: Catalog = NO_CATALOG
    facts: Mapping[str, Any] = field(default_factory=dict)  # what the fit reports, in plain data

    def score_people(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        """Unclipped scores (n_people, n) float32 of the items in rows ``items`` (n,).

        People are ids or Persons; an unknown id counts as the average person.
        """
        raise NotImplementedError

    def scorer(self, items: np.ndarray) -> Scorer:
        """``score_people`` of these items, for one block of people after another."""

        def score(people: Sequence[object], out: np.ndarray) -> None:
            out[:] = self.score_people(people, items)

        return score

    def score_block(self, users: np.ndarray) -> np.ndarray:
        """Unclipped scores (n, n_items) float32 of all items for the users in rows ``users``."""
        raise NotImplementedError

    def score_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Unclipped scores (n,) float32 of pairs of row numbers."""
        raise NotImplementedError

    def solve(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        """Bias and factors of someone with these ratings; the average person's for none."""
        raise NotImplementedError

    def solve_many(self, rated: Rows) -> Embeddings:
        """``solve`` for each row of ``rated``, as a side of as many rows."""
        sides = [self.solve(*rated.row(r)) for r in range(len(rated.counts))]
        return Embeddings(
            np.concatenate([side.factors for side in sides]),
            np.concatenate([side.bias for side in sides]),
        )

    def solve_without_each(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        """``solve`` without each of n ratings in turn, as a side of n rows."""
        n = len(items)
        kept = np.nonzero(~np.eye(n, dtype=bool))[1]
        ends = np.arange(n + 1) * (n - 1)
        return self.solve_many(Rows(ends, items[kept], ratings[kept]))

    def embeddings_of(self, user: int) -> Embeddings:
        """Bias and factors of a trained user, by row number."""
        raise NotImplementedError

    @property
    def views(self) -> Mapping[str, View]:
        """The ways this model explains a score, by name; the first is the usual one."""
        raise NotImplementedError

    def parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What this kind of model adds to a saved folder: plain facts, and arrays by name."""
        raise NotImplementedError

    @classmethod
    def from_parts(
        cls, common: dict[str, Any], facts: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> Self:
        """The model whose common fields and ``parts`` these are."""
        raise NotImplementedError

    def nearest(self, side: str, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the n items or users ("item", "user") most like a row, and how alike they are."""
        raise BadSetting(
            f"models of {self.algorithm} have no similar {side}s; fit mf or nmf instead"
        )

    @property
    def has_intervals(self) -> bool:
        """Whether it can say where a rating will lie; see ``Model.interval``."""
        return False

    def reach(self, person: Person, items: np.ndarray, level: float) -> np.ndarray:
        """How far (n,) from the predictions a share ``level`` of this person's ratings lie."""
        raise NotImplementedError
