"""What a server knows of its store by heart: who has later events, and who is erased.

So most requests ask the database nothing. Another server's writes arrive with ``follow``.
"""

from matinee.feedback.store import News, Store

NEVER = 0


class Changes:
    """The number of the last event of each user that has any, and the erasures."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seq = NEVER  # known up to here, by following
        self.changed: dict[str, int] = {}
        self.erased: dict[str, int] = {}  # by digest
        self.last_erasure = NEVER

    def follow(self) -> None:
        """Learn what happened since the last time."""
        self.learn(self.store.news(self.seq))

    def learn(self, news: News) -> None:
        """Take in news from the store."""
        for user, seq in news.changed.items():
            self.note(user, seq)
        self.erased |= news.erased
        self.last_erasure = max(self.last_erasure, *news.erased.values(), NEVER)
        self.seq = max(self.seq, news.seq)

    def note(self, user: str, seq: int) -> None:
        """A user has an event with this number."""
        self.changed[user] = max(seq, self.changed.get(user, NEVER))

    def note_erased(self, user: str, seq: int) -> None:
        """A user was erased; they are remembered by a digest alone."""
        self.erased[self.store.digest(user)] = seq
        self.last_erasure = max(self.last_erasure, seq)
        self.changed.pop(user, None)

    def erased_at(self, user: str) -> int:
        """The number of a user's erasure; 0 when never."""
        return self.erased.get(self.store.digest(user), NEVER) if self.erased else NEVER

    def stamp(self, user: str) -> tuple[int, int]:
        """What an answer about a user depends on: it changes whenever they do."""
        return self.changed.get(user, NEVER), self.last_erasure
