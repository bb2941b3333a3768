"""Tables as files, written whole: Parquet and CSV, in blocks that need not fit in memory."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from matinee.disk.places import check_parent
from matinee.disk.temporary_folders import temporary_folder
from matinee.disk.whole_files import whole_file
from matinee.display.frames import Column
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

Writer = Callable[["DuckDBPyRelation", str], object]  # of rows, to a place

WRITERS: dict[str, Writer] = {
    ".parquet": lambda rows, place: rows.write_parquet(place),
    ".csv": lambda rows, place: rows.write_csv(place, header=True),
}
COPIED_AT_ONCE = 1 << 20  # bytes


def check_table_file(path: Path) -> Writer:
    """What writes a file of this name. Raises MatineeError where it cannot be written."""
    kind = path.suffix.lower()
    if kind not in WRITERS:
        raise BadSetting(f"{path} names no kind of table; end it in {' or '.join(WRITERS)}")
    check_parent(path)
    return WRITERS[kind]


def write_table(path: Path, blocks: Iterable[Mapping[str, Column]]) -> int:
    """Write blocks of the same columns, one after another, as one file; returns the rows.

    Columns are arrays or sequences of equal length. The file takes its name when it is whole.
    Raises BadSetting unless the name ends in .parquet or .csv.
    """
    write = check_table_file(path)
    import duckdb

    with temporary_folder(path.absolute().parent, ".table-") as folder:
        n_rows = 0
        with duckdb.connect(str(folder / "rows.duckdb")) as db:
            for place, block in enumerate(blocks):
                columns = {name: _column(values) for name, values in block.items()}
                db.register("block", columns)
                created = "INSERT INTO rows" if place else "CREATE TABLE rows AS"
                db.execute(f"{created} SELECT * FROM block")
                n_rows += len(next(iter(columns.values())))
            part = folder / "part"
            write(db.table("rows"), str(part))
        with part.open("rb") as source, whole_file(path) as file:
            while piece := source.read(COPIED_AT_ONCE):
                file.write(piece)
    return n_rows


def _column(values: Column) -> np.ndarray:
    """Values as DuckDB reads them: numbers as they are, text as objects."""
    if isinstance(values, np.ndarray) and values.dtype.kind != "U":
        return values
    plain = list(values)
    if any(isinstance(one, str) or one is None for one in plain):
        column = np.empty(len(plain), dtype=object)
        column[:] = plain
        return column
    return np.asarray(plain)
