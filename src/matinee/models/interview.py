"""Which films to ask a newcomer about: those whose answers will tell the most.

Someone's taste x = (p, b) is normal with the mean and covariance S of the trained users. An answer
about film j is r_j = mean + c_j + y_j . x + noise of variance v, with y_j = (q_j, 1), and leaves

    S - S y_j y_j' S / (v + y_j' S y_j)        (Rasmussen & Williams 2006, section 2.1)

whatever the answer is. What remains unknown of the films that people watch is sum_i w_i y_i' S y_i
= trace(M S), w_i the share of ratings that film i has. The next question is the film with most

    gain_j = known_j  y_j' S M S y_j / (v + y_j' S y_j)

known_j is the share of people who have rated it: who has not seen it cannot answer. Choosing by
expected reduction of variance is A-optimal design (Cohn, Ghahramani & Jordan 1996; for recommenders
Rubens, Kaplan & Sugiyama 2011).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, TypeGuard

import numpy as np

from matinee.display.notebook import Grid, Part, Printable
from matinee.display.text import counted, percent
from matinee.errors import BadSetting
from matinee.models.factor import FactorModel
from matinee.models.model import Model
from matinee.row_solvers.person import Person, numbered_history

MOST = 200_000  # ratings, and people, that are looked at: where there are more, spread evenly


@dataclass(frozen=True, repr=False)
class Question(Printable):
    """A film to ask about."""

    item_id: str
    title: str
    known: float  # share of people who have rated it
    gain: float  # share of what is still unknown that an answer takes away

    def parts(self) -> Iterator[Part]:
        """The film, how many know it, and what an answer tells."""
        facts = {
            "id": self.item_id,
            "rated by": f"{percent(self.known)} of people",
            "an answer takes away": f"{percent(self.gain)} of what is still unknown",
        }
        yield self.title
        yield Grid([list(fact) for fact in facts.items()], has_heading=False, left=(0, 1), indent=2)


class Knowledge(NamedTuple):
    """What a model knows before the first answer: arrays that all questions share."""

    Y: np.ndarray  # (n_items, d) float64: item factors and a 1 for the bias
    watched: np.ndarray  # (n_items,): share of all ratings
    known: np.ndarray  # (n_items,): share of users who have rated it
    M: np.ndarray  # (d, d): sum of watched_i y_i y_i'
    S: np.ndarray  # (d, d): covariance of users
    noise: float  # variance of a rating around its score

    @classmethod
    def of(cls, model: Model) -> "Knowledge":
        """From the trained users and their ratings. Raises BadSetting as ``Interview`` does."""
        model = askable(model)
        rated, n = model.seen.counts > 0, model.item_counts
        people = np.flatnonzero(rated)
        people = people[:: 1 + len(people) // MOST]
        X = np.column_stack([model.user_factors[people], model.user_bias[people]])
        Y = np.column_stack([model.item_factors, np.ones(len(n))]).astype(np.float64)
        watched = n / n.sum()
        some = np.arange(0, len(model.seen.indices), 1 + len(model.seen.indices) // MOST)
        user = np.searchsorted(model.seen.indptr, some, side="right") - 1
        error = model.score_rows(user, model.seen.indices[some]) - model.seen.values[some]
        return cls(
            Y,
            watched,
            n / rated.sum(),
            Y.T @ (watched[:, None] * Y),
            np.atleast_2d(np.cov(X.astype(np.float64), rowvar=False)),
            max(float(np.mean(error.astype(np.float64) ** 2)), 1e-6),
        )


@dataclass(frozen=True, eq=False, repr=False)
class Interview(Printable):
    """An interview so far: ``Interview(model).question``, then ``answered`` or ``unseen``.

    Each step is a new value. Raises BadSetting for a model without factors, or of preferences.
    """

    model: Model
    answers: Mapping[object, float] = field(default_factory=dict)  # item id -> stars
    not_seen: tuple[str, ...] = ()  # what they could not answer
    knowledge: Knowledge = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        askable(self.model)
        if self.knowledge is None:
            object.__setattr__(self, "knowledge", Knowledge.of(self.model))
        numbered_history(self.answers, self.model.items, self.model.scale)

    def __repr__(self) -> str:
        return f"<Interview: {counted(len(self.answers), 'answer')}, {len(self.not_seen)} not seen>"

    def parts(self) -> Iterator[Part]:
        """The answers so far, what is still unknown, and the next question."""
        label = self.model.catalog.label
        yield repr(self)
        if self.answers:
            rows = [[label(str(one)), f"{stars:g}"] for one, stars in self.answers.items()]
            yield Grid([["answers", "stars"], *rows], indent=2)
        yield f"still unknown: {self.uncertainty:.2f} stars"
        if self.question is not None:
            yield from self.question.parts()

    @cached_property
    def covariance(self) -> np.ndarray:
        """S after the answers so far: (n_factors + 1, n_factors + 1)."""
        S, v = self.knowledge.S, self.knowledge.noise
        for item_id in self.answers:
            Sy = S @ self.knowledge.Y[self.model.items.row(item_id)]
            S = S - np.outer(Sy, Sy) / (v + Sy @ self.knowledge.Y[self.model.items.row(item_id)])
        return S

    @property
    def uncertainty(self) -> float:
        """What is still unknown: the average standard deviation of what people watch, in stars."""
        return float(np.sqrt(max(np.trace(self.knowledge.M @ self.covariance), 0.0)))

    @property
    def question(self) -> Question | None:
        """The film to ask about next; None when all that people have rated were asked."""
        Y, S = self.knowledge.Y, self.covariance
        SM = S @ self.knowledge.M
        reduction = np.einsum("id,id->i", Y @ (SM @ S), Y)
        reduction /= self.knowledge.noise + np.einsum("id,id->i", Y @ S, Y)
        gain = self.knowledge.known * reduction
        gain[self.model.items.rows([*self.answers, *self.not_seen])] = -np.inf
        best = int(np.argmax(gain))
        if not gain[best] > 0:
            return None
        item_id = str(self.model.items.ids[best])
        whole = float(np.trace(SM))
        return Question(
            item_id,
            self.model.catalog.called(item_id),
            float(self.knowledge.known[best]),
            float(reduction[best]) / whole,
        )

    def answered(self, item: object, rating: float) -> "Interview":
        """The interview after they rated an item, in stars. Raises as ``model.fold_in`` does."""
        item_id = str(self.model.items.ids[self.model.items.row(item)])
        return replace(self, answers={**self.answers, item_id: rating})

    def unseen(self, item: object) -> "Interview":
        """The interview after they said that they have not seen an item."""
        item_id = str(self.model.items.ids[self.model.items.row(item)])
        return replace(self, not_seen=(*self.not_seen, item_id))

    def person(self, name: str = "newcomer") -> Person:
        """Whom the answers make: folded in, or the average person where there is none."""
        return self.model.fold_in(self.answers, name)


def is_askable(model: Model) -> TypeGuard[FactorModel]:
    """Whether a model has what an interview needs: stars, and factors."""
    return isinstance(model, FactorModel) and model.n_factors > 0 and model.kind == "rating"


def askable(model: Model) -> FactorModel:
    """The model, if it has what an interview needs. Raises BadSetting otherwise."""
    if not is_askable(model):
        raise BadSetting(
            f"an interview needs a model of stars with factors, such as mf or nmf, not one of "
            f"{model.algorithm}"
        )
    return model
