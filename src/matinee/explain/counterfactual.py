"""The fewest of someone's own ratings without which an item would not be in their list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np

from matinee.display.notebook import Grid, Part, Printable
from matinee.display.plain_data import JsonObject
from matinee.display.text import listed
from matinee.errors import BadSetting
from matinee.explain.explainable import Explainable
from matinee.explain.ranks import ordinal, ranks, unseen, with_histories, without_each
from matinee.row_solvers.person import Person

SETS = 1000  # so many sets of one size are all tried; of more, the promising ones
BEAM = 6  # sets of a size that larger ones are grown from
PROMISING = 32  # ratings they are grown by
RIVALS = 100  # items beyond the first n that may overtake where promising sets are tried
BLOCK_SETS = 256  # sets judged at once


class Removed(NamedTuple):
    """A rating that is taken out."""

    item_id: str
    title: str
    rating: float


@dataclass(frozen=True, repr=False)
class Counterfactual(Printable):
    """The smallest set found of own ratings whose removal drops an item out of the first ``n``.

    ``removed`` is empty where there is none of at most ``most`` ratings; ``complete`` says that
    every set of that size or less was tried, and not the promising ones alone.
    """

    user: str
    item_id: str
    title: str
    n: int
    most: int
    removed: tuple[Removed, ...]
    rank_before: int
    rank_after: int  # without the removed ratings
    complete: bool
    unit: str = "stars"

    def sentence(self) -> str:
        """One sentence for people."""
        if not self.removed:
            whichever = "Whichever" if self.complete else "As far as was tried, whichever"
            return (
                f"{whichever} of your ratings were missing, up to {self.most} of them, "
                f"{self.title} would stay in your first {self.n}."
            )
        titles = [
            f"your {one.rating:g} for {one.title}" if self.unit == "stars" else one.title
            for one in self.removed
        ]
        return (
            f"Without {listed(titles)}, {self.title} would be {ordinal(self.rank_after)} "
            f"instead of {ordinal(self.rank_before)}."
        )

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return {
            "user": self.user,
            "item_id": self.item_id,
            "title": self.title,
            "n": self.n,
            "most": self.most,
            "removed": [one._asdict() for one in self.removed],
            "rank_before": self.rank_before,
            "rank_after": self.rank_after,
            "complete": self.complete,
            "sentence": self.sentence(),
        }

    def parts(self) -> Iterator[Part]:
        yield self.sentence()
        if self.removed:
            yield ""
            rows = [(one.title, f"{one.rating:g}") for one in self.removed]
            yield Grid([("without", "rating"), *rows], indent=2)


def counterfactual(
    model: Explainable, person: Person, item: int, n: int, most: int
) -> Counterfactual:
    """Search sets of one rating, then of two, and so on: all of them, or a beam of the best.

    Sets are grown from those that bring the item nearest to its fall; every one is judged by
    solving the person again without it. Raises BadSetting unless ``n`` and ``most`` are at least 1
    and ``item``, a row number, is among the person's first ``n``.
    """
    for name, value in (("n", n), ("most", most)):
        if value < 1:
            raise BadSetting(f"{name} is {value}; it must be at least 1")
    search = _Search.of(model, person, item, n)
    title = model.catalog.called(model.items.ids[item])
    if item in person.items:
        raise BadSetting(f"{person.name} has rated {title!r}, so it is not recommended to them")
    rank = search.rank
    if rank > n:
        raise BadSetting(
            f"{title!r} is {ordinal(rank)} for {person.name}, not among the first {n}; raise n"
        )
    places, rank_after, complete = search.smallest(most)
    ids = model.items.ids[person.items[list(places)]].tolist()
    return Counterfactual(
        user=person.name,
        item_id=model.items.ids[item],
        title=title,
        n=n,
        most=most,
        removed=tuple(
            Removed(one, model.catalog.called(one), float(person.ratings[place]))
            for one, place in zip(ids, places, strict=True)
        ),
        rank_before=rank,
        rank_after=rank_after if places else rank,
        complete=complete,
        unit="stars" if model.kind == "rating" else "points",
    )


Set = tuple[int, ...]  # places in the person's history, ascending


@dataclass(frozen=True, eq=False)
class _Search:
    """Sets of ratings to leave out of one person's history, and how an item stands without."""

    model: Explainable
    person: Person
    n: int
    among: np.ndarray  # rows of the items that it is ranked among
    place: int  # of the item among them

    @classmethod
    def of(cls, model: Explainable, person: Person, item: int, n: int) -> "_Search":
        among = unseen(model, person, item)
        return cls(model, person, n, among, int(np.searchsorted(among, item)))

    @property
    def rank(self) -> int:
        """The item's rank with all ratings."""
        scores = self.model.score_people([self.person], self.among)
        return int(ranks(scores, self.place)[0])

    @cached_property
    def among_rivals(self) -> "_Search":
        """The same search among the items that score best."""
        scores = self.model.score_people([self.person], self.among)[0]
        best = np.argsort(-scores, kind="stable")[: self.n + RIVALS]
        among = np.unique(np.append(self.among[best], self.item))
        return replace(self, among=among, place=int(np.searchsorted(among, self.item)))

    @property
    def item(self) -> int:
        """The row of the item."""
        return int(self.among[self.place])

    def smallest(self, most: int) -> tuple[Set, int, bool]:
        """The first set that drops the item, its rank then, and whether all smaller were tried."""
        count = len(self.person.items)
        complete = True
        sets_by_rank: list[Set] = [()]
        promising: Sequence[int] = range(count)
        for size in range(1, min(most, count) + 1):
            search = self
            if size == 1 or comb(count, size) <= SETS:
                sets = list(combinations(range(count), size))
            else:
                complete, search = False, self.among_rivals
                sets = sorted(set(_grown(sets_by_rank[:BEAM], promising)))
            margin, rank = search.judge_each() if size == 1 else search.judge(sets)
            order = np.argsort(margin, kind="stable")
            for k in order[rank[order] > self.n].tolist():
                solved = int(self.judge([sets[k]])[1][0])  # among all, and solved anew
                if solved > self.n:
                    return sets[k], solved, complete
            sets_by_rank = [sets[k] for k in order.tolist()]
            if size == 1:
                promising = [one for (one,) in sets_by_rank[:PROMISING]]
        return (), 0, complete

    def judge(self, sets: Sequence[Set]) -> tuple[np.ndarray, np.ndarray]:
        """The item's margin and rank without each set: (n_sets,) both.

        The margin is in points above the last of the first n, below 0 outside of them.
        """
        blocks = [self._judge(sets[k : k + BLOCK_SETS]) for k in range(0, len(sets), BLOCK_SETS)]
        margins, item_ranks = zip(*blocks, strict=True)
        return np.concatenate(margins), np.concatenate(item_ranks)

    def judge_each(self) -> tuple[np.ndarray, np.ndarray]:
        """``judge`` of the sets of one rating each, (n_ratings,), by downdates where it can."""
        people = without_each(self.model, self.person)
        blocks = [
            self._margins_and_ranks(people[k : k + BLOCK_SETS])
            for k in range(0, len(people), BLOCK_SETS)
        ]
        margins, item_ranks = zip(*blocks, strict=True)
        return np.concatenate(margins), np.concatenate(item_ranks)

    def _judge(self, sets: Sequence[Set]) -> tuple[np.ndarray, np.ndarray]:
        history, places = self.person.history, np.arange(len(self.person.items))
        histories = [history.subset(~np.isin(places, one)) for one in sets]
        return self._margins_and_ranks(with_histories(self.model, self.person, histories))

    def _margins_and_ranks(self, people: Sequence[Person]) -> tuple[np.ndarray, np.ndarray]:
        scores = self.model.score_people(people, self.among)
        own, others = scores[:, self.place], np.delete(scores, self.place, axis=1)
        if others.shape[1] < self.n:  # it is within the first n whatever happens
            return np.full(len(people), np.inf), ranks(scores, self.place)
        last = np.partition(others, -self.n, axis=1)[:, -self.n]
        return own - last, ranks(scores, self.place)


def _grown(sets: Sequence[Set], by: Sequence[int]) -> Iterator[Set]:
    """Each set with one more place."""
    for one in sets:
        for place in by:
            if place not in one:
                yield tuple(sorted((*one, place)))
