"""The terms of a factor model's score: by taste, or by what the person rated."""

from typing import TYPE_CHECKING

import numpy as np

from matinee.explanation import Explanation, Term
from matinee.models.people import Person

if TYPE_CHECKING:
    from matinee.models.factor import FactorModel

NEGLIGIBLE = 1e-9  # a term this small is a zero of the model, not a reason


def explain_by_factor(model: "FactorModel", person: Person, item: int) -> Explanation:
    """mean + user + item + one term p_f q_f per factor."""
    products = person.side.factors[0].astype(np.float64) * model.item_factors[item]
    tastes = [
        Term(taste.name, float(value), "taste")
        for taste, value in zip(model.tastes(), products, strict=True)
    ]
    user = Term("how you rate", float(person.side.bias[0]), "user")
    return _explanation(model, person, item, "factor", [user, _item_term(model, item), *tastes])


def explain_by_history(model: "FactorModel", person: Person, item: int) -> Explanation:
    """mean + item + one term w_j (r_j - mean - c_j) per rating given + what they do not explain.

    The weights are those of the row solve (Hu, Koren & Volinsky 2008, section 5), so the remainder
    is zero where the person's factors are that solution, and is shown as a term where not.
    """
    weights = model.fold.weights(person.items, model.item_side, item, person.side)
    deviations = person.ratings - model.global_mean - model.item_bias[person.items]
    parts = weights * deviations
    ratings = [
        Term(model.catalog.label(model.items.ids[row]), float(part), "rating", f"you gave {stars:g}")
        for row, stars, part in zip(person.items, person.ratings, parts, strict=True)
    ]
    terms = [_item_term(model, item), *ratings]
    factors = person.side.factors[0].astype(np.float64)
    personal = float(person.side.bias[0]) + float(factors @ model.item_factors[item])
    remainder = personal - float(parts.sum())
    if abs(remainder) > 1e-5 * max(1.0, abs(personal)):
        terms.append(Term("learned in training, beyond your ratings", remainder, "remainder"))
    return _explanation(model, person, item, "history", terms)


def _item_term(model: "FactorModel", item: int) -> Term:
    return Term("how this is rated", float(model.item_bias[item]), "item")


def _explanation(
    model: "FactorModel", person: Person, item: int, by: str, terms: list[Term]
) -> Explanation:
    item_id = model.items.ids[item]
    base = Term("average of all ratings", model.global_mean, "base")
    terms = [base, *(term for term in terms if abs(term.value) > NEGLIGIBLE)]
    score = float(model.people.scores(person.side, model.item_side.row(item))[0, 0])
    rating = model.kind == "rating"
    return Explanation(
        user=person.name,
        item_id=item_id,
        title=model.catalog.label(item_id),
        by=by,
        score=score,
        predicted=float(np.clip(score, *model.scale)) if rating else score,
        strategy=person.strategy,
        terms=tuple(terms),
        unit="stars" if rating else "points",
    )
