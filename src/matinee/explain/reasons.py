"""Reasons: which terms of a score a sentence gives, and in what words.

A reason is worth at least a tenth of the item's lead over what is usual for the person. Where no
single rating or taste is, all of a kind together may be, and the largest are its examples.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from matinee.explain.term import TELLING, VALUE_OF, Term

VISIBLE = 0.005  # a smaller term is shown as 0.00: it is no row and no reason
LEAST_OF_LEAD = 0.1  # of an item's lead over what is usual, that a reason must be worth
NAMED_REASONS = 2  # tastes or films that a sentence names

# Why something scores high in stars, or in points, and why low in stars, by the kind of term.
PHRASES = {
    "taste": (
        "it suits your taste in {}",
        "it suits your taste in {}",
        "it does not suit your taste in {}",
    ),
    "rating": ("{}", "{}", "{}"),
    "feature": ("of what it is: {}", "of what it is: {}", "of what it is: {}"),
    "person": (
        "people like you rate it high",
        "people like you chose it",
        "people like you rate it low",
    ),
    "model": ("most models say so", "most models say so", "most models say so"),
    "item": ("{raters} it high", "many people know it", "{raters} it low"),
    "alike": (
        "such items are rated high",
        "many people know such items",
        "such items are rated low",
    ),
    "choice": (
        "you tend to choose {}",
        "you tend to choose {}",
        "you seldom choose such things",
    ),
    "popularity": ("many choose it", "many choose it", "few choose it"),
    "certainty": ("{few} rated it", "{few} rated it", "{few} rated it"),
    "user": ("you rate most things high", "you rate most things high", "you rate most things low"),
}
# The same where many small terms of a kind speak as one.
PHRASES_TOGETHER = {
    "taste": (
        "it suits many of your tastes, such as {}",
        "it suits many of your tastes, such as {}",
        "it does not suit many of your tastes, such as {}",
    ),
    "feature": (
        "of much of what it is, such as {}",
        "of much of what it is, such as {}",
        "of much of what it is, such as {}",
    ),
    "choice": (
        "it has much of what you tend to choose, such as {}",
        "it has much of what you tend to choose, such as {}",
        "you seldom choose such things",
    ),
}
CHOSE_IT = "like you chose it"  # ends the names of people who are counted, whatever they gave
NAMING = (*PHRASES_TOGETHER, "rating")  # kinds whose terms a sentence names
PUBLIC = ("item", "alike", "popularity", "certainty")  # kinds that are the same for everybody


class Reason(NamedTuple):
    """What a sentence says of a score: some terms of one kind."""

    terms: tuple[Term, ...]  # that are worth enough, or all of the kind together as one
    examples: tuple[Term, ...] = ()  # the largest of those that speak together

    @property
    def kind(self) -> str:
        """The kind of its terms."""
        return self.terms[0].kind

    @property
    def key(self) -> str:
        """What makes two reasons the same: their kind, and the first name that they give."""
        first = (self.examples or self.terms)[0].name if self.kind in NAMING else ""
        return f"{self.kind} {'such as ' if self.examples else ''}{first}"

    def words(self, column: int, **raters: str) -> str:
        """The phrase for high stars (0), high points (1) or low stars (2).

        ``raters`` are the words for those who rated the item.
        """
        if self.examples:
            return self.words_together(column)
        named = " and ".join(map(named_in_words, unlike_one_another(self.terms)))
        if self.kind == "person" and column == 0 and self.terms[0].name.endswith(CHOSE_IT):
            column = 1
        for again in ("you gave ", "you chose ", "of how you rated "):
            named = named.replace(f" and {again}", " and ")
        return PHRASES[self.kind][column].format(named, **raters)

    def words_together(self, column: int) -> str:
        """The phrase for many small terms: of films, as one speaks of a single one."""
        named = unlike_one_another(self.examples)
        names = [term.called for term in named]
        if self.kind != "rating":
            return PHRASES_TOGETHER[self.kind][column].format(" and ".join(names))
        is_all = len(self.examples) == len(names)
        films = " and ".join(names) if is_all else f"{', '.join(names)} and others"
        chosen = all(map(is_choice, named))
        return f"you chose {films}" if chosen else f"of how you rated {films}"


def reasons_of(terms: Sequence[Term], sign: int, lead: float) -> list[Reason]:
    """What speaks for a score (sign 1) or against it (-1), the kind that says most first.

    ``lead`` is the distance to the usual score. Reasons worth less than a tenth of it come only
    where there is no other, all terms of a kind as one.
    """
    by_kind: defaultdict[str, list[Term]] = defaultdict(list)
    for term in sorted(terms, key=VALUE_OF, reverse=sign > 0):
        by_kind[term.kind].append(term)
    net = {
        kind: sign * sum(map(VALUE_OF, of_kind))
        for kind, of_kind in by_kind.items()
        if kind in PHRASES
    }
    least = LEAST_OF_LEAD * lead
    reasons: list[Reason] = []
    for kind in sorted(net, key=lambda one: (one not in TELLING, -net[one])):
        visible = worth_at_least(VISIBLE, by_kind[kind], sign)
        reasons += reasons_of_kind(visible, sign, least, net[kind])
    worth = [reason for reason in reasons if abs(reason.terms[0].value) >= least]
    telling = [reason for reason in worth if reason.kind in TELLING]
    return telling or worth


def worth_at_least(least: float, terms: Sequence[Term], sign: int) -> Sequence[Term]:
    """Those of the terms, the most for a score (sign 1) or against it (-1) first, that reach it."""
    return terms[: bisect_right(terms, -least, key=lambda term: -sign * term.value)]


def reasons_of_kind(terms: Sequence[Term], sign: int, least: float, net: float) -> list[Reason]:
    """Reasons of one kind, from its terms for a score (sign 1) or against it, the largest first.

    All terms together are worth their sum, or what those against leave of it where ``net`` is less.
    """
    if not terms:
        return []
    kind = terms[0].kind
    together = terms[0].worth(sign * min(abs(sum(map(VALUE_OF, terms))), max(net, 0.0)))
    if kind not in NAMING:
        return [Reason((together,))]
    fitting = [term for term in terms if term.fits]
    strong = worth_at_least(least, fitting, sign)
    reasons = [Reason(tuple(strong))] if strong else []
    reasons += [Reason((term,)) for term in strong[1:]]
    if len(fitting) > len(strong[:1]) + 1:
        name = f"{len(terms)} of this kind, together"
        whole = Term(name, together.value, kind, together.detail, fits=together.fits)
        reasons.append(Reason((whole,), tuple(fitting)))
    return reasons


def unlike_one_another(terms: Sequence[Term]) -> list[Term]:
    """The first terms to name, without those that only tell more of one before them."""
    distinct: list[Term] = []
    for term in terms:
        if len(distinct) == NAMED_REASONS:
            break
        if not any(term.called.startswith(f"{one.called} like ") for one in distinct):
            distinct.append(term)
    return distinct


def named_in_words(term: Term) -> str:
    """A term inside a sentence: ``Horror``, or ``you gave 5 to Alien (1979)``."""
    name = term.called
    if term.kind != "rating":
        return name
    if term.detail.startswith("you gave"):
        return f"{term.detail} to {name}"
    return f"you chose {name}" if is_choice(term) else f"of how you rated {name}"


def is_choice(term: Term) -> bool:
    """Whether a term of a history is what the person chose, not what stars they gave."""
    return bool(term.detail) and not term.detail.startswith("you gave")
