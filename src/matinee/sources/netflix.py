"""The Netflix Prize data: a file for each film, or all films joined in four files.

    1:                      the number of a film; below it, who rated it
    1488844,3,2005-09-06    user, rating, day

``combined_data_1.txt`` to ``combined_data_4.txt``, or ``mv_0000001.txt`` to ``mv_0017770.txt``: one
of them, a folder or a zip. Titles come from ``movie_titles`` beside them.
Source: Bennett & Lanning, The Netflix Prize, 2007.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from matinee.data.catalog import Catalog, Item
from matinee.data.scale import Scale
from matinee.disk.temporary_folders import temporary_folder
from matinee.errors import BadSetting, Option
from matinee.sources import duck, files
from matinee.sources.bundle import Bundle, open_bundle
from matinee.sources.dialect import clipped
from matinee.sources.lines import check_rejects, whole_lines
from matinee.sources.raw import Fault, Query, ReadOptions

PART = re.compile(r"(?:combined_data_|mv_)(\d+)\.txt")
START = re.compile(rb"\d{1,8}:\s*\n\d+,\d+,\d{4}-\d\d-\d\d")
LOOKED_AT = 64  # bytes
FILMS = 10**8  # more than there are numbers of films
TITLES = ("movie_titles.txt", "movie_titles.csv")
FIELDS = {"user_id": "column 0", "item_id": "the line above", "rating": "column 1"}


class Place(NamedTuple):
    """A line of one of the files."""

    path: Path
    number: int  # from 0
    line: str


def recognises(source: object) -> bool:
    """A file that begins as these do, or a folder or zip with files of their names."""
    path = files.as_path(source)
    if path is None:
        return False
    if path.is_dir() or files.kind_of(path) == "zip":
        with open_bundle(path) as bundle:
            names = parts_of(bundle)
            return bool(names) and begins(bundle, names[0])
    with path.open("rb") as file:
        return bool(START.match(file.read(LOOKED_AT)))


def parts_of(bundle: Bundle) -> list[str]:
    """The names of the files of ratings, in the order of their numbers."""
    numbers = {name: int(match[1]) for name in bundle.openers if (match := PART.fullmatch(name))}
    return sorted(numbers, key=lambda name: (numbers[name], name))


def begins(bundle: Bundle, name: str) -> bool:
    """Whether a file of a bundle begins with a film and who rated it."""
    with bundle.openers[name]() as file:
        return bool(START.match(files.read_some(name, file, LOOKED_AT)))


@contextmanager
def query(source: object, options: ReadOptions) -> Iterator[Query]:
    """The query for these files, one after the other, with the titles of the films.

    Raises BadSetting for ``columns``, which the data have no names for.
    """
    if options.columns is not None:
        raise BadSetting(Option("columns"), " does not apply: the Netflix Prize data have no names")
    path = files.as_path(source)
    assert path is not None
    whole = path.is_dir() or files.kind_of(path) == "zip"
    with open_bundle(path if whole else path.parent, depth=2 if whole else 1) as bundle:
        names = parts_of(bundle) if whole else [path.name]
        with on_disk(bundle, names) as parts:
            yield query_of(bundle.name if whole else path.name, parts, catalog_of(bundle))


read = duck.reader(query)


def query_of(name: str, parts: Sequence[Path], catalog: Catalog) -> Query:
    """The query for some files, which hold the ratings of different films."""

    def locate(row: int) -> str:
        place = place_of(parts, row)
        return f"line {place.number + 1:,}" + (f" of {place.path.name}" if parts[1:] else "")

    return Query(
        name=name,
        format="Netflix Prize",
        path=max(parts, key=lambda part: part.stat().st_size),
        sql=rows_query(parts),
        with_time=True,
        show=lambda row, fault: repr(clipped(place_of(parts, row).line)),
        check=lambda db: check_rejects(db, name),
        locate=locate,
        columns=FIELDS | {"timestamp": "column 2"},
        details={"files": f"{len(parts):,}"} if parts[1:] else {},
        known_scale=Scale(1, 5),
        catalog=catalog,
    )


@contextmanager
def on_disk(bundle: Bundle, names: Sequence[str]) -> Iterator[list[Path]]:
    """Files of a bundle as they lie on disk; those of a zip as temporary copies."""
    if all(name in bundle.paths for name in names):
        yield [bundle.paths[name] for name in names]
        return
    with temporary_folder() as folder:
        for name in names:
            with bundle.openers[name]() as file, (folder / name).open("wb") as out:
                shutil.copyfileobj(file, out, files.BLOCK)
        yield [folder / name for name in names]


def rows_query(parts: Sequence[Path]) -> str:
    """SQL for the rows: each belongs to the last film above it.

    The running maximum of ``number of the line, film`` as one number needs no sorting.
    """
    fault = duck.fault_of("nullif(fields[2], '')", "number", "nullif(fields[1], '')", "film")
    return f"""
        WITH lines AS (
            SELECT trim(line) AS line, row_number() OVER () AS place FROM {whole_lines(parts)}
        ), films AS (
            SELECT line, line = '' OR ends_with(line, ':') AS is_film, max(
                CASE WHEN ends_with(line, ':')
                THEN place * {FILMS} + try_cast(rtrim(line, ':') AS BIGINT) END
            ) OVER (ROWS UNBOUNDED PRECEDING) % {FILMS} AS film FROM lines
        ), split AS (SELECT film, is_film, string_split(line, ',') AS fields FROM films
        ), parsed AS (SELECT *, try_cast(fields[2] AS FLOAT) AS number FROM split
        ), judged AS (
            SELECT *, CASE WHEN coalesce(is_film, true) THEN {Fault.NO_ROW:d}
                WHEN len(fields) < 3 THEN {Fault.MISSING:d}
                WHEN len(fields) > 3 THEN {Fault.TOO_MANY:d} {fault} END AS fault FROM parsed
        )
        SELECT CASE WHEN fault = 0 THEN fields[1] END AS user_id,
            CASE WHEN fault = 0 THEN film::VARCHAR END AS item_id,
            number AS rating, {duck.time_of("fields[3]")} AS time, fault
        FROM judged
    """


def place_of(parts: Sequence[Path], row: int) -> Place:
    """Where a row stands, counted over all files. Raises IndexError where there is none."""
    for path in parts:
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file):
                if number == row:
                    return Place(path, number, line.strip())
        row -= number + 1
    raise IndexError(row)


def catalog_of(bundle: Bundle) -> Catalog:
    """The titles and years of the films: lines ``1,2003,Dinosaur Planet``."""
    name = next((one for one in TITLES if one in bundle), None)
    lines = [] if name is None else bundle.text(name, "latin-1").splitlines()
    rows = (line.split(",", 2) for line in lines)
    return Catalog(
        {
            row[0]: Item(row[2].strip(), int(row[1]) if row[1].isdecimal() else None)
            for row in rows
            if len(row) == 3
        }
    )
