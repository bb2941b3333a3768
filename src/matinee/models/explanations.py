"""Scores of a fitted model, taken apart into the terms of one of its views."""

import numpy as np

from matinee.errors import BadSetting
from matinee.explain.explanation import Explanation, summarized
from matinee.models.fitted import Fitted
from matinee.row_solvers.person import Person

CLEARLY = 0.05  # of the scale, by which stars are below somebody's mean before a sentence says so
ENOUGH = 5  # ratings, from which somebody's mean is one that a sentence names


def explanations(
    model: Fitted, person: Person, rows: np.ndarray, by: str | None = None
) -> list[Explanation]:
    """Why the items in ``rows`` (n,) have these scores of a model, for one of its people.

    Raises BadSetting for a view that the model does not have.
    """
    views = model.views
    by = by or next(iter(views))
    if by not in views:
        raise BadSetting(
            f"by is {by!r}; models of {model.algorithm} explain by {' or '.join(views)}"
        )
    if not len(rows):
        return []
    scores = model.score_people([person], rows)[0]
    usual = model.usual_score(person)
    stars = model.stars(person, rows)
    n_stars = len(person.ratings) if model.unit == "stars" else 0
    own_mean = float(person.ratings.mean()) if n_stars else np.inf
    low = min(model.scale.middle, own_mean) if model.unit == "stars" else -np.inf
    clearly = CLEARLY * (model.scale.high - model.scale.low)
    tells = n_stars >= ENOUGH and own_mean <= model.scale.high - clearly  # else most are below it
    below = own_mean - clearly if tells else -np.inf
    own_ratings = dict(zip(person.items.tolist(), person.ratings.tolist(), strict=True))
    table = views[by].terms(model, person, rows)
    numbers = zip(
        rows.tolist(),
        table.rows(),
        scores.tolist(),
        model.clipped(stars).tolist(),
        stars.tolist(),
        strict=True,
    )
    whys = [
        Explanation(
            user=person.name,
            item_id=model.items.ids[row],
            title=model.catalog.called(model.items.ids[row]),
            by=by,
            score=score,
            predicted=predicted,
            strategy=person.strategy,
            terms=terms,
            unit=model.unit,
            usual=usual,
            of=model.explains,
            n_raters=int(model.item_counts[row]),
            beyond_scale=star_score - predicted,
            seems_low=predicted < low,
            own_mean=own_mean if predicted < below else None,
            own_rating=own_ratings.get(row),
            tastes=person.tastes,
        )
        for row, terms, score, predicted, star_score in numbers
    ]
    return summarized(whys)
