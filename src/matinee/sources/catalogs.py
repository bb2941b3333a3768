"""Catalogues from a table: a text file, Parquet, a DataFrame, or a plain mapping.

The columns are found by name: an item id as in ratings, ``title`` (or ``name``), ``year`` and
``genres`` (separated by ``|``, else by ``,`` or ``;``). Every other column becomes a feature of
the same name, split at ``|``. A title that ends in a year, as in ``Heat (1995)``, supplies
the year where there is no column for it.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from matinee.data.catalog import Catalog, Item
from matinee.data.ids import as_id
from matinee.display.text import counted
from matinee.errors import Advice, BadRatings, DataWarning, known_arguments
from matinee.sources import duck, files, frames, movielens, parquet
from matinee.sources.columns import by_name, plain
from matinee.sources.dialect import Dialect, sniff
from matinee.sources.packing.numbering import is_missing
from matinee.sources.raw import ReadOptions
from matinee.sources.titles import split_title

TITLE = ("title", "name", "itemname", "movietitle", "movie", "film", "label")
YEAR = ("year", "releaseyear", "published")
GENRES = ("genres", "genre", "categories", "category")

Table = tuple[str, list[str], Iterable[Sequence[object]]]  # its name, column names, rows


def of_mapping(source: Mapping[object, object]) -> Catalog:
    """From ``{item id: title or Item}``. Raises BadRatings for anything else."""
    return Catalog({as_id(key): _item(key, value) for key, value in source.items()})


def _item(key: object, value: object) -> Item:
    if isinstance(value, Item):
        return value
    if not isinstance(value, str):
        raise BadRatings(
            f"the entry of item {key!r} is {type(value).__name__}; give a title, or an Item",
            Advice(': matinee.Item("Heat", 1995, ("Crime",))', ""),
        )
    return Item(*split_title(value))


def of_table(name: str, columns: list[str], rows: Iterable[Sequence[object]]) -> Catalog:
    """From named columns and rows of cells. Raises BadRatings without ids and titles."""
    at_title = position(columns, TITLE)
    at_id = by_name([c if at != at_title else "" for at, c in enumerate(columns)], "item_id", name)
    if at_id is None:
        at_id = position(columns, ("id",))
    if at_id is None or at_title is None:
        raise BadRatings(
            f"{name} has the columns {', '.join(map(repr, columns))}; a catalogue needs an item "
            "id and a title, such as item_id,title,year,genres"
        )
    at_year, at_genres = position(columns, YEAR), position(columns, GENRES)
    used = {at_id, at_title, at_year, at_genres}
    others = {column: at for at, column in enumerate(columns) if at not in used}
    entries: dict[str, Item] = {}
    for row in rows:
        item_id = id_text(row[at_id])
        if not item_id:
            continue
        title, year = split_title(cell(row[at_title]))
        if at_year is not None and (digits := cell(row[at_year])[:4]).isdigit():
            title, year = (cell(row[at_title]) if year is None else title), int(digits)
        features = {column: parts(row[at], "|") for column, at in others.items()}
        entries[item_id] = Item(
            title=title or item_id,
            year=year,
            genres=() if at_genres is None else parts(row[at_genres], "|,;"),
            features={column: values for column, values in features.items() if values},
        )
    if not entries:
        raise BadRatings(f"{name} holds no items")
    return Catalog(entries)


def position(columns: Sequence[str], names: Sequence[str]) -> int | None:
    """Where the first of some names stands among the columns."""
    plain_columns = [plain(column) for column in columns]
    return next((plain_columns.index(name) for name in names if name in plain_columns), None)


def id_text(value: object) -> str:
    """An id from a cell of any type; empty where there is none."""
    if is_missing(value):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else as_id(value)


def cell(value: object) -> str:
    """A cell as text; empty where there is nothing."""
    return "" if is_missing(value) else str(value).strip()


def parts(value: object, separators: str) -> tuple[str, ...]:
    """Several values in one cell, split at the first separator that it holds; each once."""
    if isinstance(value, list | tuple):
        values = [cell(one) for one in value]
    else:
        text = cell(value)
        separator = next((one for one in separators if one in text), separators[0])
        values = [one.strip() for one in text.split(separator)]
    return tuple(dict.fromkeys(one for one in values if one not in movielens.NO_GENRE))


def delimited_table(path: Path, options: ReadOptions) -> tuple[Catalog, list[str]]:
    """From a text file with a header, and notes on it.

    It is split as ratings are: line by line, so that no line takes its neighbours with it. A line
    whose quotes are broken is split as it stands, and counted. Raises BadRatings where there is no
    header.
    """
    with files.plain_text(path.name, files.opener(path), path, options.encoding) as (text, _):
        dialect = sniff(text, path.name, TITLE, least=2, quoting=options.quoting)
        if not dialect.header:
            raise BadRatings(f"{path.name} has no header; name its columns, as in item_id,title")
        broken: list[int] = []
        with text.open(encoding="utf-8-sig", newline="\n") as file:
            rows = full_rows(file, dialect, broken)
            catalog = of_table(path.name, list(dialect.header), rows)
    if not broken:
        return catalog, []
    lines = ", ".join(f"{line:,}" for line in broken[:3]) + ", ..." * (len(broken) > 3)
    return catalog, [
        f"{path.name}: {counted(len(broken), 'line')} with broken quotes read as written ({lines})"
    ]


def full_rows(file: Iterable[str], dialect: Dialect, broken: list[int]) -> Iterator[list[str]]:
    """The rows of a file, each with all its columns; notes the lines whose quotes are broken."""
    for at, line in enumerate(file):
        text = line.rstrip("\r\n")
        if at < dialect.preamble or not text.strip():
            continue
        row = dialect.fields(text)
        if row is None:
            broken.append(at + 1)
            row = text.split(dialect.delimiter)
        if any(row):
            yield [*row, *[""] * (dialect.n_columns - len(row))]


def parquet_table(path: Path) -> Catalog:
    """From a Parquet file."""
    with duck.connection(path.name, path) as db:
        table = db.execute(f"FROM read_parquet({duck.text(parquet.literal(path))})")
        columns = [str(one[0]) for one in table.description or ()]
        return of_table(path.name, columns, table.fetchall())


def frame_table(source: object) -> Catalog:
    """From a DataFrame."""
    frame = frames.frame_of(source)
    return of_table(
        f"the {frame.implementation.value} DataFrame", list(frame.columns), frame.iter_rows()
    )


@known_arguments
def read_catalog(source: object, *, encoding: str | None = None) -> Catalog:
    """What is known of items: from MovieLens, a table (text, Parquet, DataFrame) or a mapping.

    A mapping is ``{item id: title or Item}``; ``encoding`` is that of a text file. Warns with
    DataWarning of lines with broken quotes. Raises BadRatings where no items are found.
    """
    catalog, notes = catalog_and_notes(source, ReadOptions(encoding=encoding))
    if notes:
        warnings.warn(DataWarning("; ".join(notes)), stacklevel=3)  # where it is called
    return catalog


def catalog_and_notes(source: object, options: ReadOptions) -> tuple[Catalog, list[str]]:
    """The catalogue in a source, and notes on how it was read."""
    if isinstance(source, Catalog):
        return source, []
    if isinstance(source, Mapping):
        return of_mapping(source), []
    path = files.as_path(source)
    if path is None:
        return frame_table(source), []
    files.check_exists(path)
    with files.on_disk(path) as place:
        assert isinstance(place, Path)
        read = of_path(place)
        return (read(place), []) if read else delimited_table(place, options)


def of_path(path: Path) -> Callable[[Path], Catalog] | None:
    """The reader for what a path leads to; None for delimited text."""
    ratings = {layout.ratings for layout in movielens.LAYOUTS}
    movie_files = {layout.movies for layout in movielens.LAYOUTS}
    if path.is_dir() or files.kind_of(path) == "zip" or path.name in movie_files | ratings:
        return movielens.read_catalog
    return parquet_table if files.kind_of(path) == "Parquet" else None
