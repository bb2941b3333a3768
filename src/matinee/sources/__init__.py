"""Readers of ratings and catalogues.

``SOURCES`` lists the kinds of source; the first that recognises what it is given reads it. Each
reader returns its rows as they stand (``raw.Raw``), and ``checks.clean`` validates them all alike.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from matinee.data.packed import PackedRatings, is_packed
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.errors import BadRatings, BadSetting
from matinee.sources import arrays, delimited, files, frames, movielens, parquet
from matinee.sources.catalogs import read_catalog
from matinee.sources.checks import check_options, clean
from matinee.sources.raw import QueryBuilder, Reader, ReadOptions

__all__ = ["SOURCES", "read_catalog", "read_ratings"]


class Source(NamedTuple):
    """A kind of source: how to recognise one, read it, and query it where DuckDB can."""

    recognises: Callable[[object], bool]
    read: Reader
    query: QueryBuilder | None = None


SOURCES: dict[str, Source] = {
    "sparse matrix": Source(arrays.is_sparse, arrays.read_sparse),
    "arrays": Source(arrays.is_columns, arrays.read_columns),
    "frame": Source(frames.recognises, frames.read),
    "movielens": Source(movielens.recognises, movielens.read, movielens.query),
    "parquet": Source(parquet.recognises, parquet.read, parquet.query),
    "delimited": Source(delimited.recognises, delimited.read, delimited.query),
}


def read_ratings(
    source: object,
    *,
    columns: Mapping[str, str | int] | None = None,
    scale: tuple[float, float] | None = None,
    duplicates: str = "last",
    strict: bool = False,
    encoding: str | None = None,
    catalog: object = None,
) -> Ratings:
    """Ratings from a file, a MovieLens folder or zip, a DataFrame, arrays or a sparse matrix.

    ``ratings.report`` says how the source was understood and what became of each row.

    source: a path to a MovieLens folder, zip or file, to delimited text (also gz), to Parquet, or
        to packed ratings; a pandas, polars or pyarrow table; ``(users, items, ratings[, times])``;
        a scipy sparse matrix, alone or as ``(matrix, user_ids, item_ids)``.
    columns: ``{"user_id": ..., "item_id": ..., "rating": ..., "timestamp": ...}``, any of them:
        the name of a column, or its number from 0 where there is no header.
    scale: the lowest and highest rating; rows outside are set aside. Known of MovieLens,
        otherwise inferred as the smallest and largest rating.
    duplicates: of rows with one user and item keep the ``"last"`` (by time, else by order) or
        their ``"mean"``, or raise for ``"error"``.
    strict: raise for the first row with anything wrong instead of setting rows aside.
    encoding: of a text file; UTF-8, or what its byte order mark says, unless given.
    catalog: a Catalog or what ``read_catalog`` takes; MovieLens brings its own.

    Raises BadRatings for a source that cannot be read or holds no good row, and BadSetting for
    read options of packed ratings.
    """
    limits = None if scale is None else Scale(float(scale[0]), float(scale[1]))
    options = ReadOptions(columns, limits, duplicates, strict, encoding)
    check_options(options)
    path = files.as_path(source)
    if path is not None and is_packed(path):
        return _unpacked(path, options, catalog)
    with source_of(source).read(source, options) as raw:
        ratings = clean(raw, options)
    return ratings if catalog is None else ratings.with_catalog(read_catalog(catalog))


def _unpacked(path: Path, options: ReadOptions, catalog: object) -> Ratings:
    """Packed ratings in memory. Raises BadSetting where any read option is given."""
    if options != ReadOptions():
        raise BadSetting(f"{path} is packed already; read options do not apply to packed data")
    ratings = PackedRatings.open(path).in_memory()
    return ratings if catalog is None else ratings.with_catalog(read_catalog(catalog))


def source_of(source: object) -> Source:
    """The first kind of source that recognises this one. Raises BadRatings when none does."""
    path = files.as_path(source)
    if path is not None:
        files.check_exists(path)
    for kind in SOURCES.values():
        if kind.recognises(source):
            return kind
    raise BadRatings(
        f"ratings cannot be read from {type(source).__name__}; give a path, a DataFrame, "
        "(users, items, ratings) or a sparse matrix"
    )
