"""The terms of several items as arrays, of which a ``Term`` is made where somebody looks at it.

A list with reasons has hundreds of terms, and shows a few of each item and the sum of the others.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, chain, pairwise
from typing import overload

import numpy as np

from matinee.explain.term import Label, Term

NEGLIGIBLE = 1e-9  # a term this small is a zero of the model, not a reason


@dataclass(frozen=True, eq=False)
class TermTable:
    """A row for each item, and a column for each label; 0 where an item has no such term."""

    labels: Sequence[Label]  # (n_terms,)
    values: np.ndarray  # (n_items, n_terms) float64, in the units of the scores
    fits: np.ndarray | None = None  # (n_items, n_terms) bool, see ``Term``; None where all do

    # Making tables.

    @classmethod
    def of_columns(cls, n_items: int, *columns: tuple[Label, float | np.ndarray]) -> "TermTable":
        """Labels, each with one value for all items or a value for each: (n_items,)."""
        values = np.empty((n_items, len(columns)))
        for place, (_, column) in enumerate(columns):
            values[:, place] = column
        return cls([label for label, _ in columns], values)

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[Term]]) -> "TermTable":
        """Terms that each item has for itself."""
        terms = list(chain.from_iterable(rows))
        values, fits = np.zeros((len(rows), len(terms))), np.ones((len(rows), len(terms)), bool)
        ends = accumulate(map(len, rows), initial=0)
        for row, (first, last) in enumerate(pairwise(ends)):
            values[row, first:last] = [term.value for term in rows[row]]
            fits[row, first:last] = [term.fits for term in rows[row]]
        return cls([term.label for term in terms], values, fits)

    @classmethod
    def side_by_side(cls, *tables: "TermTable") -> "TermTable":
        """The terms of each item, given in several tables, one after the other."""
        values = np.concatenate([one.values for one in tables], axis=1)
        fits = None
        if any(one.fits is not None for one in tables):
            fits = np.concatenate(
                [
                    np.ones(one.values.shape, bool) if one.fits is None else one.fits
                    for one in tables
                ],
                axis=1,
            )
        return cls(list(chain.from_iterable(one.labels for one in tables)), values, fits)

    def take(self, rows: Sequence[int]) -> "TermTable":
        """The table of the items in some rows."""
        if list(rows) == list(range(len(self.values))):
            return self
        fits = None if self.fits is None else self.fits[rows]
        return replace(self, values=self.values[rows], fits=fits)

    def times(self, weight: float) -> "TermTable":
        """The terms, each ``weight`` times as much."""
        return self if weight == 1 else replace(self, values=weight * self.values)

    def joined(self) -> "TermTable":
        """The terms, those of one name and kind as one that is worth their sum.

        It has the first of their labels that is worth something for the item.
        """
        if len({label.name for label in self.labels}) == len(self.labels):  # as most often
            return self
        columns_of: dict[tuple[str, str], list[int]] = {}
        for column, label in enumerate(self.labels):
            columns_of.setdefault((label.name, label.kind), []).append(column)
        values = self.values.copy()
        for n_alike in {len(columns) for columns in columns_of.values()} - {1}:
            alike = np.array([one for one in columns_of.values() if len(one) == n_alike])
            parts = values[:, alike]  # (n_items, names, n_alike)
            first = (parts != 0).argmax(axis=2)[:, :, None]
            whole = np.zeros_like(parts)
            np.put_along_axis(whole, first, parts.sum(axis=2, keepdims=True), axis=2)
            values[:, alike] = whole
        return replace(self, values=values)

    # Reading them.

    def rows(self) -> list["Terms"]:
        """The terms of each item."""
        return [Terms(self, row) for row in range(len(self.values))]

    @cached_property
    def cells(self) -> list[list[float]]:
        """The values as Python numbers."""
        cells: list[list[float]] = self.values.tolist()
        return cells

    @cached_property
    def fitting(self) -> list[list[bool]] | None:
        """``fits`` as Python truth values."""
        return None if self.fits is None else self.fits.tolist()

    @cached_property
    def present(self) -> list[list[int]]:
        """The columns of the terms that each item has, ascending."""
        row, column = np.nonzero(np.abs(self.values) > NEGLIGIBLE)
        columns: list[int] = column.tolist()
        ends = np.searchsorted(row, np.arange(len(self.values) + 1)).tolist()
        return [columns[first:last] for first, last in pairwise(ends)]

    @cached_property
    def columns_of(self) -> dict[str, list[int]]:
        """The columns of each kind of terms, ascending."""
        columns: dict[str, list[int]] = {}
        for column, label in enumerate(self.labels):
            columns.setdefault(label.kind, []).append(column)
        return columns

    @cached_property
    def totals(self) -> dict[str, list[float]]:
        """What all terms of each kind are worth, for each item."""
        return {
            kind: self.values[:, own].sum(axis=1).tolist() for kind, own in self.columns_of.items()
        }

    @cached_property
    def ratings_by_name(self) -> dict[str, list[int]]:
        """The columns of the ratings of each film, by its name."""
        columns: dict[str, list[int]] = {}
        for column in self.columns_of.get("rating", ()):
            columns.setdefault(self.labels[column].name, []).append(column)
        return columns

    @cached_property
    def rated_low(self) -> list[int]:
        """The columns of the films that the person rated low."""
        ratings = self.columns_of.get("rating", ())
        return [column for column in ratings if self.labels[column].rated_low]


@dataclass(frozen=True, eq=False)
class Terms(Sequence[Term]):
    """The terms of one item: a row of a table."""

    table: TermTable
    row: int

    @classmethod
    def of(cls, terms: Iterable[Term]) -> "Terms":
        """Terms as a table of one row."""
        return cls(TermTable.of_rows([list(terms)]), 0)

    def __len__(self) -> int:
        return len(self.columns)

    @overload
    def __getitem__(self, at: int) -> Term: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Term, ...]: ...
    def __getitem__(self, at: int | slice) -> Term | tuple[Term, ...]:
        if isinstance(at, slice):
            return self.at(self.columns[at])
        (term,) = self.at([self.columns[at]])
        return term

    def __iter__(self) -> Iterator[Term]:
        return iter(self.at(self.columns))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __repr__(self) -> str:
        return repr(tuple(self))

    @property
    def columns(self) -> list[int]:
        """The columns of its terms, ascending."""
        return self.table.present[self.row]

    @property
    def cells(self) -> list[float]:
        """The values of all columns."""
        return self.table.cells[self.row]

    def at(self, columns: Iterable[int]) -> tuple[Term, ...]:
        """The terms in some columns."""
        labels, cells, fits = self.table.labels, self.cells, self.fits
        return tuple([labels[at].term(cells[at], fits=fits is None or fits[at]) for at in columns])

    @property
    def fits(self) -> list[bool] | None:
        """Whether the name of the term in each column means something; None where all do."""
        fitting = self.table.fitting
        return None if fitting is None else fitting[self.row]

    def total(self, kind: str) -> float:
        """What all its terms of a kind are worth."""
        return self.table.totals[kind][self.row] if kind in self.table.totals else 0.0
