"""What a model must offer so that its scores can be explained and questioned."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.ids import IdMap
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person


class TasteControls(Protocol):
    """The tastes of a model, as strong as they are in somebody."""

    def with_taste(self, person: Person, taste: object, factor: float) -> tuple[Person, str]:
        """The person with a taste ``factor`` times as strong, and what a sentence calls it.

        ``taste`` is a number or a name. Raises BadSetting for an unknown one.
        """


class Explainable(Protocol):
    """A fitted model, seen from below: it scores people and solves them again."""

    @property
    def items(self) -> IdMap:
        """The items that are scored."""

    @property
    def catalog(self) -> Catalog:
        """What is known of the items."""

    @property
    def scale(self) -> Scale:
        """The rating scale."""

    @property
    def kind(self) -> str:
        """Whether scores are stars ("rating") or only rank ("preference")."""

    @property
    def unit(self) -> str:
        """What scores are in: stars or points."""

    @property
    def algorithm(self) -> str:
        """The name of the algorithm that fitted it."""

    @property
    def item_counts(self) -> np.ndarray:
        """Training ratings of each item: int64 (n_items,)."""

    def item_row(self, item: object) -> int:
        """The row of an item by its id. Raises UnknownId."""

    @property
    def taste_controls(self) -> TasteControls | None:
        """Its tastes; None for a model without any."""

    def score_people(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        """Unclipped scores (n_people, n) float32 of the items in rows ``items`` (n,)."""

    def solve_many(self, rated: Rows) -> Embeddings:
        """Biases and factors of people with the histories in the rows of ``rated``."""

    def solve_without_each(self, rated: Rows) -> Embeddings:
        """Those of someone without each of the n ratings of one row in turn: n rows."""

    def fold_in(self, history: Mapping[object, float]) -> Person:
        """Someone new, from ``{item id: rating}``."""
