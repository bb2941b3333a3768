"""Text in which a line holds many ratings: a user and its items, or a user's row of a matrix.

    user item item ...        every item counts as 1
    user rating rating ...    a column an item (``wide``); what is not rated has a value of its own

In a matrix with a header the column of users is found by its name, or is the one without any. In
one without a header a first column that counts the ratings of its line is passed over. Where no
column holds users, they go by the number of their line from 0.
"""

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from matinee.errors import BadRatings, BadSetting, Option
from matinee.sources import duck
from matinee.sources.columns import by_name, chosen_columns
from matinee.sources.dialect import Dialect, clipped, is_number
from matinee.sources.lines import check_rejects, lines_query
from matinee.sources.raw import Fault, Query, ReadOptions

EMPTY = "empty"  # the value of cells that are not rated where they hold nothing


class Matrix(NamedTuple):
    """Where users and items stand in the lines of a matrix."""

    user: int | None  # None: users are lines, numbered from 0
    items: tuple[int, ...]  # the columns of ratings
    names: tuple[str, ...]  # the id of each
    note: str


def query(path: Path, dialect: Dialect, name: str, encoding: str, options: ReadOptions) -> Query:
    """The query for a file of lists, or of a matrix where ``options.wide`` is given."""
    if options.wide is None:
        sql = lists_query(path, dialect)
        columns = {"user_id": "the first field", "item_id": "every other field"}
        note = "each line is a user and its items: every item counts as 1"
        width = None
    else:
        matrix = matrix_of(dialect, options, name)
        sql = matrix_query(path, dialect, matrix, options.wide)
        user = "the line" if matrix.user is None else f"column {matrix.user}"
        columns = {"user_id": user, "item_id": "the column", "rating": "the cell"}
        note, width = matrix.note, len(matrix.items)
    return Query(
        name=name,
        format="lists of items" if options.wide is None else "matrix",
        path=path,
        sql=sql,
        with_time=False,
        show=lambda row, fault: repr(clipped(line_at(path, line_of(path, dialect, row, width)))),
        check=lambda db: check_rejects(db, name),
        locate=lambda row: f"line {line_of(path, dialect, row, width) + 1:,}",
        columns=columns,
        details={**dialect.details, "encoding": encoding},
        notes=(note,),
    )


def lists_query(path: Path, dialect: Dialect) -> str:
    """SQL for a row for each item of each line."""
    return f"""
        WITH cells AS (
            SELECT fields[1] AS u, unnest(fields[2:]) AS i
            FROM ({numbered(path, dialect)}) WHERE line >= {dialect.preamble}
        ), judged AS (
            SELECT *, CASE WHEN i = '' THEN {Fault.NO_ROW:d} WHEN u = '' THEN {Fault.MISSING:d}
                ELSE {Fault.NONE:d} END AS fault FROM cells
        )
        SELECT CASE WHEN fault = 0 THEN u END AS user_id, CASE WHEN fault = 0 THEN i END AS item_id,
            1::FLOAT AS rating, 0 AS time, fault FROM judged
    """


def matrix_query(path: Path, dialect: Dialect, matrix: Matrix, missing: float | str) -> str:
    """SQL for a row for each cell of each line."""
    user = "line::VARCHAR" if matrix.user is None else f"fields[{matrix.user + 1}]"
    cells = ", ".join(f"fields[{at + 1}]" for at in matrix.items)
    names = ", ".join(map(duck.text, matrix.names))
    empty = "trim(coalesce(cell, '')) = ''"
    if missing != EMPTY:
        empty += f" OR trim(cell) = {duck.text(missing)}"
        if is_number(str(missing)):
            empty += f" OR try_cast(cell AS DOUBLE) = {float(missing)!r}"
    return f"""
        WITH lines AS (
            SELECT line - {dialect.preamble} AS line, fields, len(fields) AS n
            FROM ({numbered(path, dialect)}) WHERE line >= {dialect.preamble}
        ), cells AS (
            SELECT {user} AS u, unnest([{names}]) AS i, unnest([{cells}]) AS cell, n FROM lines
        ), parsed AS (SELECT *, try_cast(cell AS FLOAT) AS number FROM cells
        ), judged AS (
            SELECT *, CASE
                WHEN n IS NULL THEN {Fault.QUOTES:d}
                WHEN n > {dialect.n_columns} THEN {Fault.TOO_MANY:d}
                WHEN cell IS NULL THEN {Fault.MISSING:d}
                WHEN {empty} THEN {Fault.NO_ROW:d}
                {duck.fault_of("cell", "number", "nullif(u, '')", "i")} END AS fault
            FROM parsed
        )
        SELECT CASE WHEN fault = 0 THEN u END AS user_id, CASE WHEN fault = 0 THEN i END AS item_id,
            number AS rating, 0 AS time, fault FROM judged
    """


