"""A factor model that knows what items are like, and scores items without ratings.

    q_i = W' f_i + its ratings, beyond that,    c_i likewise

An item without ratings is W' f_i. So a film that comes out tomorrow is scored by its features, and
the score is a sum over them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.features import Vocabulary
from matinee.data.ids import IdMap
from matinee.errors import BadSetting
from matinee.explain.term import Label, Term
from matinee.explain.term_table import TermTable
from matinee.explain.views import FEATURES, View
from matinee.models.factor import FactorModel
from matinee.models.rotation import rotated_effects
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person

NOTHING_BEYOND = 1e-5  # a difference from what features say that is rounding

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class HybridModel(FactorModel):
    """A factor model with the effect of each feature; ``Hybrid`` and ``ContentBased`` make it."""

    vocabulary: Vocabulary
    weights: np.ndarray  # (n_features, n_factors + 1) float32: effects on factors and on the bias

    @cached_property
    def features(self) -> "csr_array":
        """What the catalogue says of each item: (n_items, n_features) float32."""
        return self.vocabulary.encode(self.catalog, self.items)

    def rotated(self, rotation: np.ndarray, in_place: bool = False) -> Self:
        model = super().rotated(rotation, in_place)
        return replace(model, weights=rotated_effects(self.weights, rotation))

    @property
    def views(self) -> Mapping[str, View]:
        return {**super().views, FEATURES.name: FEATURES.of(terms_by_feature)}

    def item_terms(self, items: np.ndarray) -> TermTable:
        """The biases of the items in rows (n,).

        Where one is that of the features, the ratings of its item had no part in it.
        """
        bias = self.item_bias[items].astype(np.float64)
        by_features = self.features[items] @ self.weights[:, -1]
        alike = np.abs(by_features - bias) <= NOTHING_BEYOND
        what = "how such items are rated" if self.kind == "rating" else "how many know such items"
        return TermTable.of_columns(
            len(items),
            (self.item_label, np.where(alike, 0.0, bias)),
            (Label(what, "alike"), np.where(alike, bias, 0.0)),
        )

    def with_items(self, catalog: Catalog) -> Self:
        """The same model, which also answers for the items of a catalogue that it does not know.

        They are known by their features alone; those that are known stay as they are. Raises
        BadSetting where the catalogue holds no new item.
        """
        new = [item_id for item_id in catalog if item_id not in self.items]
        if not new:
            raise BadSetting("the catalogue holds no item that the model does not know already")
        items = IdMap.of([*self.items, *new], "item", self.items.id_type)
        old = items.rows(self.items)
        entries = {**catalog.entries, **self.catalog.entries}
        F = self.vocabulary.encode(Catalog(entries), items)
        embeddings = expected(F, self.weights, nonnegative=bool((self.item_factors >= 0).all()))
        embeddings.factors[old], embeddings.bias[old] = self.item_factors, self.item_bias
        if self.item_embeddings.implicit is not None:
            implicit = np.zeros_like(embeddings.factors)
            implicit[old] = self.item_embeddings.implicit
            embeddings = embeddings._replace(implicit=implicit)
        model = replace(
            self,
            items=items,
            catalog=Catalog(entries),
            seen=self.seen._replace(indices=old[self.seen.indices]),
            item_embeddings=embeddings.frozen(),
            choice=None if self.choice is None else self.choice.with_items(catalog),
        )
        if "calibration" in vars(self):  # its ratings are the same
            vars(model)["calibration"] = self.calibration
        return model


def expected(F: "csr_array", W: np.ndarray, nonnegative: bool = False) -> Embeddings:
    """What features say of items: F W, its last column the biases.

    F is (n_items, n_features), W (n_features, n_factors + 1).
    """
    guess = np.asarray(F @ W, dtype=np.float32)
    factors = np.ascontiguousarray(guess[:, :-1])
    if nonnegative:
        np.maximum(factors, 0.0, out=factors)
    return Embeddings(factors, guess[:, -1].copy())


def terms_by_feature(model: HybridModel, person: Person, items: np.ndarray) -> TermTable:
    """mean + user + one term per feature of the item + what its ratings say beyond them.

    A feature adds  f (p . w + v),  w and v its effects on factors and bias. Where all the features
    together would make a non-negative factor negative, it is 0, and they add nothing through it.
    The feature that all items share, ``what is usual``, speaks for none of them.

    ``items`` (n,) are rows.
    """
    rows = [_terms_of_features(model, person, item) for item in items.tolist()]
    return TermTable.of_rows(rows)


def _terms_of_features(model: HybridModel, person: Person, item: int) -> list[Term]:
    f = model.features[[item]]
    p = np.append(person.embeddings.factors[0].astype(np.float64), 1.0)
    W = model.weights[f.indices].astype(np.float64)
    whole = np.append(model.item_factors[item], model.item_bias[item]).astype(np.float64)
    guess = f.data.astype(np.float64) @ W
    if (model.item_factors >= 0).all():
        W[:, :-1][:, guess[:-1] < 0] = 0.0
    parts = f.data * (W @ p)
    terms = [
        Term("average of all ratings", model.global_mean, "base"),
        Term("how you rate", float(person.embeddings.bias[0]), "user"),
        *(
            Term(model.vocabulary.names[at], float(part), "feature" if at else "base")
            for at, part in zip(f.indices.tolist(), parts, strict=True)
        ),
    ]
    beyond = float(whole @ p) - float(parts.sum())
    if model.item_counts[item] and abs(beyond) > NOTHING_BEYOND:
        terms.append(Term("its ratings, beyond that", beyond, "remainder"))
    return terms
