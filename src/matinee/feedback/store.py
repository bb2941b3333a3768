"""The feedback store: events, idempotency keys and erasures, through SQLAlchemy Core.

What ``write`` returns is on disk. Every writing transaction first advances the clock, so ``seq``
grows in commit order: a reader that has seen a number has missed nothing below it.
"""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, func, insert, select
from sqlalchemy import update as update_of
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from matinee.feedback.actions import CHANGING_HIDDEN, Action
from matinee.feedback.catalog_changes import (
    CatalogChanges,
    ItemChange,
    last_change,
    read_items,
    read_profile,
    write_item,
    write_profile,
)
from matinee.feedback.database import StoreError, engine_of, url_of
from matinee.feedback.events import Event, Verdict
from matinee.feedback.exposures import ArmOutcome, outcomes
from matinee.feedback.tables import (
    actions,
    clock,
    create_tables,
    erased,
    events,
    posts,
    profiles,
)

DAY = 24 * 3600
KEY_LIFETIME = DAY  # seconds that an idempotency key is remembered
PRUNE_INTERVAL = DAY / 24  # seconds between deletions of old keys
MAX_KEYS_PER_QUERY = 500
ACTION_COLUMNS = (
    actions.c.user_id,
    actions.c.item_id,
    actions.c.kind,
    actions.c.recommendation_id,
    actions.c.arm,
    actions.c.at,
)
EVENT_COLUMNS = (events.c.user_id, events.c.item_id, events.c.rating, events.c.at)


@dataclass(frozen=True)
class EventBatch:
    """The events of one request, and the verdict on each of its rows."""

    events: tuple[Event, ...]
    verdicts: tuple[Verdict, ...]
    key: str | None = None  # idempotency key
    digest: str = ""  # of the request body
    actions: tuple[Action, ...] = ()

    def __len__(self) -> int:
        return len(self.events) + len(self.actions)


class Receipt(NamedTuple):
    """The result of writing a batch."""

    seq: int  # the number of its last event; of the clock when it has none
    verdicts: tuple[Verdict, ...]
    replayed: bool = False  # the key was known: nothing was written now
    conflict: bool = False  # the key was known with another body: nothing was written


class StoreChanges(NamedTuple):
    """The changes after a number."""

    seq: int  # of the last change
    last_events: dict[str, int]  # user id: the number of their last event
    erased: dict[str, int]  # digest of a user id: the number of the erasure
    last_hidings: dict[
        str, int
    ]  # user id: the number of their last action that hides or restores an item
    last_profiles: dict[str, int]  # user id: the number of their last features
    catalog: int  # the number of the last change to the catalogue since then; 0 for none


class Erasure(NamedTuple):
    """The result of erasing a user."""

    seq: int
    n_events: int  # deleted


class StoreIdentity(NamedTuple):
    """The random name of a store, which models refer to, and the salt of its digests."""

    name: str
    salt: str


class BatchRecord(NamedTuple):
    """What the store remembers of a batch by its idempotency key."""

    digest: str  # of the body
    verdicts: tuple[Verdict, ...]


