"""Lookups of lists made ahead, which may fail without failing a request."""

import logging
import time

from matinee.list_store.stored_list import BadLists, ListStore, StoredList

log = logging.getLogger("matinee.server")

PAUSE_SECONDS = 5.0  # without lookups after one that failed


class ListLookup:
    """A list store in which nobody has a list while it cannot be read."""

    def __init__(self, lists: ListStore) -> None:
        self.lists = lists
        self.paused_until = 0.0  # of the monotonic clock

    @property
    def is_local(self) -> bool:
        """That of the lists."""
        return self.lists.is_local

    def find(self, user: str) -> StoredList | None:
        """The list of a user; None where there is none, or where lists cannot be read."""
        if time.monotonic() < self.paused_until:
            return None
        try:
            return self.lists.find(user)
        except BadLists as error:
            self.paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning("%s; lists are computed meanwhile", error)
            return None

    def close(self) -> None:
        """Close the lists."""
        self.lists.close()
