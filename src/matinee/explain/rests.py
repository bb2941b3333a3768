"""What a sum shows term by term, and the rest of it by kind."""

from collections import defaultdict
from collections.abc import Sequence

from matinee.explain.term import Label, Term
from matinee.explain.term_table import Terms

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


def rests_of(terms: Terms, columns: Sequence[int]) -> list[Term]:
    """For each kind of the terms in some columns one term that is their sum.

    A term that is alone of its kind keeps its name.
    """
    labels, cells = terms.table.labels, terms.cells
    rests: defaultdict[str, list[int]] = defaultdict(list)
    for column in columns:
        rests[rest_name(labels[column])].append(column)
    return [
        terms.at(rest)[0]
        if len(rest) == 1
        else Term(f"{len(rest):,} {name}", sum([cells[column] for column in rest]), "rest")
        for name, rest in rests.items()
    ]


def rest_name(label: Label) -> str:
    """What a term is called among others of its kind."""
    if label.kind == "rating" and label.chosen:
        return CHOSEN
    return NAMES.get(label.kind, OTHER)
