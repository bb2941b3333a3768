"""Trained ratings and later events as one history, and the person it makes."""

from collections.abc import Iterable
from dataclasses import replace

from matinee.feedback.changes import NEVER, Changes
from matinee.feedback.events import Event
from matinee.models.model import Model
from matinee.row_solvers.person import Person

FACT = "feedback"  # of a refitted model: {"store": its name, "through": the last number in it}


def through_of(model: Model, store_name: str) -> int:
    """The number of the last event that a model was fitted on; 0 where it knows none of them."""
    fact = model.facts.get(FACT, {})
    return int(fact["through"]) if fact.get("store") == store_name else NEVER


def is_trained(model: Model, changes: Changes, user: str) -> bool:
    """Whether a user's trained ratings are there and count: erasing ends what came before."""
    through = through_of(model, changes.store.name)
    return len(model.rated(user)) > 0 and changes.erased_at(user) <= through


def later_events(model: Model, changes: Changes, user: str) -> list[Event]:
    """A user's events that the model was not fitted on, in order."""
    through = through_of(model, changes.store.name)
    if changes.changed.get(user, NEVER) <= through:
        return []
    return changes.store.events_of(user, after=through)


def merged(trained: dict[str, float], events: Iterable[Event]) -> dict[str, float]:
    """``{item id: rating}`` after some events: the last word on each item counts."""
    history = dict(trained)
    for one in events:
        if one.rating is None:
            history.pop(one.item_id, None)
        else:
            history[one.item_id] = one.rating
    return history


def trained_history(model: Model, user: str) -> dict[str, float]:
    """What a user rated in the training data: ``{item id: rating}``."""
    (row,) = model.users.rows([user])
    if row < 0:
        return {}
    items, ratings = model.seen.row(row)
    return dict(zip(model.items.ids[items].tolist(), ratings.tolist(), strict=True))


def person_of(model: Model, changes: Changes, user: str) -> Person:
    """Somebody as they are now: trained, folded in with their later events, or the average.

    Ratings of items that the model does not know are named in ``unknown_items``.
    """
    trained = is_trained(model, changes, user)
    later = later_events(model, changes, user)
    if trained and not later:
        return model.person(user)
    history = merged(trained_history(model, user) if trained else {}, later)
    unknown = tuple(item for item in history if item not in model.items)
    known: dict[object, float] = {
        item: rating for item, rating in history.items() if item in model.items
    }
    person = model.fold_in(known, name=user)
    return replace(person, unknown_items=unknown)
