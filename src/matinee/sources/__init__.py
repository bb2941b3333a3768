"""Readers of ratings and catalogues.

``SOURCES`` lists the kinds of source; the first that recognises what it is given reads it. Each
reader returns its rows as they stand (``raw.Raw``), and ``checks.clean`` validates them all alike.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from matinee.data.packed import PackedRatings, is_packed
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.errors import BadRatings, BadSetting, DataWarning, Option, known_arguments
from matinee.sources import arrays, delimited, files, frames, matrices, movielens, netflix, parquet
from matinee.sources.catalogs import catalog_and_notes, read_catalog
from matinee.sources.checks import check_options, clean
from matinee.sources.raw import QueryBuilder, Reader, ReadOptions

__all__ = ["SOURCES", "read_catalog", "read_ratings"]


class Source(NamedTuple):
    """A kind of source: how to recognise one, read it, and query it where DuckDB can."""

    recognises: Callable[[object], bool]
    read: Reader
    query: QueryBuilder | None = None
    cells: bool = False  # whether it may be a matrix whose cells are ratings: ``wide``


SOURCES: dict[str, Source] = {
    "sparse matrix": Source(arrays.is_sparse, arrays.read_sparse),
    "records": Source(arrays.is_records, arrays.read_records),
    "arrays": Source(arrays.is_columns, arrays.read_columns),
    "frame": Source(frames.recognises, frames.read),
    "matrix file": Source(matrices.recognises, matrices.read, cells=True),
    "netflix": Source(netflix.recognises, netflix.read, netflix.query),
    "movielens": Source(movielens.recognises, movielens.read, movielens.query, cells=True),
    "parquet": Source(parquet.recognises, parquet.read, parquet.query),
    "delimited": Source(delimited.recognises, delimited.read, delimited.query, cells=True),
}


@known_arguments
def read_ratings(
    source: object,
    *,
    columns: Mapping[str, str | int] | None = None,
    scale: tuple[float, float] | None = None,
    duplicates: str = "last",
    strict: bool = False,
    encoding: str | None = None,
    catalog: object = None,
    quoting: bool = True,
    decimal: str | None = None,
    events: Mapping[str, float] | None = None,
    wide: float | str | None = None,
    table: str | None = None,
) -> Ratings:
    """Ratings from a file, a folder, a zip, a pipe, a DataFrame, arrays or a sparse matrix.

    ``ratings.report`` says how the source was understood and what became of each row.

    Args:
        source: a path to a MovieLens folder, zip or file, to delimited text or JSON lines (also gz,
            or in a zip), to a JSON array, to Parquet, to a matrix (``.npz``, ``.npy``, ``.mat``),
            or to packed ratings; a pandas, polars or pyarrow table; a tuple of columns ``(users,
            items, ratings[, times])``, a list of such rows or of mappings; a scipy sparse
            matrix, alone or as ``(matrix, user_ids, item_ids)``.
        columns: ``{"user_id": ..., "item_id": ..., "rating": ..., "timestamp": ...,
            "sample_weight": ...}``, any of them: the name of a column, or its number from 0 in a
            source without names. A column sample_weight is taken for weights by itself.
        scale: the lowest and highest rating; rows outside are set aside. Known of MovieLens,
            otherwise inferred as the smallest and largest rating.
        duplicates: of rows with one user and item keep the ``"last"`` (by time, else by order),
            their ``"mean"`` or ``"sum"``, or their number (``"count"``, which needs no column of
            ratings); or raise for ``"error"``.
        strict: raise for the first row with anything wrong instead of setting rows aside.
        encoding: of a text file and of the catalogue; UTF-8, or what its byte order mark says,
            unless given.
        catalog: a Catalog or what ``read_catalog`` takes; MovieLens brings its own.
        quoting: whether ``"`` encloses fields of a text file; otherwise it is a plain letter.
        decimal: the decimal mark of the ratings in a text file, ``"."`` or ``","``; the other one
            then stands between thousands. Found by the values where they leave no doubt.
        events: weights of words in the column of ratings: ``{"view": 1, "purchase": 5}``.
        wide: each line of a text file or an array is a user and each column an item; this is the
            value of what is not rated, such as 99, or ``"empty"``.
        table: the file to read in a zip or folder that holds several, or the matrix in a ``.mat``.

    Warns with DataWarning when rows are set aside or merged. Raises BadRatings for a source that
    cannot be read or holds no good row or a bad weight, and BadSetting for options that do not fit.
    """
    limits = None if scale is None else Scale(float(scale[0]), float(scale[1]))
    options = ReadOptions(
        columns, limits, duplicates, strict, encoding, quoting, decimal, events, wide, table
    )
    check_options(options)
    with files.on_disk(source) as place:
        ratings = _read(place, options)
    if catalog is not None:
        ratings = _with_catalog(ratings, catalog, options)
    if ratings.report is not None and (losses := ratings.report.losses):
        warnings.warn(DataWarning(losses), stacklevel=3)  # where read_ratings is called
    return ratings


def _with_catalog(ratings: Ratings, catalog: object, options: ReadOptions) -> Ratings:
    """The ratings with a catalogue, and in their report the notes on how it was read."""
    items, notes = catalog_and_notes(catalog, options)
    ratings = ratings.with_catalog(items)
    if ratings.report is None:
        return ratings
    report = replace(ratings.report, notes=(*ratings.report.notes, *notes))
    return replace(ratings, report=report)


def _read(source: object, options: ReadOptions) -> Ratings:
    """The ratings of a source; packed ones in memory, where no read option may be given."""
    path = files.as_path(source)
    if path is not None and is_packed(path):
        if options != ReadOptions():
            raise BadSetting(f"{path} is packed already; read options do not apply to packed data")
        return PackedRatings.open(path).in_memory()
    kind = source_of(source)
    if options.wide is not None and not kind.cells:
        raise BadSetting(
            Option("wide"),
            " is for text and arrays in files; give a matrix in memory as a scipy sparse one, or a "
            "table with a row for each rating",
        )
    with kind.read(source, options) as raw:
        return clean(raw, options)


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
