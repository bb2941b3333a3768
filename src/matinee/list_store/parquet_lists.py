"""Lists in Parquet: a row for each place of a list, in one file or in those of a folder.

DuckDB reads them once, when they are opened, into an index for this process. A lookup is then two
slices of a temporary file, of which the system keeps in memory what is asked for; the ids of users
and where their lists begin stay there, some 20 bytes a user and the id.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.texts import Texts
from matinee.list_store.stored_list import (
    FINGERPRINT,
    MAKE_LISTS,
    BadLists,
    StoredList,
    check_fingerprints,
)
from matinee.sources.parquet import WHOLES, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLUMNS = ("user_id", "rank", "item_id", "score", FINGERPRINT)  # a file may have others too
TYPES = "SELECT column_name, column_type FROM (DESCRIBE FROM read_parquet(?))"
STATISTICS = """
    SELECT file_name, path_in_schema, stats_min_value, stats_max_value FROM parquet_metadata(?)
    WHERE path_in_schema IN ('user_id', ?)
"""
ITEMS = """
    CREATE TABLE items AS
    SELECT item_id, (row_number() OVER (ORDER BY item_id) - 1)::INTEGER AS code
    FROM (SELECT DISTINCT item_id::VARCHAR AS item_id FROM read_parquet(?)) ORDER BY code
"""
IS_PLACE = "lists.item_id IS NOT NULL AND score IS NOT NULL"
USERS = f"""
    SELECT user_id::VARCHAR, count(*) FROM read_parquet($files) AS lists
    WHERE {IS_PLACE} AND (%s) GROUP BY user_id ORDER BY user_id
"""
PLACES = f"""
    SELECT code, score::FLOAT AS score
    FROM read_parquet($files) AS lists JOIN items ON items.item_id = lists.item_id::VARCHAR
    WHERE {IS_PLACE} AND (%s) ORDER BY user_id, rank
"""
MEMORY = "256MB"  # of reading


@dataclass(frozen=True, eq=False)
class ParquetLists:
    """The lists of the model with a fingerprint, as they were when they were opened."""

    users: IdMap
    items: Sequence[str]  # ids by code
    ends: np.ndarray  # (n_users + 1,) int64: where the list of each user begins, and the last ends
    codes: np.ndarray  # (n_places,) int32: the items of one list after another
    scores: np.ndarray  # (n_places,) float32

    is_local = True

    @classmethod
    def open(cls, place: Path, fingerprint: str) -> "ParquetLists":
        """The lists in a file or folder. Raises BadLists, for those of another model too."""
        import duckdb

        files = sorted(place.glob("*.parquet")) if place.is_dir() else [place]
        if not files or not files[0].is_file():
            raise BadLists(f"there are no lists at {place}; make them with ", MAKE_LISTS)
        names = [literal(file) for file in files]
        database = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY})
        with closing(database) as db, readable(place):
            types = dict(db.execute(TYPES, [names]).fetchall())
            check_columns(place, types)
            statistics = db.execute(STATISTICS, [names, FINGERPRINT]).fetchall()
            firsts = first_users(place, statistics, fingerprint)
            return cls._read(db, names, firsts, types["user_id"])

    @classmethod
    def _read(
        cls, db: "DuckDBPyConnection", files: list[str], firsts: set[str], type_: str
    ) -> "ParquetLists":
        """The lists in some files, read from each of the first users of their parts to the next."""
        db.execute(ITEMS, [files])
        items = [item for (item,) in db.execute("SELECT item_id FROM items").fetchall()]
        users: list[str] = []
        counts: list[int] = []
        numeric = type_ in WHOLES
        starts = sorted(firsts, key=int) if numeric else sorted(firsts)
        with TemporaryFile() as codes, TemporaryFile() as scores:
            for first, after in pairwise([*starts, None]):
                within = f"user_id >= $first::{type_}"
                values = {"files": files, "first": first}
                if after is not None:
                    within += f" AND user_id < $after::{type_}"
                    values["after"] = after
                for user, count in db.execute(USERS % within, values).fetchall():
                    users.append(user)
                    counts.append(count)
                places = db.execute(PLACES % within, values).fetchnumpy()
                codes.write(np.asarray(places["code"], np.int32).tobytes())
                scores.write(np.asarray(places["score"], np.float32).tobytes())
            ends = np.cumsum([0, *counts])
            return cls(
                IdMap.packed(Texts.of(users), "user", numeric),
                items,
                ends,
                mapped(codes, np.int32, ends[-1]),
                mapped(scores, np.float32, ends[-1]),
            )

    def find(self, user: str) -> StoredList | None:
        """The list of a user; None where there is none."""
        row = self.users.find(user)
        if row < 0:
            return None
        own = slice(*self.ends[row : row + 2].tolist())
        items = [self.items[code] for code in self.codes[own].tolist()]
        return StoredList(items, self.scores[own].tolist())

    def close(self) -> None:
        """Nothing is held open: the temporary files go with the last lookup."""


def mapped(file: BinaryIO, dtype: type, n: int) -> np.ndarray:
    """The ``n`` numbers in a temporary file, which stays for as long as they are used."""
    file.flush()
    return np.memmap(file, dtype, "r", shape=(n,)) if n else np.empty(0, dtype)


def first_users(
    place: Path, statistics: Sequence[tuple[str, str, str | None, str | None]], fingerprint: str
) -> set[str]:
    """The ids that the row groups of some files begin with.

    Raises BadLists without statistics, and for lists of another model or of nobody.
    """
    firsts = set()
    for file, column, least, greatest in statistics:
        if least is None or greatest is None:
            raise BadLists(f"{file} has no statistics of {column}; write it with them")
        if column == FINGERPRINT:
            check_fingerprints(str(place), [least, greatest], fingerprint)
        else:
            firsts.add(least)
    if not firsts:
        raise BadLists(f"{place} holds no list of anybody; make them again with ", MAKE_LISTS)
    return firsts


def check_columns(place: Path, names: Mapping[str, str]) -> None:
    """Raise BadLists unless a file has the columns by which lists are looked up."""
    for name in COLUMNS:
        if name not in names:
            raise BadLists(
                f"{place} has no column {name}, so no list is looked up in it; make them, without "
                "rules, with ",
                MAKE_LISTS,
            )


@contextmanager
def readable(place: Path) -> Iterator[None]:
    """Raise BadLists where DuckDB reports an error."""
    import duckdb

    try:
        yield
    except (duckdb.Error, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadLists(f"the lists at {place} cannot be read: {reason}") from error
