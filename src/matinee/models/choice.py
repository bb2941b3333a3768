"""The choice part of a model of stars: who chooses what, for its lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isinf, isnan

import numpy as np

from matinee.data.catalog import Catalog
from matinee.errors import BadModel, BadSetting
from matinee.models.hybrid import HybridModel
from matinee.models.list_model import ListModel
from matinee.models.model import Model
from matinee.models.newcomers import without_ratings
from matinee.row_solvers.embeddings import Embeddings

TYPICAL = 20  # films that somebody is taken to have chosen who tells us tastes alone
TYPICAL_OF_GENRES = 600  # the same where tastes are named after genres, so that no other film fits
TYPICAL_WHERE_ADDED = 200  # the same for choices that only add, which need not turn from the others
EMPHASIS = 3.0  # how far from the average who has tastes stands, in distances of their lovers
DIAL = (32, 16, 8, 4, 2, 1, 0, -1, -2, -3, -4, -5, -6)  # steps of caution, from safe
DIAL_USERS = 20  # whose scores the steps are measured on
SHRINKAGE = 20.0  # ratings at which what a film offers to a taste counts half


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ChoicePart:
    """A fitted model of preferences, over the users and items of the model that it is part of."""

    model: Model
    stars_weight: float  # points of choice that a star is worth
    caution: float  # of the lists, where no other is given
    noise: float  # standard deviation of ratings around the stars

    def check(self, stars: Model) -> None:
        """Raise BadModel unless this can be part of a model of stars."""
        if self.model.kind != "preference" or stars.kind != "rating":
            raise BadModel("a choice part is a model of preferences, of a model of ratings")
        for side in ("users", "items"):
            mine, theirs = getattr(self.model, side), getattr(stars, side)
            if mine is not theirs and mine != theirs:
                raise BadModel(f"the choice part has other {side} than the model it is part of")

    def ranker(self, stars: Model) -> ListModel:
        """What ranks the lists of ``stars``."""
        return ListModel.of(stars, self.model, self.stars_weight, self.caution, self.noise)

    def weighed(self, stars_weight: float | None, caution: float | None) -> "ChoicePart":
        """The same with another weight of the stars, or another caution.

        Stars alone, with an infinite weight, are not held back either unless ``caution`` is given.
        Raises BadSetting for a weight below 0 and for what is no number.
        """
        value = self.stars_weight if stars_weight is None else stars_weight
        weight = _number("stars_weight", value)
        if weight < 0:
            raise BadSetting(f"stars_weight is {weight:g}; it must be at least 0")
        if caution is None:
            caution = 0.0 if isinf(weight) else self.caution
        if isinf(_number("caution", caution)):
            raise BadSetting(f"caution is {caution}; it must be finite")
        return replace(self, stars_weight=weight, caution=float(caution))

    def cautions(self, ranker: Model) -> tuple[float, ...]:
        """Cautions from safe to adventurous: steps of standard deviations of list scores.

        A step of one takes a standard deviation of one person's list scores off an item that
        nobody rated. The safe side doubles its steps, as most of a list is well known.
        """
        users = np.flatnonzero(ranker.seen.counts)
        some = users[:: max(1, len(users) // DIAL_USERS)][:DIAL_USERS].astype(np.int32)
        spread = float(ranker.score_block(some).std(axis=1).mean()) if len(some) else 0.0
        step = spread / self.noise if self.noise > 0 else 0.0
        return tuple(round(self.caution + step * one, 4) for one in DIAL)

    def with_items(self, catalog: Catalog) -> "ChoicePart | None":
        """The part for the items of a catalogue too, where it knows what items are like."""
        if not isinstance(self.model, HybridModel):
            return None
        return replace(self, model=self.model.with_items(catalog))

    def embeddings_of_features(self, features: Mapping[str, object]) -> Embeddings:
        """How someone with these features chooses. Raises BadSetting."""
        return self.model.embeddings_of_features(features)

    @property
    def _only_adds(self) -> bool:
        """Whether choices are learned by factors that are never negative."""
        return bool(self.model.settings.get("nonnegative", False))

    def embeddings_of_tastes(self, gains: np.ndarray, shares: np.ndarray) -> Embeddings:
        """How someone chooses who has tastes, ``shares`` (n,) of each, and is average for the rest.

            average + EMPHASIS sum_t share_t lead / lead_t (lover_t - average)

        ``gains`` (n, n_items) are the stars that each taste adds to the items, -inf for what it
        does not mean. ``lover_t`` has chosen what taste t adds most to, and ``lead_t`` is how far
        the scores of their best items stand above the average person's; ``lead`` is its mean. So a
        point is worth the same in a taste for a few films and in one for many. What only adds
        stays so.
        """
        nobody = self.model.seen.indices[:0], self.model.seen.values[:0]
        average = self.model.solve(*nobody)
        lovers = [self._lover(row) for row in gains]
        leads = self._leads(average, lovers)
        far = EMPHASIS * shares * np.where(leads > 0, leads.mean() / leads, 1.0)
        factors, bias = average.factors.astype(np.float64), average.bias.astype(np.float64)
        for times, lover in zip(far, lovers, strict=True):
            factors += times * (lover.factors - average.factors)
            bias += times * (lover.bias - average.bias)
        if min(one.factors.min(initial=0) for one in (average, *lovers)) >= 0:
            factors = np.maximum(factors, 0)
        return Embeddings(factors.astype(np.float32), bias.astype(np.float32))

    def _lover(self, gains: np.ndarray) -> Embeddings:
        """Who has chosen the items that gain most, those counting less that few have rated."""
        counts = self.model.item_counts
        known = np.flatnonzero((counts > 0) & (gains > -np.inf))
        worth = gains[known] * counts[known] / (counts[known] + SHRINKAGE)
        of_genres = TYPICAL_WHERE_ADDED if self._only_adds else TYPICAL_OF_GENRES
        most = of_genres if np.isneginf(gains).any() else TYPICAL
        best = np.sort(known[np.argsort(-worth, kind="stable")[:most]])
        ratings = np.full(len(best), self.model.scale.high, np.float32)
        return self.model.solve(best.astype(np.int32), ratings)

    def _leads(self, average: Embeddings, lovers: Sequence[Embeddings]) -> np.ndarray:
        """How far the best items of each lover stand above the average person's scores: (n,)."""
        people = [without_ratings("", one, "tastes") for one in (average, *lovers)]
        scores = self.model.score_people(people, np.arange(len(self.model.items), dtype=np.int32))
        above = np.sort(scores[1:].astype(np.float64) - scores[0], axis=1)
        return np.asarray(above[:, -TYPICAL:].mean(axis=1))


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or isnan(value):
        raise BadSetting(f"{name} is {value!r}; it must be a number")
    return float(value)
