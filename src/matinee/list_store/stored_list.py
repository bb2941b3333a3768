"""The list of one user as it is stored, what finds it, where, and whose lists they are."""

import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from matinee.errors import Advice, MatineeError

FINGERPRINT = "model_fingerprint"  # the column that says which model made a list
MAKE_LISTS = Advice(
    'matinee.spark.write_lists("model", "lists.parquet")',
    "matinee recommend MODEL --all --out lists.parquet",
)


class BadLists(MatineeError):
    """Stored lists are missing, damaged, or those of another model."""


class StoredList(NamedTuple):
    """The items of a user's list and their scores, best first."""

    items: list[str]
    scores: list[float]


class ListStore(Protocol):
    """The stored lists of one model."""

    @property
    def is_local(self) -> bool:
        """Whether a lookup asks no other process, and so may hold up everybody for its time."""

    def find(self, user: str) -> StoredList | None:
        """The list of a user; None where there is none. Raises BadLists."""

    def close(self) -> None:
        """Give back what is held open."""


def is_database(place: str) -> bool:
    """Whether a place is the URL of a database, rather than a file or folder."""
    return place.startswith(("postgresql:", "postgresql+psycopg:", "postgres:"))


def without_secrets(place: str) -> str:
    """A place as it may be shown: a URL without its user, password and settings."""
    return re.sub("://[^/]*@", "://", place.partition("?")[0]) if "://" in place else place


def check_fingerprints(place: str, stored: Iterable[str], fingerprint: str) -> None:
    """Raise BadLists unless all lists at a place are those of the model with a fingerprint."""
    others = sorted(set(stored) - {fingerprint})
    if others:
        raise BadLists(
            f"{place} holds lists of {' and '.join(others)}, and the model is {fingerprint}; "
            "make them again with ",
            MAKE_LISTS,
        )
