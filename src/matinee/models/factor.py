"""The fitted factor model: five arrays that predict, recommend, explain and fold in.

    score(u, i) = global_mean + user_bias[u] + item_bias[i] + user_factors[u] . item_factors[i]

Nearly every algorithm ends in one of these. Nothing here learns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from matinee.data.ids import as_id
from matinee.data.packed import PackedRatings
from matinee.data.ratings import Ratings
from matinee.display.text import counted
from matinee.errors import check_known
from matinee.explain.explainable import TasteControls
from matinee.explain.term import Label
from matinee.explain.term_table import TermTable
from matinee.explain.views import FACTOR, HISTORY, PEOPLE, View
from matinee.kernels.blas import one_blas_thread, row_products
from matinee.kernels.factors import score_block, score_pairs
from matinee.kernels.product_index import ProductIndex, product_index
from matinee.lists.retrieval import ProductScorer, Scorer, similar_rows
from matinee.models import intervals
from matinee.models.capabilities import INTERVALS, TASTES
from matinee.models.fitted import fields_of
from matinee.models.folding import FoldingModel
from matinee.models.intervals import Calibration, RowSolves
from matinee.models.model import Model
from matinee.models.nearby_users import terms_of_people
from matinee.models.newcomers import POINTS, from_tastes, without_ratings
from matinee.models.population_statistics import PopulationStatistics, moments_of
from matinee.models.profile_map import ProfileMap
from matinee.models.rotation import rotated_effects, rotated_embeddings, rotated_fold
from matinee.models.taste_space import TasteSpace, item_tastes, user_tastes
from matinee.models.trial_fits import only_scores_are_used
from matinee.models.vectors import Vectors, factor_vectors
from matinee.row_solvers import FoldIn, LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person
from matinee.storage.tensors import Stacked
from matinee.tastes import NO_NOTES, TasteNotes, Tastes
from matinee.tastes.canonical import canonical_rotation

# What a score has beyond a history, by how the person is known.
BEYOND = {
    "popular": "the average person",
    "tastes": "the tastes chosen",
    "features": "people like this one",
}

INDEXED_FROM = 100_000  # items; fewer are scored in a millisecond or two


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class FactorModel(FoldingModel):
    """A model of biases and factors."""

    item_fold: LeastSquares | None = None  # the row solve of items, or one that is like it
    profile_map: ProfileMap | None = None  # from users' features to embeddings, where known
    taste_notes: TasteNotes = NO_NOTES  # names that people gave tastes, and their stability

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
        factors are brought into canonical form, unless more is to be turned along with them or
        only the scores are used. Users' factors that can be written are taken over, not copied:
        they may be most of the memory.
        """
        profile_map = ProfileMap.of(train.profiles, train.users, users, train.user_counts)
        model = cls(
            **fields_of(train),
            global_mean=float(mean),
            user_embeddings=users.completed(train.user_counts > 0),
            item_embeddings=items.completed((train.item_counts > 0) | unrated_items_learned),
            fold=fold,
            profile_map=profile_map,
            **signature,
        )
        if not canonical or only_scores_are_used():
            return model
        return model.canonical(in_place=users.factors.flags.writeable)

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
        return self._scores(self._embeddings(people), self.item_embeddings.take(items))

    def scorer(self, items: np.ndarray) -> Scorer:
        if len(items) < len(self.items):
            some = self.item_embeddings.take(items)
            return ProductScorer(self.global_mean, self._embeddings, some)
        index = vars(self).get("item_index")  # where ``index_items`` has made it
        return ProductScorer(self.global_mean, self._embeddings, self.item_embeddings, index)

    @cached_property
    def item_index(self) -> ProductIndex | None:
        """The index by which a person's list passes over most items; None where it would not."""
        return product_index(self.item_embeddings)

    def index_items(self) -> None:
        if len(self.items) >= INDEXED_FROM:
            _ = self.item_index

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

    def item_vectors(self, items: np.ndarray) -> np.ndarray | None:
        return np.asarray(self.item_factors[items]) if self.n_factors else None

    def linear_people(self, people: Sequence[object]) -> Embeddings:
        own = self._embeddings(people)
        return Embeddings(np.asarray(own.factors), own.bias + np.float32(self.global_mean))

    def linear_items(self) -> Embeddings:
        return Embeddings(np.asarray(self.item_factors), self.item_bias)

    def factors(self, side: str) -> Vectors:
        """Bias and factors of all items or users ("item", "user"), with their ids, for a frame.

        Raises BadSetting for another side.
        """
        check_known("side", side, ("item", "user"))
        if side == "item":
            return factor_vectors(side, self.items, self.item_embeddings)
        return factor_vectors(side, self.users, self.user_embeddings)

    def canonical(self, in_place: bool = False) -> Self:
        """The model of the same scores whose factors can be read; see ``tastes.canonical``.

        ``in_place`` overwrites the users' factors, so this model must not be used any more.
        """
        P, Q = self.taste_factors
        rotation = canonical_rotation(
            Q, self.item_counts, moments_of(P), moments_of(Q), self.fold.freedom
        )
        return self if rotation is None else self.rotated(rotation, in_place)

    def rotated(self, rotation: np.ndarray, in_place: bool = False) -> Self:
        """The model with all factors times an orthogonal matrix (n_factors, n_factors)."""
        profiles = self.profile_map
        if profiles is not None:
            profiles = replace(profiles, weights=rotated_effects(profiles.weights, rotation))
        return replace(
            self,
            user_embeddings=rotated_embeddings(self.user_embeddings, rotation, in_place),
            item_embeddings=rotated_embeddings(self.item_embeddings, rotation),
            fold=rotated_fold(self.fold, rotation),
            item_fold=rotated_fold(self.item_fold, rotation),
            profile_map=profiles,
        )

    # Tastes.

    @property
    def n_samples(self) -> int:
        """Posterior samples whose factors stand side by side; 1 for a point estimate."""
        return 1

    @property
    def taste_factors(self) -> tuple[np.ndarray, np.ndarray]:
        """Users' and items' factors (n, n_factors) as tastes are read from them."""
        return (
            user_tastes(self.user_factors, self.n_samples),
            item_tastes(self.item_factors, self.n_samples),
        )

    @cached_property
    def population(self) -> PopulationStatistics:
        """How strong tastes are in the users."""
        return PopulationStatistics.of(self.taste_factors, self.user_factors, self.seen.counts > 0)

    @cached_property
    def taste_space(self) -> TasteSpace:
        """How factors are read as tastes."""
        return TasteSpace(
            self.items,
            self.item_counts,
            self.catalog,
            self.taste_notes,
            self.item_factors,
            self.n_samples,
            self.population,
        )

    @property
    def taste_controls(self) -> TasteControls | None:
        return self.taste_space if self.n_factors else None

    def tastes(self) -> Tastes:
        """What each factor stands for: top items, share of scores, how many people, a label."""
        return self.taste_space.cards

    def rename_taste(self, taste: object, name: str | None) -> Self:
        """The same model with a name for a taste, which takes the place of its label everywhere.

        ``taste`` is a number or what it is called now; no name or an empty one brings the label
        back. Raises BadSetting for an unknown taste, and for a name that is too long, holds control
        characters, or is that of another taste.
        """
        number = self.tastes().find(taste).number
        return self.with_notes(self.taste_notes.renamed(number, name, self.n_factors))

    def with_notes(self, notes: TasteNotes) -> Self:
        """The same model with other notes on its tastes."""
        model = replace(self, taste_notes=notes)
        known = {name: vars(self)[name] for name in self.precomputed if name in vars(self)}
        vars(model).update(known)
        return model

    def fold_in_tastes(self, points: Mapping[object, float], name: str = "newcomer") -> Person:
        if not self.n_factors:
            raise TASTES.missing(self.algorithm)
        average = self.average_user
        lovers = self.taste_space.synthetic_users(average)
        embeddings = from_tastes(points, self.tastes(), lovers, average)
        choice = None
        if self.choice is not None:
            gains = np.array([self.taste_space.gains(one, lovers, average) for one in points])
            shares = np.array([float(given) / POINTS for given in points.values()])
            choice = self.choice.embeddings_of_tastes(gains, shares)
        liked = [one for one, given in points.items() if float(given) > 0]
        stated = [self.tastes().find(one, low_ends=False).said_for(1) for one in liked]
        return without_ratings(name, embeddings, "tastes", choice, stated)

    def embeddings_of_features(self, features: Mapping[str, object]) -> Embeddings:
        if self.profile_map is None:
            return super().embeddings_of_features(features)
        nonnegative = bool((self.user_factors >= 0).all())
        return self.profile_map.embeddings(features, self.average_user, nonnegative)

    # Explanations.

    def item_terms(self, items: np.ndarray) -> TermTable:
        """What the biases of items add to the score for everybody; ``items`` (n,) are rows."""
        return TermTable.of_columns(len(items), (self.item_label, self.item_bias[items]))

    @property
    def item_label(self) -> Label:
        """What the bias of an item is called."""
        rating = self.kind == "rating"
        return Label("how this is rated" if rating else "how many know this", "item")

    def usual_score(self, person: Person) -> float:
        own, items = person.embeddings, self._mean_item
        bias = self.global_mean + float(own.bias[0]) + float(items.bias[0])
        return bias + float(own.factors[0].astype(np.float64) @ items.factors[0])

    @cached_property
    def _mean_item(self) -> Embeddings:
        """The mean embeddings of the items with ratings: one row, float64."""
        factors, bias = (
            np.asarray(side[self.rated_items]).mean(axis=0, dtype=np.float64, keepdims=True)
            for side in (self.item_factors, self.item_bias)
        )
        return Embeddings(factors, bias)

    @cached_property
    def views(self) -> Mapping[str, View]:
        by_history = HISTORY.of(terms_by_history)
        if not self.n_factors and not self.user_bias.any():  # all users are scored alike
            return {by_history.name: by_history}
        views = [FACTOR.of(terms_by_factor), by_history]
        if self.n_factors:
            views.append(PEOPLE.of(terms_by_people))
        return {view.name: view for view in views}

    # Intervals.

    @property
    def has_intervals(self) -> bool:
        return self.kind == "rating" and isinstance(self.fold, LeastSquares)

    @cached_property
    def row_solves(self) -> RowSolves:
        """The row solves that intervals follow from. Raises BadSetting for a model without."""
        if not isinstance(self.fold, LeastSquares):
            raise INTERVALS.missing(self.algorithm)
        penalty = self.fold.row_penalty(self.item_embeddings)
        return RowSolves(self.fold, self.item_fold or self.fold, penalty)

    @cached_property
    def calibration(self) -> Calibration:
        """How ratings lie around predictions, learned when it is first needed."""
        with one_blas_thread():  # a thousand small matrices: more threads only wait for each other
            return intervals.calibrate(self, self.row_solves)

    def deviations(self, person: Person, items: np.ndarray) -> np.ndarray:
        """Standard deviation (n,), in stars, of this person's ratings of items (rows)."""
        return intervals.deviations(self, self.row_solves, self.calibration, person, items)

    def reach(self, person: Person, items: np.ndarray, level: float) -> np.ndarray:
        return self.calibration.reach(level) * self.deviations(person, items)

    @property
    def precomputed(self) -> tuple[str, ...]:
        calibrated = self.has_intervals and bool((self.seen.counts > 1).any())
        return (*super().precomputed, "population", *(["calibration"] if calibrated else []))

    def _scores(self, people: Embeddings, items: Embeddings) -> np.ndarray:
        return score_block(self.global_mean, people, items)

    def _embeddings(self, people: Sequence[object]) -> Embeddings:
        """Biases and factors of ids and Persons, the average for whoever is unknown."""
        if len(people) == 1 and isinstance(people[0], Person):  # as a server asks
            return people[0].embeddings
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
        raise TASTES.missing(model.algorithm)
    return model


