"""Trained ratings and later events as one history, and the person folded in from it."""

from collections.abc import Iterable
from dataclasses import replace

from matinee.feedback.actions import KINDS, RESTORE
from matinee.feedback.change_index import NEVER, ChangeIndex
from matinee.feedback.events import Event
from matinee.models.model import Model
from matinee.row_solvers.person import Person

FEEDBACK_FACT = "feedback"  # model.facts: {"store": its name, "through": the last event fitted on}


def fitted_through(model: Model, store_name: str) -> int:
    """The number of the last event that a model was fitted on; 0 for none of this store."""
    fact = model.facts.get(FEEDBACK_FACT, {})
    return int(fact["through"]) if fact.get("store") == store_name else NEVER


def is_trained(model: Model, changes: ChangeIndex, user: str) -> bool:
    """Whether a user has trained ratings that were not erased after the fit."""
    through = fitted_through(model, changes.store.name)
    return len(model.rated(user)) > 0 and changes.erased_at(user) <= through


def later_events(model: Model, changes: ChangeIndex, user: str) -> list[Event]:
    """A user's events that the model was not fitted on, in order."""
    through = fitted_through(model, changes.store.name)
    if changes.last_event(user) <= through:
        return []
    return changes.store.events_of(user, after=through)


def rated_since(model: Model, changes: ChangeIndex, user: str) -> dict[str, float]:
    """What a user has rated that the model was not fitted on: ``{item id: rating}``."""
    return merged_history({}, later_events(model, changes, user))


def merged_history(trained: dict[str, float], events: Iterable[Event]) -> dict[str, float]:
    """``{item id: rating}`` after some events; the last event of each item counts."""
    history = dict(trained)
    for one in events:
        if one.rating is None:
            history.pop(one.item_id, None)
        else:
            history[one.item_id] = one.rating
    return history


def hidden_items(changes: ChangeIndex, user: str) -> frozenset[str]:
    """The items that a user's actions leave out of their lists."""
    if not changes.last_hiding(user):
        return frozenset()
    hidden: set[str] = set()
    for one in changes.store.actions_of(user):
        if KINDS[one.kind].hides:
            hidden.add(one.item_id)
        elif one.kind == RESTORE:
            hidden.discard(one.item_id)
    return frozenset(hidden)


def trained_history(model: Model, user: str) -> dict[str, float]:
    """The ratings of a user in the training data: ``{item id: rating}``."""
    (row,) = model.users.rows([user])
    if row < 0:
        return {}
    items, ratings = model.seen.row(row)
    return dict(zip(model.items.ids[items].tolist(), ratings.tolist(), strict=True))


def trained_weights(model: Model, user: str) -> dict[object, float]:
    """``{item id: weight}`` of a user in the training data; empty where all ratings weigh one."""
    history = model.seen.only(model.users.row(user))
    if history.weights is None:
        return {}
    return dict(zip(model.items.ids[history.indices], history.weights.tolist(), strict=True))


def person_of(model: Model, changes: ChangeIndex, user: str) -> Person:
    """A user with their latest feedback: trained, folded in, or the average person.

    ``unknown_items`` of the person lists rated items that the model does not know.
    """
    trained = is_trained(model, changes, user)
    later = later_events(model, changes, user)
    if trained and not later:
        return model.person(user)
    before = trained_history(model, user) if trained else {}
    history = merged_history(before, later)
    if trained and history == before:  # what was changed was changed back
        return model.person(user)
    unknown = tuple(item for item in history if item not in model.items)
    known: dict[object, float] = {
        item: rating for item, rating in history.items() if item in model.items
    }
    weights = trained_weights(model, user) if trained else {}
    unchanged = known.keys() & weights.keys() - {one.item_id for one in later}
    weights = {item: weights[item] for item in unchanged}
    person = model.fold_in(known, name=user, sample_weight=weights)
    return replace(person, unknown_items=unknown)
