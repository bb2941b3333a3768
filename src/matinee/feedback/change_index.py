"""An index, in memory, of the users with later events and of the erased users.

With it most requests need no query. Writes of other servers arrive with ``follow``.
"""

from matinee.feedback.store import Store, StoreChanges

NEVER = 0


class ChangeIndex:
    """The number of the last event of each user with events, and the erasures."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seq = NEVER  # of the last change that ``follow`` has read
        self.last_events: dict[str, int] = {}  # by user id
        self.last_hidings: dict[str, int] = {}  # by user id: of the last that hides or restores
        self.last_profiles: dict[str, int] = {}  # by user id: of their last features
        self.catalog = NEVER  # of the last change to the catalogue
        self.erased: dict[str, int] = {}  # by digest
        self.last_erasure = NEVER

    def follow(self) -> None:
        """Read what changed in the store since the last call. Raises StoreError."""
        self.add(self.store.changes_since(self.seq))

    def add(self, changes: StoreChanges) -> None:
        """Add changes that were read from the store."""
        for user, seq in changes.last_events.items():
            self.note(user, seq)
        for user, seq in changes.last_hidings.items():
            self.note_hiding(user, seq)
        for user, seq in changes.last_profiles.items():
            self.note_profile(user, seq)
        self.catalog = max(self.catalog, changes.catalog)
        self.erased |= changes.erased
        self.last_erasure = max(self.last_erasure, *changes.erased.values(), NEVER)
        self.seq = max(self.seq, changes.seq)

    def note(self, user: str, seq: int) -> None:
        """Note an event of a user by its number."""
        self.last_events[user] = max(seq, self.last_event(user))

    def note_hiding(self, user: str, seq: int) -> None:
        """Note an action by which a user hides an item from their lists, or restores it."""
        self.last_hidings[user] = max(seq, self.last_hiding(user))

    def note_profile(self, user: str, seq: int) -> None:
        """Note new features of a user."""
        self.last_profiles[user] = max(seq, self.last_profiles.get(user, NEVER))

    def note_erased(self, user: str, seq: int) -> None:
        """Note the erasure of a user; only a digest of the id stays."""
        self.erased[self.store.digest(user)] = seq
        self.last_erasure = max(self.last_erasure, seq)
        self.last_events.pop(user, None)
        self.last_hidings.pop(user, None)
        self.last_profiles.pop(user, None)

    def last_event(self, user: str) -> int:
        """The number of a user's last event; 0 without events."""
        return self.last_events.get(user, NEVER)

    def last_hiding(self, user: str) -> int:
        """The number of a user's last action that hides or restores an item; 0 without any."""
        return self.last_hidings.get(user, NEVER)

    def erased_at(self, user: str) -> int:
        """The number of a user's erasure; 0 when never erased."""
        return self.erased.get(self.store.digest(user), NEVER) if self.erased else NEVER

    def stamp(self, user: str) -> tuple[int, int]:
        """A version of all that is known of a user: it changes with every event and erasure."""
        last_profile = self.last_profiles.get(user, NEVER)
        last = max(self.last_event(user), self.last_hiding(user), last_profile)
        return last, self.last_erasure
