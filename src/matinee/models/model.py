"""What every fitted model can do, whatever it is made of.

Predicting, recommending and explaining follow from what each kind of model says of itself
(``Kind``); they are written here, once. Folding in is in ``newcomers``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast, overload

import numpy as np

from matinee.data.ids import as_id
from matinee.data.packed import PackedRatings
from matinee.data.ratings import Ratings
from matinee.display.tables import Table
from matinee.errors import Advice, BadSetting, Message, UnknownId
from matinee.explain.contrast import Contrast, contrast
from matinee.explain.counterfactual import Counterfactual, counterfactual
from matinee.explain.explanation import Explanation
from matinee.explain.personalization import Evidence, shares
from matinee.explain.what_if import WhatIf, what_if
from matinee.models.newcomers import Newcomers
from matinee.models.person import Person
from matinee.models.predictions import Predictions
from matinee.models.retrieval import best_items

PIECE = 1 << 22  # numbers counted at once
NEGLIGIBLE = 1e-9  # a term this small is a zero of the model, not a reason
SOMEBODY_NEW: Message = (
    "; somebody new comes by their ratings (",
    Advice("model.fold_in", "matinee recommend --ratings FILE", "POST /v1/recommendations"),
    ") or a few questions (",
    Advice("matinee.Interview", "matinee interview"),
    ")",
)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Model(Newcomers):
    """A fitted model. Make one with an algorithm's ``fit``, or ``matinee.load``.

    Whoever or whatever has no training rating is scored as the average of those who have:
    ``predict`` and ``score`` do so and mark it, ``recommend`` and ``explain`` ask for a known
    user or a folded-in one.
    """

    # People.

    def name_of(self, user: object) -> str:
        """What to call a user: the id, or a folded-in person's name."""
        return user.name if isinstance(user, Person) else as_id(user)

    def user_row(self, user: object) -> int:
        """Row of a user. Raises UnknownId, with near ids and the way of whoever is new."""
        return self.users.row(user, SOMEBODY_NEW)

    def require(self, user: object) -> None:
        """Raise UnknownId unless there are ratings to know this user by."""
        if isinstance(user, Person):
            return
        row = self.user_row(user)
        if self.seen.indptr[row] == self.seen.indptr[row + 1]:
            raise UnknownId(
                f"user {as_id(user)!r} has no rating in the training data", *SOMEBODY_NEW
            )

    def person(self, user: object) -> Person:
        """The person behind an id. Raises UnknownId when there is no rating to know them by."""
        if isinstance(user, Person):
            return user
        self.require(user)
        row = self.users.row(user)
        return Person(as_id(user), *self.seen.row(row), self.embeddings_of(row), "personal")

    def rated(self, user: object) -> np.ndarray:
        """Rows of the items that a user has rated, ascending; none for an unknown id."""
        if isinstance(user, Person):
            return user.items
        row = self.users.find(as_id(user))
        return self.seen.row(row)[0] if row >= 0 else np.empty(0, np.int32)

    def rated_by(self, people: Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
        """``rated`` of several people: those of person j are items[indptr[j]:indptr[j + 1]]."""
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
                if title in (entry.label.casefold(), entry.title.casefold()) and one in self.items:
                    raise UnknownId(
                        f"no item {as_id(item)!r}; that is the title of item {one!r}"
                    ) from None
            raise

    # Scores of pairs.

    @cached_property
    def item_counts(self) -> np.ndarray:
        """Training ratings of each item: int64 (n_items,)."""
        return counts_of(self.seen.indices, len(self.items))

    @cached_property
    def _rated_items(self) -> np.ndarray:
        """Rows of the items with training ratings."""
        return np.flatnonzero(self.item_counts > 0).astype(np.int32)

    def predict_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Predicted ratings (n,) of pairs of row numbers: scores clipped to the scale."""
        return self.clipped(self.score_rows(user, item))

    def clipped(self, scores: np.ndarray) -> np.ndarray:
        """Scores as predicted ratings: clipped to the scale where they are in stars."""
        return scores if self.kind == "preference" else np.clip(scores, *self.scale)

    def score(self, users: object, items: object) -> np.ndarray:
        """Unclipped scores (n,) of (user, item) pairs, by id; an unknown id counts as average."""
        return self.predict(users, items).score

    def predict(self, users: object, items: object) -> Predictions:
        """Predicted ratings of (user, item) pairs, by id, clipped to the rating scale.

        ``users`` and ``items`` are an id or many; one of them alone is repeated. Unknown ids
        count as the average user or item, and the result marks them in ``known``.
        """
        pairs = np.broadcast_arrays(as_objects(users), as_objects(items))
        who, item_ids = (pair.tolist() for pair in pairs)
        rows = self.items.rows(item_ids)
        scores = np.array(
            [self._score_one(user, row) for user, row in zip(who, rows.tolist(), strict=True)],
            dtype=np.float32,
        )
        known_items = (rows >= 0) & (self.item_counts[rows] > 0)
        known_users = [isinstance(user, Person) or len(self.rated(user)) > 0 for user in who]
        return Predictions(
            user_id=[self.name_of(user) for user in who],
            item_id=[as_id(item) for item in item_ids],
            score=scores,
            rating=self.clipped(scores),
            known=known_items & np.array(known_users, dtype=bool),
        )

    def _score_one(self, user: object, item: int) -> float:
        if item >= 0:
            return float(self.score_people([user], np.array([item]))[0, 0])
        return float(self.score_people([user], self._rated_items).mean(dtype=np.float64))

    # Lists.

    def recommend(
        self,
        user: object,
        n: int = 10,
        *,
        exclude_seen: bool = True,
        items: Iterable[object] | None = None,
        exclude: Iterable[object] | None = None,
    ) -> Table:
        """The ``n`` items that score best for a user, or for each of several users.

        Columns ``rank, item_id, title, score``, with ``user_id`` first for several users. Scores
        are unclipped; ties keep the order of items. ``items`` limits the candidates, ``exclude``
        takes some out. Raises UnknownId for an id without training ratings (fold them in first),
        and BadSetting when ``n`` is below 1.
        """
        _at_least_one(n)
        single = isinstance(user, str | Person) or not isinstance(user, Iterable)
        people = [user] if single else list(cast(Iterable[object], user))
        for one in people:
            self.require(one)
        candidates = self._candidates(items, exclude)
        seen = self.rated_by if exclude_seen else None
        found, scores = best_items(
            self.scorer(candidates), people, candidates, n, seen, len(self.items)
        )
        filled = found >= 0
        columns: dict[str, Any] = {}
        if not single:
            names = np.array([self.name_of(one) for one in people], dtype=object)
            columns["user_id"] = np.repeat(names, filled.sum(axis=1))
        columns["rank"] = np.broadcast_to(np.arange(1, found.shape[1] + 1), found.shape)[filled]
        columns |= self.named(found[filled]) | {"score": scores[filled].astype(float)}
        return Table(columns)

    def named(self, rows: np.ndarray) -> dict[str, Any]:
        """Ids and titles of item rows, as columns."""
        different, place = np.unique(rows, return_inverse=True)
        titles = np.empty(len(different), dtype=object)
        titles[:] = [self.catalog.label(one) for one in self.items.ids[different].tolist()]
        return {"item_id": self.items.ids[rows], "title": titles[place]}

    def similar_items(self, item: object, n: int = 10) -> Table:
        """The ``n`` items most like an item; columns ``rank, item_id, title, similarity``.

        Raises UnknownId, and BadSetting for a model that compares no items.
        """
        _at_least_one(n)
        rows, similarity = self.nearest("item", self.item_row(item), n)
        ranks = range(1, len(rows) + 1)
        return Table({"rank": ranks, **self.named(rows), "similarity": similarity})

    def similar_users(self, user: object, n: int = 10) -> Table:
        """The ``n`` users most like a user; columns ``rank, user_id, similarity``.

        Raises as ``similar_items`` does.
        """
        _at_least_one(n)
        rows, similarity = self.nearest("user", self.user_row(user), n)
        names = self.users.ids[rows]
        return Table({"rank": range(1, len(rows) + 1), "user_id": names, "similarity": similarity})

    # Reasons.

    @overload
    def explain(
        self, user: object, item: object, by: str | None = None, *, versus: None = None
    ) -> Explanation: ...
    @overload
    def explain(
        self, user: object, item: object, by: str | None = None, *, versus: object
    ) -> Explanation | Contrast: ...
    def explain(
        self, user: object, item: object, by: str | None = None, *, versus: object = None
    ) -> Explanation | Contrast:
        """Why this item scores what it does for this user, in terms that sum to the score.

        ``by="factor"``: average, user, item, and one term per taste. ``by="history"``: one term
        per rating the user gave; what training added beyond them is a term of its own. Left out,
        the model's usual view. With ``versus``, another item, the terms that set the two apart.
        Raises UnknownId, and BadSetting for a view it does not have.
        """
        if versus is not None:
            return contrast(self.explain(user, item, by), self.explain(user, versus, by))
        (found,) = self.explain_each(user, [item], by)
        return found

    def explain_each(
        self, user: object, items: Iterable[object], by: str | None = None
    ) -> list[Explanation]:
        """``explain`` of several items for one user, at less cost than one by one."""
        views = self.views
        by = by or next(iter(views))
        if by not in views:
            raise BadSetting(
                f"by is {by!r}; models of {self.algorithm} explain by {' or '.join(views)}"
            )
        person = self.person(user)
        rows = np.array([self.item_row(item) for item in items], dtype=np.int32)
        scores = self.score_people([person], rows)[0]
        usual = float(self.score_people([person], self._rated_items).mean(dtype=np.float64))
        numbers = zip(rows.tolist(), scores.tolist(), self.clipped(scores).tolist(), strict=True)
        return [
            Explanation(
                user=person.name,
                item_id=self.items.ids[row],
                title=self.catalog.label(self.items.ids[row]),
                by=by,
                score=score,
                predicted=predicted,
                strategy=person.strategy,
                terms=tuple(t for t in views[by](self, person, row) if abs(t.value) > NEGLIGIBLE),
                unit="stars" if self.kind == "rating" else "points",
                usual=usual,
                n_raters=int(self.item_counts[row]),
            )
            for row, score, predicted in numbers
        ]

    def what_if(
        self,
        user: object,
        item: object,
        *,
        without: Iterable[object] = (),
        change: Mapping[object, float] | None = None,
        tastes: Mapping[object, float] | None = None,
    ) -> WhatIf:
        """How an item's score and rank would move if the user's ratings or tastes were others.

        ``without`` are rated items to forget, ``change`` is ``{item: rating}``, of rated items or
        new ones, and ``tastes`` is ``{number or name: factor}``. The user is solved again. Raises
        UnknownId, BadRatings for a rating outside the scale, and BadSetting when nothing changes,
        for an item in ``without`` that was never rated, or for a taste the model does not have.
        """
        row = self.item_row(item)
        return what_if(self, self.person(user), row, without, change or {}, tastes or {})

    def counterfactual(
        self, user: object, item: object, n: int = 10, most: int = 5
    ) -> Counterfactual:
        """The fewest of the user's ratings without which an item leaves their first ``n``.

        At most ``most``; where no such set is found, the result says so. Raises UnknownId, and
        BadSetting for an item that is not among the first ``n``.
        """
        return counterfactual(self, self.person(user), self.item_row(item), n, most)

    def evidence(self, user: object, item: object) -> Evidence:
        """How many ratings a score rests on: ``by_user`` and ``of_item``.

        Raises UnknownId for an unknown item.
        """
        row = self.item_row(item)
        return Evidence(len(self.rated(user)), int(self.item_counts[row]))

    def how_personal(self, user: object, item: object) -> float:
        """The share of an item's lead over the others that is this user's own, 0..1.

        1 - lead for the average person / lead for the user; 0 where the item has no lead. Below
        one half an item is popular rather than personal. Raises UnknownId.
        """
        return float(shares(self, self.person(user), np.array([self.item_row(item)]))[0])

    def interval(self, users: object, items: object, level: float = 0.8) -> Table:
        """Where the rating of each (user, item) pair will lie with probability ``level``.

        Columns ``user_id, item_id, rating, low, high``, clipped to the scale. ``users`` and
        ``items`` are an id or many; one of them alone is repeated. Raises UnknownId for an unknown
        item or for a user without ratings, and BadSetting unless 0 < level < 1, or where the model
        gives none.
        """
        if not self.has_intervals:
            raise BadSetting(
                f"models of {self.algorithm} give no intervals; mf, nmf, svdpp and bayesian-mf do"
            )
        if not 0 < level < 1:
            raise BadSetting(f"level is {level}; it must lie between 0 and 1")
        who, what = np.broadcast_arrays(as_objects(users), as_objects(items))
        rows = np.array([self.item_row(item) for item in what], dtype=np.int64)
        rating, reach = np.empty(len(rows)), np.empty(len(rows))
        for user in {id(one) if isinstance(one, Person) else one: one for one in who}.values():
            here = np.array([one is user or one == user for one in who])
            person = self.person(user)
            rating[here] = self.clipped(self.score_people([user], rows[here])[0])
            reach[here] = self.reach(person, rows[here], level)
        ends = {"low": rating - reach, "high": rating + reach}
        ids = {
            "user_id": np.array([self.name_of(user) for user in who], dtype=object),
            "item_id": self.items.ids[rows],
        }
        return Table(
            ids | {"rating": rating} | {name: self.clipped(end) for name, end in ends.items()}
        )

    def save(self, path: str | Path) -> Path:
        """Write the model to the folder ``path``, as data and never code; see ``matinee.load``."""
        from matinee.models.saved import save_model

        return save_model(self, Path(path))

    def _candidates(
        self, items: Iterable[object] | None, exclude: Iterable[object] | None
    ) -> np.ndarray:
        allowed = np.full(len(self.items), items is None)
        for ids, value in ((items, True), (exclude, False)):
            if ids is not None:
                allowed[[self.item_row(one) for one in ids]] = value
        return np.flatnonzero(allowed).astype(np.int32)


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


def _at_least_one(n: int) -> None:
    if not isinstance(n, int | np.integer) or isinstance(n, bool):
        raise BadSetting(f"n is {n!r}; it must be a whole number")
    if n < 1:
        raise BadSetting(f"n is {n}; a list needs at least 1 entry")


def as_objects(values: object) -> np.ndarray:
    """One value, or an iterable of them, as a one-dimensional object array."""
    many = isinstance(values, Iterable) and not isinstance(values, str | Person)
    listed = list(cast(Iterable[object], values)) if many else [values]
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array
