"""What would happen to a recommendation if someone's ratings or tastes were others."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from matinee.data.ids import as_id
from matinee.data.scale import checked_rating
from matinee.display.notebook import Grid, Part, Printable
from matinee.display.plain_data import JsonObject
from matinee.display.text import listed
from matinee.errors import Advice, BadSetting, Option, did_you_mean
from matinee.explain.explainable import Explainable
from matinee.explain.ranks import ordinal, ranks, unseen, with_histories
from matinee.row_solvers.person import Person

WITHOUT, CHANGE = Option("without", ...), Option("change", ...)
TASTES = Advice("tastes=...", "--taste-times", "tastes")
NEAR_TITLE = 0.8  # likeness of titles that people mistake for one another


@dataclass(frozen=True, repr=False)
class WhatIf(Printable):
    """How an item's score and rank move for a user who is solved again with other ratings.

    Ranks are among the items rated neither before nor after, and the item itself.
    """

    user: str
    item_id: str
    title: str
    changes: tuple[str, ...]  # in words, such as "without your 5 for *Alien (1979)*"
    person: Person  # with the changed ratings; usable wherever a user is
    score_before: float
    score_after: float
    rank_before: int
    rank_after: int
    n_unseen: int  # items that the rank is among
    unit: str = "stars"

    def sentence(self) -> str:
        """One sentence for people: what changes, and how far the item moves."""
        before, after = ordinal(self.rank_before), ordinal(self.rank_after)
        if self.rank_before == self.rank_after:
            moves = f"stays {before}"
        else:
            verb = "falls" if self.rank_after > self.rank_before else "rises"
            moves = f"{verb} from {before} to {after}"
        sentence = f"{listed(self.changes)}, {self.title} {moves}."
        return sentence[0].upper() + sentence[1:]

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return {
            "user": self.user,
            "item_id": self.item_id,
            "title": self.title,
            "changes": list(self.changes),
            "before": {"score": self.score_before, "rank": self.rank_before},
            "after": {"score": self.score_after, "rank": self.rank_after},
            "n_unseen": self.n_unseen,
            "sentence": self.sentence(),
        }

    def rows(self) -> list[tuple[str, str, str]]:
        """What is shown: name, before, after."""
        return [
            ("score", f"{self.score_before:.2f}", f"{self.score_after:.2f}"),
            ("rank", f"{self.rank_before:,}", f"{self.rank_after:,}"),
        ]

    def parts(self) -> Iterator[Part]:
        yield self.sentence()
        yield ""
        yield Grid([("", "before", "after"), *self.rows()], indent=2)


def what_if(
    model: Explainable,
    person: Person,
    item: int,
    without: Iterable[object],
    change: Mapping[object, float],
    tastes: Mapping[object, float],
) -> WhatIf:
    """Solve the person again with changed ratings and tastes, and see how the item moves.

    ``item`` is a row number; ``change`` is ``{item id: rating}``, ``tastes`` ``{name: factor}``.
    Raises UnknownId, BadRatings for a rating outside the scale, and BadSetting when nothing
    changes, for an item in ``without`` that was never rated, or for an unknown taste.
    """
    ids = [without] if isinstance(without, str) else without
    removed = list(dict.fromkeys(as_id(one) for one in ids))  # once, however often named
    before = dict(zip(person.items.tolist(), person.ratings.tolist(), strict=True))
    history = dict(before)
    changes = _take_out(model, person, history, removed)
    changes += _rate(model, person, history, change, removed)
    changed = person
    if changes:
        rows = before.keys() | history.keys()
        new = {row: history.get(row) for row in rows if history.get(row) != before.get(row)}
        (changed,) = with_histories(model, person, [person.history.updated(new)])
    if tastes:
        changed, taste_changes = _with_tastes(model, changed, tastes)
        changes += taste_changes
    if not changes:
        raise BadSetting("nothing would change; give ", WITHOUT, ", ", CHANGE, " or ", TASTES)
    after = set(unseen(model, changed, item).tolist())
    among = np.array([r for r in unseen(model, person, item).tolist() if r in after], np.int32)
    scores = model.score_people([person, changed], among)
    place = int(np.searchsorted(among, item))
    rank_before, rank_after = ranks(scores, place).tolist()
    item_id = model.items.ids[item]
    return WhatIf(
        user=person.name,
        item_id=item_id,
        title=model.catalog.called(item_id),
        changes=tuple(changes),
        person=changed,
        score_before=float(scores[0, place]),
        score_after=float(scores[1, place]),
        rank_before=rank_before,
        rank_after=rank_after,
        n_unseen=len(among),
        unit=model.unit,
    )


def _take_out(
    model: Explainable, person: Person, history: dict[int, float], without: list[str]
) -> list[str]:
    """Take ratings out of a history; returns what was done, in words."""
    changes = []
    for one in without:
        row = model.items.row(one)
        title = model.catalog.called(one)
        if row not in history:
            rated = model.items.ids[person.items].tolist()
            titles = [model.catalog.called(known) for known in rated]
            near = did_you_mean(title, titles, NEAR_TITLE) if title != one else ""
            raise BadSetting(
                f"{person.name} has not rated {title!r}, so there is nothing to leave out{near}"
            )
        rating = history.pop(row)
        changes.append(
            f"without your {rating:g} for {title}" if model.kind == "rating" else f"without {title}"
        )
    return changes


def _rate(
    model: Explainable,
    person: Person,
    history: dict[int, float],
    change: Mapping[object, float],
    without: list[str],
) -> list[str]:
    """Change ratings of a history, or add some; returns what was done, in words."""
    changes = []
    for one, value in change.items():
        row = model.items.row(one)
        title = model.catalog.called(as_id(one))
        if as_id(one) in without:
            raise BadSetting(f"{title!r} is both in without and in change; choose one")
        rating = checked_rating(one, value, model.scale)
        if model.kind == "preference":
            changes.append(f"with {title}")
        elif row in history:
            changes.append(f"with {rating:g} instead of {history[row]:g} for {title}")
        else:
            changes.append(f"with {rating:g} for {title}")
        history[row] = rating
    return changes


def _with_tastes(
    model: Explainable, person: Person, tastes: Mapping[object, float]
) -> tuple[Person, list[str]]:
    """The person with some tastes stronger or weaker, and the changes in words."""
    controls = model.taste_controls
    if controls is None:
        raise BadSetting(
            f"models of {model.algorithm} have no tastes; give ", WITHOUT, " or ", CHANGE
        )
    changed, changes = person, []
    for name, factor in tastes.items():
        if not np.isfinite(factor):
            raise BadSetting(f"the factor for taste {name!r} is {factor}, not a finite number")
        if factor < 0:
            raise BadSetting(
                f"the factor for taste {name!r} is {factor:g}; it must be at least 0, "
                "which takes the taste away (1 leaves it as it is)"
            )
        changed, taste = controls.with_taste(changed, name, factor)
        words = f"your taste in {taste}"
        changes.append(f"without {words}" if factor == 0 else f"with {factor:g} times {words}")
    return changed, changes
