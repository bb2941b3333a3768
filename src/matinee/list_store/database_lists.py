"""Lists in PostgreSQL: a row for each user, in a partition for each model.

    matinee_lists (model_fingerprint, user_id, item_ids, scores)     key: the first two

A partition is attached when it is whole, so a list is there with all others of its model or not
at all; the partition before it stays for the servers that still answer from that model.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from matinee.feedback.database import engine_of, url_of
from matinee.list_store.stored_list import (
    FINGERPRINT,
    MAKE_LISTS,
    BadLists,
    StoredList,
    check_fingerprints,
)

TABLE, VERSIONS = "matinee_lists", "matinee_list_versions"
SECONDS_TO_CONNECT = "5"
LOOKUP = text(
    f"SELECT item_ids, scores FROM {TABLE} WHERE {FINGERPRINT} = :fingerprint AND user_id = :user"
)
STORED = text(f"SELECT {FINGERPRINT} FROM {VERSIONS} ORDER BY made_at DESC")
EXISTS = text(f"SELECT to_regclass('{VERSIONS}') IS NOT NULL")


@dataclass(frozen=True, eq=False)
class DatabaseLists:
    """The lists of the model with a fingerprint."""

    fingerprint: str
    engine: Engine

    is_local = False

    @classmethod
    def open(cls, place: str, fingerprint: str) -> "DatabaseLists":
        """The lists at a URL. Raises BadLists where there are none of this model."""
        lists = cls(fingerprint, lists_engine(place))
        try:
            lists.check()
        except BadLists:
            lists.close()
            raise
        return lists

    def check(self) -> None:
        """Raise BadLists unless there are lists of this model."""
        engine, place = self.engine, name_of(self.engine)
        with readable(engine), engine.connect() as connection:
            exists = connection.execute(EXISTS).scalar_one()
            stored = list(connection.execute(STORED).scalars()) if exists else []
        if not stored:
            raise BadLists(f"there are no lists at {place}; make them with ", MAKE_LISTS)
        if self.fingerprint not in stored:
            check_fingerprints(place, stored, self.fingerprint)

    def find(self, user: str) -> StoredList | None:
        """The list of a user; None where there is none. Raises BadLists."""
        key = {"fingerprint": self.fingerprint, "user": user}
        with readable(self.engine), self.engine.connect() as connection:
            row = connection.execute(LOOKUP, key).first()
        return None if row is None else StoredList(*row)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def lists_engine(place: str) -> Engine:
    """The database at a URL. Raises StoreError where it is none, or without its driver."""
    url = url_of(place)
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": SECONDS_TO_CONNECT})
    return engine_of(url)


def name_of(engine: Engine) -> str:
    """The URL of a database, without its password."""
    return engine.url.set(drivername="postgresql", query={}).render_as_string()


@contextmanager
def opened(place: str) -> Iterator[Engine]:
    """The database at a URL, whose connections are closed when the block ends. Raises BadLists."""
    engine = lists_engine(place)
    try:
        with readable(engine):
            yield engine
    finally:
        engine.dispose()


@contextmanager
def readable(engine: Engine) -> Iterator[None]:
    """Raise BadLists where the database reports an error."""
    try:
        yield
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise BadLists(f"the lists at {name_of(engine)}: {reason}") from error
