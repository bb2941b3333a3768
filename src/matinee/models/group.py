"""A list for several people who watch together.

    average        score(i) = mean over people of z(u, i)
    least-misery   score(i) = min over people of z(u, i): nobody should suffer
    fair-share     everybody has as many turns, and takes the best film left

z(u, i) = Phi^-1((r - 1/2) / n) is the normal score of the film's rank r of n from below among u's
candidates: where it would stand if u's scores were normal, in standard deviations above the middle.
So nobody rules a list by how large their scores are, nor by how far a few films stand out in them.

The first two are of O'Connor et al. 2001 and Masthoff 2004, normal scores of van der Waerden 1952.
In each round of turns comes first who has got least so far (Masthoff's fairness): the shares of the
candidates that score below each film of the list for that person, added up.

Films that all of them would probably rate below their own average come last: nobody's choice is
worth an evening that nobody likes.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from matinee.display.frames import Column
from matinee.display.tables import Table
from matinee.errors import BadSetting, did_you_mean, known_arguments
from matinee.models.explanations import ENOUGH
from matinee.models.model import Model

if TYPE_CHECKING:
    from matinee.explain.explanation import Explanation

HOW = ("average", "least-misery", "fair-share")


class Together(Table):
    """Columns ``rank, item_id, title, score``, a score for each person, and whose turn it was.

    ``score`` is of the group, from normal scores, or of the person whose turn it was.

    ``why(item)`` explains an item to each of the people, ``explanations()`` the whole list.
    """

    def __init__(self, columns: dict[str, Column], model: Model, people: Sequence[object]) -> None:
        super().__init__(columns)
        self._model, self._people = model, tuple(people)

    def why(self, item: object, by: str | None = None) -> "dict[str, Explanation]":
        """An explanation of one item for each person, by their names."""
        model = self._model
        return {model.name_of(one): model.explain(one, item, by) for one in self._people}

    def explanations(self) -> "list[dict[str, Explanation]]":
        """For each place an explanation for each person, by their names.

        No reason is given to one person by more than a third of the places (``explain_list``).
        """
        names = [self._model.name_of(one) for one in self._people]
        lists = [self._model.explain_list(one, self.item_id, own=False) for one in self._people]
        return [dict(zip(names, place, strict=True)) for place in zip(*lists, strict=True)]


@known_arguments
def recommend_together(
    model: Model,
    users: Iterable[object],
    n: int = 10,
    how: str = "average",
    *,
    exclude_seen: bool = True,
    items: Iterable[object] | None = None,
    stars_weight: float | None = None,
    caution: float | None = None,
) -> Together:
    """The ``n`` items that suit several people best, by ``how``; none that any of them has rated.

    Users are ids or folded-in people with different names. ``items`` limits the candidates;
    ``stars_weight`` and ``caution`` are those of ``recommend``. Raises UnknownId, and BadSetting
    for an unknown ``how`` or nobody to recommend to.
    """
    people = list(users)
    names = [model.name_of(one) for one in people]
    _check(names, n, how)
    for one in people:
        model.require(one)
    allowed = np.full(len(model.items), items is None)
    if items is not None:
        allowed[[model.items.row(one) for one in items]] = True
    if exclude_seen:
        for one in people:
            allowed[model.rated(one)] = False
    candidates = np.flatnonzero(allowed).astype(np.int32)
    model = model.weighed(stars_weight, caution)
    scores = model.list_scores(people, candidates).astype(np.float64)
    disliked = below_everybody(model, people, candidates)
    turns: list[int] | None = None
    if how == "fair-share":
        order, turns = fair_share(scores - disliked * (1 + np.ptp(scores)), n)
        group = scores[turns, order]
    else:
        own = normal_scores(scores)
        joint = own.mean(axis=0) if how == "average" else own.min(axis=0)
        order = np.lexsort((-joint, disliked))[:n]
        group = joint[order]
    columns: dict[str, Column] = {"rank": range(1, len(order) + 1)}
    columns |= model.named(candidates[order]) | {"score": group}
    columns |= {name: scores[at, order] for at, name in enumerate(names)}
    if turns is not None:
        columns["turn"] = [names[at] for at in turns]
    return Together(columns, model, people)


def normal_scores(scores: np.ndarray) -> np.ndarray:
    """Each row of ``scores`` (n_people, n_items) by its ranks alone; equal ones share theirs."""
    from scipy.special import ndtri  # not above: few commands need it

    result = np.empty_like(scores)
    for own, out in zip(scores, result, strict=True):
        _, which, counts = np.unique(own, return_inverse=True, return_counts=True)
        middle = np.cumsum(counts) - counts / 2  # of the ranks of equal scores, less a half
        out[:] = ndtri(middle[which] / len(own))
    return result


def below_everybody(model: Model, people: Sequence[object], items: np.ndarray) -> np.ndarray:
    """Whether all of several people would rate items in rows (n,) below their average: bool (n,).

    That is by predicted stars; nobody alone, nor anybody whose ratings are few, has such items.
    """
    persons = [model.person(one) for one in people]
    too_few = min(len(one.ratings) for one in persons) < ENOUGH
    if model.kind == "preference" or len(persons) == 1 or too_few:
        return np.zeros(len(items), bool)
    below = [model.predicted(one, items) < one.ratings.mean() for one in persons]
    return np.asarray(np.logical_and.reduce(below))


def fair_share(scores: np.ndarray, n: int) -> tuple[np.ndarray, list[int]]:
    """Columns of ``scores`` (n_people, n_items) in the order they are chosen, and by whom.

    Between people who have had as many turns and got the same, the first of them comes first.
    """
    n_people, n_items = scores.shape
    below = np.argsort(np.argsort(scores, axis=1, kind="stable"), axis=1) / max(n_items - 1, 1)
    left, got = scores.copy(), np.zeros(n_people)
    order: list[int] = []
    turns: list[int] = []
    for _ in range(min(n, n_items)):
        turn = min(range(n_people), key=lambda one: (turns.count(one), round(float(got[one]), 9)))
        best = int(np.argmax(left[turn]))
        order.append(best)
        turns.append(turn)
        left[:, best] = -np.inf
        got += below[:, best]
    return np.array(order, dtype=np.int64), turns


def _check(names: list[str], n: int, how: str) -> None:
    if how not in HOW:
        known = ", ".join(map(repr, HOW))
        raise BadSetting(f"how is {how!r}; it can be {known}{did_you_mean(how, HOW)}")
    if n < 1:
        raise BadSetting(f"n is {n}; a list needs at least 1 entry")
    if not names:
        raise BadSetting("there is nobody to recommend to; give the ids of some users")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise BadSetting(
            f"{twice[0]!r} is there twice; give everybody once, and each a name of their own"
        )
