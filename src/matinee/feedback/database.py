"""Connections to the database of a feedback store: SQLite, or PostgreSQL by URL."""

import sqlite3
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from matinee.display.optional import POSTGRESQL
from matinee.errors import MatineeError

BUSY_SECONDS = 30  # to wait for another writer
BUSY_STEP = 0.01  # seconds between attempts


class StoreError(MatineeError):
    """The feedback store cannot be opened, read or written."""


def url_of(place: str | Path) -> URL:
    """The database URL of a SQLite file or a URL. Raises StoreError for an unsupported one."""
    text = str(place)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except ArgumentError:
        raise StoreError("the store is no database URL; it reads postgresql://...") from None
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(f"a store is SQLite or PostgreSQL, not {url.get_backend_name()}")
    return url


def engine_of(url: URL) -> Engine:
    """An engine with durable commits; creates the folder of a SQLite file.

    Raises StoreError when the driver is missing or the folder cannot be created.
    """
    try:
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True, pool_size=4, max_overflow=8)
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    except ModuleNotFoundError as error:
        raise StoreError(f"{error.name} is needed for this store: {POSTGRESQL.remedy}") from error
    except OSError as error:
        raise StoreError(f"the feedback store {url.database}: {error.strerror}") from error
    event.listen(engine, "connect", set_durable)
    return engine


def set_durable(connection: Any, record: object) -> None:
    """Make the commits of a new SQLite connection durable, and its deletions complete."""
    cursor = connection.cursor()
    use_write_ahead_log(cursor)
    for pragma in ("synchronous=FULL", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def use_write_ahead_log(cursor: Any) -> None:
    """Switch a SQLite database to its write-ahead log, once no other connection is writing.

    The timeout of the connection does not count here: SQLite reads the file first, and never waits
    for a lock while it holds one. So of several who open a new store at once all but one would
    fail.
    """
    last = monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or monotonic() > last:
                raise
            sleep(BUSY_STEP)