class Store:
    """A feedback store; open one with ``Store.at``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.last_pruning = 0.0
        with self.using() as connection:
            create_tables(connection)
        self.name, self.salt = self._identity()

    @classmethod
    def at(cls, place: str | Path) -> "Store":
        """The store at a URL such as ``postgresql://user@host/db``, or in a file (SQLite).

        Creates it when it does not exist. Raises StoreError when it cannot be opened.
        """
        return cls(engine_of(url_of(place)))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __repr__(self) -> str:
        return f"<feedback store {self._url()}>"

    @contextmanager
    def using(self) -> Iterator[Connection]:
        """One transaction. Raises StoreError when the database reports an error."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise StoreError(f"the feedback store {self._url()}: {reason}") from error

    def _url(self) -> str:
        """The URL of the database, without its password."""
        return self.engine.url.render_as_string()

    # Writing.

    def write(self, batches: Sequence[EventBatch]) -> list[Receipt]:
        """Write batches in one transaction; they are durable when this returns.

        A batch whose key is known is not written again. Raises StoreError.
        """
        with self.using() as connection:
            seq = tick(connection, sum(map(len, batches)))
            batches = [self._sealed(batch) for batch in batches]
            records = self._records(connection, batches)
            receipts, rows, action_rows, key_rows = [], [], [], []
            for batch in batches:
                if batch.key is not None and batch.key in records:
                    record = records[batch.key]
                    conflict = record.digest != batch.digest
                    receipts.append(Receipt(seq, record.verdicts, True, conflict))
                    continue
                for one in batch.events:
                    seq += 1
                    rows.append({"seq": seq, **vars(one)})
                for action in batch.actions:
                    seq += 1
                    action_rows.append({"seq": seq, **vars(action)})
                receipts.append(Receipt(seq, batch.verdicts))
                if batch.key is not None:
                    records[batch.key] = BatchRecord(batch.digest, batch.verdicts)
                    key_rows.append(_key_row(batch))
            if rows:
                connection.execute(insert(events), rows)
            if action_rows:
                connection.execute(insert(actions), action_rows)
            if key_rows:
                connection.execute(insert(posts), key_rows)
            self._prune(connection)
        return receipts

    def erase(self, user_id: str) -> Erasure:
        """Delete all events of a user for good. Raises StoreError."""
        with self.using() as connection:
            seq = tick(connection, 1) + 1
            deletion = connection.execute(delete(events).where(events.c.user_id == user_id))
            connection.execute(delete(actions).where(actions.c.user_id == user_id))
            connection.execute(delete(profiles).where(profiles.c.user_id == user_id))
            digest = self.digest(user_id)
            connection.execute(delete(erased).where(erased.c.digest == digest))
            row = {"digest": digest, "seq": seq, "at": int(time.time())}
            connection.execute(insert(erased), [row])
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:  # the old pages leave the log as well
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return Erasure(seq, deletion.rowcount)

    # Reading.

    def events_of(self, user_id: str, after: int = 0) -> list[Event]:
        """The events of a user after a number, in order."""
        query = select(*EVENT_COLUMNS).where(events.c.user_id == user_id, events.c.seq > after)
        with self.using() as connection:
            return [Event(*row) for row in connection.execute(query.order_by(events.c.seq))]

    def all_events(self, after: int, through: int) -> Iterator[Event]:
        """The events with ``after < seq <= through``, in order, streamed from the database."""
        span = (events.c.seq > after, events.c.seq <= through)
        query = select(*EVENT_COLUMNS).where(*span).order_by(events.c.seq)
        with self.using() as connection:
            for row in connection.execution_options(yield_per=10_000).execute(query):
                yield Event(*row)

    def users_per_item(self, since: int) -> dict[str, int]:
        """The number of users who rated each item at ``since`` (seconds since 1970) or later."""
        users = func.count(events.c.user_id.distinct())
        query = select(events.c.item_id, users).where(events.c.at >= since)
        query = query.where(events.c.rating.is_not(None)).group_by(events.c.item_id)
        with self.using() as connection:
            return {item: int(n_users) for item, n_users in connection.execute(query)}

    def changes_since(self, after: int = 0) -> StoreChanges:
        """The changes with a number above ``after``."""
        with self.using() as connection:
            seq = _clock_seq(connection)
            if seq == after:
                return StoreChanges(seq, {}, {}, {}, {}, 0)
            hiding = actions.c.kind.in_(CHANGING_HIDDEN)
            erasure_span = (erased.c.seq > after, erased.c.seq <= seq)
            erasures = select(erased.c.digest, erased.c.seq).where(*erasure_span)
            return StoreChanges(
                seq,
                _last_numbers(connection, events, events.c.seq > after, events.c.seq <= seq),
                {digest: int(number) for digest, number in connection.execute(erasures)},
                _last_numbers(
                    connection, actions, actions.c.seq > after, actions.c.seq <= seq, hiding
                ),
                _last_numbers(connection, profiles, profiles.c.seq > after, profiles.c.seq <= seq),
                last_change(connection, after, seq),
            )

    def write_items(self, changes: Mapping[str, ItemChange]) -> CatalogChanges:
        """Store changes to the catalogue; returns all changes. Raises StoreError."""
        with self.using() as connection:
            seq = tick(connection, len(changes))
            for item_id, change in changes.items():
                seq += 1
                write_item(connection, seq, item_id, change)
            return read_items(connection)

    def catalog(self) -> CatalogChanges:
        """All changes to the catalogue."""
        with self.using() as connection:
            return read_items(connection)

    def write_profile(self, user_id: str, features: Mapping[str, str]) -> int:
        """Store the features of a user; returns the number of the change. Raises StoreError."""
        with self.using() as connection:
            seq = tick(connection, 1) + 1
            write_profile(connection, seq, user_id, features)
            return seq

    def profile(self, user_id: str) -> dict[str, str]:
        """The stored features of a user; empty without any."""
        with self.using() as connection:
            return read_profile(connection, user_id)

    def actions_of(self, user_id: str) -> list[Action]:
        """The actions of a user, in order."""
        query = select(*ACTION_COLUMNS).where(actions.c.user_id == user_id)
        with self.using() as connection:
            return [Action(*row) for row in connection.execute(query.order_by(actions.c.seq))]

    def outcomes(self) -> dict[str, ArmOutcome]:
        """What became of the lists that were shown, by the names of models."""
        with self.using() as connection:
            return outcomes(connection)

    def seq(self) -> int:
        """The number of the last event or erasure."""
        with self.using() as connection:
            return _clock_seq(connection)

    def count(self, after: int = 0) -> int:
        """How many events in the store have a number above ``after``."""
        query = select(func.count()).select_from(events).where(events.c.seq > after)
        with self.using() as connection:
            return int(connection.execute(query).scalar_one())

    def digest(self, user_id: str) -> str:
        """The keyed digest (HMAC-SHA256) that stands for an erased user's id."""
        return hmac.new(self.salt.encode(), user_id.encode(), hashlib.sha256).hexdigest()

    # Inside.

    def _sealed(self, batch: EventBatch) -> EventBatch:
        """A batch with keyed digests for its key and body, as both may hold ids."""
        if batch.key is None:
            return batch
        key, body = self.digest(f"key {batch.key}"), self.digest(f"body {batch.digest}")
        return replace(batch, key=key, digest=body)

    def _identity(self) -> StoreIdentity:
        row = {"one": 1, "seq": 0, "store": secrets.token_hex(8), "salt": secrets.token_hex(16)}
        query = select(clock.c.store, clock.c.salt)
        with self.using() as connection:
            identity = connection.execute(query).first()
        if identity is None:
            try:
                with self.engine.begin() as connection:
                    connection.execute(insert(clock), [row])
            except IntegrityError:
                pass  # another process was quicker
            with self.using() as connection:
                identity = connection.execute(query).one()
        return StoreIdentity(*identity)

    def _records(
        self, connection: Connection, batches: Sequence[EventBatch]
    ) -> dict[str, BatchRecord]:
        """The records of those batches whose keys are known, by key."""
        keys = sorted({batch.key for batch in batches if batch.key is not None})
        query = select(posts.c.key, posts.c.digest, posts.c.verdicts)
        records = {}
        for first in range(0, len(keys), MAX_KEYS_PER_QUERY):
            some = posts.c.key.in_(keys[first : first + MAX_KEYS_PER_QUERY])
            for key, digest, verdicts in connection.execute(query.where(some)):
                parsed = tuple(Verdict(**one) for one in json.loads(verdicts))
                records[key] = BatchRecord(digest, parsed)
        return records

    def _prune(self, connection: Connection) -> None:
        now = time.time()
        if now - self.last_pruning > PRUNE_INTERVAL:
            self.last_pruning = now
            connection.execute(delete(posts).where(posts.c.at < int(now) - KEY_LIFETIME))


