"""The lines of a text file in SQL, each split into its fields on its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matinee.errors import BadRatings, Option
from matinee.sources import duck
from matinee.sources.dialect import Dialect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NEVER = "\x01\x02\x03\x04"  # a delimiter that no line holds: DuckDB then reads whole lines
LONGEST_LINE = 1 << 20  # bytes; small, because DuckDB holds several such buffers


def lines_query(path: Path, dialect: Dialect) -> str:
    """SQL for the lines of a file and the fields of each; NULL where it cannot be split."""
    return f"""
        SELECT line, {fields_of(dialect)} AS fields FROM {whole_lines([path])}
    """


def whole_lines(paths: Sequence[Path]) -> str:
    """SQL for a table of the lines of files, one after the other, in the column ``line``."""
    return f"""
        read_csv([{", ".join(map(duck.path_literal, paths))}], columns = {{'line': 'VARCHAR'}},
            delim = {duck.text(NEVER)}, quote = '', escape = '', header = false,
            auto_detect = false, strict_mode = false, store_rejects = true,
            max_line_size = {LONGEST_LINE}, buffer_size = {4 * LONGEST_LINE})
    """


def fields_of(dialect: Dialect) -> str:
    """SQL for the fields of a line."""
    if not dialect.delimiter:
        keys = ", ".join(duck.text(f"$.{duck.identifier(name)}") for name in dialect.header)
        return f"CASE WHEN json_valid(line) THEN json_extract_string(line, [{keys}]) END"
    split = f"string_split(line, {duck.text(dialect.delimiter)})"
    if dialect.quoted:
        return f"CASE WHEN contains(line, '\"') THEN {unquote(dialect.delimiter)} ELSE {split} END"
    return split


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
