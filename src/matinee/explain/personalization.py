"""How personal a recommendation is: how much of an item's lead is the person's own."""

from typing import NamedTuple

import numpy as np

from matinee.explain.explainable import Explainable
from matinee.row_solvers.person import Person


class Evidence(NamedTuple):
    """How many ratings a score rests on."""

    by_user: int
    of_item: int


def shares(model: Explainable, person: Person, items: np.ndarray) -> np.ndarray:
    """The share (n,) of each item's lead that the average person would not give it, 0..1.

    lead(u, i) = score(u, i) - mean over rated items of score(u, j)
    share = 1 - lead(average person, i) / lead(u, i),  within 0..1;  NaN where u gives no lead
    """
    known = np.flatnonzero(model.item_counts > 0)
    people = [person, model.fold_in({})]
    means = model.score_people(people, known).mean(axis=1, dtype=np.float64)
    own, average = model.score_people(people, items).astype(np.float64) - means[:, None]
    ahead = own > 0
    result: np.ndarray = np.full(len(items), np.nan)
    result[ahead] = np.clip(1 - average[ahead] / own[ahead], 0.0, 1.0)
    return result
