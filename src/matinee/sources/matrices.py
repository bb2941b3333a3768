"""Matrices and arrays in files: ``.npz`` of scipy or numpy, ``.npy``, ``.mat`` of MATLAB.

A sparse matrix is read as one in memory is. A dense array is a table without a header, or with
``wide`` a matrix whose cells are ratings; several arrays of equal length are columns with names.
Nothing in a file is ever unpickled.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from matinee.errors import BadRatings, BadSetting, Option
from matinee.sources import arrays, files
from matinee.sources.bundle import open_bundle
from matinee.sources.cells import EMPTY, likely_missing
from matinee.sources.columns import FIELDS, columns_by_position, find_columns
from matinee.sources.dialect import LINES, is_number
from matinee.sources.packing.numbering import read_numbers
from matinee.sources.raw import Raw, ReadOptions

NUMPY, MATLAB = "a NumPy file", "a MATLAB file"
SPARSE_PARTS = {"format.npy", "shape.npy", "data.npy"}  # in an .npz that scipy wrote
Matrix = Any  # an array, or a sparse matrix of scipy in any of its forms
FROM_ZERO = "rows and columns of the matrix are numbered from 0"


def recognises(source: object) -> bool:
    """A file that begins like ``.npy`` or ``.mat``, or a zip of nothing but arrays."""
    path = files.as_path(source)
    if path is None or not path.is_file():
        return False
    kind = files.kind_of(path)
    return kind in (NUMPY, MATLAB) or (kind == "zip" and holds_arrays(path))


def holds_arrays(path: Path) -> bool:
    """Whether a zip holds arrays of numpy alone. Raises BadRatings where it is unsafe to read."""
    with open_bundle(path) as bundle:
        return bool(bundle.openers) and all(name.endswith(".npy") for name in bundle.openers)


@contextmanager
def read(source: object, options: ReadOptions) -> Iterator[Raw]:
    """The rows of a file of matrices or arrays; ``options.table`` names one of several.

    Raises BadRatings for a damaged file, and where none of its arrays, or several, would do.
    """
    path = files.as_path(source)
    assert path is not None
    try:
        contents = READERS[files.kind_of(path)](path)
    except BadRatings:
        raise
    except NotImplementedError:  # MATLAB 7.3
        raise BadRatings(f"{path.name} is an HDF5 file; save it with -v7, or as CSV") from None
    except Exception as error:  # of any kind: scipy and numpy promise none for damaged files
        raise BadRatings(
            f"{path.name} is damaged or holds no arrays of numbers: {files.words(error)[:200]}"
        ) from None
    with raw_of(path.name, contents, options) as raw:
        if files.kind_of(path) == MATLAB and "ids" in raw.details:
            raw.notes.append(FROM_ZERO)
        raw.name, raw.format = path.name, raw.format + f" in a {path.suffix or 'binary'} file"
        yield raw


def numpy_archive(path: Path) -> dict[str, Matrix]:
    """The sparse matrix that scipy wrote into an ``.npz``, or the arrays in it by name."""
    with np.load(path, allow_pickle=False) as archive:
        if {f"{name}.npy" for name in archive.files} >= SPARSE_PARTS:
            from scipy.sparse import load_npz

            return {"matrix": load_npz(path)}
        return {name: archive[name] for name in archive.files}


def numpy_array(path: Path) -> dict[str, Matrix]:
    """The array in an ``.npy``."""
    return {"array": np.load(path, allow_pickle=False)}


def matlab_variables(path: Path) -> dict[str, Matrix]:
    """The matrices in a ``.mat`` by name."""
    from scipy.io import loadmat

    contents = loadmat(path)
    return {name: one for name, one in contents.items() if not name.startswith("__")}


READERS: dict[str, Callable[[Path], dict[str, Matrix]]] = {
    "zip": numpy_archive,
    NUMPY: numpy_array,
    MATLAB: matlab_variables,
}


@contextmanager
def raw_of(name: str, contents: Mapping[str, Matrix], options: ReadOptions) -> Iterator[Raw]:
    """The rows of what a file holds. Raises BadRatings where none of it, or too much, would do."""
    columns = {one: array for one, array in contents.items() if is_column(array)}
    if columns and len(columns) == len(contents) and len(set(map(len, columns.values()))) == 1:
        with rows_of_columns(name, columns, options) as raw:
            yield raw
        return
    matrices = {
        one: value for one, value in contents.items() if is_matrix(value) or is_table(value)
    }
    matrix = chosen(name, matrices, list(contents), options.table)
    if is_matrix(matrix):
        if hasattr(matrix, "check_format"):
            check(name, matrix)
        with arrays.read_sparse(matrix, options) as raw:
            yield raw
        return
    if options.wide is not None:
        with arrays.read_columns(rated_cells(matrix, options.wide), options) as raw:
            raw.columns = {"user_id": "the row", "item_id": "the column", "rating": "the cell"}
            yield raw
        return
    columns = {str(at): column for at, column in enumerate(np.asarray(matrix).T)}
    with rows_of_columns(name, columns, options) as raw:
        yield raw


def chosen(name: str, matrices: Mapping[str, Matrix], held: list[str], table: str | None) -> Matrix:
    """The one matrix, or the one of this name. Raises BadRatings where that is a question."""
    if table is not None:
        if table not in matrices:
            raise BadRatings(f"{name} holds no matrix {table!r}; it holds {', '.join(held[:6])}")
        return matrices[table]
    if not matrices:
        raise BadRatings(
            f"{name} holds no matrix of ratings and no table of user, item and rating; it holds "
            f"{', '.join(held[:6]) or 'nothing'}"
        )
    if len(matrices) > 1:
        choices: list[str | Option] = []
        for one in matrices:
            choices += [" or ", Option("table", one)]
        raise BadRatings(
            f"{name} holds {len(matrices)} matrices that could be the ratings; say which with ",
            *choices[1:],
        )
    return next(iter(matrices.values()))


@contextmanager
def rows_of_columns(
    name: str, columns: Mapping[str, np.ndarray], options: ReadOptions
) -> Iterator[Raw]:
    """The rows of named columns (n_rows,); those without names go by number."""
    names, needed = list(columns), options.rating_needed
    if names == [str(at) for at in range(len(names))]:
        missing = likely_missing(first_rows(columns))
        at = columns_by_position(
            len(names), options.columns, name, rating_needed=needed, missing=missing
        )
    else:
        at = find_columns(names, options.columns, name, rating_needed=needed)
    arrays_by_field = [columns[names[at[field]]] for field in FIELDS if field in at]
    if "timestamp" in at and "rating" not in at:
        arrays_by_field.insert(2, np.ones(len(arrays_by_field[0])))
    with arrays.read_columns(tuple(arrays_by_field), options) as raw:
        raw.columns = {field: names[place] for field, place in at.items()}
        if "sample_weight" in at:
            raw.weight, _ = read_numbers(columns[names[at["sample_weight"]]], "sample_weight")
        yield raw


def first_rows(columns: Mapping[str, np.ndarray]) -> tuple[tuple[str, ...], ...]:
    """Some rows of columns (n_rows,) as text, with nothing for NaN."""
    rows = zip(*(column[:LINES].tolist() for column in columns.values()), strict=True)
    return tuple(tuple("" if cell != cell else f"{cell:g}" for cell in row) for row in rows)


def rated_cells(matrix: np.ndarray, missing: float | str) -> tuple[np.ndarray, ...]:
    """Rows, columns and values (n_rated,) of the rated cells of a matrix (n_users, n_items).

    What is missing is NaN or the value given; ``"empty"`` stands for NaN alone.

    Raises BadSetting for a missing value that is no number.
    """
    rated = ~np.isnan(matrix.astype(np.float64))
    if missing != EMPTY:
        if not is_number(str(missing)):
            raise BadSetting(Option("wide", missing), " is neither a number nor empty")
        rated &= matrix != float(missing)
    rows, columns = np.nonzero(rated)
    return rows, columns, matrix[rated]


def check(name: str, matrix: Matrix) -> None:
    """Raise BadRatings unless the indices of a compressed matrix lie within its shape."""
    try:
        matrix.check_format(full_check=True)
    except (ValueError, IndexError, TypeError) as error:
        raise BadRatings(f"{name} holds a damaged matrix: {files.words(error)}") from None


def is_matrix(value: object) -> bool:
    """Whether a value is a sparse matrix."""
    return arrays.is_sparse(value)


def is_column(value: object) -> bool:
    """Whether a value is one column of numbers or text."""
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "iufUS"


def is_table(value: object) -> bool:
    """Whether a value is a dense array of two columns or more."""
    return (
        isinstance(value, np.ndarray)
        and value.ndim == 2
        and value.dtype.kind in "iuf"
        and value.shape[1] >= 2
    )
