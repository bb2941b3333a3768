"""JSON arrays brought into JSON lines: ``[{"user_id": ..., ...}, ...]``, or rows ``[[...], ...]``.

DuckDB takes the elements one after the other, so that an array is never in memory as a whole.
"""

import codecs
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matinee.disk.temporary_folders import temporary_folder
from matinee.errors import BadRatings
from matinee.sources import duck
from matinee.sources.columns import FIELDS
from matinee.sources.files import BLOCK

ARRAY = re.compile(rb"\s*\[\s*[\[{\]]")  # how an array of objects or rows begins
LOOKED_AT = 4096  # bytes
LONGEST_ELEMENT = 1 << 20  # bytes
AT_ONCE = 10_000  # elements
WIDTHS = (2, 3, 4)  # user, item, and perhaps rating and time


@contextmanager
def lines_of(path: Path, name: str) -> Iterator[Path]:
    """A file with an element a line, where ``path`` (UTF-8) holds an array; else ``path`` itself.

    Raises BadRatings for an array that is broken or empty, or whose rows are no ratings.
    """
    with path.open("rb") as file:
        start = file.read(LOOKED_AT)
    marked = start.startswith(codecs.BOM_UTF8)
    if not ARRAY.match(start.removeprefix(codecs.BOM_UTF8)):
        yield path
        return
    with temporary_folder() as folder:
        if marked:
            path = without_mark(path, folder)
        lines = folder / "lines"
        write_lines(path, lines, name)
        yield lines


def without_mark(path: Path, folder: Path) -> Path:
    """A copy of a file in a folder, without its byte order mark."""
    bare = folder / "array"
    with path.open("rb") as file, bare.open("wb") as out:
        file.seek(len(codecs.BOM_UTF8))
        shutil.copyfileobj(file, out, BLOCK)
    return bare


def write_lines(path: Path, lines: Path, name: str) -> None:
    """Write the elements of an array, an object a line. Raises BadRatings as ``lines_of`` does."""
    with duck.connection(name, path) as db, lines.open("wb") as out:
        elements = (
            f"read_json_objects({duck.path_literal(path)}, format = 'array', "
            f"compression = 'uncompressed', maximum_object_size = {LONGEST_ELEMENT})"
        )
        first = db.execute(
            f"SELECT json_type(json), json_array_length(json) FROM {elements} LIMIT 1"
        ).fetchone()
        if first is None:
            raise BadRatings(f"there are no ratings in {name}: its JSON array is empty")
        kind, width = first
        if kind == "ARRAY" and width not in WIDTHS:
            raise BadRatings(
                f"{name} is a JSON array of rows of {width}; give rows of user, item and rating, "
                "perhaps with a time, or objects with names"
            )
        line = object_of(width) if kind == "ARRAY" else "json(json)"
        db.execute(f"SELECT {line} FROM {elements}")
        while rows := db.fetchmany(AT_ONCE):
            out.writelines(f"{row}\n".encode() for (row,) in rows)


def object_of(width: int) -> str:
    """SQL for an object with the names of ratings, of a row of ``width`` values."""
    pairs = ", ".join(f"'{field}', json -> {at}" for at, field in enumerate(FIELDS[:width]))
    return f"json_object({pairs})"
