"""Where an item stands for someone, and who they would be with another history."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from matinee.data.rows import Rows
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


def with_histories(model: Explainable, person: Person, histories: Sequence[Rows]) -> list[Person]:
    """The person as they would be with each of some histories, one row each, in place of their own.

        side + solve(new history) - solve(own history)

    Where training ended on the row solve, as it does when users are solved last, that is
    solve(new history); what gradient steps learned beyond the row solve stays.
    """
    return _moved(model, person, histories, model.solve_many(Rows.joined(histories)))


def without_each(model: Explainable, person: Person) -> list[Person]:
    """The person as they would be without each of their ratings in turn; see above."""
    history = person.history
    histories = [history.subset(others) for others in ~np.eye(len(person.items), dtype=bool)]
    return _moved(model, person, histories, model.solve_without_each(history))


def _moved(
    model: Explainable,
    person: Person,
    histories: Sequence[Rows],
    solved: Embeddings,
) -> list[Person]:
    own = model.solve_many(person.history)
    factors = person.embeddings.factors - own.factors + solved.factors
    bias = person.embeddings.bias - own.bias + solved.bias
    return [
        replace(
            person,
            items=rated.indices,
            ratings=rated.values,
            weights=rated.weights,
            embeddings=solved._replace(factors=factors[[k]], bias=bias[[k]]),
            strategy=person.strategy if len(rated.indices) else "popular",
        )
        for k, rated in enumerate(histories)
    ]


def ordinal(number: int) -> str:
    """A place as people say it: 1st, 2nd, 3rd, 4th, 11th, 1,021st."""
    last = 0 if number % 100 in (11, 12, 13) else number % 10
    return f"{number:,}" + {1: "st", 2: "nd", 3: "rd"}.get(last, "th")
