"""The fitted factor model: five arrays that predict, recommend, explain, fold in and are saved.

    score(u, i) = global_mean + user_bias[u] + item_bias[i] + user_factors[u] . item_factors[i]

Nearly every algorithm ends in one of these. It is immutable; nothing here learns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from matinee.catalog import NO_CATALOG, Catalog
from matinee.errors import BadSetting
from matinee.explanation import Explanation
from matinee.ids import IdMap
from matinee.kernels.factors import score_pairs
from matinee.kernels.jit import read_only
from matinee.kernels.threads import run_rows
from matinee.models.explain import explain_by_factor, explain_by_history
from matinee.models.fold_in import FoldIn
from matinee.models.people import People, Person
from matinee.models.predictions import Predictions
from matinee.models.retrieval import best_items, similar_rows
from matinee.models.side import Side
from matinee.ratings import Ratings, Rows, Scale
from matinee.tables import Table
from matinee.tastes import Tastes, find_tastes

Users = object | Iterable[object]  # an id, a folded-in person, or several of either


@dataclass(frozen=True, eq=False, repr=False)
class FactorModel:
    """A fitted model. Make one with an algorithm's ``fit``, or ``matinee.load``.

    Whoever or whatever has no training rating is scored as the average of those who have:
    ``predict`` and ``score`` do so and mark it, ``recommend`` and ``explain`` ask for a known
    user or a folded-in one.
    """

    users: IdMap
    items: IdMap
    global_mean: float
    user_side: Side
    item_side: Side
    seen: Rows  # the training ratings of each user
    scale: Scale
    kind: str  # "rating": scores are stars; "preference": scores only rank
    fold: FoldIn
    algorithm: str  # its registered name
    settings: Mapping[str, Any]  # its hyper-parameters
    data_fingerprint: str
    catalog: Catalog = NO_CATALOG
    facts: Mapping[str, Any] = field(default_factory=dict)  # what the fit reports, in plain data

    @classmethod
    def of(
        cls,
        train: Ratings,
        mean: float,
        users: Side,
        items: Side,
        fold: FoldIn,
        *,
        algorithm: str,
        settings: Mapping[str, Any],
        kind: str = "rating",
        facts: Mapping[str, Any] | None = None,
        unrated_items_learned: bool = False,
    ) -> "FactorModel":
        """Freeze what an algorithm learned from ``train``.

        Users without ratings get the average of the others, and so do items, unless the algorithm
        has learned something of them too.
        """
        rated = (train.by_user.counts > 0, (train.by_item.counts > 0) | unrated_items_learned)
        sides = []
        for side, known in zip((users, items), rated, strict=True):
            average = side.mean(known)
            factors = np.where(known[:, None], side.factors, average.factors).astype(np.float32)
            bias = np.where(known, side.bias, average.bias).astype(np.float32)
            for array in (factors, bias):
                array.flags.writeable = False
            sides.append(Side(factors, bias))
        return cls(
            train.users, train.items, float(mean), *sides, train.by_user, train.scale, kind, fold,
            algorithm, settings, train.fingerprint, train.catalog, facts or {},
        )  # fmt: skip

    def __repr__(self) -> str:
        return (
            f"<{self.algorithm} model: {len(self.users):,} users, {len(self.items):,} items, "
            f"{self.n_factors} factors, {self.scale}>"
        )

    # The arrays, by the field's names.

    @property
    def user_factors(self) -> np.ndarray:
        """(n_users, n_factors) float32"""
        return self.user_side.factors

    @property
    def item_factors(self) -> np.ndarray:
        """(n_items, n_factors) float32"""
        return self.item_side.factors

    @property
    def user_bias(self) -> np.ndarray:
        """(n_users,) float32, in stars"""
        return self.user_side.bias

    @property
    def item_bias(self) -> np.ndarray:
        """(n_items,) float32, in stars"""
        return self.item_side.bias

    @property
    def n_factors(self) -> int:
        return self.item_side.n_factors

    @cached_property
    def item_counts(self) -> np.ndarray:
        """Training ratings of each item: int64 (n_items,)."""
        return np.bincount(self.seen.indices, minlength=len(self.items))

    @cached_property
    def people(self) -> People:
        """The people of the training data, the average one, and those who are folded in."""
        return People(
            self.users, self.items, self.global_mean, self.user_side, self.item_side, self.seen,
            self.fold, self.scale, self.kind,
        )  # fmt: skip

    # Scores.

    def score_block(self, users: np.ndarray) -> np.ndarray:
        """Scores (n, n_items) of all items for the users in rows ``users`` (n,), unclipped."""
        return self.people.scores(self.user_side.take(users), self.item_side)

    def score_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Unclipped scores (n,) float32 of pairs of row numbers."""
        out = np.empty(len(user), np.float32)
        run_rows(
            score_pairs, np.ones(len(user)), read_only(user, np.int32), read_only(item, np.int32),
            np.float32(self.global_mean), self.user_bias, self.item_bias, self.user_factors,
            self.item_factors, out,
        )  # fmt: skip
        return out

    def predict_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Predicted ratings (n,) of pairs of row numbers: scores clipped to the scale."""
        scores = self.score_rows(user, item)
        return scores if self.kind == "preference" else np.clip(scores, *self.scale)

    def score(self, users: Users, items: object) -> np.ndarray:
        """Unclipped scores (n,) of (user, item) pairs, by id; an unknown id counts as average."""
        return self._predictions(users, items).score

    def predict(self, users: Users, items: object) -> Predictions:
        """Predicted ratings of (user, item) pairs, by id, clipped to the rating scale.

        ``users`` and ``items`` are an id or many; one of them alone is repeated. Unknown ids
        count as the average user or item, and the result marks them in ``known``.
        """
        return self._predictions(users, items)

    def _predictions(self, users: Users, items: object) -> Predictions:
        pairs = np.broadcast_arrays(_as_objects(users), _as_objects(items))
        who, item_ids = (pair.tolist() for pair in pairs)
        side, known_user = self.people.side(who)
        rows = self.items.rows(item_ids)
        known_item = (rows >= 0) & (self.item_counts[rows] > 0)
        average = self.item_side.mean(self.item_counts > 0)
        factors = np.where(rows[:, None] >= 0, self.item_factors[rows], average.factors)
        bias = np.where(rows >= 0, self.item_bias[rows], average.bias)
        scores = self.global_mean + side.bias + bias + np.einsum("nf,nf->n", side.factors, factors)
        rating = scores if self.kind == "preference" else np.clip(scores, *self.scale)
        return Predictions(
            user_id=[self.people.name(user) for user in who],
            item_id=[str(item) for item in item_ids],
            score=scores.astype(np.float32),
            rating=rating.astype(np.float32),
            known=known_user & known_item,
        )

    # Lists.

    def recommend(
        self,
        user: Users,
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
        if n < 1:
            raise BadSetting(f"n is {n}; a list needs at least 1 item")
        single = isinstance(user, str | Person) or not isinstance(user, Iterable)
        people = [user] if single else list(user)  # type: ignore[call-overload]
        for one in people:
            self.people.require(one)
        candidates = self._candidates(items, exclude)
        found, scores = best_items(self.people, self.item_side, people, candidates, n, exclude_seen)
        filled = found >= 0
        rows = found[filled]
        columns: dict[str, Any] = {}
        if not single:
            names = np.array([self.people.name(one) for one in people], dtype=object)
            columns["user_id"] = np.repeat(names, filled.sum(axis=1))
        columns["rank"] = np.broadcast_to(np.arange(1, found.shape[1] + 1), found.shape)[filled]
        columns |= self._named(rows) | {"score": scores[filled].astype(float)}
        return Table(columns)

    def similar_items(self, item: object, n: int = 10) -> Table:
        """The ``n`` items whose factors point most nearly the same way (cosine similarity).

        Columns ``rank, item_id, title, similarity``. Raises UnknownId, and BadSetting for a
        model without factors.
        """
        rows, similarity = self._similar(self.item_factors, self.items.row(item), n)
        return Table(
            {"rank": range(1, len(rows) + 1), **self._named(rows), "similarity": similarity}
        )

    def similar_users(self, user: object, n: int = 10) -> Table:
        """The ``n`` users whose factors point most nearly the same way (cosine similarity).

        Columns ``rank, user_id, similarity``. Raises as ``similar_items`` does.
        """
        rows, similarity = self._similar(self.user_factors, self.users.row(user), n)
        names = self.users.ids[rows]
        return Table(
            {"rank": range(1, len(rows) + 1), "user_id": names, "similarity": similarity}
        )

    # People and reasons.

    def fold_in(self, history: Mapping[object, float]) -> Person:
        """Someone new, from ``{item id: rating}``, without a refit; usable wherever a user is.

        Items that the model does not know are left out and named in ``person.unknown_items``; an
        empty history gives the average person. Raises BadRatings for a rating that is no finite
        number or lies outside the scale, UnknownId when no item of the history is known.
        """
        return self.people.fold_in(history)

    def explain(self, user: object, item: object, by: str = "factor") -> Explanation:
        """Why this item scores what it does for this user, in terms that sum to the score.

        ``by="factor"``: average, user, item, and one term per taste. ``by="history"``: one term per
        rating the user gave; what training added beyond them is a term of its own. Raises UnknownId.
        """
        views = {"factor": explain_by_factor, "history": explain_by_history}
        if by not in views:
            raise BadSetting(f"by is {by!r}; explanations are by {' or '.join(views)}")
        person = self.people.person(user)
        return views[by](self, person, self.items.row(item))

    @cached_property
    def _tastes(self) -> Tastes:
        return find_tastes(self.users, self.items, self.user_factors, self.item_factors, self.catalog)

    def tastes(self) -> Tastes:
        """What each factor stands for: top items, share of scores, how many people, a label."""
        return self._tastes

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
                allowed[[self.items.row(one) for one in ids]] = value
        return np.flatnonzero(allowed).astype(np.int32)

    def _named(self, rows: np.ndarray) -> dict[str, Any]:
        ids = self.items.ids[rows].tolist()
        return {"item_id": ids, "title": [self.catalog.label(one) for one in ids]}

    def _similar(self, factors: np.ndarray, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        if self.n_factors == 0:
            raise BadSetting(f"a {self.algorithm} model has no factors to compare; fit mf or nmf")
        if n < 1:
            raise BadSetting(f"n is {n}; a list needs at least 1 entry")
        return similar_rows(factors, row, n)


def _as_objects(values: object) -> np.ndarray:
    """One value, or an iterable of them, as a one-dimensional object array."""
    many = isinstance(values, Iterable) and not isinstance(values, str | Person)
    listed = list(values) if many else [values]  # type: ignore[call-overload]
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array
