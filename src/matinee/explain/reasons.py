"""Reasons: which terms of a score a sentence gives, and in what words.

A reason is worth at least a tenth of the item's lead over what is usual for the person. Where no
single rating or taste is, all of a kind together may be, and the largest are its examples.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, islice
from typing import Any, NamedTuple

import numpy as np

from matinee.explain.term import TELLING, Label, Term
from matinee.explain.term_table import Terms, TermTable
from matinee.tastes.names import LIKE

VISIBLE = 0.005  # a smaller term is shown as 0.00: it is no row and no reason
LEAST_OF_LEAD = 0.1  # of an item's lead over what is usual, that a reason must be worth
NAMED_REASONS = 2  # tastes or films that a sentence names
MOST_LOOKED_AT = 50  # terms for those that are not worn out

# Why something scores high in stars, or in points, and why low in stars, by the kind of term.
PHRASES = {
    "taste": (
        "it suits {whose} taste in {}",
        "it suits {whose} taste in {}",
        "it does not suit {whose} taste in {}",
    ),
    "rating": ("{}", "{}", "{}"),
    "feature": ("of what it is: {}", "of what it is: {}", "of what it is: {}"),
    "person": (
        "{alike} rate it high",
        "{alike} chose it",
        "{alike} rate it low",
    ),
    "model": ("{} scores it high", "{} scores it high", "{} scores it low"),
    "item": ("{raters} it high", "many people know it", "{raters} it low"),
    "alike": (
        "such items are rated high",
        "many people know such items",
        "such items are rated low",
    ),
    "choice": (
        "{who} tend to choose {}",
        "{who} tend to choose {}",
        "{who} seldom choose such things",
    ),
    "popularity": ("many choose it", "many choose it", "few choose it"),
    "certainty": ("{few} rated it", "{few} rated it", "{few} rated it"),
    "user": ("you rate most things high", "you rate most things high", "you rate most things low"),
}
# The same where many small terms of a kind speak as one.
PHRASES_TOGETHER = {
    "taste": (
        "it suits many of {whose} tastes, such as {}",
        "it suits many of {whose} tastes, such as {}",
        "it does not suit many of {whose} tastes, such as {}",
    ),
    "feature": (
        "of much of what it is, such as {}",
        "of much of what it is, such as {}",
        "of much of what it is, such as {}",
    ),
    "choice": (
        "it has much of what {who} tend to choose, such as {}",
        "it has much of what {who} tend to choose, such as {}",
        "{who} seldom choose such things",
    ),
}
# Who chooses and likes: the person, whoever has the tastes that are all they told, or everybody.
OF_YOU = {"who": "you", "whose": "your", "alike": "people like you"}
OF_TASTES = {"who": "people with your tastes", "whose": "your", "alike": "people with your tastes"}
OF_ANYBODY = {"who": "people", "whose": "people's", "alike": "people"}
WHO = {"tastes": OF_TASTES, "popular": OF_ANYBODY}  # by how somebody is known
STATED = "you like {}"
RATING = "of how you rated"
NAMING = (*PHRASES_TOGETHER, "rating")  # kinds whose terms a sentence names
PUBLIC = ("item", "alike", "popularity", "certainty")  # kinds that are the same for everybody


class WornOut(NamedTuple):
    """Keys that a list has given often enough: those that came first, and those given at all."""

    first: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()


NOTHING_WORN_OUT = WornOut()


class Reason(NamedTuple):
    """What a sentence says of a score: some terms of one kind."""

    source: Terms
    columns: list[int]  # of the terms that it may name, the most telling first
    value: float  # that of the first, or of all terms of the kind together
    n_together: int = 0  # how many terms speak as one, those of the columns as their examples
    is_stated: bool = False  # whether its terms are tastes that the person stated

    @property
    def label(self) -> Label:
        """What the first of its terms is called."""
        return self.source.table.labels[self.columns[0]]

    @property
    def kind(self) -> str:
        """The kind of its terms."""
        return self.label.kind

    @property
    def largest(self) -> float:
        """What the first of its terms is worth."""
        return self.source.cells[self.columns[0]]

    @property
    def named(self) -> list[Label]:
        """The terms that it names, of those that are unlike one another."""
        labels = self.source.table.labels
        return unlike_one_another(labels[one] for one in self.columns)

    @property
    def key(self) -> str:
        """What makes two reasons the same: the first name that they give, or else their kind."""
        return key_of(self.label)

    @property
    def said(self) -> tuple[str, ...]:
        """The keys of all names that it gives."""
        return tuple(map(key_of, self.named if self.kind in NAMING else [self.label]))

    def without(self, worn_out: WornOut) -> "Reason | None":
        """The reason without names that are worn out; None where it has no other to begin with.

        Of terms that speak together others are the examples, as long as there are any.
        """
        if worn_out == NOTHING_WORN_OUT:
            return self
        labels, together = self.source.table.labels, self.n_together and self.kind in NAMING
        unsaid = [
            one
            for one in islice(self.columns, MOST_LOOKED_AT)
            if key_of(labels[one]) not in worn_out.said
        ]
        fresh = [one for one in self.columns[:1] if key_of(labels[one]) not in worn_out.first]
        first = unsaid[:1] if together and unsaid else fresh
        if not first:
            return None
        return self._replace(columns=[*first, *(one for one in unsaid if one not in first)])

    def leaving_out(self, is_said: Callable[[str], bool]) -> "Reason | None":
        """The reason without the names that are said beside it; None where it has no other."""
        if self.kind not in NAMING:
            return self
        labels = self.source.table.labels
        columns = [one for one in self.columns if not is_said(labels[one].called)]
        return self._replace(columns=columns) if columns else None

    @property
    def terms(self) -> tuple[Term, ...]:
        """Its terms; those that speak together as one, which is worth their sum."""
        if not self.n_together:
            return self.source.at(self.columns)
        (first,) = self.source.at(self.columns[:1])
        if self.kind not in NAMING:
            return (first._replace(value=self.value),)
        name = f"{self.n_together} of this kind, together"
        return (first._replace(name=name, value=self.value, said=""),)

    def words(self, column: int, **people: str) -> str:
        """The phrase for high stars (0), high points (1) or low stars (2).

        ``people`` are the words for those who rated the item, and for who chooses it.
        """
        people = OF_YOU | people
        named, kind = self.named, self.kind
        if self.n_together and kind in NAMING:
            return words_together(kind, named, self.n_together - len(named), column, people)
        if kind == "rating":
            return films_in_words(named)
        if kind == "person" and column == 0 and self.label.chosen:
            column = 1
        words = " and ".join([label.called for label in named])
        if self.is_stated:
            return STATED.format(words)
        return PHRASES[kind][column].format(words, **people)


def words_together(
    kind: str, examples: Sequence[Label], n_others: int, column: int, people: Mapping[str, str]
) -> str:
    """The phrase for many small terms: of films, as one speaks of a single one."""
    names = [label.called for label in examples]
    if kind != "rating":
        return PHRASES_TOGETHER[kind][column].format(" and ".join(names), **people)
    films = f"{', '.join(names)} and others" if n_others > 0 else " and ".join(names)
    chosen = all(label.chosen for label in examples)
    return f"you {examples[0].verb} {films}" if chosen else f"of how you rated {films}"


def key_of(label: Label) -> str:
    """What makes two labels the same in reasons: their names where these are given."""
    return f"{label.kind} {label.name}" if label.kind in NAMING else label.kind


@dataclass(frozen=True, eq=False)
class Arguments:
    """What may be said for the scores of some items or against them, by the kinds of their terms.

    Of terms that are no 0.00 and have the sign of the argument, or of all where it says so.
    """

    table: TermTable  # a row for each item
    signs: np.ndarray  # (n_items,) 1 for a score, -1 against
    unsaid: np.ndarray | None = None  # (n_items, n_terms) bool: terms that are no reason

    @cached_property
    def kinds(self) -> list[str]:
        """The kinds of terms that may be said."""
        return [kind for kind in self.table.columns_of if kind in PHRASES]

    @cached_property
    def values(self) -> np.ndarray:
        """The terms with the sign of the argument, 0 where unsaid: (n_items, n_terms)."""
        values: np.ndarray = self.signs[:, None] * self.table.values
        return values if self.unsaid is None else np.where(self.unsaid, 0.0, values)

    @cached_property
    def counts(self) -> list[list[int]]:
        """How many terms of each kind say so, for each item."""
        return self._sums((self.values >= VISIBLE).astype(np.intp))

    @cached_property
    def sums(self) -> list[list[float]]:
        """What they are worth together."""
        return self._sums(np.where(self.values >= VISIBLE, self.values, 0.0))

    @cached_property
    def nets(self) -> list[list[float]]:
        """What all terms of each kind are worth, for each item."""
        return self._sums(self.values)

    def _sums(self, values: np.ndarray) -> list[list[Any]]:
        """The sums over each kind of ``values`` (n_items, n_terms), for each item."""
        own = [self.table.columns_of[kind] for kind in self.kinds]
        if not own:
            return [[] for _ in values]
        starts = list(accumulate(map(len, own[:-1]), initial=0))
        columns = list(chain.from_iterable(own))
        sums: list[list[Any]] = np.add.reduceat(values[:, columns], starts, axis=1).tolist()
        return sums

    def columns(self, kind: str, place: int) -> list[int]:
        """The columns of a kind that say so of an item, the largest first."""
        return self.by_size(kind)[place][: self.counts[place][self.kinds.index(kind)]]

    def by_size(self, kind: str) -> list[list[int]]:
        """The columns of a kind, for each item those that speak most for the argument first."""
        if kind not in self._by_size:
            own = np.array(self.table.columns_of[kind])
            order = np.argsort(-self.values[:, own], axis=1, kind="stable")
            self._by_size[kind] = own[order].tolist()
        return self._by_size[kind]

    @cached_property
    def _by_size(self) -> dict[str, list[list[int]]]:
        """``by_size`` of the kinds asked for so far: most are for none."""
        return {}


def reasons_of(terms: Terms, arguments: Arguments, place: int, lead: float) -> Iterator[Reason]:
    """What speaks for a score or against it, the kind whose first reason is worth most first.

    ``arguments`` have the item in row ``place``. ``lead`` is the distance to the usual score.
    Reasons worth less than a tenth of it come only where there is no other, all terms of a kind as
    one.
    """
    least = LEAST_OF_LEAD * lead
    telling: list[list[Reason]] = []
    others: list[list[Reason]] = []
    for kind, n in zip(arguments.kinds, arguments.counts[place], strict=True):
        found = reasons_of_kind(terms, arguments, place, kind, least) if n else ()
        if reasons := [one for one in found if abs(one.value) >= least]:
            (telling if kind in TELLING else others).append(reasons)
    for reasons in sorted(telling or others, key=lambda one: -abs(one[0].value)):
        yield from reasons


def stated_tastes(terms: Terms, names: Collection[str]) -> Iterator[Reason]:
    """The reason that tastes speak for an item that the person stated, by ``names``."""
    cells, fits, labels = terms.cells, terms.fits, terms.table.labels
    columns = [
        one
        for one in terms.table.columns_of.get("taste", ())
        if labels[one].called in names and cells[one] >= VISIBLE and (fits is None or fits[one])
    ]
    if columns:
        columns.sort(key=lambda one: -cells[one])
        yield Reason(terms, columns, cells[columns[0]], is_stated=True)


def reasons_of_kind(
    terms: Terms, arguments: Arguments, place: int, kind: str, least: float
) -> Iterator[Reason]:
    """Reasons of one kind, from its terms that say so, the largest first.

    All terms together are worth their sum, or what those against leave of it where that is less.
    """
    at, sign = arguments.kinds.index(kind), int(arguments.signs[place])
    whole = sign * min(arguments.sums[place][at], max(arguments.nets[place][at], 0.0))
    columns = arguments.columns(kind, place)
    if kind not in NAMING:
        yield Reason(terms, columns[:1], whole, n_together=len(columns))
        return
    cells, fits = terms.cells, terms.fits
    fitting = columns if fits is None else [one for one in columns if fits[one]]
    strong = [one for one in fitting if sign * cells[one] >= least]
    if strong:
        yield Reason(terms, strong, cells[strong[0]])
    for one in strong[1:]:
        yield Reason(terms, [one], cells[one])
    if len(fitting) > len(strong[:1]) + 1:
        yield Reason(terms, fitting, whole, n_together=len(columns))


def unlike_one_another(labels: Iterable[Label]) -> list[Label]:
    """The first labels to name, without those that only tell more of one before them."""
    distinct: list[Label] = []
    for label in labels:
        if len(distinct) == NAMED_REASONS:
            break
        if not says_again(label.called, distinct):
            distinct.append(label)
    return distinct


def says_again(name: str, said: Iterable[Label]) -> bool:
    """Whether a name is among those said, or only tells more of one: ``Horror like Alien``."""
    return any(name == one.called or name.startswith(f"{one.called}{LIKE}") for one in said)


def films_in_words(labels: Sequence[Label]) -> str:
    """What somebody did with films: ``you gave 5 to Alien (1979) and 4 to Heat (1995)``.

    What is said of the film before is not said again.
    """
    phrases = []
    said = ""
    for label in labels:
        did = f"you {label.verb}" if label.chosen else "you gave" if label.detail else RATING
        what = f"{label.detail.removeprefix('you gave ')} to " if did == "you gave" else ""
        phrases.append(f"{'' if did == said else did + ' '}{what}{label.called}")
        said = did
    return " and ".join(phrases)
