"""The tables of a feedback store, the same on SQLite and PostgreSQL."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, Table, Text

metadata = MetaData()

# A whole number that is SQLite's own row number where it is the primary key.
Number = BigInteger().with_variant(Integer, "sqlite")

# One row. Whoever writes adds to it first, so writers queue here and ``seq`` is commit order.
clock = Table(
    "matinee_clock",
    metadata,
    Column("one", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("store", Text, nullable=False),  # a name of its own, so that models know their store
    Column("salt", Text, nullable=False),  # of the digests of erased users
)

events = Table(
    "matinee_events",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("user_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("rating", Double),
    Column("at", BigInteger, nullable=False),
    Index("matinee_events_by_user", "user_id", "seq"),
)

# What a post was answered, by its idempotency key, so that it counts once however often it comes.
posts = Table(
    "matinee_posts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),  # of the body: a key stands for one body
    Column("verdicts", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("matinee_posts_by_time", "at"),
)

# Users whose ratings must not count any more: digests, as the id itself is erased.
erased = Table(
    "matinee_erased",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
)
