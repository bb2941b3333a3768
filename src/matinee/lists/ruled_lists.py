"""Lists that keep to rules: the best items of many people, in blocks, and what moved them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from matinee.data.catalog_filter import CatalogColumns
from matinee.data.condition_texts import text_of_condition
from matinee.data.ids import IdMap
from matinee.display.frames import Column
from matinee.display.text import counted
from matinee.errors import BadSetting
from matinee.lists.list_rules import RERANKED, ListRules
from matinee.lists.reranking import (
    Fixed,
    Miscalibration,
    PlaceTerm,
    Redundancy,
    proportions,
    rerank,
)
from matinee.lists.retrieval import Scorer, best_items
from matinee.row_solvers.person import Person

PEOPLE_AT_ONCE = 128  # a block's arrays of people, candidates and genres stay below 20 MB


class Ranker(Protocol):
    """What lists need of a model."""

    @property
    def users(self) -> IdMap:
        """Everybody in the training data."""

    @property
    def items(self) -> IdMap:
        """All items, by row."""

    @property
    def columns(self) -> CatalogColumns:
        """What is known of the items, column by column."""

    @property
    def item_counts(self) -> np.ndarray:
        """Training ratings of each item: (n_items,)."""

    def item_row(self, item: object) -> int:
        """The row of an item."""

    def scorer(self, items: np.ndarray) -> Scorer:
        """Scores of the items in rows ``items`` (n,), for one block of people after another."""

    @property
    def item_genres(self) -> np.ndarray:
        """Which item has which genre: bool (n_items, n_genres)."""

    def item_vectors(self, items: np.ndarray) -> np.ndarray | None:
        """Vectors (n, k) by which items are alike; None where there are none."""

    def rated_by(self, people: Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
        """The item rows that people rated, as indptr (n_people + 1,) and indices (n_ratings,)."""

    def person(self, user: object) -> Person:
        """The person behind an id."""


@dataclass(frozen=True, eq=False)
class RuledLists:
    """The lists of some people; places that no candidate is left for hold -1 and NaN."""

    rows: np.ndarray  # (n_people, n) int32
    scores: np.ndarray  # (n_people, n) float32, before the rules
    terms: dict[str, np.ndarray]  # rule -> (n_people, n): what it adds; empty without re-ranking
    moved: np.ndarray  # (n_people, n) text such as "up 3: calibration", or ""

    @property
    def filled(self) -> np.ndarray:
        """The places that hold an item: (n_people, n) bool."""
        return self.rows >= 0

    def columns(self) -> dict[str, Column]:
        """What the rules add to a table, one value for each item of each list in turn."""
        if not self.terms:
            return {}
        filled = self.filled
        total = self.scores + sum(self.terms.values())
        columns = {**self.terms, "total": total, "moved": self.moved}
        return {name: values[filled] for name, values in columns.items()}


@dataclass(frozen=True, eq=False)
class ListMaker:
    """Makes the lists of a model by some rules."""

    model: Ranker
    rules: ListRules
    candidates: np.ndarray  # item rows, ascending: those that the rules allow
    exclude_seen: bool = True

    @classmethod
    def of(
        cls, model: Ranker, rules: ListRules, candidates: np.ndarray, exclude_seen: bool = True
    ) -> "ListMaker":
        """Apply the filters to the items in rows ``candidates`` (n,) int32, ascending.

        Raises UnknownId for an item, BadSetting for a column or a value.
        """
        for _, kept in filters(model, rules):
            candidates = candidates[kept[candidates]]
        return cls(model, rules, candidates, exclude_seen)

    def lists(self, people: Sequence[object], n: int) -> RuledLists:
        """The best ``n`` candidates of each person."""
        if not self.rules.rerank or not len(self.candidates):
            rows, scores = self._best(people, n)
            return RuledLists(rows, scores, {}, np.full(rows.shape, ""))
        blocks = [
            self._reranked(people[first : first + PEOPLE_AT_ONCE], n)
            for first in range(0, len(people), PEOPLE_AT_ONCE)
        ]
        names = blocks[0].terms
        return RuledLists(
            np.concatenate([block.rows for block in blocks]),
            np.concatenate([block.scores for block in blocks]),
            {name: np.concatenate([block.terms[name] for block in blocks]) for name in names},
            np.concatenate([block.moved for block in blocks]),
        )

    def _best(self, people: Sequence[object], n: int) -> tuple[np.ndarray, np.ndarray]:
        model = self.model
        seen = model.rated_by if self.exclude_seen else None
        scorer = model.scorer(self.candidates)
        return best_items(scorer, people, self.candidates, n, seen, len(model.items))

    def _reranked(self, people: Sequence[object], n: int) -> RuledLists:
        """The lists of one block of people."""
        rows, scores = self._pool(people, max(n, RERANKED))
        boosts = self._boost_of[rows]
        best = np.argsort(-(scores + boosts), axis=1, kind="stable")
        head, tail = np.sort(best[:, :RERANKED], axis=1), best[:, RERANKED:n]
        own = (np.take_along_axis(values, head, 1) for values in (rows, scores, boosts))
        rules = self._rules(people, *own)
        result = rerank(np.take_along_axis(scores, head, 1), list(rules.values()), n)
        order = np.concatenate([np.take_along_axis(head, result.order, 1), tail], axis=1)
        beyond = [(0, 0), (0, tail.shape[1])]
        terms = {
            name: np.pad(values, beyond) for name, values in zip(rules, result.terms, strict=True)
        }
        if "boost" in terms:
            terms["boost"] = np.take_along_axis(boosts, order, 1)
        causes = np.array(list(rules))[np.pad(result.causes, beyond)]
        rows, scores = (np.take_along_axis(values, order, 1) for values in (rows, scores))
        filled = scores > -np.inf
        return RuledLists(
            np.where(filled, rows, -1).astype(np.int32),
            np.where(filled, scores, np.nan).astype(np.float32),
            terms,
            np.where(filled, moves(order, causes, max(n, RERANKED)), ""),
        )

    def _pool(self, people: Sequence[object], size: int) -> tuple[np.ndarray, np.ndarray]:
        """The best items of each person by score, and after them those that are boosted.

        Returns rows and scores, which fall along each of these two parts; -inf is no candidate.
        """
        rows, scores = self._best(people, size)
        scores = np.where(rows >= 0, scores, -np.inf).astype(np.float64)
        boosted = self.candidates[self._boost_of[self.candidates] > 0]
        if not len(boosted):
            return rows, scores
        more = np.empty((len(people), len(boosted)), np.float32)
        self.model.scorer(boosted)(people, more)
        ends, seen = self.model.rated_by(people)
        for person in range(len(people)):
            rated = seen[ends[person] : ends[person + 1]] if self.exclude_seen else seen[:0]
            more[person, np.isin(boosted, np.concatenate([rows[person], rated]))] = -np.inf
        order = np.argsort(-more, axis=1, kind="stable")
        return (
            np.concatenate([rows, boosted[order]], axis=1),
            np.concatenate([scores, np.take_along_axis(more, order, 1)], axis=1),
        )

    @cached_property
    def _boost_of(self) -> np.ndarray:
        """The boost of each item of the model: (n_items,) float64."""
        boost = np.zeros(len(self.model.items))
        for item, value in self.rules.boost.items():
            boost[self.model.item_row(item)] = value
        return boost

    def _rules(
        self, people: Sequence[object], rows: np.ndarray, scores: np.ndarray, boosts: np.ndarray
    ) -> dict[str, PlaceTerm]:
        """The rules in force, by the names of their terms, for candidates in falling order."""
        rules, spread = self.rules, spread_of(scores, boosts)
        terms: dict[str, PlaceTerm] = {}
        if rules.boost:
            terms["boost"] = Fixed(boosts)
        if rules.novelty:
            terms["novelty"] = Fixed(rules.novelty * spread[:, None] * self._rarity(rows))
        if rules.diversity:
            terms["diversity"] = Redundancy(self._vectors(rows), rules.diversity * spread)
        if rules.calibrated:
            shares, liked = self._genre_shares(people, rows)
            terms["calibration"] = Miscalibration(shares, liked, rules.calibrated * spread)
        return terms

    def _rarity(self, rows: np.ndarray) -> np.ndarray:
        """-log2(share of users who rated an item), 1 for an item that one user rated."""
        n_users = max(len(self.model.users), 2)
        known = np.clip(self.model.item_counts[rows], 1, n_users)
        return np.asarray(1 - np.log(known) / np.log(n_users))

    def _vectors(self, rows: np.ndarray) -> np.ndarray:
        """Genres of items, or their factors where there are none, as vectors of length 1 or 0."""
        genres, flat = self.model.item_genres, rows.ravel()
        vectors = genres[flat] if genres.any() else self.model.item_vectors(flat)
        if vectors is None:
            raise BadSetting(
                "diversity needs a catalogue with genres, or a model with factors; there is neither"
            )
        vectors = vectors.reshape(*rows.shape, -1).astype(np.float64)
        norms = np.sqrt((vectors**2).sum(axis=-1, keepdims=True))
        return np.asarray(vectors / np.where(norms > 0, norms, 1.0))

    def _genre_shares(
        self, people: Sequence[object], rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The genres of the candidates, and of what each person liked, as shares.

        A person likes what they rated at or above their own mean.
        """
        if not self.model.item_genres.any():
            raise BadSetting("calibrated needs a catalogue with genres")
        liked = [liked_items(self.model.person(one)) for one in people]
        totals = np.array([self._shares_of(own).sum(axis=0) for own in liked])
        return self._shares_of(rows), proportions(totals)

    def _shares_of(self, rows: np.ndarray) -> np.ndarray:
        """p(g|i): the genres of items in equal parts, zeros where there are none."""
        return proportions(self.model.item_genres[rows].astype(np.float64))