def numbered(path: Path, dialect: Dialect) -> str:
    """SQL for the lines of a file that are not blank, each with its number from 0."""
    return (
        "SELECT number AS line, fields FROM (SELECT *, row_number() OVER () - 1 AS number FROM "
        f"({lines_query(path, dialect)})) WHERE trim(coalesce(line, '')) <> ''"
    )


def matrix_of(dialect: Dialect, options: ReadOptions, name: str) -> Matrix:
    """Where users and items stand. Raises BadRatings where the column of users is a question."""
    missing = options.wide
    names = dialect.header or tuple(map(str, range(dialect.n_columns)))
    positions = chosen_columns(names, options.columns, name)
    if set(positions) - {"user_id"}:
        raise BadSetting(Option("wide"), " takes one column, that of user_id; all others are items")
    user, note = positions.get("user_id"), "each line is a user and each column an item"
    items = range(dialect.n_columns)
    if user is None and dialect.header:
        user = by_name(names, "user_id", name)
        user = 0 if user is None and not names[0].strip() else user
        if user is None:
            raise which_users(name, names[0])
    elif user is None and counts_its_line(dialect.rows, str(missing)):
        items = range(1, dialect.n_columns)
        note += "; column 0 counts the ratings of each line and was passed over"
    elif user is None:
        refuse_empty(dialect.rows, str(missing), name)
        first = [row[0] for row in dialect.rows]
        if max(Counter(first).values()) == 1:
            if not is_id_column(dialect.rows):
                raise which_users(name, 0)
            user = 0
    columns = tuple(at for at in items if at != user)
    return Matrix(user, columns, tuple(names[at] for at in columns), note)


def which_users(name: str, first: str | int) -> BadRatings:
    """The error for a matrix whose column of users is not known."""
    return BadRatings(
        f"{name}: which column holds the users? Say so with ", Option("columns", {"user_id": first})
    )


def counts_its_line(rows: tuple[tuple[str, ...], ...], missing: str) -> bool:
    """Whether the first field of each row is the number of its other fields that are rated."""

    def is_rated(cell: str) -> bool:
        if not cell.strip() or cell.strip() == missing:
            return False
        both = is_number(cell) and is_number(missing)
        return not (both and float(cell) == float(missing))

    return all(
        row[0].isdecimal() and int(row[0]) == sum(map(is_rated, row[1:])) for row in rows if row
    )


def likely_missing(rows: tuple[tuple[str, ...], ...]) -> str | None:
    """The value of what is not rated, as far as first rows tell; None where they are no matrix.

    Empty, unless no cell is and the most frequent number lies at an end of all others. Cells of a
    matrix are numbers and one word at most; a table has dates and the like.
    """
    cells = Counter(cell.strip() for row in rows for cell in row[1:])
    numbers = [float(cell) for cell in cells if is_number(cell)]
    if len(cells) > len(numbers) + 1:
        return None
    value, _ = max(cells.items(), key=lambda one: one[1], default=("", 0))
    at_an_end = is_number(value) and float(value) in (min(numbers), max(numbers))
    return value if at_an_end and "" not in cells else EMPTY


def refuse_empty(rows: tuple[tuple[str, ...], ...], missing: str, name: str) -> None:
    """Raise BadRatings where empty cells are not rated, but the first column proves other ones."""
    likely = likely_missing(rows)
    if missing == EMPTY and likely not in (EMPTY, None) and counts_its_line(rows, str(likely)):
        raise BadRatings(
            f"{name} has no empty cells, and its first column counts those of each line that are "
            f"not {likely}; say so with ",
            Option("wide", likely),
        )


def is_id_column(rows: tuple[tuple[str, ...], ...]) -> bool:
    """Whether the first fields, all different, can be no ratings: words, or beyond all others."""
    first = [row[0] for row in rows]
    if not all(map(is_number, first)):
        return True
    others = [float(cell) for cell in chain(*(row[1:] for row in rows)) if is_number(cell)]
    return not others or min(map(float, first)) > max(others)


def line_of(path: Path, dialect: Dialect, row: int, width: int | None) -> int:
    """The line that a cell stands in: each has ``width`` of them, or as many as its items."""
    with path.open("r", encoding="utf-8-sig", errors="replace") as file:
        for at, line in enumerate(file):
            if at < dialect.preamble or not line.strip():
                continue
            row -= width or len(dialect.split(line.rstrip("\n"))) - 1
            if row < 0:
                return at
    return 0


def line_at(path: Path, number: int) -> str:
    """One line of a file."""
    with path.open("r", encoding="utf-8-sig", errors="replace") as file:
        return next(line for at, line in enumerate(file) if at == number).rstrip("\n")