def terms_by_factor(model: FactorModel, person: Person, items: np.ndarray) -> TermTable:
    """mean + user + item + one term p_f q_f per taste, named for the end that the person is at.

    ``items`` (n,) are rows.
    """
    common = _common_terms(model, person, items)
    if not model.n_factors:
        return common
    return TermTable.side_by_side(common, model.taste_space.terms(person, items))


def terms_by_history(model: FactorModel, person: Person, items: np.ndarray) -> TermTable:
    """mean + item + one term per rating given + what they do not explain.

    The terms are those of the row solve (Hu, Koren & Volinsky 2008, section 5), so the remainder
    is zero where the person's factors are that solution, and is shown as a term where not.

    ``items`` (n,) are rows.
    """
    parts = np.zeros((len(items), 0))
    if len(person.items):
        deviations = person.ratings - model.global_mean - model.item_bias[person.items]
        parts = model.fold.parts(
            person.history._replace(values=deviations),
            model.item_embeddings,
            items,
            person.embeddings,
            model.summed_products,
        )
    factors = person.embeddings.factors.astype(np.float64)
    products = row_products(model.item_factors[items].astype(np.float64), factors)[:, 0]
    personal = float(person.embeddings.bias[0]) + products
    remainders = personal - parts.sum(axis=1)
    beyond = np.where(np.abs(remainders) > 1e-5 * np.maximum(1.0, np.abs(personal)), remainders, 0)
    name = BEYOND.get(person.strategy, "learned beyond your ratings")
    return TermTable.side_by_side(
        _item_terms(model, items),
        model.rating_terms(person, parts),
        TermTable.of_columns(len(items), (Label(name, "remainder"), beyond)),
    )


def terms_by_people(model: FactorModel, person: Person, items: np.ndarray) -> TermTable:
    """mean + user + item + what people near in factor space gave + what was learned beyond.

    ``items`` (n,) are rows.
    """
    common = _common_terms(model, person, items)
    return TermTable.side_by_side(common, terms_of_people(model, person, items))


def _common_terms(model: FactorModel, person: Person, items: np.ndarray) -> TermTable:
    """mean + item + user"""
    user = Label("how you rate", "user"), float(person.embeddings.bias[0])
    return TermTable.side_by_side(_item_terms(model, items), TermTable.of_columns(len(items), user))


def _item_terms(model: FactorModel, items: np.ndarray) -> TermTable:
    """mean + item"""
    mean = Label("average of all ratings", "base"), model.global_mean
    return TermTable.side_by_side(TermTable.of_columns(len(items), mean), model.item_terms(items))
