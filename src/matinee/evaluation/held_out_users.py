"""A model for held-out users, who are folded in from a history instead of trained on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.errors import BadSetting


@dataclass(frozen=True, eq=False)
class FoldedIn:
    """A model whose users with a history are folded in from it; the others are as trained."""

    model: Any  # a matinee Model
    history: Rows  # by the model's row numbers
    seen: Rows  # training ratings and histories together

    @classmethod
    def of(cls, model: Any, history: Ratings) -> "FoldedIn":
        """Raises BadSetting for a model that cannot fold in, or for ids other than its own."""
        if not hasattr(model, "fold_in") or not hasattr(model, "score_people"):
            raise BadSetting("this model cannot fold people in; choose another split")
        if history.users != model.users or history.items != model.items:
            raise BadSetting("the history has other ids than the model; take both from one split")
        trained = np.repeat(np.arange(len(model.users)), model.seen.counts)
        seen = Ratings.of(
            model.users,
            model.items,
            np.concatenate([trained, history.user]),
            np.concatenate([model.seen.indices, history.item]),
            np.concatenate([model.seen.values, history.rating]),
            scale=model.scale,
        )  # to know what is rated: weights play no part
        return cls(model, history.by_user, seen.by_user)

    @property
    def users(self) -> IdMap:
        return self.model.users  # type: ignore[no-any-return]

    @property
    def items(self) -> IdMap:
        return self.model.items  # type: ignore[no-any-return]

    @property
    def scale(self) -> Scale:
        return self.model.scale  # type: ignore[no-any-return]

    @property
    def kind(self) -> str:
        return self.model.kind  # type: ignore[no-any-return]

    @property
    def data_fingerprint(self) -> str:
        """Of the training ratings."""
        return self.model.data_fingerprint  # type: ignore[no-any-return]

    @cached_property
    def _all_items(self) -> np.ndarray:
        return np.arange(len(self.items), dtype=np.int32)

    def score_block(self, users: np.ndarray) -> np.ndarray:
        """Scores (n, n_items) that rank all items for the users in rows ``users``."""
        people = [self._person(row) for row in users.tolist()]
        return self.model.list_scores(people, self._all_items)  # type: ignore[no-any-return]

    def predict_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Predicted ratings (n,) float32 of pairs of row numbers (n,), sorted by user."""
        predicted = np.empty(len(user), np.float32)
        starts = np.flatnonzero(np.diff(user, prepend=-1))
        for first, last in zip(starts, [*starts[1:], len(user)], strict=True):
            people = [self._person(int(user[first]))]
            predicted[first:last] = self.model.score_people(people, item[first:last])[0]
        return self.model.clipped(predicted)  # type: ignore[no-any-return]

    def _person(self, row: int) -> object:
        name = self.users.ids[row]
        history = self.history.only(row)
        if len(history.indices) == 0:
            return name
        ids = self.items.ids[history.indices].tolist()
        rated = dict(zip(ids, history.values.tolist(), strict=True))
        weights = None
        if history.weights is not None:
            weights = dict(zip(ids, history.weights.tolist(), strict=True))
        return self.model.fold_in(rated, name=name, sample_weight=weights)
