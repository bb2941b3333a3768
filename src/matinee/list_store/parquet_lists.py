"""Lists in Parquet: a row for each place of a list, in one file or in those of a folder.

Rows are in the order of users, so a lookup reads the few row groups whose statistics allow for the
user. What stays in memory is the least and greatest id of a user in each file.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

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
LOOKUP = f"""
    SELECT item_id::VARCHAR, score FROM read_parquet(?)
    WHERE user_id = ? AND {FINGERPRINT} = ? ORDER BY rank
"""
NUMBER = re.compile("0|-?[1-9][0-9]*")  # an id that may be stored as a number
MEMORY = "256MB"  # of a lookup at most

Key = tuple[int, str]  # of a user: the number where ids are stored as such, or else the text


class Span(NamedTuple):
    """A file, and the least and greatest id of a user in it."""

    file: str
    least: Key
    greatest: Key


@dataclass(frozen=True, eq=False)
class ParquetLists:
    """The lists of the model with a fingerprint."""

    place: Path
    fingerprint: str
    spans: tuple[Span, ...]
    numeric: bool  # whether ids of users are stored as numbers
    db: "DuckDBPyConnection"

    @classmethod
    def open(cls, place: Path, fingerprint: str) -> "ParquetLists":
        """The lists in a file or folder. Raises BadLists, for those of another model too."""
        import duckdb

        files = sorted(place.glob("*.parquet")) if place.is_dir() else [place]
        if not files or not files[0].is_file():
            raise BadLists(f"there are no lists at {place}; make them with ", MAKE_LISTS)
        names = [literal(file) for file in files]
        with readable(place):
            db = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY})
            types = dict(db.execute(TYPES, [names]).fetchall())
            check_columns(place, types)
            statistics = db.execute(STATISTICS, [names, FINGERPRINT]).fetchall()
        numeric = types["user_id"] in WHOLES
        ids: dict[str, list[Key]] = {}
        for file, column, *ends in statistics:
            if None in ends:
                raise BadLists(f"{file} has no statistics of {column}; write it with them")
            if column == FINGERPRINT:
                check_fingerprints(str(place), ends, fingerprint)
            else:
                ids.setdefault(file, []).extend(key_of(one, numeric) for one in ends)
        if not ids:
            raise BadLists(f"{place} holds no list of anybody; make them again with ", MAKE_LISTS)
        spans = (Span(literal(Path(file)), min(own), max(own)) for file, own in ids.items())
        return cls(place, fingerprint, tuple(spans), numeric, db)

    def find(self, user: str) -> StoredList | None:
        """The list of a user; None where there is none. Raises BadLists."""
        if self.numeric and not NUMBER.fullmatch(user):
            return None
        key = key_of(user, self.numeric)
        files = [span.file for span in self.spans if span.least <= key <= span.greatest]
        if not files:
            return None
        id_ = key[0] if self.numeric else user
        with readable(self.place), self.db.cursor() as cursor:
            rows = cursor.execute(LOOKUP, [files, id_, self.fingerprint]).fetchall()
        if not rows:
            return None
        return StoredList([item for item, _ in rows], [score for _, score in rows])

    def close(self) -> None:
        """Close DuckDB."""
        self.db.close()


def key_of(user: str, numeric: bool) -> Key:
    """What the ids of users are compared by."""
    return (int(user), "") if numeric else (0, user)


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
