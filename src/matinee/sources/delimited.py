"""Delimited text: any of ``, ; tab :: |`` or spaces, with a header or without, quoted, gz; JSON.

The file is read as lines and each line is split on its own, so one broken row never takes its
neighbours with it, and every row keeps its line number. A quoted field may hold the delimiter
but not a line end. Ids are kept to the last space; only where *every* delimiter is followed by
a space does that space belong to the delimiter, which is then reported as ``', '``.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from matinee.data.catalog import NO_CATALOG, Catalog
from matinee.data.scale import Scale
from matinee.display.text import counted
from matinee.errors import BadRatings, Option
from matinee.sources import cells, duck, files, json_arrays
from matinee.sources.columns import NO_RATINGS, columns_by_position, dates_unread, find_columns
from matinee.sources.decimals import Forms, decimal_mark, number_text
from matinee.sources.dialect import Dialect, clipped, columns_of_dates, holds, sniff
from matinee.sources.lines import check_rejects, lines_query
from matinee.sources.raw import Fault, Query, ReadOptions
from matinee.sources.whole_numbers import table_of_numbers

QUOTED = (Fault.NOT_A_NUMBER, Fault.NOT_FINITE, Fault.OUTSIDE, Fault.TIME)  # by the value alone
DECIMALS = {",": {"decimals": "comma"}, ".": {"thousands": "comma"}}  # for the report


def recognises(source: object) -> bool:
    """Any file that no other reader claims."""
    path = files.as_path(source)
    return path is not None and not path.is_dir()


@contextmanager
def query(source: object, options: ReadOptions) -> Iterator[Query]:
    """The query for a delimited text file, compressed with gzip or not.

    Raises BadRatings for a file of another kind.
    """
    path = files.as_path(source)
    assert path is not None
    kind = files.kind_of(path)
    if kind not in ("text", "gzip"):
        other = "" if kind == files.WORKBOOK else f", not text; give {files.READABLE}"
        raise BadRatings(f"{path.name} is {kind}{other}")
    plain = path if kind == "text" else None
    with text_query(path.name, files.opener(path), plain, options) as text:
        yield text


read = duck.reader(query)


@contextmanager
def text_query(
    name: str,
    open_bytes: Callable[[], IO[bytes]],
    path: Path | None,
    options: ReadOptions,
    *,
    format: str = "delimited text",
    known_scale: Scale | None = None,
    catalog: Catalog = NO_CATALOG,
) -> Iterator[Query]:
    """The query for any stream of delimited text; ``path`` where it is a plain file already."""
    with (
        files.plain_text(name, open_bytes, path, options.encoding) as (text, encoding),
        json_arrays.lines_of(text, name) as plain,
    ):
        expected = [str(column) for column in (options.columns or {}).values()]
        dialect = sniff(plain, name, expected, quoting=options.quoting)
        if options.wide is not None or dialect.ragged:
            yield cells.query(plain, dialect, name, encoding, options)
            return
        at = columns_of(dialect, options, name)
        mark = options.decimal or mark_of(plain, dialect, at, name)
        yield Query(
            name=name,
            format=format if dialect.delimiter else "JSON lines" if plain == text else "JSON array",
            path=plain,
            sql=rows_query(plain, dialect, at, mark, options.events),
            named=bool(dialect.header),
            with_time="timestamp" in at,
            with_weight="sample_weight" in at,
            show=lambda row, fault: shown(plain, row, dialect, at, fault),
            quick=lambda: quick_table(plain, dialect, at, options),
            check=lambda db: check_rejects(db, name),
            preamble=dialect.preamble,
            place="line" if plain == text else "element",
            columns=column_names(dialect, at),
            details={
                **dialect.details,
                **({} if mark is None else DECIMALS[mark]),
                "encoding": encoding,
            },
            notes=(
                *dates_unread(dialect.header, at, columns_of_dates(dialect)),
                *(() if "rating" in at else (NO_RATINGS,)),
            ),
            known_scale=known_scale,
            catalog=catalog,
        )


def quick_table(
    path: Path, dialect: Dialect, at: dict[str, int], options: ReadOptions
) -> dict[str, Any] | None:
    """The rows of a file of whole numbers alone, or None."""
    plain = dialect.delimiter and not (dialect.preamble or dialect.quoted)
    if not plain or options.events or "sample_weight" in at:
        return None
    return table_of_numbers(path, dialect.delimiter, dialect.n_columns, at)


def columns_of(dialect: Dialect, options: ReadOptions, name: str) -> dict[str, int]:
    """Field -> column. Raises BadRatings where that is a question."""
    chosen, needed = options.columns, options.rating_needed
    if not dialect.header:
        return columns_by_position(
            dialect.n_columns,
            chosen,
            name,
            rating_needed=needed,
            missing=cells.likely_missing(dialect.rows),
        )
    by_number = chosen and all(str(column).isdecimal() for column in chosen.values())
    if dialect.row_names and not by_number:
        at = find_columns(dialect.header, None, name, rating_needed=needed)
        raise BadRatings(
            f"{name} has {counted(dialect.n_columns - 1, 'name')} over {dialect.n_columns} fields; "
            "if column 0, the first, holds the names of rows, as R writes them, say so with ",
            Option("columns", dict(at)),
        )
    dated = columns_of_dates(dialect)
    return find_columns(dialect.header, chosen, name, rating_needed=needed, dated=dated)


def mark_of(path: Path, dialect: Dialect, at: dict[str, int], name: str) -> str | None:
    """The decimal mark of the ratings, where there are commas in them."""
    splits = "," in dialect.delimiter and not dialect.quoted
    if splits or not dialect.delimiter or "rating" not in at or not holds(path, b","):
        return None
    with duck.connection(name, path) as db:
        text = f"trim(fields[{at['rating'] + 1}])"
        row = db.execute(
            f"SELECT {Forms.sql(text)} FROM ({lines_query(path, dialect)}) OFFSET 0"
        ).fetchone()
    return decimal_mark(Forms(*row), name) if row else None


def rows_query(
    path: Path,
    dialect: Dialect,
    at: dict[str, int],
    mark: str | None,
    events: Mapping[str, float] | None,
) -> str:
    """SQL that turns each line of a file into ids, a rating, a time and a fault."""
    field = {name: f"fields[{place + 1}]" for name, place in at.items()}
    rating = duck.weighed(field.get("rating", "'1'"), events)
    filled = {name: f"nullif({text}, '')" for name, text in (field | {"rating": rating}).items()}
    fault = duck.fault_of(filled["rating"], "number", filled["user_id"], filled["item_id"])
    has_ids = f"{field['user_id']} <> '' AND {field['item_id']} <> ''"
    weight = ""
    if "sample_weight" in field:
        weight = f"try_cast({number_text(field['sample_weight'], mark)} AS FLOAT) AS weight,"
    n, last = dialect.n_columns, f"fields[{dialect.n_columns + 1}]"
    broken = Fault.QUOTES if dialect.delimiter else Fault.NOT_AN_OBJECT
    return f"""
        WITH lines AS ({lines_query(path, dialect)}
        ), parsed AS (
            SELECT line, fields, try_cast({number_text(rating, mark)} AS FLOAT) AS number FROM lines
        ), judged AS (
            SELECT *, CASE
                WHEN len(fields) = {n} AND isfinite(number) AND {has_ids} THEN {Fault.NONE:d}
                WHEN coalesce(trim(line), '') = '' THEN {Fault.NO_ROW:d}
                WHEN fields IS NULL THEN {broken:d}
                WHEN len(fields) < {n} THEN {Fault.MISSING:d}
                WHEN len(fields) > {n + 1} OR len(fields) > {n} AND {last} <> ''
                    THEN {Fault.TOO_MANY:d}
                {fault} END AS fault
            FROM parsed
        )
        SELECT
            CASE WHEN fault = 0 THEN {field["user_id"]} END AS user_id,
            CASE WHEN fault = 0 THEN {field["item_id"]} END AS item_id,
            number AS rating,
            {duck.time_of(field["timestamp"]) if "timestamp" in field else "0"} AS time,
            {weight}
            fault
        FROM judged
    """


def shown(path: Path, row: int, dialect: Dialect, at: Mapping[str, int], fault: int) -> str:
    """The value that a message quotes: the rating or time where that is wrong, else the line."""
    with path.open("r", encoding="utf-8-sig", errors="replace") as file:
        line = next(islice(file, row, None), "").rstrip("\n")
    wrong = "timestamp" if fault == Fault.TIME else "rating"
    if wrong in at and fault in QUOTED:
        return repr(clipped(dialect.split(line)[at[wrong]]))
    return repr(clipped(line))


def column_names(dialect: Dialect, at: dict[str, int]) -> dict[str, str]:
    """What each field is called in the header, or which column it is, from 0."""
    if dialect.header:
        return {field: dialect.header[place] for field, place in at.items()}
    return {field: f"column {place}" for field, place in at.items()}
