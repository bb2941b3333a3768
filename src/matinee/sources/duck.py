"""DuckDB for the readers: from a query over a file to numbered arrays.

Ids become numbers inside DuckDB, so that no row ever costs a Python string, and the arrays are
filled block by block, so that there is never a second copy of them.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.disk.temporary_folders import temporary_folder
from matinee.errors import BadRatings
from matinee.sources.files import words
from matinee.sources.raw import (
    BAD_TIME,
    DOTTED_DATES,
    UNKNOWN_TIME,
    Fault,
    Numbered,
    Query,
    QueryBuilder,
    Raw,
    Reader,
    ReadOptions,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BYTES_PER_THREAD = 64 << 20  # a thread costs memory; a small file is read as fast by one
MOST_THREADS = 4
MEMORY = "1GB"  # beyond this DuckDB spills to a temporary folder
BLOCKS = 8  # steps in which the arrays are filled: each holds a copy of its part


@contextmanager
def interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt for Ctrl-C inside DuckDB, which reports it as an error of its own."""
    import duckdb

    try:
        yield
    except (RuntimeError, duckdb.InterruptException) as error:
        if "interrupt" in str(error).lower():
            raise KeyboardInterrupt from None
        raise


@contextmanager
def connection(name: str, path: Path) -> Iterator["DuckDBPyConnection"]:
    """A private DuckDB for one file, never on the network. Raises BadRatings for its errors."""
    import duckdb

    threads = 1 + path.stat().st_size // BYTES_PER_THREAD
    with temporary_folder() as folder, interrupts():
        connection = duckdb.connect(
            ":memory:",
            config={
                "threads": min(threads, MOST_THREADS, os.cpu_count() or 1),
                "memory_limit": MEMORY,
                "temp_directory": str(folder),
                "autoinstall_known_extensions": "false",
            },
        )
        try:
            connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            yield connection
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise BadRatings(f"{name} cannot be read: {words(error)[:200]}") from None
        finally:
            connection.close()


@contextmanager
def raw_rows(query: Query) -> Iterator[Raw]:
    """The rows of a query as arrays."""
    arrays = query.quick()
    if arrays is None:
        with connection(query.name, query.path) as db:
            db.execute(f"CREATE TEMP TABLE raw AS {query.sql}")
            query.check(db)
            arrays = numbered_table(db, query.with_time, query.with_weight)
    for side, id_type in query.id_types.items():
        arrays[f"{side}s"] = arrays[f"{side}s"]._replace(id_type=id_type)
    fault: Any = arrays["fault"]
    time = arrays.get("time")

    def show(row: int) -> str:
        bad_time = fault[row] == Fault.NONE and time is not None and time[row] == BAD_TIME
        return query.show(row, Fault.TIME if bad_time else int(fault[row]))

    fault[: query.preamble] = Fault.NO_ROW
    yield Raw(
        name=query.name,
        format=query.format,
        **arrays,
        show=show,
        place=query.place,
        locate=query.locate,
        columns=query.columns,
        details=query.details,
        notes=list(query.notes),
        known_scale=query.known_scale,
        catalog=query.catalog,
        profiles=query.profiles,
    )


def reader(build: QueryBuilder) -> Reader:
    """A reader that loads the rows of a query into arrays."""

    @contextmanager
    def read(source: object, options: ReadOptions) -> Iterator[Raw]:
        with build(source, options) as query, raw_rows(query) as raw:
            yield raw

    return read


def text(value: object) -> str:
    """A SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A SQL column name."""
    return '"' + name.replace('"', '""') + '"'


def fault_of(rating: str, number: str, user: str, item: str) -> str:
    """SQL for the fault of a row that has all its fields: a missing one, or no proper number."""
    empty = " OR ".join(f"{field} IS NULL" for field in (user, item, rating))
    return (
        f"WHEN {empty} THEN {Fault.MISSING:d} "
        f"WHEN {number} IS NULL THEN {Fault.NOT_A_NUMBER:d} "
        f"WHEN NOT isfinite({number}) THEN {Fault.NOT_FINITE:d} ELSE {Fault.NONE:d}"
    )


