"""Files of whole numbers alone, as MovieLens 100K and 1M are, read without a database.

DuckDB takes any text and names each bad row; here a file is taken only where it can hold none. A
block of lines without its digits must be the separators of its rows, there must be a number for
each, and their decimals must have as many digits: ``007`` is an id that is not 7. Else DuckDB reads
the whole file.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from matinee.sources.raw import Fault, Numbered

BLOCK = 1 << 22  # bytes of lines taken at once
DIGITS = b"0123456789"
MOST = np.iinfo(np.int32).max
POWERS = [10**digits for digits in range(1, len(str(MOST)))]


def table_of_numbers(
    path: Path, delimiter: str, n_columns: int, at: Mapping[str, int]
) -> dict[str, Any] | None:
    """The rows of a file without a header as arrays of Raw, or None: it is to be read by rows.

    ``at`` is the column of each field.
    """
    columns = columns_of_numbers(path, delimiter.encode(), n_columns)
    if columns is None:
        return None
    n_rows = len(columns[0])
    rating = columns[at["rating"]] if "rating" in at else np.ones(n_rows)
    time = {"time": columns[at["timestamp"]].astype(np.int64)} if "timestamp" in at else {}
    return {
        "users": numbered(columns[at["user_id"]]),
        "items": numbered(columns[at["item_id"]]),
        "rating": rating.astype(np.float32),
        "fault": np.full(n_rows, Fault.NONE, np.uint8),
        **time,
    }


def columns_of_numbers(path: Path, delimiter: bytes, n_columns: int) -> list[np.ndarray] | None:
    """The columns (n_rows,) int32 of a file, or None where it holds anything else."""
    parts: list[list[np.ndarray]] = [[] for _ in range(n_columns)]
    with path.open("rb") as file:
        for block in blocks_of_lines(file):
            rows = rows_of_numbers(block, delimiter, n_columns)
            if rows is None:
                return None
            for part, column in zip(parts, rows.T, strict=True):
                part.append(column.astype(np.int32))
    return [np.concatenate(part) for part in parts]


def blocks_of_lines(file: IO[bytes]) -> Iterator[bytes]:
    """A file in blocks of whole lines, the last of which has an end too."""
    while lines := file.read(BLOCK) + file.readline():
        yield lines if lines.endswith(b"\n") else lines + b"\n"


def rows_of_numbers(lines: bytes, delimiter: bytes, n_columns: int) -> np.ndarray | None:
    """Lines as numbers (n_rows, n_columns) int64, or None where they are anything else."""
    if delimiter != b"\t":
        if b"\t" in lines:
            return None
        lines = lines.replace(delimiter, b"\t")
    row = b"\t" * (n_columns - 1) + b"\n"
    separators = lines.translate(None, DIGITS)
    if separators != row * (len(separators) // n_columns):
        return None
    numbers = np.fromstring(lines, np.int64, sep=" ")
    if len(numbers) != len(separators) or numbers.max(initial=0) > MOST:
        return None
    n_digits = len(numbers) + sum(np.count_nonzero(numbers >= power) for power in POWERS)
    return numbers.reshape(-1, n_columns) if n_digits + len(separators) == len(lines) else None


def numbered(column: np.ndarray) -> Numbered:
    """A column of ids (n_rows,) int32; a table finds their codes where no id is large."""
    top = int(column.max(initial=0))
    if top > len(column):
        ids, code = np.unique(column, return_inverse=True)
        return Numbered(list(map(str, ids.tolist())), code.astype(np.int32))
    code_of = np.full(top + 1, -1, np.int32)
    code_of[column] = 0
    ids = np.flatnonzero(code_of == 0)
    code_of[ids] = np.arange(len(ids))
    return Numbered(list(map(str, ids.tolist())), code_of[column])
