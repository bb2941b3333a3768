"""What similar users gave, aggregated over at least 5 users for privacy."""

from itertools import pairwise

import numpy as np

from matinee.display.text import counted
from matinee.explain.term import Term
from matinee.explain.term_table import TermTable
from matinee.models.folding import FoldingModel
from matinee.row_solvers.person import Person

FEWEST = 5  # users that a term aggregates
N_NEAREST = 50  # users nearest in factor space who count


def groups_of_people(ratings: np.ndarray | None, parts: np.ndarray) -> list[Term]:
    """What each of some people adds to a score (n,), as terms of groups who gave alike.

    Groups are of neighbouring ratings and as small as they may be; without ``ratings`` all are
    one. What fewer than 5 people add is a remainder, for privacy.
    """
    if len(parts) < FEWEST:
        few = Term(f"fewer than {FEWEST} people like you", float(parts.sum()), "remainder")
        return [few] if len(parts) else []
    if ratings is None:
        name = f"{counted(len(parts), 'person')} like you chose it"
        return [Term(name, float(parts.sum()), "person", chosen=True)]
    order = np.argsort(-ratings, kind="stable")
    ends = np.flatnonzero(np.diff(ratings[order], append=-np.inf)) + 1  # where a rating ends
    bounds = [0]
    for end in ends.tolist():
        if end - bounds[-1] >= FEWEST:
            bounds.append(end)
    bounds[-1] = len(parts)  # the last group takes in those who are too few for one of their own
    terms = []
    for first, last in pairwise(bounds):
        group = order[first:last]
        high, low = ratings[group[0]], ratings[group[-1]]
        gave = f"{high:g}" if high == low else f"{low:g} to {high:g}"
        name = f"{counted(last - first, 'person')} like you gave {gave}"
        terms.append(Term(name, float(parts[group].sum()), "person"))
    return terms


def rating_places(model: FoldingModel, items: np.ndarray) -> list[np.ndarray]:
    """Where in ``model.seen`` the ratings of each of the items (n,) stand, ascending."""
    wanted = np.zeros(len(model.items), dtype=bool)
    wanted[items] = True
    places = np.flatnonzero(wanted.take(model.seen.indices))  # of all items in one pass
    rated = model.seen.indices[places]
    return [places[rated == item] for item in items.tolist()]


def parts_of_people(
    model: FoldingModel, person: Person, item: int, rated: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The ratings of those nearest in factor space who rated an item, and what each adds.

        w_v d_v / sum w,    w_v = cosine of p_u and p_v,   d_v = r_vi - mean - b_v - c_i

    over at most 50 people with w_v above 0; of preferences, d_v = p_v . q_i. ``rated`` (n,) are
    the places of the item's ratings in ``model.seen``. Both results are (n_people,), the terms in
    the unit of scores.
    """
    users = np.searchsorted(model.seen.indptr, rated, side="right") - 1
    if person.strategy == "personal":
        others = users != model.users.row(person.name)
        users, rated = users[others], rated[others]
    P = model.user_embeddings.factors[users].astype(np.float64)
    p = person.embeddings.factors[0].astype(np.float64)
    norms = np.linalg.norm(P, axis=1) * np.linalg.norm(p)
    likeness = P @ p / np.where(norms > 0, norms, 1.0)
    nearest = np.argsort(-likeness, kind="stable")[:N_NEAREST]
    nearest = nearest[likeness[nearest] > 0]
    users, ratings = users[nearest], model.seen.values[rated[nearest]].astype(np.float64)
    weights = likeness[nearest] / (likeness[nearest].sum() or 1.0)
    if model.kind == "rating":
        votes = ratings - model.global_mean - model.user_embeddings.bias[users]
        votes = votes - model.item_embeddings.bias[item]
    else:
        votes = P[nearest] @ model.item_embeddings.factors[item]
    return ratings, weights * votes


def terms_of_people(model: FoldingModel, person: Person, items: np.ndarray) -> TermTable:
    """What groups of at least 5 similar users add to p . q, and what was learned beyond them.

    ``items`` (n,) are rows.
    """
    places = rating_places(model, items)
    return TermTable.of_rows(
        [
            _terms_of_people(model, person, item, rated)
            for item, rated in zip(items.tolist(), places, strict=True)
        ]
    )


def _terms_of_people(
    model: FoldingModel, person: Person, item: int, rated: np.ndarray
) -> list[Term]:
    ratings, parts = parts_of_people(model, person, item, rated)
    learned = float(
        person.embeddings.factors[0].astype(np.float64) @ model.item_embeddings.factors[item]
    )
    if len(parts) < FEWEST:
        return [Term(f"fewer than {FEWEST} people like you rated it", learned, "remainder")]
    terms = groups_of_people(ratings if model.kind == "rating" else None, parts)
    beyond = learned - float(parts.sum())
    return [*terms, Term("learned beyond people like you", beyond, "remainder")]