def store_beside(model: Path) -> Path:
    """The default place of the feedback on a model: a SQLite file beside its folder."""
    folder = model.resolve()
    return folder.with_name(f"{folder.name}-feedback.sqlite")


def existing_store(model: Path, place: str | None) -> Store:
    """The store at a place, or else beside a model. Raises StoreError when there is none."""
    where = place or str(store_beside(model))
    if "://" not in where and not Path(where).is_file():
        raise StoreError(f"there is no feedback store {where}; matinee serve makes one")
    return Store.at(where)


def tick(connection: Connection, count: int) -> int:
    """Reserve ``count`` numbers and the right to write; returns the number before them."""
    connection.execute(update_of(clock).values(seq=clock.c.seq + count))
    return _clock_seq(connection) - count


def _last_numbers(
    connection: Connection, table: Table, *where: ColumnElement[bool]
) -> dict[str, int]:
    """The number of each user's last row of a table that meets conditions."""
    query = select(table.c.user_id, func.max(table.c.seq)).where(*where)
    rows = connection.execute(query.group_by(table.c.user_id))
    return {user: int(number) for user, number in rows}


def _clock_seq(connection: Connection) -> int:
    return int(connection.execute(select(clock.c.seq)).scalar_one())


def _key_row(batch: EventBatch) -> dict[str, object]:
    verdicts = json.dumps([vars(one) for one in batch.verdicts])
    now = int(time.time())
    return {"key": batch.key, "digest": batch.digest, "verdicts": verdicts, "at": now}
