"""The tastes of a factor model: how its factor columns are read, and who has which taste."""

import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.ids import IdMap
from matinee.explain.term import CHOOSES, Label, Opposite
from matinee.explain.term_table import TermTable
from matinee.models.population_statistics import PopulationStatistics, moments_of
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person
from matinee.tastes import TasteNotes, Tastes, find_tastes
from matinee.tastes.cards import ItemWords

ENDS = 1.0, -1.0  # strengths of those at the high end of a taste, and at the low end


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

    def terms(
        self, person: Person, items: np.ndarray, kind: str = "taste", weight: float = 1.0
    ) -> TermTable:
        """For each item in rows ``items`` (n,) one term per taste, of the kind taste or choice.

        It is worth p_f q_f times ``weight``, and is named for the end that the person is at. A
        choice that takes something off is named for the end of the item instead.
        """
        low = (self.strength(person) < 0).astype(np.intp)
        labels = self._choice_labels if kind == "choice" else self._labels
        fits = np.array([self._fits(row) for row in items.tolist()])
        return TermTable(
            [labels[end][f] for f, end in enumerate(low.tolist())],
            weight * self.products(person, items),
            fits.reshape(len(items), 2, len(low))[:, low, np.arange(len(low))],
        )

    @cached_property
    def _labels(self) -> list[list[Label]]:
        """What terms for the high and the low end of each taste are called."""
        return [
            [Label(one.named_for(end), "taste", said=one.said_for(end)) for one in self.cards]
            for end in ENDS
        ]

    @cached_property
    def _choice_labels(self) -> list[list[Label]]:
        """What terms of choices are called, for somebody at the high and the low end."""
        return [
            [
                Label(
                    CHOOSES.format(one.named_for(end)),
                    "choice",
                    said=one.said_for(end),
                    opposite=Opposite(one.named_for(-end), one.films_for(-end)),
                )
                for one in self.cards
            ]
            for end in ENDS
        ]

    def _fits(self, item: int) -> np.ndarray:
        """Whether the name of each end of each taste means something for an item.

        bool (2, n_factors): of the high ends and of the low ones.
        """
        if item not in self._fits_of_items:
            words = ItemWords.of(self.catalog, self.items.ids[item])
            self._fits_of_items[item] = np.array(
                [[one.fits(words, end) for one in self.cards] for end in ENDS]
            )
        return self._fits_of_items[item]

    @cached_property
    def _fits_of_items(self) -> dict[int, np.ndarray]:
        """``_fits`` of the items explained so far: lists show the same items again and again."""
        return {}

    @cached_property
    def only_adds(self) -> bool:
        """Whether no taste takes anything off the score of an item."""
        return bool((self.item_factors >= 0).all())

    def gains(self, taste: object, lovers: Embeddings, average: Embeddings) -> np.ndarray:
        """What a taste adds to each item for who has it alone: (n_items,).

        ``lovers`` are ``synthetic_users``. Where a taste is named after genres it is -inf for items
        that bear none of these. Raises BadSetting for an unknown taste.
        """
        card = self.cards.find(taste, low_ends=False)
        gains: np.ndarray = self.item_factors @ (lovers.factors[card.number] - average.factors[0])
        genres, has = self.catalog.genre_matrix(self.items)
        words = {*card.genres, *re.split(r", | & ", card.name)}
        own = [genre in words for genre in genres]
        return np.where(has[:, own].any(axis=1), gains, -np.inf) if any(own) else gains

    def strength(self, person: Person) -> np.ndarray:
        """How strong each taste is in somebody: p_f, (n_factors,) float32."""
        strength: np.ndarray = person.embeddings.factors[0].reshape(self.n_samples, -1).sum(axis=0)
        return strength

    def products(self, person: Person, items: np.ndarray) -> np.ndarray:
        """What each taste adds to the scores of items (rows): p_f q_f, (n, n_factors) float64."""
        products = person.embeddings.factors[0].astype(np.float64) * self.item_factors[items]
        by_taste: np.ndarray = products.reshape(len(items), self.n_samples, -1).sum(axis=1)
        return by_taste

    def with_taste(
        self, person: Person, taste: object, factor: float, average: Person | None = None
    ) -> tuple[Person, str]:
        """The person with a taste ``factor`` times as strong, in every sample, and its name.

        With an ``average`` person the taste is what sets somebody apart from that person. Raises
        BadSetting for an unknown taste.
        """
        card = self.cards.find(taste)
        factors = person.embeddings.factors.copy()
        columns = slice(card.number, None, factors.shape[1] // self.n_samples)
        usual = 0.0 if average is None else average.embeddings.factors[:, columns]
        own = factors[:, columns] - usual
        factors[:, columns] += np.float32(factor - 1) * own
        changed = replace(person, embeddings=person.embeddings._replace(factors=factors))
        return changed, card.said_for(float(own.sum()))

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
