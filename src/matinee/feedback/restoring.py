"""Taking back what somebody's actions on an item did: the rating before them stands again.

An action that counts as a rating was stored as an event of its weight at the same second. A restore
looks past those events, and is itself stored as the rating before them. So histories, refits and
other servers need to know nothing of it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from matinee.feedback.actions import RESTORE, Action, Judgement, weights
from matinee.feedback.change_index import ChangeIndex
from matinee.feedback.events import Event
from matinee.feedback.history import is_trained, later_events, trained_history
from matinee.models.model import Model


@dataclass(frozen=True)
class ItemRecord:
    """What one user did with one item, in order."""

    fitted: list[Event]  # that the model was fitted on
    later: list[Event]
    actions: list[Action]
    trained: float | None  # the rating in the training data

    @classmethod
    def of(
        cls, model: Model, changes: ChangeIndex, user: str, item: str, before: list[Judgement]
    ) -> "ItemRecord":
        """The record in the store, and in the rows of a request so far."""
        pair = user, item
        events = [one.event for one in before if one.event is not None]
        actions = [one.action for one in before if one.action is not None]
        stored, later = changes.store.events_of(user), later_events(model, changes, user)
        trained = trained_history(model, user) if is_trained(model, changes, user) else {}
        return cls(
            [one for one in stored[: len(stored) - len(later)] if of_pair(one) == pair],
            [one for one in (*later, *events) if of_pair(one) == pair],
            [one for one in (*changes.store.actions_of(user), *actions) if of_pair(one) == pair],
            trained.get(item),
        )


def of_pair(one: Event | Action) -> tuple[str, str]:
    """The user and the item of an event or action."""
    return one.user_id, one.item_id


def with_restored_ratings(
    model: Model, changes: ChangeIndex, judgements: Iterable[Judgement]
) -> list[Judgement]:
    """The judgements on the rows of a request, where a restore has the rating it brings back."""
    done: list[Judgement] = []
    for one in judgements:
        if one.action is not None and one.action.kind == RESTORE:
            record = ItemRecord.of(model, changes, *of_pair(one.action), done)
            one = one._replace(event=restored_rating(model, record, one.action))
        done.append(one)
    return done


def restored_rating(model: Model, record: ItemRecord, restore: Action) -> Event | None:
    """The rating before the actions since the last restore; None where none counted as a rating.

    A rating that a fit took over from an action is withdrawn: what was before it is not known.
    """
    last = max((at for at, one in enumerate(record.actions) if one.kind == RESTORE), default=-1)
    weight = weights(model.scale, model.kind == "rating")
    own = Counter((one.at, weight[one.kind]) for one in record.actions[last + 1 :])
    if all(value is None for _, value in own):
        return None
    rating = record.trained
    for event in record.fitted:
        if own[event.at, event.rating] > 0:
            own[event.at, event.rating] -= 1
            rating = None
    for event in record.later:
        if own[event.at, event.rating] > 0:
            own[event.at, event.rating] -= 1
        else:
            rating = event.rating
    return Event(*of_pair(restore), rating, restore.at)
