"""Users as the API shows them."""

from collections.abc import Iterable

import numpy as np

from matinee.display.plain_data import JsonObject
from matinee.feedback.history import fitted_through, is_trained, merged_history, trained_history
from matinee.models import FactorModel, Person
from matinee.server.lifecycle import ServerState
from matinee.server.snapshot import ModelSnapshot

DIGITS = 4  # of a taste's strength, and of a similarity


def user_export(state: ServerState, snapshot: ModelSnapshot, person: Person) -> JsonObject:
    """Everything stored about a user: ratings with their source, events, and tastes."""
    model, user = snapshot.model, person.name
    trained = trained_history(model, user) if is_trained(model, state.changes, user) else {}
    events = state.store.events_of(user)
    later = state.store.events_of(user, after=fitted_through(model, state.store.name))
    history = merged_history(trained, later)
    ratings = [
        {
            "item_id": item,
            "title": model.catalog[item].title,
            "year": model.catalog[item].year,
            "rating": rating,
            "source": "trained" if trained.get(item) == rating else "feedback",
            "known": item in model.items,
        }
        for item, rating in history.items()
    ]
    return {
        "user": user,
        "n_ratings": len(ratings),
        "mean_rating": sum(history.values()) / len(history) if history else None,
        "ratings": ratings,
        "events": [{"item_id": e.item_id, "rating": e.rating, "timestamp": e.at} for e in events],
        "features": state.store.profile(user),
        "actions": [vars(one) for one in state.store.actions_of(user)],
        "tastes": taste_strengths(snapshot, person),
    }


def taste_strengths(snapshot: ModelSnapshot, person: Person) -> list[JsonObject]:
    """What each taste adds to a person's score of an average item, the largest first.

    Empty for a model without factors.
    """
    model = snapshot.model
    if not isinstance(model, FactorModel) or not model.n_factors:
        return []
    strength = person.embeddings.factors[0] * model.item_factors.mean(axis=0)
    tastes = model.tastes()
    return [
        {"number": f, "name": tastes[f].name, "strength": round(float(strength[f]), DIGITS)}
        for f in np.argsort(-np.abs(strength), kind="stable").tolist()
    ]


def ranked_users(similar: Iterable[tuple[str, float]]) -> list[JsonObject]:
    """Users and their similarities with ranks, the most similar first."""
    return [
        {"rank": rank, "user": user, "similarity": round(similarity, DIGITS)}
        for rank, (user, similarity) in enumerate(similar, start=1)
    ]
