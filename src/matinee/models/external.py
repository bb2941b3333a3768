"""A fitted model from outside, which need be no more than ``predict`` or ``score``.

    predict(users, items)    predicted ratings (n,) of n pairs of ids
    score(users, items)      numbers (n,) that rank, where lists go by others or there are no stars

Ids are as ``ratings.to_pandas()`` has them. Predictions, lists, evaluation and comparison follow;
explanations, fold-in and model files do not, as nothing is known of the inside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from matinee.data.ids import as_id
from matinee.data.ratings import Ratings
from matinee.display.frames import ids_in_type
from matinee.display.notebook import Part
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted
from matinee.errors import BadModel, BadSetting
from matinee.explain.views import View
from matinee.models.fitted import fields_of
from matinee.models.model import Model
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ExternalModel(Model):
    """A model whose scores are those of an object from outside."""

    model: Any
    method: str  # "predict" or "score"

    @classmethod
    def of(cls, model: object, train: Ratings, algorithm: str, settings: JsonObject) -> Model:
        """The model around an object fitted on ``train``; a Model of ours as it is.

        Raises BadModel for an object that has neither ``predict`` nor ``score``.
        """
        if isinstance(model, Model) or hasattr(model, "score_block"):
            return model  # type: ignore[return-value]
        methods = [name for name in ("predict", "score") if callable(getattr(model, name, None))]
        if not methods:
            raise BadModel(
                f"the fit of {algorithm} returned {type(model).__name__}, which has neither "
                "predict(users, items) nor score(users, items)"
            )
        return cls(
            **fields_of(train),
            model=model,
            method=methods[0],
            kind="rating" if methods[0] == "predict" else "preference",
            algorithm=algorithm,
            settings=settings,
        )

    def __repr__(self) -> str:
        return f"<{self.algorithm} model: {self.model!r}>"

    def parts(self) -> Iterator[Part]:
        """What is known of it: nothing of its inside."""
        yield repr(self)
        yield f"  {counted(len(self.users), 'user')}, {counted(len(self.items), 'item')}"

    @cached_property
    def ranker(self) -> Model:
        """The same model by its ``score``, where it has one beside ``predict``."""
        if self.method == "predict" and callable(getattr(self.model, "score", None)):
            return replace(self, method="score", kind="preference")
        return self

    def score_people(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        scores = np.empty((len(people), len(items)), np.float32)
        for place, one in enumerate(people):
            if isinstance(one, Person):
                self._refuse("folds no one in")
            scores[place] = self._ask([as_id(one)] * len(items), items)
        return scores

    def score_block(self, users: np.ndarray) -> np.ndarray:
        return self.score_people(self.users.ids[users].tolist(), np.arange(len(self.items)))

    def score_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        return self._ask(self.users.ids[user].tolist(), item)

    def _ask(self, users: list[str], items: np.ndarray) -> np.ndarray:
        """Numbers (n,) for n users with the items in rows ``items`` (n,)."""
        pairs = (
            np.asarray(ids_in_type(users, self.users.id_type)),
            np.asarray(ids_in_type(self.items.ids[items].tolist(), self.items.id_type)),
        )
        answer = np.asarray(getattr(self.model, self.method)(*pairs), dtype=np.float32)
        if answer.shape != (len(items),):
            raise BadModel(
                f"{self.method} of {self.algorithm} returned the shape {answer.shape} for "
                f"{len(items)} pairs; one number a pair is needed"
            )
        return answer

    def solve(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        self._refuse("folds no one in")

    def embeddings_of(self, user: int) -> Embeddings:
        return Embeddings.zeros(1, 0)

    @property
    def views(self) -> dict[str, View]:
        self._refuse("gives no reasons")

    def save(self, path: str | Path) -> Path:
        self.refuse_saving()

    def refuse_saving(self) -> NoReturn:
        """Raise BadSetting: there is no model file of it."""
        self._refuse(
            "is no model file; evaluate, compare, cross-validate and tune take its algorithm, and "
            "a fit that returns a model of Matinee's classes, such as FactorModel, can be saved"
        )

    def _refuse(self, lack: str) -> NoReturn:
        raise BadSetting(f"the model of {self.algorithm}, which is from outside, {lack}")
