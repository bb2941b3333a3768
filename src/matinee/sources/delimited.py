"""Delimited text: any of ``, ; tab :: |`` or spaces, with a header or without, quoted, gz.

The file is read as lines and each line is split on its own, so one broken row never takes its
neighbours with it, and every row keeps its line number. A quoted field may hold the delimiter
but not a line end. Ids are kept to the last space; only where *every* delimiter is followed by
a space does that space belong to the delimiter, which is then reported as ``', '``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from matinee.data.catalog import NO_CATALOG, Catalog
from matinee.data.scale import Scale
from matinee.errors import BadRatings, Option
from matinee.sources import duck, files
from matinee.sources.columns import columns_by_position, find_columns
from matinee.sources.dialect import Dialect, clipped, has_decimal_comma, sniff
from matinee.sources.raw import Fault, Query, ReadOptions

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NEVER = "\x01\x02\x03\x04"  # a delimiter that no line holds: DuckDB then reads whole lines
LONGEST_LINE = 1 << 20  # bytes; small, because DuckDB holds several such buffers


def recognises(source: object) -> bool:
    """Any file that no other reader claims."""
    path = files.as_path(source)
    return path is not None and not path.is_dir()


@contextmanager
def query(source: object, options: ReadOptions) -> Iterator[Query]:
    """The query for a delimited text file, compressed with gzip or not."""
    path = files.as_path(source)
    assert path is not None
    kind = files.kind_of(path)
    if kind not in ("text", "gzip"):
        raise BadRatings(f"{path.name} is {kind}, not text; give {files.READABLE}")
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
    with files.plain_text(name, open_bytes, path, options.encoding) as (plain, encoding):
        columns = options.columns
        dialect = sniff(plain, name, [str(column) for column in (columns or {}).values()])
        at = (
            find_columns(dialect.header, columns, name)
            if dialect.header
            else columns_by_position(dialect.n_columns, columns, name)
        )
        comma = has_decimal_comma(dialect.rows, at["rating"])
        yield Query(
            name=name,
            format=format,
            path=plain,
            sql=rows_query(plain, dialect, at, comma),
            with_time="timestamp" in at,
            show=lambda row, fault: shown(plain, row, dialect, at["rating"], fault),
            check=lambda db: check_rejects(db, name),
            header=first_line(plain) if dialect.header else None,
            place="line",
            columns=column_names(dialect, at),
            details={
                **dialect.details,
                **({"decimals": "comma"} if comma else {}),
                "encoding": encoding,
            },
            known_scale=known_scale,
            catalog=catalog,
        )


def rows_query(path: Path, dialect: Dialect, at: dict[str, int], comma: bool) -> str:
    """SQL that turns each line of a file into ids, a rating, a time and a fault."""
    field = {name: f"fields[{place + 1}]" for name, place in at.items()}
    rating = f"replace({field['rating']}, ',', '.')" if comma else field["rating"]
    filled = {name: f"nullif({text}, '')" for name, text in field.items()}
    fault = duck.fault_of(filled["rating"], "number", filled["user_id"], filled["item_id"])
    delimiter = duck.text(dialect.delimiter)
    split = f"string_split(line, {delimiter})"
    if dialect.quoted:
        split = f"CASE WHEN contains(line, '\"') THEN {unquote(dialect.delimiter)} ELSE {split} END"
    n, last = dialect.n_columns, f"fields[{dialect.n_columns + 1}]"
    return f"""
        WITH lines AS (
            SELECT line, {split} AS fields
            FROM read_csv({duck.path_literal(path)}, columns = {{'line': 'VARCHAR'}},
                delim = {duck.text(NEVER)}, quote = '', escape = '', header = false,
                auto_detect = false, strict_mode = false, store_rejects = true,
                max_line_size = {LONGEST_LINE}, buffer_size = {4 * LONGEST_LINE})
        ), parsed AS (
            SELECT line, fields, try_cast({rating} AS FLOAT) AS number FROM lines
        ), judged AS (
            SELECT *, CASE
                WHEN coalesce(trim(line), '') = '' THEN {Fault.NO_ROW:d}
                WHEN fields IS NULL THEN {Fault.QUOTES:d}
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
            fault
        FROM judged
    """


def unquote(delimiter: str) -> str:
    """SQL for the fields of a line with quotes; NULL where they are not well formed."""
    stop = "".join(f"\\x{{{ord(letter):x}}}" for letter in delimiter)
    plain = f'[^"{stop[: stop.index("}") + 1]}][^{stop[: stop.index("}") + 1]}]*'
    pattern = duck.text(f'{stop}("(?:[^"]|"")*"|{plain}|)')
    line = f"({duck.text(delimiter)} || line)"
    whole = f"regexp_extract_all({line}, {pattern})"
    bare = f"regexp_extract_all({line}, {pattern}, 1)"
    return (
        f"CASE WHEN list_sum([len(part) FOR part IN {whole}]) = len({line}) "
        f"THEN [CASE WHEN starts_with(part, '\"') THEN replace(part[2:-2], '\"\"', '\"') "
        f"ELSE part END FOR part IN {bare}] END"
    )


def check_rejects(db: "DuckDBPyConnection", name: str) -> None:
    """Raise BadRatings for what is not even a line of text: wrong bytes, or no end in sight."""
    reject = db.execute("SELECT error_type, line FROM reject_errors ORDER BY line").fetchone()
    if reject is None:
        return
    if reject[0] in ("INVALID ENCODING", "INVALID UNICODE"):
        raise BadRatings(
            f"{name}, line {reject[1]:,} is not UTF-8; say which encoding it is, perhaps ",
            Option("encoding", "latin-1"),
        )
    raise BadRatings(
        f"{name}, line {reject[1]:,} is longer than {LONGEST_LINE:,} bytes; this is no table"
    )


def first_line(path: Path) -> int:
    """The row of the header: the first line that is not blank."""
    with path.open("rb") as file:
        return next(row for row, line in enumerate(file) if line.strip(b"\xef\xbb\xbf \r\n"))


def shown(path: Path, row: int, dialect: Dialect, rating: int, fault: int) -> str:
    """The value that a message quotes: the rating where that is wrong, else the line."""
    with path.open("r", encoding="utf-8-sig", errors="replace") as file:
        line = next(islice(file, row, None), "").rstrip("\n")
    if fault in (Fault.NOT_A_NUMBER, Fault.NOT_FINITE, Fault.OUTSIDE):
        return repr(clipped(dialect.split(line)[rating]))
    return repr(clipped(line))


def column_names(dialect: Dialect, at: dict[str, int]) -> dict[str, str]:
    """What each field is called in the header, or which column it is, from 0."""
    if dialect.header:
        return {field: dialect.header[place] for field, place in at.items()}
    return {field: f"column {place}" for field, place in at.items()}
