"""From a user id or a request body to a Person: trained, folded in, or the average person."""

import asyncio
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from matinee.errors import BadSetting, UnknownId
from matinee.feedback.history import fitted_through, hidden_items, is_trained, person_of
from matinee.models import Person
from matinee.server.lifecycle import ServerState
from matinee.server.schemas.persons import ChangedPersonReference, PersonReference
from matinee.server.snapshot import ModelSnapshot

MAX_CACHED_PERSONS = 4096
WAYS = ("user", "ratings", "session", "tastes", "features")
NEW_PERSON = "you"  # the name of a person without an id

Key = tuple[str, str, tuple[int, int]]  # model version, user, stamp of the user


@dataclass
class PersonResolver:
    """Resolves persons, and caches those that need a query to the feedback store."""

    state: ServerState
    cache: OrderedDict[Key, Person] = field(default_factory=OrderedDict)

    async def by_id(self, snapshot: ModelSnapshot, user: str, fallback: bool = True) -> Person:
        """The person with an id, with their latest feedback; the average person if unknown.

        Raises UnknownId for an unknown user without ``fallback``.
        """
        changes, model = self.state.changes, snapshot.model
        through = fitted_through(model, changes.store.name)
        if changes.last_event(user) <= through:
            if is_trained(model, changes, user):
                return model.person(user)
            person = await self._without_ratings(snapshot, user)
        else:
            person = await self._with_feedback(snapshot, user)
        if person.strategy == "popular" and not person.unknown_items and not fallback:
            raise UnknownId(f"nothing is known of user {user!r}")
        return person

    async def without_hidden(
        self, snapshot: ModelSnapshot, user: str, candidates: np.ndarray
    ) -> np.ndarray:
        """The item rows (n,) without those that a user's actions leave out of lists."""
        if not self.state.changes.last_hiding(user):
            return candidates
        hidden = await asyncio.to_thread(hidden_items, self.state.changes, user)
        return np.setdiff1d(candidates, snapshot.model.items.rows(hidden), assume_unique=True)

    async def by_reference(self, snapshot: ModelSnapshot, reference: PersonReference) -> Person:
        """The person that a request body describes; the average person if it describes none.

        Raises BadSetting for several descriptions at once, or one the model does not support.
        """
        ways = [way for way in WAYS if getattr(reference, way) is not None]
        if len(ways) > 1:
            raise BadSetting(f"{' and '.join(ways)} are given; one of {', '.join(WAYS)} is enough")
        if reference.user is not None:
            return await self.by_id(snapshot, reference.user)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the response lists unknown items
            return new_person(snapshot, reference)

    async def by_changed_reference(
        self, snapshot: ModelSnapshot, reference: ChangedPersonReference
    ) -> Person:
        """``by_reference``, solved again without some ratings and with other tastes.

        Raises BadSetting also for an item in ``without`` that was never rated, or a taste that the
        model does not have.
        """
        person = await self.by_reference(snapshot, reference)
        if not reference.without and not reference.turn:
            return person
        model = snapshot.model
        any_item = model.items.ids[0]  # a what-if is about an item, the changed person is not
        tastes = numbered_tastes(reference.turn)
        return model.what_if(person, any_item, without=reference.without, tastes=tastes).person

    async def _without_ratings(self, snapshot: ModelSnapshot, user: str) -> Person:
        """A user without ratings: by their features where they are known and the model takes them.

        A model may be replaced by one that does not know the features that are stored.
        """
        model = snapshot.model
        if user in self.state.changes.last_profiles:
            features = await asyncio.to_thread(self.state.store.profile, user)
            with suppress(BadSetting):
                return model.fold_in_features(features, user)
        return model.fold_in({}, name=user)

    async def _with_feedback(self, snapshot: ModelSnapshot, user: str) -> Person:
        key = (snapshot.version, user, self.state.changes.stamp(user))
        if key in self.cache:
            self.cache.move_to_end(key)
            return self.cache[key]
        person = await asyncio.to_thread(person_of, snapshot.model, self.state.changes, user)
        if not len(person.items) and not person.unknown_items:
            person = await self._without_ratings(snapshot, user)
        self.cache[key] = person
        while len(self.cache) > MAX_CACHED_PERSONS:
            self.cache.popitem(last=False)
        return person


def new_person(snapshot: ModelSnapshot, reference: PersonReference) -> Person:
    """A new person folded in from ratings, a session, points for tastes, or features.

    The items of a session count as rated with the top of the scale.
    """
    model = snapshot.model
    if reference.tastes is not None:
        return model.fold_in_tastes(numbered_tastes(reference.tastes), NEW_PERSON)
    if reference.features is not None:
        return model.fold_in_features(reference.features, NEW_PERSON)
    liked: dict[object, float] = dict.fromkeys(reference.session or (), model.scale.high)
    history = liked | {one.item_id: one.rating for one in reference.ratings or ()}
    return model.fold_in(history, name=NEW_PERSON)


def numbered_tastes(values: Mapping[str, float]) -> dict[object, float]:
    """Values by taste, its number as an int; JSON has text for keys."""
    return {int(taste) if taste.isdecimal() else taste: value for taste, value in values.items()}
