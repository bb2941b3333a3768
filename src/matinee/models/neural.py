"""The fitted model of neural matrix factorization: a product of factors, and a network beside it.

    score(u, i) = mean + unit [b_u + c_i + p_u . q_i + f(x_u + y_i)]

f is a tower of two layers. A user is the vector v_u = (p_u, x_u, b_u), solved on fixed items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matinee.data.ids import as_id
from matinee.display.text import counted
from matinee.explain.term import Label, Term
from matinee.explain.term_table import TermTable
from matinee.explain.views import FACTOR, HISTORY, View
from matinee.kernels.blas import one_blas_thread
from matinee.lists.retrieval import similar_rows
from matinee.models.factor import FactorModel, terms_by_factor
from matinee.models.folding import rating_labels
from matinee.models.model import Model
from matinee.row_solvers import LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person
from matinee.row_solvers.tower import Examples, PersonSolve, Tower, Vectors

INTERACTION = "how you and it go together beyond tastes"
NOT_CHOSEN = "what you did not choose"
AVERAGE = "the average person"
PAIRS_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class NeuralModel(Model):
    """Embeddings whose first ``n_factors`` columns are for the product, others for the tower."""

    global_mean: float
    rating_unit: float  # stars that one unit of the network is worth; 1 for preferences
    n_factors: int
    user_embeddings: Embeddings  # in units of the network, as are all of these
    item_embeddings: Embeddings
    average_user: Embeddings  # one row: from whom everybody is solved
    tower: Tower
    reg: float  # penalty of the user solve, per example
    sampled: np.ndarray  # (n,) int32: items that stand for what people do not choose
    n_negatives: int  # weight of these together, per choice

    def __repr__(self) -> str:
        return (
            f"<{self.algorithm} model: {counted(len(self.users), 'user')}, "
            f"{counted(len(self.items), 'item')}, {counted(self.n_factors, 'factor')}, "
            f"{self.tower.weights.shape[0]} hidden units, {self.scale}>"
        )

    @cached_property
    def person_solve(self) -> PersonSolve:
        """The solve of one user's vectors on the items of this model."""
        average = self._vectors(self.average_user).flat[0]
        return PersonSolve(self.tower, average, self.n_factors, self.kind == "preference")

    @cached_property
    def linear(self) -> FactorModel:
        """The model without its tower: what tastes are read from."""
        known = {name: getattr(self, name) for name in ("users", "items", "seen", "scale", "kind")}
        known |= {"algorithm": self.algorithm, "settings": self.settings, "catalog": self.catalog}
        return FactorModel(
            **known,
            data_fingerprint=self.data_fingerprint,
            global_mean=self.global_mean,
            user_embeddings=self._linear_part(self.user_embeddings),
            item_embeddings=self._linear_part(self.item_embeddings),
            fold=LeastSquares(reg=1.0),
        )

    def score_people(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        return self._scores(self._embeddings(people), self.item_embeddings.take(items))

    def score_block(self, users: np.ndarray) -> np.ndarray:
        return self._scores(self.user_embeddings.take(users), self.item_embeddings)

    def score_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        scores = np.empty(len(user), np.float32)
        for first in range(0, len(user), PAIRS_AT_ONCE):
            piece = slice(first, first + PAIRS_AT_ONCE)
            users, items = (
                side.take(rows[piece])
                for side, rows in ((self.user_embeddings, user), (self.item_embeddings, item))
            )
            k = self.n_factors
            product = (users.factors[:, :k] * items.factors[:, :k]).sum(axis=1)
            beyond = self.tower(users.factors[:, k:] + items.factors[:, k:])
            scores[piece] = product + beyond + users.bias + items.bias
        return self._in_ratings(scores)

    def solve(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        if not len(items):
            return self.average_user
        examples, reg = self.examples(items, ratings)
        with one_blas_thread():
            v = self.person_solve.solve(examples, reg).astype(np.float32)
        return Embeddings(v[None, :-1], v[-1:])

    def embeddings_of(self, user: int) -> Embeddings:
        return self.user_embeddings.row(user)

    def examples(self, items: np.ndarray, ratings: np.ndarray) -> tuple[Examples, float]:
        """What scores of someone with ratings (n,) of items (n,) should be, and their penalty.

        Of choices, the sampled items follow, less those that are chosen.
        """
        if self.kind == "rating":
            targets = (ratings.astype(np.float64) - self.global_mean) / self.rating_unit
            weights = np.ones(len(items))
        else:
            others = np.setdiff1d(self.sampled, items)
            each = self.n_negatives * len(items) / max(1, len(others))
            targets = np.repeat([1.0, 0.0], [len(items), len(others)])
            weights = np.repeat([1.0, each], [len(items), len(others)])
            items = np.concatenate([items, others])
        of_items = self._vectors(self.item_embeddings.take(items))
        return Examples(of_items, targets, weights), self.reg * float(weights.sum()) + 1.0

    def nearest(self, side: str, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        if side == "item":
            return similar_rows(self.item_embeddings.factors, row, n, self.item_counts)
        return similar_rows(self.user_embeddings.factors, row, n, self.seen.counts)

    def item_vectors(self, items: np.ndarray) -> np.ndarray | None:
        return np.asarray(self.item_embeddings.factors[items])

    @property
    def views(self) -> Mapping[str, View]:
        return {
            FACTOR.name: FACTOR.of(terms_by_taste),
            HISTORY.name: HISTORY.of(terms_by_history),
        }

    def interaction(self, person: Person, item: int) -> float:
        """What the tower adds to a score, in units of the score."""
        x = person.embeddings.factors[0, self.n_factors :]
        z = x + self.item_embeddings.factors[item, self.n_factors :]
        return self.rating_unit * float(self.tower(z[None])[0])

    def of_linear(self, person: Person) -> Person:
        """A person as the linear part knows them."""
        own = self._linear_part(person.embeddings)
        return Person(person.name, person.items, person.ratings, own, person.strategy)

    def _linear_part(self, side: Embeddings) -> Embeddings:
        own = Embeddings(side.factors[:, : self.n_factors], side.bias)
        return own.in_units(self.rating_unit).frozen()

    def _vectors(self, side: Embeddings) -> Vectors:
        flat = np.column_stack([side.factors, side.bias]).astype(np.float64)
        return Vectors.of(flat, self.n_factors)

    def _scores(self, people: Embeddings, items: Embeddings) -> np.ndarray:
        k = self.n_factors
        with one_blas_thread():
            scores = self.tower.of_pairs(people.factors[:, k:], items.factors[:, k:])
            scores += people.factors[:, :k] @ items.factors[:, :k].T
        return self._in_ratings(scores + people.bias[:, None] + items.bias)

    def _in_ratings(self, scores: np.ndarray) -> np.ndarray:
        return np.float32(self.global_mean) + np.float32(self.rating_unit) * scores

    def _embeddings(self, people: Sequence[object]) -> Embeddings:
        """Vectors of ids and Persons, the average for whoever is unknown."""
        rows = self.users.rows("" if isinstance(one, Person) else as_id(one) for one in people)
        sides = [
            one.embeddings
            if isinstance(one, Person)
            else self.average_user
            if row < 0
            else self.user_embeddings.row(row)
            for one, row in zip(people, rows.tolist(), strict=True)
        ]
        return Embeddings(
            np.concatenate([one.factors for one in sides]),
            np.concatenate([one.bias for one in sides]),
        )


def terms_by_taste(model: NeuralModel, person: Person, items: np.ndarray) -> TermTable:
    """mean + user + item + one term per taste of the product + what the tower adds.

    ``items`` (n,) are rows.
    """
    added = np.array([model.interaction(person, item) for item in items.tolist()])
    tastes = terms_by_factor(model.linear, model.of_linear(person), items)
    beyond = TermTable.of_columns(len(items), (Label(INTERACTION, "remainder"), added))
    return TermTable.side_by_side(tastes, beyond)


def terms_by_history(model: NeuralModel, person: Person, items: np.ndarray) -> TermTable:
    """The score for the average person + one term per rating given.

    The gradient of the score is integrated from the average person to this one, and each rating has
    the share of that way which it has brought about; see ``PersonSolve``. What quadrature and solve
    leave over is a term of its own where it is no rounding.

    ``items`` (n,) are rows.
    """
    return TermTable.of_rows([_terms_of_history(model, person, item) for item in items.tolist()])


def _terms_of_history(model: NeuralModel, person: Person, item: int) -> list[Term]:
    unit, target = model.rating_unit, model._vectors(model.item_embeddings.row(item))
    solve = model.person_solve
    average = model.global_mean + unit * float(solve.scores(solve.average, target)[0])
    v = model._vectors(person.embeddings).flat[0]
    lead = unit * float(solve.scores(v, target)[0] - solve.scores(solve.average, target)[0])
    shares = np.zeros(0)
    if len(person.items):
        examples, reg = model.examples(person.items, person.ratings)
        with one_blas_thread():
            shares = unit * solve.parts(v, examples, reg, target)
    own, others = shares[: len(person.items)], shares[len(person.items) :]
    terms = [
        Term(AVERAGE, average, "base"),
        *(
            label.term(float(part))
            for label, part in zip(rating_labels(model, person), own, strict=True)
        ),
    ]
    if len(others):
        terms.append(Term(NOT_CHOSEN, float(others.sum()), "user"))
    remainder = lead - float(shares.sum())
    if abs(remainder) > 1e-5 * max(1.0, abs(lead)):
        terms.append(Term("learned beyond your ratings", remainder, "remainder"))
    return terms
