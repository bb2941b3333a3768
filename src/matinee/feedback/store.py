"""The database of feedback: SQLite by default, PostgreSQL by URL, through SQLAlchemy Core.

What ``write`` returns is on the disk. Every transaction that writes begins with the clock, so
``seq`` grows in commit order, and whoever has read up to a number has missed nothing below it.
"""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine, delete, event, func, insert, select
from sqlalchemy import update as update_of
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from matinee.errors import MatineeError
from matinee.feedback.events import Event, Verdict
from matinee.feedback.tables import clock, erased, events, metadata, posts

DAY = 24 * 3600
KEYS_KEPT = DAY  # seconds that an idempotency key is remembered
BUSY_SECONDS = 30  # to wait for another writer
MOST_KEYS = 500  # looked up in one query


class StoreError(MatineeError):
    """The feedback store cannot be opened, read or written."""


@dataclass(frozen=True)
class Post:
    """Events that arrived together, and the verdict on each row they came from."""

    events: tuple[Event, ...]
    verdicts: tuple[Verdict, ...]
    key: str | None = None  # its idempotency key
    digest: str = ""  # of its body


class Receipt(NamedTuple):
    """What became of a post."""

    seq: int  # the number of its last event; of the clock when it has none
    verdicts: tuple[Verdict, ...]
    replayed: bool = False  # the key was known: nothing was written now
    conflict: bool = False  # the key was known with another body: nothing was written


class News(NamedTuple):
    """What happened after a number: who has events, with the last number of each; who is erased."""

    seq: int
    changed: dict[str, int]
    erased: dict[str, int]


