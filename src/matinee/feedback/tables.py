"""The tables of a feedback store, the same on SQLite and PostgreSQL."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    select,
)
from sqlalchemy.schema import CreateIndex, CreateTable

CREATION_LOCK = 0x6D6174696E6565  # "matinee", which no other lock should be

metadata = MetaData()

# As the primary key, an INTEGER is SQLite's own row number.
RowNumber = BigInteger().with_variant(Integer, "sqlite")

# One row. Every writer updates it first, so writers queue here and ``seq`` is in commit order.
clock = Table(
    "matinee_clock",
    metadata,
    Column("one", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("store", Text, nullable=False),  # a random name, by which a model knows its store
    Column("salt", Text, nullable=False),  # of the digests of erased users
)

events = Table(
    "matinee_events",
    metadata,
    Column("seq", RowNumber, primary_key=True, autoincrement=False),
    Column("user_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("rating", Double),
    Column("at", BigInteger, nullable=False),
    Index("matinee_events_by_user", "user_id", "seq"),
)

# What people did beside rating, numbered by the same clock.
actions = Table(
    "matinee_actions",
    metadata,
    Column("seq", RowNumber, primary_key=True, autoincrement=False),
    Column("user_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("recommendation_id", Text),
    Column("arm", Text),  # the model that made the list, by name
    Column("at", BigInteger, nullable=False),
    Index("matinee_actions_by_user", "user_id", "seq"),
)

# What an item is now, in place of what the model knows of it.
item_changes = Table(
    "matinee_items",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False, index=True),
    Column("entry", Text),  # JSON; null leaves the entry of the model
    Column("hidden", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# What is known of a user beside ratings.
profiles = Table(
    "matinee_profiles",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False, index=True),
    Column("features", Text, nullable=False),  # JSON
)

# The verdicts on a batch by its idempotency key, so that a repeated request counts once.
posts = Table(
    "matinee_posts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),  # of the request body: a key stands for one body
    Column("verdicts", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("matinee_posts_by_time", "at"),
)

# Users whose ratings no longer count, as digests: the id itself is erased.
erased = Table(
    "matinee_erased",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
)


def create_tables(connection: Connection) -> None:
    """Create the tables that are missing; several processes may do so at once."""
    if connection.dialect.name == "postgresql":  # whose IF NOT EXISTS is no lock
        connection.execute(select(func.pg_advisory_xact_lock(CREATION_LOCK)))
    for table in metadata.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))
