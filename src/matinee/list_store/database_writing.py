"""Lists written to PostgreSQL: a table is filled by any number of writers, and then attached.

See ``database_lists`` for the tables.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, text

from matinee.disk.locks import InUse
from matinee.list_store.database_lists import TABLE, VERSIONS, name_of, opened
from matinee.list_store.stored_list import FINGERPRINT, StoredList
from matinee.sources.duck import text as literal

KEPT = 2  # models whose lists stay: the one before may still be served
WRITING_LOCK = 0x6C69737473  # "lists", of one writing at a time
LISTS_AT_ONCE = 4096  # of a transaction
SCHEMA = f"""
    CREATE TABLE IF NOT EXISTS {TABLE} (
        {FINGERPRINT} text NOT NULL,
        user_id text NOT NULL,
        item_ids text[] NOT NULL,
        scores real[] NOT NULL,
        PRIMARY KEY ({FINGERPRINT}, user_id)
    ) PARTITION BY LIST ({FINGERPRINT});
    CREATE TABLE IF NOT EXISTS {VERSIONS} (
        {FINGERPRINT} text PRIMARY KEY,
        partition text NOT NULL,
        made_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
"""
LEFT_OVER = f"""
    SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
    AND tablename LIKE '{TABLE}\\_%' AND tablename NOT IN (SELECT partition FROM {VERSIONS})
"""

COLUMNS = f"{FINGERPRINT}, user_id, item_ids, scores"

Row = tuple[object, ...]  # user id, item id, score


@dataclass(frozen=True)
class NewLists:
    """A table for the lists of one model, which no lookup sees yet."""

    place: str
    fingerprint: str
    table: str

    def add(self, rows: Iterable[Row]) -> int:
        """Write lists, one after another, each from its first place on; returns their number.

        A list that is there already stays, so what failed may run again. Raises BadLists.
        """
        lists, n_lists = lists_of(rows), 0
        with opened(self.place) as engine:
            while block := list(islice(lists, LISTS_AT_ONCE)):
                with engine.begin() as connection:
                    self._copy(connection.connection.driver_connection, block)
                n_lists += len(block)
        return n_lists

    def _copy(self, connection: Any, lists: Iterable[tuple[str, StoredList]]) -> None:
        """Write one block of lists over a connection of psycopg."""
        cursor = connection.cursor()
        cursor.execute(f"CREATE TEMP TABLE block (LIKE {self.table}) ON COMMIT DROP")
        with cursor.copy(f"COPY block ({COLUMNS}) FROM STDIN") as copy:
            for user, one in lists:
                copy.write_row((self.fingerprint, user, one.items, one.scores))
        cursor.execute(
            f"INSERT INTO {self.table} ({COLUMNS}) SELECT {COLUMNS} FROM block "
            "ON CONFLICT DO NOTHING"
        )


def lists_of(rows: Iterable[Row]) -> Iterator[tuple[str, StoredList]]:
    """The lists of users from their rows."""
    for user, own in groupby(rows, key=itemgetter(0)):
        items, scores = zip(*((str(item), score) for _, item, score in own), strict=True)
        yield str(user), StoredList(list(items), list(scores))


@contextmanager
def new_lists(place: str, fingerprint: str) -> Iterator[NewLists]:
    """A table to fill, which takes the place of the lists of its model when the block ends.

    It is dropped where the block raises. Lists of the model that was written before stay, and those
    of older ones are dropped. Raises InUse while another process writes lists, and BadLists.
    """
    table = f"{TABLE}_{secrets.token_hex(6)}"
    with opened(place) as engine, engine.connect() as connection:
        lock = text("SELECT pg_try_advisory_lock(:key)")  # held until the connection is closed
        if not connection.execute(lock, {"key": WRITING_LOCK}).scalar_one():
            raise InUse(f"another process writes lists to {name_of(engine)}; try again later")
        _create(connection, table, fingerprint)
        try:
            yield NewLists(place, fingerprint, table)
            _attach(connection, table, fingerprint)
        except BaseException:
            connection.rollback()
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
            connection.commit()
            raise


def _create(connection: Connection, table: str, fingerprint: str) -> None:
    """Make the table, and drop those that killed writers left."""
    connection.exec_driver_sql(SCHEMA)
    for left in connection.execute(text(LEFT_OVER)).scalars().all():
        connection.exec_driver_sql(f"DROP TABLE {left}")
    connection.exec_driver_sql(
        f"CREATE TABLE {table} (LIKE {TABLE} INCLUDING ALL, "
        f"CHECK ({FINGERPRINT} = {literal(fingerprint)}))"  # so that attaching need not read it
    )
    connection.commit()


def _attach(connection: Connection, table: str, fingerprint: str) -> None:
    """Let lookups see the table, in one transaction, and drop those whose time is over."""
    stored = connection.execute(
        text(f"SELECT {FINGERPRINT}, partition FROM {VERSIONS} ORDER BY made_at DESC")
    ).all()
    others = [one for one in stored if one[0] != fingerprint]
    for name, partition in [one for one in stored if one[0] == fingerprint] + others[KEPT - 1 :]:
        connection.exec_driver_sql(f"DROP TABLE {partition}")
        delete = text(f"DELETE FROM {VERSIONS} WHERE {FINGERPRINT} = :name")
        connection.execute(delete, {"name": name})
    connection.exec_driver_sql(
        f"ALTER TABLE {TABLE} ATTACH PARTITION {table} FOR VALUES IN ({literal(fingerprint)})"
    )
    insert = text(f"INSERT INTO {VERSIONS} ({FINGERPRINT}, partition) VALUES (:name, :partition)")
    connection.execute(insert, {"name": fingerprint, "partition": table})
    connection.commit()
