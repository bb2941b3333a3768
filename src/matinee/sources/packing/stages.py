"""The stages of packing, in SQL: validated rows, numbered ids, numbered rows. Each is a table.

A table exists whole or not at all, so a stage that was finished before a kill is not repeated.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.data.read_report import Case, Finding
from matinee.data.scale import Scale
from matinee.sources.checks import CASES_SHOWN, MILLISECONDS_FROM, TIME_UNITS, WORDS_LOOKED_AT
from matinee.sources.raw import BAD_TIME, REASON, UNKNOWN_TIME, Fault, Query
from matinee.sources.strays import doubt_of, warn_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_LEVELS = 1 << 16  # different ratings that small numbers can stand for


def has_table(db: "DuckDBPyConnection", name: str) -> bool:
    """Whether a stage is done."""
    tables = f"SELECT count(*) FROM duckdb_tables() WHERE table_name = '{name}'"
    return bool(scalar(db, tables))


def scalar(db: "DuckDBPyConnection", sql: str) -> Any:
    """The only value of a query."""
    row = db.execute(sql).fetchone()
    return row[0] if row else None


def read_rows(db: "DuckDBPyConnection", query: Query) -> None:
    """The table ``raw``: the rows of the source as they stand; or a view of a quick source."""
    if query.repeatable:
        db.execute(f"CREATE OR REPLACE TEMP VIEW raw AS {query.sql}")
    elif not has_table(db, "raw"):
        db.execute(f"CREATE TABLE raw AS {query.sql}")
        query.check(db)


def judge(db: "DuckDBPyConnection", query: Query, scale: Scale | None) -> Scale:
    """The view ``judged``, with each row's last fault; returns the scale, inferred where None."""
    line = "line" if query.repeatable else "rowid"
    header = f"WHEN {line} < {query.preamble} THEN {Fault.NO_ROW:d}" if query.preamble else ""
    outside = (
        ""
        if scale is None
        else (
            f"WHEN fault = 0 AND (rating < {scale.low!r}::FLOAT OR rating > {scale.high!r}::FLOAT) "
            f"THEN {Fault.OUTSIDE:d}"
        )
    )
    db.execute(
        f"CREATE OR REPLACE TEMP VIEW judged AS SELECT {line} AS line, user_id, item_id, rating, "
        f"time, CASE {header} {outside} WHEN true THEN fault END AS fault FROM raw"
    )
    if scale is not None:
        return scale
    bounds = db.execute("SELECT min(rating), max(rating) FROM judged WHERE fault = 0").fetchone()
    low, high = bounds or (0.0, 0.0)
    return Scale(low or 0.0, high or 0.0)


def findings(db: "DuckDBPyConnection", query: Query, scale: Scale) -> list[Finding]:
    """For each reason the rows set aside, the reason of the earliest row first."""
    counts = db.execute(
        "SELECT fault, count(*) FROM judged WHERE fault BETWEEN 1 AND 254 "
        "GROUP BY fault ORDER BY min(line)"
    ).fetchall()
    listed = []
    for fault, count in counts:
        reason = REASON[Fault(fault)] + (f" {scale}" if fault == Fault.OUTSIDE else "")
        listed.append(Finding(reason, count, cases(db, query, f"fault = {fault}", fault)))
    return listed


def words(db: "DuckDBPyConnection", query: Query) -> list[str]:
    """Some ratings that are no numbers, as messages show them."""
    fault = Fault.NOT_A_NUMBER
    rows = db.execute(
        f"SELECT line FROM judged WHERE fault = {fault:d} ORDER BY line LIMIT {WORDS_LOOKED_AT}"
    ).fetchall()
    return [query.show(row, fault) for (row,) in rows]


def bad_times(db: "DuckDBPyConnection", query: Query) -> Finding | None:
    """The good rows whose time cannot be read."""
    which = f"fault = 0 AND time = {BAD_TIME}"
    count = scalar(db, f"SELECT count(*) FROM judged WHERE {which}") if query.with_time else 0
    if not count:
        return None
    return Finding("whose timestamp cannot be read", count, cases(db, query, which, Fault.TIME))


def cases(db: "DuckDBPyConnection", query: Query, which: str, fault: int) -> tuple[Case, ...]:
    """The first few rows of some kind."""
    rows = db.execute(
        f"SELECT line FROM judged WHERE {which} ORDER BY line LIMIT {CASES_SHOWN}"
    ).fetchall()
    return tuple(Case(query.where(row), query.show(row, fault)) for (row,) in rows)


