"""What a sum shows term by term, and the rest of it by kind."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from matinee.explain.term import CHOOSES_LESS, Term
from matinee.explain.term_table import NEGLIGIBLE, Terms, TermTable
from matinee.tastes.names import is_much_like

# What the terms of a kind are called together, after their number.
NAMES = {
    "taste": "more tastes",
    "choice": "more tastes in choosing",
    "rating": "more of your ratings",
    "feature": "more features",
    "person": "more groups of people",
    "model": "more models",
}
CHOSEN = "more from your history"  # of what was chosen, without stars
OTHER = "more terms"

# Kinds that are always shown, and first.
FIXED = ("base", "user", "item", "alike", "popularity", "certainty")


class Rest(NamedTuple):
    """The terms of one kind that are not shown one by one."""

    name: str
    first: int  # the column of the largest
    n_terms: int
    value: float  # their sum

    def term(self, terms: Terms) -> Term:
        """Their sum as a term; one that is alone of its kind keeps its name."""
        if self.n_terms == 1:
            return terms.at([self.first])[0]
        return Term(f"{self.n_terms:,} {self.name}", self.value, "rest")


class Shown(NamedTuple):
    """What is shown of the terms of one item."""

    columns: list[int]  # of the terms shown one by one: those that always are, and the largest
    rests: list[Rest]  # of all others, the one with the largest term first

    def terms(self, terms: Terms) -> tuple[Term, ...]:
        """The terms to show, of which none contradicts another."""
        shown = (*terms.at(self.columns), *(rest.term(terms) for rest in self.rests))
        chosen = [term.called for term in shown if term.kind == "choice" and term.value > 0]
        return tuple([told_apart(term, chosen) if term.opposite else term for term in shown])


def told_apart(term: Term, chosen: Iterable[str]) -> Term:
    """The term of what is chosen less, by its films where it is called as something ``chosen``."""
    opposite = term.opposite
    if opposite is None or not any(is_much_like(opposite.name, one) for one in chosen):
        return term
    return term._replace(name=CHOOSES_LESS.format(opposite.by_films))


def shown_of(table: TermTable, most: int) -> list[Shown]:
    """What is shown of each item: base, user and item, the ``most`` largest others, their rests."""
    own = table.columns_of
    fixed = sorted(column for kind in FIXED for column in own.get(kind, ()))
    others = np.array(
        [column for kind, columns in own.items() if kind not in FIXED for column in columns], int
    )
    others.sort()
    sizes = np.abs(table.values)
    order = others[np.argsort(-sizes[:, others], axis=1, kind="stable")]
    large, small = order[:, :most].tolist(), order[:, most:]
    cells = sizes[:, fixed].tolist()
    n_others = np.count_nonzero(sizes[:, others] > NEGLIGIBLE, axis=1)
    rests = rests_of(table, small, np.maximum(n_others - most, 0))
    return [
        Shown(
            [column for column, size in zip(fixed, row, strict=True) if size > NEGLIGIBLE]
            + columns[:n],
            rest,
        )
        for row, columns, n, rest in zip(cells, large, n_others.tolist(), rests, strict=True)
    ]


def rests_of(table: TermTable, columns: np.ndarray, counts: np.ndarray) -> list[list[Rest]]:
    """For each item and kind one rest of its terms in some columns, the largest first.

    ``columns`` (n_items, n) name the terms of each item, of which the first ``counts`` (n_items,)
    are there.
    """
    names = rest_names(table)
    code = np.empty(len(table.labels), int)  # of each column: which of the names it goes by
    for place, own in enumerate(names.values()):
        code[own] = place
    is_there = np.arange(columns.shape[1]) < counts[:, None]
    row, at = np.nonzero(is_there)
    column = columns[row, at]
    cell = row * len(names) + code[column]  # of a table of items and names
    shape = len(columns), len(names)
    size = shape[0] * shape[1]
    first = np.zeros(size, int)
    first[cell[::-1]] = np.arange(len(cell))[::-1]  # what is written last stands
    n_terms = np.bincount(cell, minlength=size).reshape(shape).tolist()
    sums = np.bincount(cell, table.values[row, column], size).reshape(shape).tolist()
    firsts, column_of = first.reshape(shape).tolist(), column.tolist()
    return [
        [
            Rest(name, column_of[place], n, value)
            for place, name, n, value in sorted(zip(*own, strict=True))
            if n
        ]
        for own in zip(firsts, [list(names)] * shape[0], n_terms, sums, strict=True)
    ]


def rest_names(table: TermTable) -> dict[str, list[int]]:
    """What terms are called among others of their kind, with the columns of those."""
    names: dict[str, list[int]] = {}
    for kind, columns in table.columns_of.items():
        if kind == "rating":
            chosen = [column for column in columns if table.labels[column].verb == "chose"]
            names[CHOSEN] = chosen
            columns = sorted({*columns}.difference(chosen))
        names.setdefault(NAMES.get(kind, OTHER), []).extend(columns)
    return names