def liked_items(person: Person) -> np.ndarray:
    """Rows (n,) of the items that a person rated at or above their own mean."""
    if not len(person.items):
        return person.items
    return np.asarray(person.items[person.ratings >= person.ratings.mean() - 1e-6])


def spread_of(scores: np.ndarray, boosts: np.ndarray) -> np.ndarray:
    """The distance from the best to the last score (n_people,) of candidates without a boost."""
    plain = (scores > -np.inf) & (boosts == 0)
    best = np.where(plain, scores, -np.inf).max(axis=1)
    last = np.where(plain, scores, np.inf).min(axis=1)
    return np.asarray(np.where(plain.any(axis=1), best - last, 0.0))


def moves(old: np.ndarray, causes: np.ndarray, n_known: int) -> np.ndarray:
    """How far each place's item moved, and why: ``up 3: calibration``, or nothing.

    ``old`` (n_people, n) are places by score, from 0; those from ``n_known`` are not exact.
    """
    words = np.full(old.shape, "", dtype=object)
    for at in np.argwhere(old != np.arange(old.shape[1])):
        person, place = at
        steps = old[person, place] - place
        by = f"up {steps}" if steps > 0 else f"down {-steps}"
        if old[person, place] >= n_known:
            by = f"up from below {n_known}"
        words[person, place] = f"{by}: {causes[person, place]}"
    return words


def filters(model: Ranker, rules: ListRules) -> Iterator[tuple[str, np.ndarray]]:
    """Each filter of the rules in words, and the items that it leaves in a list (n_items,) bool.

    Raises UnknownId for an item, BadSetting for a column or a value.
    """
    if rules.min_ratings:
        enough = f"at least {counted(rules.min_ratings, 'rating')}"
        yield enough, model.item_counts >= rules.min_ratings
    for column, condition in rules.where.items():
        if condition is not None:
            kept = model.columns.column(column).matching(condition)
            yield text_of_condition(column, condition), kept
    if rules.hide:
        kept = np.ones(len(model.items), dtype=bool)
        kept[[model.item_row(item) for item in rules.hide]] = False
        yield "what is not hidden", kept