def number_ids(db: "DuckDBPyConnection") -> None:
    """The tables ``users`` and ``items`` (id, n, ratings): ids in natural order, see ``ids``."""
    for side in ("user", "item"):
        if has_table(db, f"{side}s"):
            continue
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE {side}_found AS SELECT {side}_id AS id, "
            f"count(*)::BIGINT AS ratings FROM judged WHERE fault = 0 GROUP BY {side}_id"
        )
        db.execute(
            f"CREATE TABLE {side}s AS SELECT id, ratings, "
            f"(row_number() OVER (ORDER BY {natural_order(db, f'{side}_found')}) - 1)::INTEGER n "
            f"FROM (SELECT *, ltrim(ltrim(id::VARCHAR, '-'), '0') AS digits, "
            f"CASE WHEN starts_with(id::VARCHAR, '-') THEN -1 ELSE 1 END AS sign "
            f"FROM {side}_found) ORDER BY n"
        )


def natural_order(db: "DuckDBPyConnection", table: str) -> str:
    """SQL to order the ids of a table by."""
    if scalar(db, f"SELECT any_value(typeof(id)) <> 'VARCHAR' FROM {table}"):
        return "id"
    if not scalar(db, f"SELECT bool_and(regexp_full_match(id, '-?[0-9]+')) FROM {table}"):
        return "id"
    # By sign, then by the number of digits, then by digits, which no length overflows.
    return "length(digits) * sign, CASE WHEN sign < 0 THEN digits END DESC, digits, id"


def number_rows(db: "DuckDBPyConnection", query: Query, with_moment: bool) -> None:
    """The table ``numbered`` (user, item, rating, line, moment) of all good rows, in any order."""
    if has_table(db, "numbered"):
        return
    time = moment() if with_moment else "0::UTINYINT"
    db.execute(
        "CREATE TABLE numbered AS "
        f'SELECT users.n AS "user", items.n AS item, rating, line, {time} AS moment FROM judged '
        "JOIN users ON user_id = users.id JOIN items ON item_id = items.id WHERE fault = 0"
    )


def sizes(db: "DuckDBPyConnection") -> tuple[np.ndarray, int, int]:
    """Rows of each user (n_users,), the number of items, and one above the largest line."""
    counts = db.execute("SELECT ratings FROM users ORDER BY n").fetchnumpy()["ratings"]
    n_items = scalar(db, "SELECT count(*) FROM items")
    return np.asarray(counts), n_items, scalar(db, "SELECT max(line) + 1 FROM numbered")


def moment() -> str:
    """SQL for the time of a row in whole seconds, an unknown one before all others."""
    cases = [f"WHEN time IN ({UNKNOWN_TIME}, {BAD_TIME}) THEN {BAD_TIME}"]
    for divisor, _ in TIME_UNITS:
        floor = f"(time - ((time % {divisor}) + {divisor}) % {divisor}) // {divisor}"
        cases.append(f"WHEN abs(time) >= {MILLISECONDS_FROM * (divisor // 1000)} THEN {floor}")
    return f"CASE {' '.join(cases)} ELSE time END"


def levels_of(db: "DuckDBPyConnection") -> tuple[np.ndarray, np.ndarray] | None:
    """The different ratings (n_levels,) float32, ascending, and the rows of each (n_levels,).

    None for more than MOST_LEVELS.
    """
    found = db.execute(
        "SELECT rating, count(*) AS n FROM judged WHERE fault = 0 GROUP BY rating ORDER BY rating "
        f"LIMIT {MOST_LEVELS + 1}"
    ).fetchnumpy()
    ratings, counts = (np.asarray(found[name]) for name in ("rating", "n"))
    return (ratings.astype(np.float32), counts) if len(ratings) <= MOST_LEVELS else None


def look_for_doubts(
    db: "DuckDBPyConnection", query: Query, levels: tuple[np.ndarray, np.ndarray]
) -> None:
    """Warn where some of the good rows may not mean what the others do.

    ``levels`` are those of ``levels_of``: different ratings (n_levels,), and the rows of each.
    """
    doubt = doubt_of(*levels)
    if doubt is None:
        return
    low, high = doubt.usual
    n, line, rating = db.execute(
        "SELECT count(*), min(line), arg_min(rating, line) FROM judged WHERE fault = 0 AND "
        f"(rating < {low!r}::FLOAT OR rating > {high!r}::FLOAT)"
    ).fetchall()[0]
    warn_of(doubt, query.name, n, Case(query.where(line), f"{rating:g}"))
