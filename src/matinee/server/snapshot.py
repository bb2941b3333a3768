"""A loaded model with the indexes that requests need: an immutable value, swapped as a whole."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from matinee.data.scale import step_of
from matinee.errors import BadModel, BadSetting
from matinee.list_store.stored_list import ListStore
from matinee.models import Model, load
from matinee.models.interview import Knowledge
from matinee.storage.model_files import manifest_digest, model_fingerprint

MOST_RATINGS = 1_000_000  # that the step of the scale is read from
MAX_ATTEMPTS = 5  # to read a folder that is being replaced


@dataclass(frozen=True, eq=False)
class ModelSnapshot:
    """A model, its version, and indexes over its items."""

    model: Model
    version: str
    name: str = "main"  # of its arm
    hidden: frozenset[str] = frozenset()  # items that lists and searches leave out
    fingerprint: str = ""  # of the folder; see ``model_fingerprint``
    lists: ListStore | None = None  # of all users, made ahead
    loaded_at: float = field(default_factory=time.time)  # seconds since 1970

    @classmethod
    def load(cls, path: Path, name: str = "main") -> "ModelSnapshot":
        """Load the model in a folder and warm it up. Raises BadModel."""
        for _ in range(MAX_ATTEMPTS):
            digest = manifest_digest(path)
            model, fingerprint = load(path), model_fingerprint(path)
            if manifest_digest(path) == digest:
                version = f"{model.algorithm}-{digest}"
                snapshot = cls(model, version, name, fingerprint=fingerprint)
                snapshot.warm_up()
                return snapshot
        raise BadModel(f"{path} was replaced each time while it was being read")

    @property
    def digest(self) -> str:
        """The digest of the manifest that the model was loaded from."""
        return self.version.rsplit("-", 1)[1]

    def warm_up(self) -> None:
        """Compute now what the first request would otherwise wait for."""
        self.model.index_items()
        counts = self.model.seen.counts
        if counts.any():
            user = self.model.users.ids[int(counts.argmax())]
            (first, *_) = self.model.recommend(user, 1, exclude_seen=False).item_id
            self.model.explain(user, first)
        self.model.fold_in({})
        _ = self.years, self.genres, self.search_texts, self.by_count

    @cached_property
    def interview_knowledge(self) -> Knowledge:
        """What interviews begin with. Raises BadSetting where the model cannot lead any."""
        return Knowledge.of(self.model)

    @cached_property
    def has_similar(self) -> bool:
        """Whether the model has similar items."""
        try:
            self.model.nearest("item", 0, 1)
        except BadSetting:
            return False
        return True

    @cached_property
    def rating_step(self) -> float | None:
        """The step that the ratings of the training data go by; None where they go by none."""
        return step_of(self.model.seen.values[:MOST_RATINGS])

    @cached_property
    def years(self) -> np.ndarray:
        """Year of each item: int32 (n_items,), 0 where unknown."""
        catalog = self.model.catalog
        return np.array(
            [catalog[item_id].year or 0 for item_id in self.model.items], dtype=np.int32
        )

    @cached_property
    def visible(self) -> np.ndarray:
        """Which items lists and searches may have: bool (n_items,)."""
        visible = np.ones(len(self.model.items), dtype=bool)
        rows = self.model.items.rows(self.hidden)
        visible[rows[rows >= 0]] = False
        return visible

    @cached_property
    def genres(self) -> Mapping[str, np.ndarray]:
        """Mask of the items of each genre, by name: bool (n_items,)."""
        names, has_genre = self.model.catalog.genre_matrix(self.model.items)
        return {name: has_genre[:, column] for column, name in enumerate(names)}

    @cached_property
    def search_texts(self) -> list[str]:
        """The text that searches match, for each item: its names and its id, case-folded."""
        catalog = self.model.catalog
        return ["\n".join([*catalog[one].names, one]).casefold() for one in self.model.items]

    @cached_property
    def by_count(self) -> np.ndarray:
        """Item rows ordered by number of ratings, most first: int64 (n_items,)."""
        return np.argsort(-self.model.item_counts, kind="stable")
