"""Where an item stands for someone, and who they would be with another history."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from matinee.data.ratings import Rows
from matinee.explain.explainable import Explainable
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person


def unseen(model: Explainable, person: Person, item: int) -> np.ndarray:
    """Rows of the items that a person has not rated, and of ``item``, ascending: int32 (n,)."""
    open_to = np.ones(len(model.items), dtype=bool)
    open_to[person.items] = False
    open_to[item] = True
    return np.flatnonzero(open_to).astype(np.int32)


def ranks(scores: np.ndarray, place: int) -> np.ndarray:
    """The rank (n,) of the column ``place`` in each row of scores (n, n_items), from 1.

    Ties keep the order of columns, as lists do.
    """
    own = scores[:, [place]]
    ahead = (scores > own).sum(axis=1) + (scores[:, :place] == own).sum(axis=1)
    return np.asarray(ahead + 1)


def with_histories(
    model: Explainable, person: Person, histories: Sequence[tuple[np.ndarray, np.ndarray]]
) -> list[Person]:
    """The person as they would be with each of some (item rows, ratings) in place of their own.

        side + solve(new history) - solve(own history)

    Where training ended on the row solve, as it does when users are solved last, that is
    solve(new history); what gradient steps learned beyond the row solve stays.
    """
    ends = np.cumsum([0, *(len(items) for items, _ in histories)])
    items = np.concatenate([items for items, _ in histories])
    ratings = np.concatenate([ratings for _, ratings in histories])
    solved = model.solve_many(Rows(ends, items.astype(np.int32), ratings.astype(np.float32)))
    return _moved(model, person, histories, solved)


def without_each(model: Explainable, person: Person) -> list[Person]:
    """The person as they would be without each of their ratings in turn; see above."""
    solved = model.solve_without_each(person.items, person.ratings)
    places = range(len(person.items))
    histories = [(np.delete(person.items, k), np.delete(person.ratings, k)) for k in places]
    return _moved(model, person, histories, solved)


def _moved(
    model: Explainable,
    person: Person,
    histories: Sequence[tuple[np.ndarray, np.ndarray]],
    solved: Embeddings,
) -> list[Person]:
    own = model.solve(person.items, person.ratings)
    factors = person.embeddings.factors - own.factors + solved.factors
    bias = person.embeddings.bias - own.bias + solved.bias
    return [
        replace(
            person,
            items=items,
            ratings=ratings,
            embeddings=solved._replace(factors=factors[[k]], bias=bias[[k]]),
            strategy=person.strategy if len(items) else "popular",
        )
        for k, (items, ratings) in enumerate(histories)
    ]


def ordinal(number: int) -> str:
    """A place as people say it: 1st, 2nd, 3rd, 4th, 11th, 1,021st."""
    last = 0 if number % 100 in (11, 12, 13) else number % 10
    return f"{number:,}" + {1: "st", 2: "nd", 3: "rd"}.get(last, "th")
