"""One loaded model and what answers need of it: a value, swapped as a whole."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from matinee.errors import BadModel
from matinee.models import Model, load
from matinee.models.storage import MANIFEST

TRIES = 5  # to read a folder that is being replaced


@dataclass(frozen=True, eq=False)
class Serving:
    """A model, the name of its version, and indexes over its items."""

    model: Model
    version: str
    loaded_at: float = field(default_factory=time.time)

    @classmethod
    def at(cls, path: Path) -> "Serving":
        """Load the model in a folder and make it ready. Raises BadModel, in words."""
        for _ in range(TRIES):
            digest = digest_at(path)
            model = load(path)
            if digest_at(path) == digest:
                serving = cls(model, f"{model.algorithm}-{digest}")
                serving.warm()
                return serving
        raise BadModel(f"{path} was replaced again and again while it was read")

    def is_at(self, path: Path) -> bool:
        """Whether a folder still holds this model."""
        return self.version.endswith(digest_at(path))

    def warm(self) -> None:
        """Do once what the first request would wait for."""
        counts = self.model.seen.counts
        if counts.any():
            user = self.model.users.ids[int(counts.argmax())]
            (first, *_) = self.model.recommend(user, 1, exclude_seen=False).item_id
            self.model.explain(user, first)
        self.model.fold_in({})
        _ = self.years, self.genres, self.search_texts, self.by_count

    @cached_property
    def years(self) -> np.ndarray:
        """Year of each item: int32 (n_items,), 0 where it is unknown."""
        catalog = self.model.catalog
        return np.array([catalog[one].year or 0 for one in self.model.items], dtype=np.int32)

    @cached_property
    def genres(self) -> Mapping[str, np.ndarray]:
        """Which items are of a genre: bool (n_items,), by name."""
        names, has = self.model.catalog.genre_matrix(self.model.items)
        return {name: has[:, place] for place, name in enumerate(names)}

    @cached_property
    def search_texts(self) -> list[str]:
        """What a search looks at, for each item: title, year and id, in small letters."""
        catalog = self.model.catalog
        return [f"{catalog.label(one)}\n{one}".casefold() for one in self.model.items]

    @cached_property
    def by_count(self) -> np.ndarray:
        """Item rows, the most rated first."""
        return np.argsort(-self.model.item_counts, kind="stable")


def digest_at(path: Path) -> str:
    """A short digest of a model folder's manifest, which holds the digests of all else."""
    try:
        return hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()[:12]
    except OSError:
        raise BadModel(f"there is no model at {path}: {path / MANIFEST} is missing") from None
