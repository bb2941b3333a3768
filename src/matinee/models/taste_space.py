"""The tastes of a factor model: how its factor columns are read, and who has which taste."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.ids import IdMap
from matinee.models.population_statistics import PopulationStatistics, moments_of
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person
from matinee.tastes import Taste, TasteNotes, Tastes, find_tastes
from matinee.tastes.cards import ItemWords


@dataclass(frozen=True, eq=False)
class TasteSpace:
    """Taste f is column f of the factors, in each of the posterior samples that lie side by side.

    k is n_samples times n_factors, the factor columns of all samples.
    """

    items: IdMap
    item_counts: np.ndarray  # (n_items,) int64: training ratings
    catalog: Catalog
    notes: TasteNotes
    item_factors: np.ndarray  # (n_items, k) float32
    n_samples: int
    population: PopulationStatistics

    @cached_property
    def cards(self) -> Tastes:
        """What each taste stands for."""
        Q = item_tastes(self.item_factors, self.n_samples)
        return find_tastes(
            self.items,
            Q,
            (self.population.moments, moments_of(Q)),
            self.population.n_strongest,
            self.item_counts,
            self.catalog,
            self.notes,
        )

    def find(self, taste: object) -> Taste:
        """The taste with a number or a name. Raises BadSetting."""
        return self.cards.find(taste)

    def words_about(self, item: int) -> ItemWords:
        """What the catalogue says of an item (a row), as names of tastes do."""
        return ItemWords.of(self.catalog, self.items.ids[item])

    def bearing_genres(self, tastes: Iterable[object]) -> np.ndarray:
        """Which items bear a genre that one of these tastes is named after: (n_items,) bool.

        All where a taste is named after none. Raises BadSetting for an unknown taste.
        """
        genres, has = self.catalog.genre_matrix(self.items)
        bearing = np.zeros(len(self.items), bool)
        for taste in tastes:
            card = self.cards.find(taste, low_ends=False)
            words = {*card.genres, *re.split(r", | & ", card.name)}
            own = [genre in words for genre in genres]
            bearing |= has[:, own].any(axis=1) if any(own) else True
        return bearing

    def strength(self, person: Person) -> np.ndarray:
        """How strong each taste is in somebody: p_f, (n_factors,) float32."""
        strength: np.ndarray = person.embeddings.factors[0].reshape(self.n_samples, -1).sum(axis=0)
        return strength

    def products(self, person: Person, item: int) -> np.ndarray:
        """What each taste adds to the score of an item (a row): p_f q_f, (n_factors,) float64."""
        products = person.embeddings.factors[0].astype(np.float64) * self.item_factors[item]
        by_taste: np.ndarray = products.reshape(self.n_samples, -1).sum(axis=0)
        return by_taste

    def multiplied(self, person: Person, number: int, factor: float) -> Person:
        """The person with taste ``number`` ``factor`` times as strong, in every sample."""
        factors = person.embeddings.factors.copy()
        n_factors = factors.shape[1] // self.n_samples
        factors[:, number::n_factors] *= np.float32(factor)
        return replace(person, embeddings=person.embeddings._replace(factors=factors))

    def synthetic_users(self, average: Embeddings) -> Embeddings:
        """A user for each taste who has that taste alone, with the bias of the average user.

        |p_t| times the mean |q_it| is the mean over users of sum_f |p_uf| times the mean |q_if|,
        capped at the 95th percentile of p_ut. Returns n_factors rows of k factors.
        """
        worth = np.abs(self.item_factors).mean(axis=0, dtype=np.float64)
        usual = float((self.population.mean_strength * worth).sum())
        strength = usual / np.where(worth > 0, worth, np.inf)
        strength = np.minimum(strength, self.population.strength_cap)
        factors = np.diag(strength).astype(np.float32)
        factors = factors.reshape(self.n_samples, -1, len(worth)).mean(axis=0)
        return Embeddings(factors, np.repeat(average.bias, len(factors)))


def user_tastes(factors: np.ndarray, n_samples: int) -> np.ndarray:
    """User factors (n_users, k) as tastes (n_users, n_factors).

    Users hold p / n_samples in each sample, so the samples are summed.
    """
    if n_samples == 1:
        return factors
    return np.asarray(factors.reshape(len(factors), n_samples, -1).sum(axis=1))


def item_tastes(factors: np.ndarray, n_samples: int) -> np.ndarray:
    """Item factors (n_items, k) as tastes (n_items, n_factors): the mean over samples."""
    if n_samples == 1:
        return factors
    return np.asarray(factors.reshape(len(factors), n_samples, -1).mean(axis=1))
