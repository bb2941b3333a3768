"""What a sum shows term by term, and the rest of it by kind."""

from collections import defaultdict
from collections.abc import Sequence

from matinee.explain.reasons import is_choice
from matinee.explain.term import Term

# What the terms of a kind are called together, after their number.
NAMES = {
    "taste": "more tastes",
    "choice": "more you tend to choose",
    "rating": "more of your ratings",
    "feature": "more features",
    "person": "more groups of people",
    "model": "more models",
}
CHOSEN = "more from your history"  # of what was chosen, whatever its stars
OTHER = "more terms"


def with_rests(terms: Sequence[Term], most: int) -> list[Term]:
    """The first ``most`` terms, and for each kind of the others one term that is their sum.

    ``terms`` are in the order to show. A term that is alone of its kind keeps its name.
    """
    rests: defaultdict[str, list[Term]] = defaultdict(list)
    for term in terms[most:]:
        rests[rest_name(term)].append(term)
    return [*terms[:most], *(rest_of(name, rest) for name, rest in rests.items())]


def rest_of(name: str, terms: Sequence[Term]) -> Term:
    """Small terms of one kind as one."""
    if len(terms) == 1:
        return terms[0]
    return Term(f"{len(terms):,} {name}", sum(term.value for term in terms), "rest")


def rest_name(term: Term) -> str:
    """What a term is called among others of its kind."""
    if term.kind == "rating" and is_choice(term):
        return CHOSEN
    return NAMES.get(term.kind, OTHER)
