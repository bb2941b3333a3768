"""A weighted sum of fitted models, which explains itself by theirs.

    score(u, i) = constant + sum_m weight_m score_m(u, i)

A sum of sums is a sum: the terms of each model times its weight are the terms of the blend, and
terms of one name are one term. A person's embeddings hold those of all models end to end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from matinee.data.rows import Rows
from matinee.explain.term import Label
from matinee.explain.term_table import TermTable
from matinee.explain.views import MODEL, VIEWS, View
from matinee.lists.retrieval import Scorer
from matinee.models.model import Model
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class BlendModel(Model):
    """Models over the same users and items, their weights, and a constant."""

    constant: float
    weights: tuple[float, ...]
    models: tuple[Model, ...]

    def __repr__(self) -> str:
        parts = " + ".join(
            f"{weight:.2f} {model.algorithm}"
            for weight, model in zip(self.weights, self.models, strict=True)
        )
        return f"<blend model: {self.constant:.2f} + {parts}>"

    def score_people(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        own = zip(*(self._persons(one) for one in people), strict=True)
        return self._sum(
            model.score_people(persons, items)
            for model, persons in zip(self.models, own, strict=True)
        )

    def scorer(self, items: np.ndarray) -> Scorer:
        scorers = [model.scorer(items) for model in self.models]

        def score(people: Sequence[object], out: np.ndarray) -> None:
            own = zip(*(self._persons(one) for one in people), strict=True)
            part = np.empty(out.shape, out.dtype)
            out[:] = np.float32(self.constant)
            for weight, scores_of, persons in zip(self.weights, scorers, own, strict=True):
                scores_of(persons, part)
                part *= np.float32(weight)
                out += part

        return score

    def score_block(self, users: np.ndarray) -> np.ndarray:
        return self._sum(model.score_block(users) for model in self.models)

    def score_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        return self._sum(model.score_rows(user, item) for model in self.models)

    def usual_score(self, person: Person) -> float:
        return self.constant + sum(
            weight * model.usual_score(own) for weight, model, own in self.parts_of(person)
        )

    def linear_people(self, people: Sequence[object]) -> Embeddings:
        own = zip(*(self._persons(one) for one in people), strict=True)
        parts = [model.linear_people(one) for model, one in zip(self.models, own, strict=True)]
        factors = [
            np.float32(weight) * np.asarray(part.factors)
            for weight, part in zip(self.weights, parts, strict=True)
        ]
        return Embeddings(np.concatenate(factors, axis=1), self._sum(part.bias for part in parts))

    def linear_items(self) -> Embeddings:
        parts = [model.linear_items() for model in self.models]
        weights = np.array(self.weights, np.float32)[:, None]
        bias = (weights * np.array([part.bias for part in parts])).sum(axis=0)
        return Embeddings(np.concatenate([part.factors for part in parts], axis=1), bias)

    def solve(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        return end_to_end([model.solve(items, ratings) for model in self.models])

    def solve_many(self, rated: Rows) -> Embeddings:
        return end_to_end([model.solve_many(rated) for model in self.models])

    def solve_without_each(self, rated: Rows) -> Embeddings:
        return end_to_end([model.solve_without_each(rated) for model in self.models])

    def embeddings_of_features(self, features: Mapping[str, object]) -> Embeddings:
        return end_to_end([model.embeddings_of_features(features) for model in self.models])

    def embeddings_of(self, user: int) -> Embeddings:
        return end_to_end([model.embeddings_of(user) for model in self.models])

    def nearest(self, side: str, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        return self.models[int(np.argmax(self.weights))].nearest(side, row, n)

    @property
    def views(self) -> Mapping[str, View]:
        shared = set.intersection(*(set(model.views) for model in self.models))
        names = [name for name in self.models[0].views if name in shared]
        joined = {name: VIEWS[name].of(partial(terms_by, by=name)) for name in names}
        return joined | {MODEL.name: MODEL.of(terms_by_model)}

    def parts_of(self, person: Person) -> Iterator[tuple[float, Model, Person]]:
        """Each model, its weight, and the person as it knows them."""
        return zip(self.weights, self.models, self.persons(person), strict=True)

    def persons(self, person: Person) -> list[Person]:
        """The person as each model knows them."""
        row = person.embeddings.factors
        return [
            replace(person, embeddings=Embeddings(row[:, first + 1 : last], row[:, first]))
            for first, last in pairwise(self._ends)
        ]

    @cached_property
    def _ends(self) -> list[int]:
        """Where the embeddings of each model begin and end in those of all."""
        nobody = self.seen.indices[:0], self.seen.values[:0]
        widths = (1 + model.solve(*nobody).n_factors for model in self.models)
        return list(accumulate(widths, initial=0))

    def _persons(self, user: object) -> list[object]:
        if isinstance(user, Person):
            return list(self.persons(user))
        return [user] * len(self.models)

    def _sum(self, scores: Iterator[np.ndarray]) -> np.ndarray:
        total: Any = np.float32(self.constant)
        for weight, score in zip(self.weights, scores, strict=True):
            total = total + np.float32(weight) * score
        return np.asarray(total)


def terms_by_model(blend: BlendModel, person: Person, items: np.ndarray) -> TermTable:
    """The constant, and one term weight_m score_m for each model.

    ``items`` (n,) are rows.
    """
    by_model = (
        (
            Label(f"what {model.algorithm} says", "model", said=model.algorithm),
            weight * model.score_people([own], items)[0].astype(np.float64),
        )
        for weight, model, own in blend.parts_of(person)
    )
    return TermTable.of_columns(len(items), _constant(blend), *by_model)


def terms_by(blend: BlendModel, person: Person, items: np.ndarray, by: str) -> TermTable:
    """The constant, and the models' terms in one of their views, weighted and joined by name.

    ``items`` (n,) are rows.
    """
    by_model = (
        model.views[by].terms(model, own, items).times(weight)
        for weight, model, own in blend.parts_of(person)
    )
    constant = TermTable.of_columns(len(items), _constant(blend))
    return TermTable.side_by_side(constant, *by_model).joined()


def _constant(blend: BlendModel) -> tuple[Label, float]:
    return Label("constant of the blend", "base"), blend.constant


def end_to_end(sides: Sequence[Embeddings]) -> Embeddings:
    """Biases and factors of the same people in each model, as one row of factors a person."""
    rows = np.concatenate(
        [part for side in sides for part in (side.bias[:, None], side.factors)], axis=1
    )
    rows.flags.writeable = False
    return Embeddings(rows, np.zeros(len(rows), np.float32))
