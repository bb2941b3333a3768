"""Parquet files, read by DuckDB: the same numbering as text, only without splitting lines."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from matinee.errors import BadRatings
from matinee.sources import duck, files
from matinee.sources.columns import NO_RATINGS, dates_unread, find_columns
from matinee.sources.packing.numbering import EXACT_BELOW
from matinee.sources.raw import Fault, Query, ReadOptions

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
WHOLES = (*WHOLE, *(f"U{name}" for name in WHOLE))
IDS = ("VARCHAR", *WHOLES)
DATES = ("DATE", "TIMESTAMP")  # how types of dates begin
FLOATS = ("FLOAT", "DOUBLE")
SIZES = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}
INTEGER_TYPES = {  # of numpy, for what holds whole numbers
    **{name: f"int{size}" for name, size in SIZES.items()},
    **{f"U{name}": f"uint{size}" for name, size in SIZES.items()},
    **dict.fromkeys(FLOATS, "int64"),
}


def recognises(source: object) -> bool:
    """A file that begins like Parquet, whatever it is called."""
    path = files.as_path(source)
    return path is not None and path.is_file() and files.kind_of(path) == "Parquet"


@contextmanager
def query(source: object, options: ReadOptions) -> Iterator[Query]:
    """The query for a Parquet file."""
    path = files.as_path(source)
    assert path is not None
    # the file name is data, never a pattern: DuckDB reads [*] as a star and so on
    source_sql = f"read_parquet({duck.text(literal(path))})"
    with duck.connection(path.name, path) as db:
        described = db.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM {source_sql})")
        types = dict(described.fetchall())
        names = names_of(db, path, list(types))
        needed = options.rating_needed
        dated = [at for at, type_ in enumerate(types.values()) if type_.startswith(DATES)]
        at = find_columns(names, options.columns, path.name, rating_needed=needed, dated=dated)
        column = {field: list(types)[place] for field, place in at.items()}
        notes = [
            check_id_type(db, source_sql, column[field], types[column[field]], path.name)
            for field in ("user_id", "item_id")
        ]

    def show(row: int, fault: int) -> str:
        field = "timestamp" if fault == Fault.TIME else "rating"
        cell = duck.identifier(column[field]) if field in column else "1"
        with duck.connection(path.name, path) as db:
            cells = db.execute(f"SELECT {cell} FROM {source_sql} LIMIT 1 OFFSET {row}").fetchone()
        return f"{field} {cells[0] if cells else None!r}"

    yield Query(
        name=path.name,
        format="Parquet",
        path=path,
        sql=rows_query(
            f"{source_sql[:-1]}, file_row_number = true)", column, types, options.events
        ),
        id_types={
            field.removesuffix("_id"): id_type
            for field in ("user_id", "item_id")
            if (id_type := INTEGER_TYPES.get(types[column[field]]))
        },
        named=True,
        repeatable=True,
        with_time="timestamp" in at,
        with_weight="sample_weight" in at,
        show=show,
        columns=column,
        notes=(
            *filter(None, notes),
            *dates_unread(names, at, dated),
            *([NO_RATINGS] * ("rating" not in at)),
        ),
    )


read = duck.reader(query)


def names_of(db: "DuckDBPyConnection", path: Path, described: list[str]) -> list[str]:
    """The names of the columns as they stand in the file; DuckDB changes those that are alike."""
    (n_alike,) = db.execute(
        "SELECT count(name) - count(DISTINCT name) FROM "
        f"parquet_schema({duck.text(literal(path))}) WHERE num_children IS NULL"
    ).fetchone() or (0,)
    pattern = r"(.*)_[0-9]+"
    suffixed = (re.fullmatch(pattern, name) for name in described)
    return [
        match[1] if n_alike and match and match[1] in described else name
        for name, match in zip(described, suffixed, strict=True)
    ]


def literal(path: Path) -> str:
    """A path with its wildcard characters taken literally."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path.absolute()))


def check_id_type(
    db: "DuckDBPyConnection", source_sql: str, column: str, type_: str, name: str
) -> str | None:
    """A note where ids are floats that hold whole numbers. Raises BadRatings for no ids at all."""
    if type_ in IDS or type_.startswith("ENUM"):
        return None
    if type_ not in FLOATS:
        raise BadRatings(f"{name}: ids are text or whole numbers, but {column!r} is {type_}")
    cell = duck.identifier(column)
    odd = db.execute(
        f"SELECT {cell} FROM {source_sql} WHERE NOT isfinite({cell}) AND NOT isnan({cell}) "
        f"OR isfinite({cell}) AND (floor({cell}) <> {cell} OR abs({cell}) >= {EXACT_BELOW}) LIMIT 1"
    ).fetchone()
    if odd:
        raise BadRatings(
            f"{name}: column {column!r} holds {odd[0]!r}, which cannot be an id; "
            "store ids as text or whole numbers"
        )
    return f"{column} is a column of floats; its whole numbers were taken as ids such as '7'"


def rows_query(
    source_sql: str,
    column: dict[str, str],
    types: dict[str, str],
    events: Mapping[str, float] | None,
) -> str:
    """SQL that gives each row its ids, rating, time and fault, and its number as ``line``.

    Ids that are numbers stay numbers: to write them out for every row takes longer than all else.
    """
    user, item = (id_of(column[field], types[column[field]]) for field in ("user_id", "item_id"))
    rating, number = ("1", "1::FLOAT")
    if "rating" in column:
        rating, number = rating_of(column["rating"], types[column["rating"]], events)
    time = f"{duck.identifier(column['timestamp'])}::VARCHAR" if "timestamp" in column else "''"
    weight = ""
    if "sample_weight" in column:
        weight = f", try_cast({duck.identifier(column['sample_weight'])} AS FLOAT) AS weight"
    return f"""
        WITH cells AS (
            SELECT {user} AS u, {item} AS i, {rating} AS r, {number} AS number, {time} AS t,
                file_row_number AS line{weight}
            FROM {source_sql}
        ), judged AS (
            SELECT *, CASE {duck.fault_of("r", "number", "u", "i")} END AS fault FROM cells
        )
        SELECT
            CASE WHEN fault = {Fault.NONE:d} THEN u END AS user_id,
            CASE WHEN fault = {Fault.NONE:d} THEN i END AS item_id,
            number AS rating, {duck.time_of("t")} AS time, fault, line{", weight" * bool(weight)}
        FROM judged
    """


def id_of(column: str, type_: str) -> str:
    """SQL for an id: a whole number or text as it is, nothing for NaN and empty text."""
    cell = duck.identifier(column)
    if type_ in FLOATS:
        return f"CASE WHEN isfinite({cell}) THEN {cell}::BIGINT END"
    return cell if type_ in WHOLES else f"nullif({cell}::VARCHAR, '')"


def rating_of(column: str, type_: str, events: Mapping[str, float] | None) -> tuple[str, str]:
    """SQL for what stands there as a rating, nothing for empty text, and for its number."""
    cell = duck.identifier(column)
    if type_ in (*WHOLES, "FLOAT"):
        return cell, f"{cell}::FLOAT"
    text = f"nullif({cell}::VARCHAR, '')"
    in_words = (
        f"try_cast({duck.weighed(text, events)} AS FLOAT)"  # infinite where a float cannot hold it
    )
    return (
        (cell, f"coalesce(try_cast({cell} AS FLOAT), {in_words})")
        if type_ == "DOUBLE"
        else (text, in_words)
    )
