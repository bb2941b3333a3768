"""Where an item stands for someone, what sets it apart there, and what would move it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from matinee.display.notebook import Part, Printable
from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting
from matinee.explain.contrast import Contrast
from matinee.explain.counterfactual import Counterfactual, counterfactual
from matinee.explain.entry import Entry, entry
from matinee.explain.ranks import ordinal, ranks, unseen
from matinee.models.model import Model
from matinee.row_solvers.person import Person

N_SIMILAR = 30  # items that may be rated to bring another into the list
MOST_ADDED = 5  # of them
MOST_REMOVED = 3  # ratings that may be taken out to drop an item


@dataclass(frozen=True, repr=False)
class Standing(Printable):
    """The rank of an item among all that a person has not rated, and the last of their list.

    For an item that they have rated, ``rating`` is their rating, ``rank`` is among the others and
    the item, and ``change`` is None.
    """

    user: str
    item_id: str
    title: str
    n: int
    rank: int
    n_ranked: int  # items that the rank is among
    rating: float | None  # of an item that they have rated
    last: Contrast | None  # against the item in place n; None where there is no other
    change: Counterfactual | Entry | None  # what would take it out of the first n, or bring it in

    @property
    def is_listed(self) -> bool:
        """Whether the item is among the first ``n`` of the list."""
        return self.rating is None and self.rank <= self.n

    def sentence(self) -> str:
        """One sentence for people: the rank, and whether it is in the list."""
        if self.rating is not None:
            return f"{self.title} is not in the list, because you rated it {self.rating:g}."
        inside = "in" if self.is_listed else "not in"
        return (
            f"{self.title} is {ordinal(self.rank)} of the {self.n_ranked:,} that you have not "
            f"rated, so it is {inside} your first {self.n}."
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
            "last": self.last and self.last.to_dict(),
            "change": self.change and self.change.to_dict(),
        }

    def parts(self) -> Iterator[Part]:
        """The rank, what sets it apart there, and what would move it."""
        yield self.sentence()
        yield from (part.sentence() for part in (self.last, self.change) if part)


def standing(
    model: Model, user: object, item: object, n: int = 10, by: str | None = None
) -> Standing:
    """Where ``item`` stands for ``user`` by the score that ranks lists, against the first ``n``.

    ``by`` is the view of the comparison with the last item of the list. Raises UnknownId, and
    BadSetting for a view that the model does not have or ``n`` below 1.
    """
    if n < 1:
        raise BadSetting(f"n is {n}; it must be at least 1")
    row = model.item_row(item)
    ranker = model.ranker
    person = cast(Person, ranker.from_stars([model.person(user)])[0])
    among = unseen(ranker, person, row)
    scores = ranker.score_people([person], among)
    rank = int(ranks(scores, int(np.searchsorted(among, row)))[0])
    rated = person.ratings[person.items == row]
    order = among[np.argsort(-scores[0], kind="stable")]
    others = order[order != row]
    last = others[min(n, len(others)) - 1] if len(others) else None
    return Standing(
        user=person.name,
        item_id=model.items.ids[row],
        title=model.catalog.called(model.items.ids[row]),
        n=n,
        rank=rank,
        n_ranked=len(among),
        rating=float(rated[0]) if len(rated) else None,
        last=None
        if last is None
        else cast(Contrast, model.explain(user, item, by, versus=model.items.ids[last])),
        change=None if len(rated) else _change(ranker, person, row, rank, n),
    )


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
