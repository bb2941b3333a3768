"""Lists made ahead, as far as they answer a request.

The best items of a list that pass a filter are the first of all items that do, so a stored list
answers under any filter, and without what a user rated or hid since, while enough of it is left.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from matinee.display.plain_data import JsonObject
from matinee.feedback.change_index import ChangeIndex
from matinee.feedback.history import is_trained, rated_since
from matinee.list_store.stored_list import ListStore, StoredList
from matinee.models import Person
from matinee.server.dependencies import compute
from matinee.server.lifecycle import ServerState
from matinee.server.presenters.recommendations import ListRequest, list_entries
from matinee.server.snapshot import ModelSnapshot


class ListAnswer(NamedTuple):
    """A list, whom it is for, and whether it was made ahead."""

    person: Person
    entries: list[JsonObject]
    source: Literal["prepared", "computed"]
    has_more: bool  # whether another part of the same list follows


async def prepared_list(
    state: ServerState,
    snapshot: ModelSnapshot,
    user: str,
    candidates: np.ndarray,
    request: ListRequest,
) -> ListAnswer | None:
    """The list of a user that was made ahead; None where it cannot answer the request.

    ``candidates`` are item rows, ascending: those that filters and the user's actions allow. The
    person is the trained one, by whom the list was ranked, whatever they have rated since.
    """
    model = snapshot.model
    if snapshot.lists is None or not request.keeps_order:
        return None
    if not is_trained(model, state.changes, user):
        return None
    lookup = partial(look_up, snapshot, snapshot.lists, state.changes, user)
    is_short = snapshot.lists.is_local and not state.changes.last_event(user)
    found = lookup() if is_short else await asyncio.to_thread(lookup)
    if found is None:
        return None
    stored, rated = found
    rows = model.items.rows(stored.items)
    allowed = np.zeros(len(model.items) + 1, bool)  # the last is for items that are unknown
    allowed[candidates] = True
    allowed[model.items.rows(rated)] = False
    end = request.offset + request.n
    places = np.flatnonzero(allowed[rows])
    if len(places) < end:
        return None
    part = places[request.offset : end]
    scores = np.array(stored.scores, np.float32)[part]
    unknown = tuple(item for item in rated if item not in model.items)
    person = replace(model.person(user), unknown_items=unknown)
    task = partial(list_entries, snapshot, person, rows[part], scores, request)
    entries = await compute(task, explanations=request.n if request.reasons else 0)
    # A list that is computed now ranks by what was rated since, so it does not continue this one.
    has_more = not rated or len(places) >= end + request.n
    return ListAnswer(person, entries, "prepared", has_more)


def look_up(
    snapshot: ModelSnapshot, lists: ListStore, changes: ChangeIndex, user: str
) -> tuple[StoredList, Mapping[str, float]] | None:
    """The list of a user, and what they rated since it was made; None where there is no list."""
    stored = lists.find(user)
    return None if stored is None else (stored, rated_since(snapshot.model, changes, user))
