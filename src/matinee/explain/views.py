"""The ways to take a score apart, each a value that every face of the program reads."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # loading them takes long, and the command line's help reads these values
    import numpy as np

    from matinee.explain.term_table import TermTable
    from matinee.row_solvers.person import Person

# The terms of each of the items in some rows (n,), of a model and a person.
TermsOf = Callable[[Any, "Person", "np.ndarray"], "TermTable"]


def _no_terms(model: object, person: "Person", items: "np.ndarray") -> "TermTable":
    raise NotImplementedError("a model gives a view its terms")


@dataclass(frozen=True)
class View:
    """One way to take a score apart into terms that sum to it."""

    name: str  # what ``by`` asks for
    label: str  # how titles and menus continue: "by taste"
    terms: TermsOf = _no_terms  # as a model computes them

    def of(self, terms: TermsOf) -> "View":
        """The view with the terms of a kind of model."""
        return replace(self, terms=terms)


FACTOR = View("factor", "by taste")
HISTORY = View("history", "by your ratings")
PEOPLE = View("people", "by people like you")
FEATURES = View("features", "by what it is")
MODEL = View("model", "by model")

VIEWS = {view.name: view for view in (FACTOR, HISTORY, PEOPLE, FEATURES, MODEL)}


def label_of(name: str) -> str:
    """The label of a view; its name where it is not one of ours."""
    return VIEWS[name].label if name in VIEWS else f"by {name}"
