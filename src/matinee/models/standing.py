"""Where an item stands for someone, what sets it apart there, and what would move it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from matinee.display.notebook import Part, Printable
from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting
from matinee.explain.contrast import Contrast
from matinee.explain.counterfactual import Counterfactual, counterfactual
from matinee.explain.entry import Entry, entry
from matinee.explain.ranks import ordinal, ranks, unseen
from matinee.explain.term import own_deed
from matinee.models.model import Model
from matinee.row_solvers.person import Person

N_SIMILAR = 30  # items that may be rated to bring another into the list
MOST_ADDED = 5  # of them
MOST_REMOVED = 3  # ratings that may be taken out to drop an item


@dataclass(frozen=True, repr=False)
class Place(Printable):
    """The rank of an item among all that a person has not rated, by the score that ranks lists.

    For an item that they have rated, ``rating`` is their rating, and ``rank`` is among the others
    and the item.
    """

    user: str
    item_id: str
    title: str
    n: int  # length of the list
    rank: int
    n_ranked: int  # items that the rank is among
    rating: float | None  # of an item that they have rated
    unit: str

    @property
    def is_listed(self) -> bool:
        """Whether the item is among the first ``n`` of the list."""
        return self.rating is None and self.rank <= self.n

    def sentence(self) -> str:
        """One sentence for people: the rank, and whether it is in the list."""
        if self.rating is not None:
            return f"{self.title} is not in the list, because {own_deed(self.rating, self.unit)}."
        inside = "in" if self.is_listed else "not in"
        return (
            f"{self.title} is {ordinal(self.rank)} of the {self.n_ranked:,} that you have not "
            f"{'rated' if self.unit == 'stars' else 'chosen'}, so it is {inside} your first "
            f"{self.n}."
        )

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return {
            "user": self.user,
            "item_id": self.item_id,
            "title": self.title,
            "n": self.n,
            "rank": self.rank,
            "n_ranked": self.n_ranked,
            "rating": self.rating,
            "is_listed": self.is_listed,
            "sentence": self.sentence(),
        }

    def parts(self) -> Iterator[Part]:
        """The sentence."""
        yield self.sentence()


@dataclass(frozen=True, repr=False)
class Standing(Place):
    """The place of an item, what sets it apart there, and what would move it."""

    last: Contrast | None  # against the item in place n; None where there is no other
    change: Counterfactual | Entry | None  # takes it out of the first n, or in; None where rated

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return {
            **super().to_dict(),
            "last": self.last and self.last.to_dict(),
            "change": self.change and self.change.to_dict(),
        }

    def parts(self) -> Iterator[Part]:
        """The rank, what sets it apart there, and what would move it."""
        yield self.sentence()
        yield from (part.sentence() for part in (self.last, self.change) if part)


def place_in_list(model: Model, user: object, item: object, n: int = 10) -> Place:
    """Where ``item`` stands for ``user`` among what they have not rated, and in a list of ``n``.

    Raises UnknownId, and BadSetting for ``n`` below 1.
    """
    return _Ranking.of(model, user, item).place(n)


def standing(
    model: Model, user: object, item: object, n: int = 10, by: str | None = None
) -> Standing:
    """Where ``item`` stands for ``user`` by the score that ranks lists, against the first ``n``.

    ``by`` is the view of the comparison with the last item of the list. Raises UnknownId, and
    BadSetting for a view that the model does not have or ``n`` below 1.
    """
    ranking = _Ranking.of(model, user, item)
    place, last = ranking.place(n), ranking.last(n)
    return Standing(
        **vars(place),
        last=None
        if last is None
        else cast(Contrast, model.explain(user, item, by, versus=model.items.ids[last])),
        change=None
        if place.rating is not None
        else _change(model.ranker, ranking.person, ranking.row, place.rank, n),
    )


class _Ranking(NamedTuple):
    """An item among all that somebody has not rated."""

    model: Model
    person: Person  # as the ranker knows them
    row: int  # of the item
    among: np.ndarray  # rows of the items, ascending: int32 (n,)
    scores: np.ndarray  # (1, n)

    @classmethod
    def of(cls, model: Model, user: object, item: object) -> "_Ranking":
        row, ranker = model.item_row(item), model.ranker
        person = cast(Person, ranker.from_stars([model.person(user)])[0])
        among = unseen(ranker, person, row)
        return cls(model, person, row, among, ranker.score_people([person], among))

    def place(self, n: int) -> Place:
        """Its place in a list of ``n``. Raises BadSetting for ``n`` below 1."""
        if n < 1:
            raise BadSetting(f"n is {n}; it must be at least 1")
        model, person, row = self.model, self.person, self.row
        rated = person.ratings[person.items == row]
        return Place(
            user=person.name,
            item_id=model.items.ids[row],
            title=model.catalog.called(model.items.ids[row]),
            n=n,
            rank=int(ranks(self.scores, int(np.searchsorted(self.among, row)))[0]),
            n_ranked=len(self.among),
            rating=float(rated[0]) if len(rated) else None,
            unit=model.unit,
        )

    def last(self, n: int) -> int | None:
        """The row of the last of the first ``n`` others; None where there are none."""
        order = self.among[np.argsort(-self.scores[0], kind="stable")]
        others = order[order != self.row]
        return int(others[min(n, len(others)) - 1]) if len(others) else None


def _change(
    ranker: Model, person: Person, row: int, rank: int, n: int
) -> Counterfactual | Entry | None:
    """What would take an item out of the first ``n``, or bring it in; None with no history."""
    if rank <= n:
        if not len(person.items):
            return None
        return counterfactual(ranker, person, row, n, MOST_REMOVED)
    try:
        similar, _ = ranker.nearest("item", row, N_SIMILAR)
    except BadSetting:  # a model without similar items
        return None
    return entry(ranker, person, row, similar, n, MOST_ADDED)
