"""A fitted model from inside: what it learned, whom and what it knows, and how it scores them.

Each kind of model defines a few methods: how it scores people, how it solves someone's embeddings,
and which views a score has. What people do with a model follows from these, see ``Model``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from matinee.data.catalog import NO_CATALOG, Catalog
from matinee.data.catalog_filter import CatalogColumns
from matinee.data.ids import IdMap, as_id
from matinee.data.packed import PackedRatings
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.display.frames import Column
from matinee.display.plain_data import JsonMapping
from matinee.errors import Advice, BadSetting, Message, UnknownId
from matinee.explain.explainable import TasteControls
from matinee.explain.explanation import LIST, STARS
from matinee.explain.views import View
from matinee.lists.retrieval import Scorer
from matinee.models.capabilities import INTERVALS, SIMILAR, VECTORS
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person

PIECE = 1 << 22  # numbers counted at once
NEW_USERS: Message = (
    "; fold new users in by their ratings (",
    Advice("model.fold_in", "matinee recommend --ratings FILE", "POST /v1/recommendations"),
    ") or by a few questions (",
    Advice("matinee.Interview", "matinee interview"),
    ")",
)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Fitted:
    """What every fitted model holds and can be asked, whatever it is made of."""

    users: IdMap
    items: IdMap
    seen: Rows  # the training ratings of each user
    scale: Scale
    kind: str  # "rating": scores are stars; "preference": scores only rank
    algorithm: str  # its registered name
    settings: JsonMapping  # its hyper-parameters
    data_fingerprint: str
    catalog: Catalog = NO_CATALOG
    facts: JsonMapping = field(default_factory=dict)  # what the fit reports, in plain data

    # What each kind of model defines.

    def score_people(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        """Unclipped scores (n_people, n) float32 of the items in rows ``items`` (n,).

        People are ids or Persons; an unknown id counts as the average person.
        """
        raise NotImplementedError

    def score_block(self, users: np.ndarray) -> np.ndarray:
        """Unclipped scores (n, n_items) float32 of all items for the users in rows ``users``."""
        raise NotImplementedError

    def score_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Unclipped scores (n,) float32 of pairs of row numbers."""
        raise NotImplementedError

    def solve(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        """Bias and factors, one row, of someone with ratings (n,) that all weigh one.

        They are those of the average user where there are none.
        """
        raise NotImplementedError

    def embeddings_of(self, user: int) -> Embeddings:
        """Bias and factors, one row, of a trained user by row number."""
        raise NotImplementedError

    @property
    def views(self) -> Mapping[str, View]:
        """The ways to explain a score, by name; the first is the default."""
        raise NotImplementedError

    @property
    def precomputed(self) -> tuple[str, ...]:
        """Names of cached properties that a folder stores, as they take long to compute."""
        return ("item_counts",)

    # What only some kinds can do, or do in a quicker way.

    def scorer(self, items: np.ndarray) -> Scorer:
        """``score_people`` of the items in rows (n,), for one block of people after another."""

        def score(people: Sequence[object], out: np.ndarray) -> None:
            out[:] = self.score_people(people, items)

        return score

    def index_items(self) -> None:
        """Prepare for lists of one person after another, where that takes an index of items."""

    def solve_many(self, rated: Rows) -> Embeddings:
        """``solve`` for each row of ``rated``, as embeddings of as many rows."""
        solved = [self.solve(*rated.row(r)) for r in range(len(rated.counts))]
        return Embeddings(
            np.concatenate([one.factors for one in solved]),
            np.concatenate([one.bias for one in solved]),
        )

    def solve_without_each(self, rated: Rows) -> Embeddings:
        """The solutions without each of the n ratings of one row in turn: n rows."""
        n = len(rated.indices)
        copies = rated.take(np.zeros(n, dtype=int))
        return self.solve_many(copies.subset(~np.eye(n, dtype=bool).ravel()))

    def nearest(self, side: str, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (n,) of the items or users ("item", "user") most like a row, and similarities (n,).

        Raises BadSetting for a model that does not compare them.
        """
        raise SIMILAR[side].missing(self.algorithm)

    def item_vectors(self, items: np.ndarray) -> np.ndarray | None:
        """Vectors (n, k) by which the items in these rows are alike; None where there are none."""
        return None

    def linear_people(self, people: Sequence[object]) -> Embeddings:
        """People as embeddings e_u with score(u, i) = e_u . e_i; see ``linear_items``.

        The product of embeddings is that of their factors, plus both biases. Raises BadSetting for
        a model whose score is no such product.
        """
        raise VECTORS.missing(self.algorithm)

    def linear_items(self) -> Embeddings:
        """All items as embeddings e_i with score(u, i) = e_u . e_i; raises as ``linear_people``."""
        raise VECTORS.missing(self.algorithm)

    @property
    def taste_controls(self) -> TasteControls | None:
        """Its tastes, for explanations; None for a model without any."""
        return None

    @property
    def takes_weights(self) -> bool:
        """Whether the ratings of new users may have weights."""
        return False

    @property
    def has_intervals(self) -> bool:
        """Whether ``interval`` can say where a rating will lie."""
        return False

    def reach(self, person: Person, items: np.ndarray, level: float) -> np.ndarray:
        """How far (n,) from the predictions a share ``level`` of this person's ratings lie.

        In rating units. Raises BadSetting for a model without intervals.
        """
        raise INTERVALS.missing(self.algorithm)

    def embeddings_of_features(self, features: Mapping[str, object]) -> Embeddings:
        """Bias and factors, one row, expected of someone with these features. Raises BadSetting."""
        raise BadSetting(
            f"this model of {self.algorithm} knows nothing of people but their ratings; fit mf or "
            "nmf on ratings with profiles, as MovieLens 100K and 1M have them",
            Advice(" (ratings.with_profiles adds some)", ""),
        )

    # What scores are.

    @property
    def unit(self) -> str:
        """What scores are in: stars, or points where they only rank."""
        return "stars" if self.kind == "rating" else "points"

    @property
    def explains(self) -> str:
        """Which number its explanations are of: "stars", or the "list" score."""
        return STARS if self.kind == "rating" else LIST

    @property
    def adds_points(self) -> bool:
        """Whether scores are stars and points of choice, each of which is worth a star."""
        return False

    @property
    def score_in_words(self) -> str:
        """What a list says of its scores: what they are made of, and their unit."""
        if self.unit == "stars":
            return f"score: the stars predicted, before they are held to {self.scale}"
        return "score: points for how likely each is to be chosen; they only rank, within one list"

    def clipped(self, scores: np.ndarray) -> np.ndarray:
        """Scores of any shape as predicted ratings: clipped to the scale if they are in stars."""
        return scores if self.kind == "preference" else np.clip(scores, *self.scale)

    def predict_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Predicted ratings (n,) of pairs of row numbers: scores clipped to the scale."""
        return self.clipped(self.score_rows(user, item))

    def stars(self, person: Person, items: np.ndarray) -> np.ndarray:
        """Unclipped stars (n,) of the items in rows ``items``; scores where there are none."""
        return np.asarray(self.score_people([person], items)[0])

    def usual_score(self, person: Person) -> float:
        """The mean score of the items with training ratings."""
        return float(self.score_people([person], self.rated_items).mean(dtype=np.float64))

    def predicted(self, person: Person, items: np.ndarray) -> np.ndarray:
        """Predicted ratings (n,) of the items in rows ``items``: stars clipped to the scale."""
        return self.clipped(self.stars(person, items))

    def from_stars(self, people: Sequence[object]) -> list[object]:
        """Ids, and Persons of the model that this one ranks for, as this one knows them."""
        return list(people)

    def to_stars(self, person: Person) -> Person:
        """``from_stars`` in reverse."""
        return person

    # People.

    def name_of(self, user: object) -> str:
        """What to call a user: the id, or a folded-in person's name."""
        return user.name if isinstance(user, Person) else as_id(user)

    def user_row(self, user: object) -> int:
        """Row of a user. Raises UnknownId, with near ids and how to fold new users in."""
        return self.users.row(user, NEW_USERS)

    def require(self, user: object) -> None:
        """Raise UnknownId unless there are ratings to know this user by."""
        if isinstance(user, Person):
            return
        row = self.user_row(user)
        if self.seen.indptr[row] == self.seen.indptr[row + 1]:
            raise UnknownId(f"user {as_id(user)!r} has no rating in the training data", *NEW_USERS)

    def person(self, user: object) -> Person:
        """The person behind an id. Raises UnknownId when there is no rating to know them by."""
        if isinstance(user, Person):
            return user
        self.require(user)
        row = self.users.row(user)
        history = self.seen.only(row)
        return Person(
            as_id(user),
            history.indices,
            history.values,
            self.embeddings_of(row),
            "personal",
            weights=history.weights,
        )

    def rated(self, user: object) -> np.ndarray:
        """Rows (n,) of the items that a user has rated, ascending; none for an unknown id."""
        if isinstance(user, Person):
            return user.items
        row = self.users.find(as_id(user))
        return self.seen.row(row)[0] if row >= 0 else np.empty(0, np.int32)

    def rated_by(self, people: Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
        """``rated`` of several people, as indptr (n_people + 1,) and items (n_ratings,).

        Those of person j are items[indptr[j]:indptr[j + 1]].
        """
        if any(isinstance(one, Person) for one in people):
            lists = [self.rated(one) for one in people]
            return np.cumsum([0, *map(len, lists)]), np.concatenate(lists)
        seen = self.seen.take(self.users.rows(people))
        return seen.indptr, seen.indices

    # Items.

    def item_row(self, item: object) -> int:
        """Row of an item. Raises UnknownId, which says whose title it is if it is one."""
        try:
            return self.items.row(item)
        except UnknownId:
            title = as_id(item).casefold()
            for one, entry in self.catalog.entries.items():
                if title in map(str.casefold, entry.names) and one in self.items:
                    raise UnknownId(
                        f"no item {as_id(item)!r}; that is the title of item {one!r}"
                    ) from None
            raise

    def named(self, rows: np.ndarray) -> dict[str, Column]:
        """Ids of item rows (n,), and titles where there is a catalogue, as columns."""
        if not self.catalog:
            return {"item_id": self.items.ids[rows]}
        different, place = np.unique(rows, return_inverse=True)
        titles = np.empty(len(different), dtype=object)
        titles[:] = [self.catalog.label(one) for one in self.items.ids[different].tolist()]
        return {"item_id": self.items.ids[rows], "title": titles[place]}

    @cached_property
    def item_counts(self) -> np.ndarray:
        """Training ratings of each item: int64 (n_items,)."""
        counts = counts_of(self.seen.indices, len(self.items))
        counts.flags.writeable = False
        return counts

    @cached_property
    def columns(self) -> CatalogColumns:
        """What the catalogue says of the items, column by column."""
        return CatalogColumns(self.catalog, list(self.items))

    @cached_property
    def item_genres(self) -> np.ndarray:
        """Which item has which genre of the catalogue: bool (n_items, n_genres)."""
        _, genres = self.catalog.genre_matrix(self.items)
        genres.flags.writeable = False
        return genres

    @cached_property
    def rated_items(self) -> np.ndarray:
        """Rows (n,) int32 of the items with training ratings."""
        return np.flatnonzero(self.item_counts > 0).astype(np.int32)

    @property
    def id_types(self) -> dict[str, str | None]:
        """The integer types that ids were given in, by the columns of result tables."""
        return {"user_id": self.users.id_type, "item_id": self.items.id_type}


def fields_of(train: Ratings | PackedRatings) -> dict[str, Any]:
    """The fields that every model takes over from the ratings it was fitted on."""
    return {
        "users": train.users,
        "items": train.items,
        "seen": train.by_user,
        "scale": train.scale,
        "data_fingerprint": train.fingerprint,
        "catalog": train.catalog,
    }


def counts_of(numbers: np.ndarray, n: int) -> np.ndarray:
    """How often each of 0..n - 1 stands there: int64 (n,), counted piece by piece."""
    counts = np.zeros(n, np.int64)
    for first in range(0, len(numbers), PIECE):  # numpy counts on a copy of eight bytes each
        counts += np.bincount(numbers[first : first + PIECE], minlength=n)
    return counts
