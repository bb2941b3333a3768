"""The fewest ratings of similar items that would bring an item into someone's list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from matinee.display.notebook import Part, Printable
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted, listed
from matinee.explain.counterfactual import Removed as Rated
from matinee.explain.explainable import Explainable
from matinee.explain.ranks import ordinal, ranks, unseen, with_histories
from matinee.row_solvers.person import Person

Change = tuple[int, ...]  # item rows that are rated with the top of the scale


@dataclass(frozen=True, repr=False)
class Entry(Printable):
    """Items that, rated with the top of the scale, bring an item among the first ``n``.

    ``rated`` are those of the nearest approach where none of at most ``most`` items suffices; then
    ``rank_after`` is beyond ``n``.
    """

    user: str
    item_id: str
    title: str
    n: int
    most: int
    rated: tuple[Rated, ...]
    rank_before: int
    rank_after: int  # with the ratings
    unit: str = "stars"

    @property
    def enters(self) -> bool:
        """Whether the item is then among the first ``n``."""
        return self.rank_after <= self.n

    def sentence(self) -> str:
        """One sentence for people."""
        if not self.rated:
            return f"No rating of a similar item would raise {self.title}."
        if not self.enters:
            added = counted(self.most, "rating" if self.unit == "stars" else "choice")
            return (
                f"As far as was tried, no {added} of similar items would bring "
                f"{self.title} into your first {self.n}."
            )
        together = listed([one.title for one in self.rated])
        stars = f"Had you rated {together} {self.rated[0].rating:g}"
        with_them = stars if self.unit == "stars" else f"Had you chosen {together}"
        places = f"{ordinal(self.rank_after)} instead of {ordinal(self.rank_before)}"
        return f"{with_them}, {self.title} would be {places}."

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return {
            "user": self.user,
            "item_id": self.item_id,
            "title": self.title,
            "n": self.n,
            "most": self.most,
            "rated": [one._asdict() for one in self.rated],
            "rank_before": self.rank_before,
            "rank_after": self.rank_after,
            "sentence": self.sentence(),
        }

    def parts(self) -> Iterator[Part]:
        yield self.sentence()


def entry(
    model: Explainable,
    person: Person,
    item: int,
    similar: np.ndarray,
    n: int,
    most: int,
) -> Entry:
    """Rate similar items with the top of the scale, the one that helps most first.

    ``item`` is the row of an item that the person has not rated, ``similar`` (n_similar,) are the
    rows to choose from. Every set is judged by solving the person again.
    """
    high = model.scale.high
    own = dict(zip(person.items.tolist(), person.ratings.tolist(), strict=True))
    open_rows = [row for row in similar.tolist() if row != item and own.get(row) != high]
    added: Change = ()
    (before,) = rank_with(model, person, item, [()])
    rank = before
    while rank > n and len(added) < most and open_rows:
        sets = [(*added, row) for row in open_rows]
        ranks = rank_with(model, person, item, sets)
        best = int(np.argmin(ranks))
        if ranks[best] >= rank:
            break
        added, rank = sets[best], ranks[best]
        open_rows.remove(added[-1])
    ids = [model.items.ids[row] for row in added]
    return Entry(
        user=person.name,
        item_id=model.items.ids[item],
        title=model.catalog.called(model.items.ids[item]),
        n=n,
        most=most,
        rated=tuple(Rated(one, model.catalog.called(one), high) for one in ids),
        rank_before=before,
        rank_after=rank,
        unit="stars" if model.kind == "rating" else "points",
    )


def rank_with(model: Explainable, person: Person, item: int, sets: Sequence[Change]) -> list[int]:
    """The rank of an item, not rated, with each set of items rated with the top of the scale."""
    people = [person]
    if any(sets):
        high = model.scale.high
        histories = [person.history.updated(dict.fromkeys(one, high)) for one in sets]
        people = with_histories(model, person, histories)
    among = unseen(model, person, item)
    scores = np.array(model.score_people(people, among))
    for row, one in enumerate(sets):
        scores[row, np.isin(among, one)] = -np.inf  # they are rated then, and not in the list
    rank: list[int] = ranks(scores, int(np.searchsorted(among, item))).tolist()
    return rank
