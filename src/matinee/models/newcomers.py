"""People whom a model was not trained on: from their ratings, tastes or features to a Person.

Whoever answers says how it was done: ``person.strategy`` is "folded_in", "tastes", "features", or
"popular" for somebody of whom nothing is known. A trained user is "personal".
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matinee.data.ratings import Rows
from matinee.display.text import counted
from matinee.errors import Advice, BadSetting, did_you_mean
from matinee.models.kind import NO_TASTES, Kind
from matinee.models.person import Person, numbered_history
from matinee.row_solvers.embeddings import Embeddings

POINTS = 10  # to share among tastes
MOST_LISTED = 8  # tastes that a message names


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Newcomers(Kind):
    """What models answer about people who were not in the training data."""

    def fold_in(self, history: Mapping[object, float], name: str = "newcomer") -> Person:
        """Someone new, from ``{item id: rating}``, without a refit; usable wherever a user is.

        Items that the model does not know are left out and named in ``person.unknown_items``; an
        empty history gives the average person. Raises BadRatings for a rating that is no finite
        number or lies outside the scale, UnknownId when no item of the history is known.
        """
        (person,) = self.fold_in_many({name: history}, stacklevel=3)
        return person

    def fold_in_many(
        self, histories: Mapping[str, Mapping[object, float]], *, stacklevel: int = 2
    ) -> list[Person]:
        """``fold_in`` for many people at once, ``{name: {item id: rating}}``: much quicker."""
        scale = self.scale if self.kind == "rating" else None
        told = [numbered_history(history, self.items, scale) for history in histories.values()]
        if not told:
            return []
        unknown = [one for *_, ids in told for one in ids]
        if unknown:
            n = sum(map(len, histories.values()))
            names = ", ".join(map(repr, unknown[:3])) + (", ..." if len(unknown) > 3 else "")
            warnings.warn(
                f"{len(unknown)} of {counted(n, 'item')} unknown and left out: {names}",
                stacklevel=stacklevel,
            )
        ends = np.cumsum([0, *(len(items) for items, _, _ in told)])
        items, ratings = (np.concatenate([one[at] for one in told]) for at in (0, 1))
        sides = self.solve_many(Rows(ends, items, ratings))
        return [
            Person(
                name, items, ratings, sides.row(row), "folded_in" if len(items) else "popular", ids
            )
            for row, (name, (items, ratings, ids)) in enumerate(zip(histories, told, strict=True))
        ]

    def fold_in_tastes(self, points: Mapping[object, float], name: str = "newcomer") -> Person:
        """Someone new without ratings, who shares 10 points among tastes: ``{"Horror": 6, 3: 4}``.

            person = sum_t points_t / 10 lover_t + (points left) / 10 average person

        lover_t has taste t alone, as strong as all tastes of people are together on average:
        |p_t| times the mean |q_it| is the mean over people of sum_f |p_uf| times the mean |q_if|;
        but never stronger than 19 of 20 of the people who are at that end of it.
        Tastes go by name, or by number (see ``model.tastes()``). Raises BadSetting for unknown
        tastes, one named twice, points below 0 or above 10 in all, and for models without tastes.
        """
        lovers, names = self.people_of_tastes()
        share, named = np.zeros(len(names)), set()
        for taste, given in points.items():
            number = taste_number(taste, names)
            if number in named:
                raise BadSetting(f"taste {number} ({names[number]!r}) is named twice")
            named.add(number)
            share[number] = _points(taste, given) / POINTS
        if not 0 < share.sum() <= 1 + 1e-9:
            raise BadSetting(
                f"the points add up to {POINTS * share.sum():g}; share up to {POINTS} among tastes"
            )
        average = self.solve(np.empty(0, np.int32), np.empty(0, np.float32))
        rest = np.append(share, max(0.0, 1 - share.sum()))
        side = Embeddings(
            (rest @ np.concatenate([lovers.factors, average.factors]))[None, :].astype(np.float32),
            np.array([rest @ np.concatenate([lovers.bias, average.bias])], np.float32),
        )
        return self._without_ratings(name, side, "tastes")

    def fold_in_features(self, features: Mapping[str, object], name: str = "newcomer") -> Person:
        """Someone new without ratings, from what they tell: ``{"age": 25, "gender": "F"}``.

        The model must have been fitted on ratings with profiles (MovieLens 100K and 1M have them).
        What is not told counts as average. Raises BadSetting for unknown names or values, and for
        a model that knows no profiles.
        """
        return self._without_ratings(name, self.embeddings_of_features(features), "features")

    def _without_ratings(self, name: str, side: Embeddings, strategy: str) -> Person:
        return Person(name, np.empty(0, np.int32), np.empty(0, np.float32), side, strategy)

    def people_of_tastes(self) -> tuple[Embeddings, list[str]]:
        """Somebody for each taste who has that taste alone, and the tastes' names."""
        raise BadSetting(NO_TASTES.format(self.algorithm))

    def embeddings_of_features(self, features: Mapping[str, object]) -> Embeddings:
        """Bias and factors expected of someone with these features."""
        raise BadSetting(
            f"this model of {self.algorithm} knows nothing of people but their ratings; fit mf or "
            "nmf on ratings with profiles, as MovieLens 100K and 1M have them",
            Advice(" (ratings.with_profiles adds some)", ""),
        )


def taste_number(taste: object, names: list[str]) -> int:
    """The taste that a name, in any case, or a number means. Raises BadSetting for none."""
    if isinstance(taste, int) or str(taste).isdecimal():
        number = int(str(taste))
        if number < len(names):
            return number
        raise BadSetting(f"there is no taste {number}; there are 0 to {len(names) - 1}")
    wanted = str(taste).strip().casefold()
    found = [number for number, name in enumerate(names) if name.casefold() == wanted]
    if not found:
        listed = ", ".join(f"{number} {name!r}" for number, name in enumerate(names[:MOST_LISTED]))
        more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
        hint = did_you_mean(str(taste), names) or f"; by number or name, there are {listed}{more}"
        raise BadSetting(f"there is no taste {taste!r}{hint}")
    return found[0]


def _points(taste: object, given: object) -> float:
    try:
        points = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise BadSetting(f"the points for {taste!r} are {given!r}, not a number") from None
    if not 0 <= points <= POINTS:
        high = "; they choose the high end of a taste, ratings tell the low one" * (points < 0)
        raise BadSetting(
            f"the points for {taste!r} are {points:g}; they go from 0 to {POINTS}{high}"
        )
    return points