class Store:
    """A feedback store; open one with ``Store.at``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.pruned = 0.0
        with self.using() as connection:
            metadata.create_all(connection)
        self.name, self.salt = self._identity()

    @classmethod
    def at(cls, place: str | Path) -> "Store":
        """The store at a URL such as ``postgresql://user@host/db``, or in a file (SQLite).

        It is made where there is none. Raises StoreError, in words, when it cannot be opened.
        """
        return cls(engine_of(url_of(place)))

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def __repr__(self) -> str:
        return f"<feedback store {self.engine.url.render_as_string()}>"

    @contextmanager
    def using(self) -> Iterator[Connection]:
        """One transaction. Raises StoreError when the database cannot do it."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise StoreError(f"the feedback store {self._where()}: {reason}") from error

    def _where(self) -> str:
        return self.engine.url.render_as_string()

    # Writing.

    def write(self, arrived: Sequence[Post]) -> list[Receipt]:
        """Write posts in one transaction; when this returns they are durable."""
        with self.using() as connection:
            seq = tick(connection, sum(len(post.events) for post in arrived))
            arrived = [self._sealed(post) for post in arrived]
            known = self._known(connection, arrived)
            receipts, rows, keys = [], [], []
            for post in arrived:
                if post.key is not None and post.key in known:
                    digest, verdicts = known[post.key]
                    receipts.append(Receipt(seq, verdicts, True, digest != post.digest))
                    continue
                for one in post.events:
                    seq += 1
                    rows.append({"seq": seq, **vars(one)})
                receipts.append(Receipt(seq, post.verdicts))
                if post.key is not None:
                    known[post.key] = (post.digest, post.verdicts)
                    keys.append(_row_of_key(post))
            if rows:
                connection.execute(insert(events), rows)
            if keys:
                connection.execute(insert(posts), keys)
            self._prune(connection)
        return receipts

    def erase(self, user_id: str) -> tuple[int, int]:
        """Delete all events of a user, for good; returns the number of this, and how many."""
        with self.using() as connection:
            seq = tick(connection, 1) + 1
            gone = connection.execute(delete(events).where(events.c.user_id == user_id)).rowcount
            digest = self.digest(user_id)
            connection.execute(delete(erased).where(erased.c.digest == digest))
            row = {"digest": digest, "seq": seq, "at": int(time.time())}
            connection.execute(insert(erased), [row])
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:  # the old pages leave the log as well
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return seq, gone

    # Reading.

    def events_of(self, user_id: str, after: int = 0) -> list[Event]:
        """The events of a user after a number, in order."""
        columns = (events.c.user_id, events.c.item_id, events.c.rating, events.c.at)
        asked = select(*columns).where(events.c.user_id == user_id, events.c.seq > after)
        with self.using() as connection:
            return [Event(*row) for row in connection.execute(asked.order_by(events.c.seq))]

    def all_events(self, after: int, through: int) -> Iterator[Event]:
        """Every event in a span of numbers, in order, a part at a time."""
        columns = (events.c.user_id, events.c.item_id, events.c.rating, events.c.at)
        span = (events.c.seq > after, events.c.seq <= through)
        with self.using() as connection:
            lazily = connection.execution_options(yield_per=10_000)
            for row in lazily.execute(select(*columns).where(*span).order_by(events.c.seq)):
                yield Event(*row)

    def news(self, after: int = 0) -> News:
        """What happened after a number."""
        last = func.max(events.c.seq)
        with self.using() as connection:
            seq = connection.execute(select(clock.c.seq)).scalar_one()
            if seq == after:
                return News(seq, {}, {})
            in_span = (events.c.seq > after, events.c.seq <= seq)
            asked = select(events.c.user_id, last).where(*in_span).group_by(events.c.user_id)
            changed = {user: int(number) for user, number in connection.execute(asked)}
            gone = select(erased.c.digest, erased.c.seq).where(
                erased.c.seq > after, erased.c.seq <= seq
            )
            removed = {digest: int(number) for digest, number in connection.execute(gone)}
            return News(seq, changed, removed)

    def seq(self) -> int:
        """The number of the last event or erasure."""
        with self.using() as connection:
            return int(connection.execute(select(clock.c.seq)).scalar_one())

    def count(self) -> int:
        """How many events there are."""
        with self.using() as connection:
            return int(connection.execute(select(func.count()).select_from(events)).scalar_one())

    def digest(self, user_id: str) -> str:
        """What an erased user is remembered by: a keyed digest of the id."""
        return hmac.new(self.salt.encode(), user_id.encode(), hashlib.sha256).hexdigest()

    # Inside.

    def _sealed(self, post: Post) -> Post:
        """A post whose key and body are known by keyed digests alone: both may hold ids."""
        if post.key is None:
            return post
        key, body = self.digest(f"key {post.key}"), self.digest(f"body {post.digest}")
        return replace(post, key=key, digest=body)

    def _identity(self) -> tuple[str, str]:
        first = {"one": 1, "seq": 0, "store": secrets.token_hex(8), "salt": secrets.token_hex(16)}
        asked = select(clock.c.store, clock.c.salt)
        with self.using() as connection:
            found = connection.execute(asked).first()
        if found is None:
            try:
                with self.engine.begin() as connection:
                    connection.execute(insert(clock), [first])
            except IntegrityError:
                pass  # another process was quicker
            with self.using() as connection:
                found = connection.execute(asked).one()
        return str(found[0]), str(found[1])

    def _known(
        self, connection: Connection, arrived: Sequence[Post]
    ) -> dict[str, tuple[str, tuple[Verdict, ...]]]:
        keys = sorted({post.key for post in arrived if post.key is not None})
        known = {}
        for first in range(0, len(keys), MOST_KEYS):
            here = posts.c.key.in_(keys[first : first + MOST_KEYS])
            columns = (posts.c.key, posts.c.digest, posts.c.verdicts)
            for key, digest, verdicts in connection.execute(select(*columns).where(here)):
                known[key] = (digest, tuple(Verdict(**one) for one in json.loads(verdicts)))
        return known

    def _prune(self, connection: Connection) -> None:
        now = time.time()
        if now - self.pruned > DAY / 24:
            self.pruned = now
            connection.execute(delete(posts).where(posts.c.at < int(now) - KEYS_KEPT))


def tick(connection: Connection, numbers: int) -> int:
    """Take some numbers and the right to write; returns the number before them."""
    connection.execute(update_of(clock).values(seq=clock.c.seq + numbers))
    return int(connection.execute(select(clock.c.seq)).scalar_one()) - numbers


def url_of(place: str | Path) -> URL:
    """The database URL that a path or a URL means. Raises StoreError for a strange one."""
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
    """An engine whose commits are durable. Raises StoreError when a driver is missing."""
    try:
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True, pool_size=4, max_overflow=8)
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    except ModuleNotFoundError as error:
        raise StoreError(
            f'{error.name} is needed for this store: pip install "matinee[postgresql]"'
        ) from error
    except OSError as error:
        raise StoreError(f"the feedback store {url.database}: {error.strerror}") from error

    @event.listens_for(engine, "connect")
    def durable(connection: Any, record: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _row_of_key(post: Post) -> dict[str, Any]:
    verdicts = json.dumps([vars(one) for one in post.verdicts])
    return {
        "key": post.key,
        "digest": post.digest,
        "verdicts": verdicts,
        "at": int(time.time()),
    }
