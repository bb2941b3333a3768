"""Who somebody is to this server: trained, folded in with their later events, or a stranger."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from matinee.errors import UnknownId
from matinee.feedback.changes import NEVER
from matinee.feedback.history import is_trained, person_of, through_of
from matinee.models import Person
from matinee.server.serving import Serving
from matinee.server.state import PEOPLE_KEPT, State

Key = tuple[str, str, tuple[int, int]]  # version of the model, user, what the answer depends on


@dataclass
class People:
    """Finds people, and keeps those whom the database had to be asked about."""

    state: State
    kept: OrderedDict[Key, Person] = field(default_factory=OrderedDict)

    async def find(self, serving: Serving, user: str, fallback: bool = True) -> Person:
        """Somebody as they are now; a stranger is the average person.

        Raises UnknownId for a stranger when there is to be no ``fallback``.
        """
        changes, model = self.state.changes, serving.model
        through = through_of(model, changes.store.name)
        if changes.changed.get(user, NEVER) <= through:
            if is_trained(model, changes, user):
                return model.person(user)
            person = model.fold_in({}, name=user)
        else:
            person = await self._with_events(serving, user)
        if person.strategy == "popular" and not person.unknown_items and not fallback:
            raise UnknownId(f"nothing is known of user {user!r}")
        return person

    async def _with_events(self, serving: Serving, user: str) -> Person:
        key = (serving.version, user, self.state.changes.stamp(user))
        if key in self.kept:
            self.kept.move_to_end(key)
            return self.kept[key]
        person = await asyncio.to_thread(person_of, serving.model, self.state.changes, user)
        self.kept[key] = person
        while len(self.kept) > PEOPLE_KEPT:
            self.kept.popitem(last=False)
        return person
