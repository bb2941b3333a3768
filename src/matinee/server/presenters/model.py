"""Facts about a model."""

from matinee.display.plain_data import JsonObject
from matinee.evaluation.model_quality import FACT
from matinee.feedback.actions import EVENT_WEIGHTS, weights
from matinee.server.snapshot import ModelSnapshot


def model_facts(snapshot: ModelSnapshot) -> JsonObject:
    """What a model is, in plain data."""
    model = snapshot.model
    n_factors = getattr(model, "n_factors", 0)
    return {
        "version": snapshot.version,
        "algorithm": model.algorithm,
        "kind": model.kind,
        "scale": list(model.scale),
        "rating_step": snapshot.rating_step,
        "settings": dict(model.settings),
        "facts": {name: fact for name, fact in model.facts.items() if name != FACT},
        "n_users": len(model.users),
        "n_items": len(model.items),
        "n_ratings": len(model.seen.values),
        "n_factors": n_factors,
        "views": list(model.views),
        "view_labels": {view.name: view.label for view in model.views.values()},
        "genres": list(snapshot.genres),
        "data_fingerprint": model.data_fingerprint,
        "cautions": list(model.cautions),
        EVENT_WEIGHTS: weights(model.scale, model.kind == "rating"),
        "has_similar": snapshot.has_similar,
        "has_tastes": model.taste_controls is not None,
    }
