"""The fitted factor model: five arrays that predict, recommend, explain and fold in.

    score(u, i) = global_mean + user_bias[u] + item_bias[i] + user_factors[u] . item_factors[i]

Nearly every algorithm ends in one of these. Nothing here learns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self, cast

import numpy as np

from matinee.data.ids import as_id
from matinee.data.packed import PackedRatings
from matinee.data.ratings import Ratings
from matinee.display.text import counted
from matinee.errors import BadSetting
from matinee.explain.explanation import Term
from matinee.kernels.factors import score_block, score_pairs
from matinee.kernels.least_squares import Penalty
from matinee.models.folding import FoldingModel
from matinee.models.intervals import Calibration, calibrate, deviations
from matinee.models.kind import NO_TASTES, Scorer, View
from matinee.models.model import Model, fields_of
from matinee.models.nearby_users import terms_of_people
from matinee.models.person import Person
from matinee.models.population_statistics import (
    Lovers,
    crowd_arrays,
    crowd_of,
    lovers_of,
    moments_of,
)
from matinee.models.profile_map import ProfileMap
from matinee.models.retrieval import similar_rows
from matinee.models.rotation import rotated_embeddings, turned_effects
from matinee.models.tensors import Stacked
from matinee.row_solvers import FoldIn, LeastSquares, from_plain, to_plain
from matinee.row_solvers.embeddings import Embeddings
from matinee.tastes import NO_NOTES, TasteNotes, Tastes, find_tastes
from matinee.tastes.canonical import Moments, canonical_turn
from matinee.tastes.cards import n_strongest

# What a score has beyond a history, by how the person is known.
BEYOND = {
    "popular": "the average person",
    "tastes": "the tastes chosen",
    "features": "people like this one",
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class FactorModel(FoldingModel):
    """A model of biases and factors."""

    item_fold: LeastSquares | None = None  # the row solve of items, or one that is like it
    saved_calibration: Calibration | None = None  # of its intervals, where it comes from a folder
    profile_map: ProfileMap | None = None  # what people's features say, where they were known
    taste_notes: TasteNotes = NO_NOTES  # names that people gave tastes, and how stable these are

    @classmethod
    def of(
        cls,
        train: Ratings | PackedRatings,
        mean: float,
        users: Embeddings,
        items: Embeddings,
        fold: FoldIn,
        *,
        unrated_items_learned: bool = False,
        canonical: bool = True,
        **signature: Any,
    ) -> "FactorModel":
        """Freeze what an algorithm learned from ``train``.

        Users without ratings get the average of the others, and so do items, unless the algorithm
        has learned something of them too. ``signature`` are the other fields of the model. The
        factors are brought into canonical form, unless more is to be turned along with them.
        """
        model = cls(
            **fields_of(train),
            global_mean=float(mean),
            user_embeddings=users.completed(train.user_counts > 0),
            item_embeddings=items.completed((train.item_counts > 0) | unrated_items_learned),
            fold=fold,
            profile_map=ProfileMap.of(train.profiles, train.users, users, train.user_counts),
            **signature,
        )
        return model.canonical() if canonical else model

    def __repr__(self) -> str:
        return (
            f"<{self.algorithm} model: {counted(len(self.users), 'user')}, "
            f"{counted(len(self.items), 'item')}, "
            f"{counted(self.n_factors, 'factor')}, {self.scale}>"
        )

    @property
    def user_factors(self) -> np.ndarray:
        """(n_users, n_factors) float32"""
        return self.user_embeddings.factors

    @property
    def item_factors(self) -> np.ndarray:
        """(n_items, n_factors) float32"""
        return self.item_embeddings.factors

    @property
    def user_bias(self) -> np.ndarray:
        """(n_users,) float32, in stars"""
        return self.user_embeddings.bias

    @property
    def item_bias(self) -> np.ndarray:
        """(n_items,) float32, in stars"""
        return self.item_embeddings.bias

    @property
    def n_factors(self) -> int:
        """Factors per user and item."""
        return self.item_embeddings.n_factors

    def score_people(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        return self._scores(self._sides(people), self.item_embeddings.take(items))

    def scorer(self, items: np.ndarray) -> Scorer:
        every = len(items) == len(self.items)
        side = self.item_embeddings if every else self.item_embeddings.take(items)

        def score(people: Sequence[object], out: np.ndarray) -> None:
            self._scores(self._sides(people), side, out)

        return score

    def score_block(self, users: np.ndarray) -> np.ndarray:
        return self._scores(self.user_embeddings.take(users), self.item_embeddings)

    def score_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        users = self.user_embeddings
        if isinstance(users.factors, Stacked):
            rows, user = np.unique(user, return_inverse=True)
            users = users.take(rows)
        return score_pairs(self.global_mean, users, self.item_embeddings, user, item)

    def nearest(self, side: str, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        if self.n_factors == 0:
            return super().nearest(side, row, n)
        if side == "item":
            return similar_rows(self.item_factors, row, n, self.item_counts)
        return similar_rows(self.user_factors, row, n, self.seen.counts)

    def canonical(self, in_place: bool = False) -> Self:
        """The model of the same scores whose factors can be read; see ``tastes.canonical``.

        ``in_place`` turns the users' factors where they are: so this model is no more.
        """
        Q = self.taste_factors[1]
        moments = self.user_moments, moments_of(Q)
        turn = canonical_turn(Q, self.item_counts, *moments, self.fold.freedom)
        return self if turn is None else self.turned(turn, in_place)

    def turned(self, turn: np.ndarray, in_place: bool = False) -> Self:
        """The model with all factors times ``turn`` (n_factors, n_factors), which is orthogonal."""
        profiles = self.profile_map
        if profiles is not None:
            profiles = replace(profiles, weights=turned_effects(profiles.weights, turn))
        return replace(
            self,
            user_embeddings=rotated_embeddings(self.user_embeddings, turn, in_place),
            item_embeddings=rotated_embeddings(self.item_embeddings, turn),
            profile_map=profiles,
        )

    @property
    def taste_factors(self) -> tuple[np.ndarray, np.ndarray]:
        """Users' and items' factors as tastes are read from them: column f is taste f."""
        return self.user_factors, self.item_factors

    @cached_property
    def _tastes(self) -> Tastes:
        return find_tastes(
            self.items,
            self.taste_factors[1],
            (self.user_moments, moments_of(self.taste_factors[1])),
            self.n_strongest,
            self.item_counts,
            self.catalog,
            self.taste_notes,
        )

    @cached_property
    def user_moments(self) -> Moments:
        """Averages over all users' factors."""
        return moments_of(self.taste_factors[0])

    @cached_property
    def n_strongest(self) -> np.ndarray:
        """How many users each taste is the strongest of: (n_factors,)."""
        return n_strongest(*self.taste_factors)

    @cached_property
    def lovers(self) -> Lovers:
        """How strong each factor is in people with ratings."""
        return lovers_of(self.user_factors, self.seen.counts > 0)

    def tastes(self) -> Tastes:
        """What each factor stands for: top items, share of scores, how many people, a label."""
        return self._tastes

    def rename_taste(self, taste: object, name: str | None) -> Self:
        """The same model with a name for a taste, which takes the place of its label everywhere.

        ``taste`` is a number or what it is called now; no name or an empty one brings the label
        back. Raises BadSetting for an unknown taste, and for a name that is too long, holds control
        characters, or is that of another taste.
        """
        number = self.tastes().find(taste).number
        return replace(self, taste_notes=self.taste_notes.renamed(number, name, self.n_factors))

    def strength(self, person: Person) -> np.ndarray:
        """How strong each taste is in somebody: p_f, (n_factors,)."""
        strength: np.ndarray = person.embeddings.factors[0]
        return strength

    def products(self, person: Person, item: int) -> np.ndarray:
        """What each taste adds to the score: p_f q_f, (n_factors,) float64."""
        products: np.ndarray = (
            person.embeddings.factors[0].astype(np.float64) * self.item_factors[item]
        )
        return products

    def item_term(self, item: int) -> Term:
        """What the item's bias adds to the score for everybody."""
        what = "how this is rated" if self.kind == "rating" else "how many know this"
        return Term(what, float(self.item_bias[item]), "item")

    def embeddings_of_features(self, features: Mapping[str, object]) -> Embeddings:
        if self.profile_map is None:
            return super().embeddings_of_features(features)
        nonnegative = bool((self.user_factors >= 0).all())
        return self.profile_map.embeddings(features, self.average_user, nonnegative)

    def people_of_tastes(self) -> tuple[Embeddings, list[str]]:
        if self.n_factors == 0:
            return super().people_of_tastes()
        worth = np.abs(self.item_factors).mean(axis=0, dtype=np.float64)
        usual = float((self.lovers.usual * worth).sum())
        strength = np.minimum(usual / np.where(worth > 0, worth, np.inf), self.lovers.keenest)
        factors = np.diag(strength).astype(np.float32)
        bias = np.repeat(self.average_user.bias, len(worth))
        return Embeddings(factors, bias), [taste.name for taste in self.tastes()]

    @property
    def views(self) -> Mapping[str, View]:
        if not self.n_factors and not self.user_bias.any():  # everybody is scored alike
            return {"history": terms_by_history}
        views = {"factor": terms_by_factor, "history": terms_by_history}
        return views | ({"people": terms_by_people} if self.n_factors else {})

    @property
    def has_intervals(self) -> bool:
        return self.kind == "rating" and isinstance(self.fold, LeastSquares)

    @property
    def row_solve(self) -> LeastSquares:
        """The fold-in of a model that has intervals."""
        return cast(LeastSquares, self.fold)

    @cached_property
    def row_penalty(self) -> Penalty:
        """What all row solves have in common; see ``LeastSquares.shared``."""
        return self.row_solve.row_penalty(self.item_embeddings)

    @cached_property
    def calibration(self) -> Calibration:
        """How ratings lie around predictions, learned when it is first asked for, or saved."""
        return self.saved_calibration or calibrate(self)

    def reach(self, person: Person, items: np.ndarray, level: float) -> np.ndarray:
        return self.calibration.reach(level) * deviations(self, person, items)

    def parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        facts: dict[str, Any] = {
            "global_mean": self.global_mean,
            "fold_in": to_plain(self.fold),
            "taste_notes": self.taste_notes.to_dict(),
        }
        if self.item_fold is not None:
            facts["item_fold_in"] = to_plain(self.item_fold)
        told, of_profiles = self.profile_map.parts() if self.profile_map else ({}, {})
        arrays = {
            "user_factors": self.user_factors,
            "user_bias": self.user_bias,
            "item_factors": self.item_factors,
            "item_bias": self.item_bias,
        }
        if self.item_embeddings.implicit is not None:
            arrays["item_implicit"] = self.item_embeddings.implicit
        return facts | told, arrays | of_profiles | self._calibration_arrays() | crowd_arrays(self)

    def _calibration_arrays(self) -> dict[str, np.ndarray]:
        if not self.has_intervals or not (self.seen.counts > 1).any():
            return {}
        return {f"calibration_{name}": a for name, a in self.calibration._asdict().items()}

    @classmethod
    def from_parts(
        cls, common: dict[str, Any], facts: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> Self:
        of_items = facts.get("item_fold_in")  # folders written before it have none
        model = cls(
            **common,
            global_mean=facts["global_mean"],
            user_embeddings=Embeddings(arrays["user_factors"], arrays["user_bias"]),
            item_embeddings=Embeddings(
                arrays["item_factors"], arrays["item_bias"], arrays.get("item_implicit")
            ),
            fold=from_plain(facts["fold_in"]),
            item_fold=cast(LeastSquares, from_plain(of_items)) if of_items else None,
            saved_calibration=Calibration.from_arrays(arrays),
            profile_map=ProfileMap.from_parts(facts, arrays),
            taste_notes=TasteNotes.from_dict(facts["taste_notes"]),
        )
        vars(model).update(crowd_of(arrays))  # to look at everybody takes long where they are many
        return model

    def _scores(
        self, people: Embeddings, items: Embeddings, out: np.ndarray | None = None
    ) -> np.ndarray:
        return score_block(self.global_mean, people, items, out)

    def _sides(self, people: Sequence[object]) -> Embeddings:
        """Biases and factors of ids and Persons, the average for whoever is unknown."""
        rows = self.users.rows("" if isinstance(one, Person) else as_id(one) for one in people)
        unknown = ~np.array([isinstance(one, Person) for one in people], dtype=bool) & (rows < 0)
        factors, bias = self.user_factors[rows], self.user_bias[rows]
        if unknown.any():
            factors[unknown], bias[unknown] = self.average_user.factors, self.average_user.bias
        for place, one in enumerate(people):
            if isinstance(one, Person):
                factors[place], bias[place] = one.embeddings.factors[0], one.embeddings.bias[0]
        return Embeddings(factors, bias)


def with_tastes(model: Model) -> FactorModel:
    """A model that has tastes, as it is. Raises BadSetting for one that has none."""
    if not isinstance(model, FactorModel) or not model.n_factors:
        raise BadSetting(NO_TASTES.format(model.algorithm))
    return model


def terms_by_factor(model: FactorModel, person: Person, item: int) -> list[Term]:
    """mean + user + item + one term p_f q_f per taste, named for the end that the person is at."""
    strength = model.strength(person)
    products = model.products(person, item)
    user = Term("how you rate", float(person.embeddings.bias[0]), "user")
    tastes = [
        Term(taste.named_for(p), float(value), "taste", said=taste.said_for(p))
        for taste, p, value in zip(model.tastes(), strength, products, strict=True)
    ]
    return [*_common_terms(model, item), user, *tastes]


def terms_by_history(model: FactorModel, person: Person, item: int) -> list[Term]:
    """mean + item + one term per rating given + what they do not explain.

    The terms are those of the row solve (Hu, Koren & Volinsky 2008, section 5), so the remainder
    is zero where the person's factors are that solution, and is shown as a term where not.
    """
    parts = np.zeros(0)
    if len(person.items):
        deviations = person.ratings - model.global_mean - model.item_bias[person.items]
        parts = model.fold.parts(
            person.items, deviations, model.item_embeddings, item, person.embeddings
        )
    ratings = model.rating_terms(person, parts)
    factors = person.embeddings.factors[0].astype(np.float64)
    personal = float(person.embeddings.bias[0]) + float(factors @ model.item_factors[item])
    remainder = personal - float(parts.sum())
    if abs(remainder) > 1e-5 * max(1.0, abs(personal)):
        name = BEYOND.get(person.strategy, "learned beyond your ratings")
        ratings.append(Term(name, remainder, "remainder"))
    return [*_common_terms(model, item), *ratings]


def terms_by_people(model: FactorModel, person: Person, item: int) -> list[Term]:
    """mean + user + item + what people near in factor space gave + what was learned beyond."""
    user = Term("how you rate", float(person.embeddings.bias[0]), "user")
    return [*_common_terms(model, item), user, *terms_of_people(model, person, item)]


def _common_terms(model: FactorModel, item: int) -> list[Term]:
    return [Term("average of all ratings", model.global_mean, "base"), model.item_term(item)]