def weighed(rating: str, events: Mapping[str, float] | None) -> str:
    """SQL for a rating as text: the weight of an event, where events are given."""
    if events is None:
        return rating
    cases = " ".join(f"WHEN {text(event)} THEN '{weight!r}'" for event, weight in events.items())
    return f"(CASE {rating} {cases} ELSE {rating} END)"


def time_of(time: str) -> str:
    """SQL for a time in text or numbers as written, UNKNOWN_TIME or BAD_TIME."""
    number = (
        f"CASE WHEN contains({time}, '.') THEN "
        f"try_cast(floor(try_cast({time} AS DOUBLE)) AS BIGINT) "
        f"ELSE try_cast({time} AS BIGINT) END"
    )
    date = f"try_cast(floor(epoch(try_cast({time} AS TIMESTAMPTZ))) AS BIGINT)"
    dotted = f"try_cast(floor(epoch(try_strptime({time}, {list(DOTTED_DATES)}))) AS BIGINT)"
    empty = f"CASE WHEN trim(coalesce({time}, '')) = '' THEN {UNKNOWN_TIME} END"
    return f"coalesce({number}, {empty}, {date}, {dotted}, {BAD_TIME})"


def numbered_table(db: "DuckDBPyConnection", with_time: bool, with_weight: bool) -> dict[str, Any]:
    """The temporary table ``raw (user_id, item_id, rating, time, fault)`` as arrays.

    Returns ``users`` and ``items`` (Numbered), ``rating``, ``fault`` and perhaps ``time`` and
    ``weight``.
    """
    ids = {side: distinct(db, side) for side in ("user", "item")}
    (n_rows,) = db.execute("SELECT count(*) FROM raw").fetchone() or (0,)
    columns: dict[str, tuple[str, type]] = {
        "user": ("coalesce(enum_code(user_id::VARCHAR::user_ids)::INTEGER, -1)", np.int32),
        "item": ("coalesce(enum_code(item_id::VARCHAR::item_ids)::INTEGER, -1)", np.int32),
        "rating": ("coalesce(rating, 'nan'::FLOAT)", np.float32),
        "fault": ("fault::UTINYINT", np.uint8),
    }
    if with_time:
        columns["time"] = ("time", np.int64)
    if with_weight:
        columns["weight"] = ("coalesce(weight, 'nan'::FLOAT)", np.float32)
    arrays = {name: np.empty(n_rows, dtype) for name, (_, dtype) in columns.items()}
    select = ", ".join(f"{sql} AS {identifier(name)}" for name, (sql, _) in columns.items())
    step = n_rows // BLOCKS + 1
    for start in range(0, n_rows, step):
        block = db.execute(
            f"SELECT {select} FROM raw WHERE rowid >= {start} AND rowid < {start + step}"
        ).fetchnumpy()
        for name, values in block.items():
            arrays[name][start : start + len(values)] = values
    return {
        "users": Numbered(ids["user"], arrays.pop("user")),
        "items": Numbered(ids["item"], arrays.pop("item")),
        **arrays,
    }


def distinct(db: "DuckDBPyConnection", side: str) -> list[str]:
    """The distinct ids of one side, in the order of the codes that DuckDB gives them."""
    db.execute(
        f"CREATE TYPE {side}_ids AS ENUM (SELECT id::VARCHAR FROM "
        f"(SELECT DISTINCT {side}_id AS id FROM raw WHERE {side}_id IS NOT NULL))"
    )
    (ids,) = db.execute(f"SELECT enum_range(NULL::{side}_ids)").fetchone() or ([],)
    return list(ids)


def path_literal(path: Path) -> str:
    """A file name in SQL."""
    return text(path.absolute())
