"""What every reader returns: the rows as they stand, numbered but not yet validated."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import numpy as np

from matinee.data.catalog import NO_CATALOG, Catalog
from matinee.data.ids import IdMap
from matinee.data.profiles import NO_PROFILES, Profiles
from matinee.data.scale import Scale

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNKNOWN_TIME = 0  # in a time column: unknown
BAD_TIME = np.iinfo(np.int64).min  # in a time column: unreadable
DOTTED_DATES = ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S")  # day, month, year


class Fault(IntEnum):
    """What is wrong with a row; 0 is a good one."""

    NONE = 0
    MISSING = 1
    TOO_MANY = 2
    QUOTES = 3
    NOT_A_NUMBER = 4
    NOT_FINITE = 5
    OUTSIDE = 6
    STORED_ZERO = 7
    NOT_AN_OBJECT = 8
    TIME = 9  # of a row that is good but for its time, which a message quotes
    NO_ROW = 255  # a blank line, a comment, the header, an empty cell: not a row at all


REASON = {
    Fault.MISSING: "with a missing field",
    Fault.TOO_MANY: "with too many fields",
    Fault.QUOTES: "with broken quotes",
    Fault.NOT_A_NUMBER: "whose rating is not a number",
    Fault.NOT_FINITE: "whose rating is NaN or infinite",
    Fault.OUTSIDE: "with a rating outside the scale",
    Fault.NOT_AN_OBJECT: "that is no JSON object",
    Fault.STORED_ZERO: "stored as zero, which in a matrix means not rated",
}


class LayoutOptions(TypedDict, total=False):
    """The options of ``read_ratings`` that say how a file is laid out."""

    quoting: bool
    decimal: str | None
    events: Mapping[str, float] | None
    wide: float | str | None
    table: str | None


class ReadOptions(NamedTuple):
    """The options of ``read_ratings`` that readers and validation need."""

    columns: Mapping[str, str | int] | None = None
    scale: Scale | None = None
    duplicates: str = "last"
    strict: bool = False
    encoding: str | None = None
    quoting: bool = True
    decimal: str | None = None
    events: Mapping[str, float] | None = None
    wide: float | str | None = None
    table: str | None = None

    @property
    def rating_needed(self) -> bool:
        """Whether a rating must stand in each row; it need not where rows are counted."""
        return self.duplicates != "count"

    @property
    def details(self) -> dict[str, str]:
        """What a report says of them: the weights of events."""
        weights = (f"{event}={weight:g}" for event, weight in (self.events or {}).items())
        return {"events": " ".join(weights)} if self.events else {}


class Numbered(NamedTuple):
    """A column of ids: the distinct ids, in any order, and for each row which one it holds."""

    ids: list[str] | IdMap  # a map holds them in natural order
    code: np.ndarray  # (n_rows,) int32, -1 where the field is empty
    id_type: str | None = None  # the integer type they were given in


@dataclass(kw_only=True)
class Raw:
    """The rows of a source, in its order; a faulty row keeps its place."""

    name: str
    format: str
    users: Numbered
    items: Numbered
    rating: np.ndarray  # (n_rows,) float32
    time: np.ndarray | None = None  # (n_rows,) int64 as written, UNKNOWN_TIME or BAD_TIME
    weight: np.ndarray | None = None  # (n_rows,) float32; NaN where it is no number
    fault: np.ndarray  # (n_rows,) uint8 of Fault
    show: Callable[[int], str]  # a row as it stands in the source, for messages
    place: str = "row"  # "line" for text files; row 0 is "line 1"
    locate: Callable[[int], str] | None = None  # the place of a row that is no line of its own
    columns: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    known_scale: Scale | None = None
    catalog: Catalog = NO_CATALOG
    profiles: Profiles = NO_PROFILES
    all_ids: bool = False  # keep ids without a rating: the source names its whole axes

    def where(self, row: int) -> str:
        """The place of a row, as people count: from 1."""
        return self.locate(row) if self.locate else f"{self.place} {row + 1:,}"


@dataclass(frozen=True, kw_only=True)
class Query:
    """A file as DuckDB reads it: SQL for ``user_id, item_id, rating, time, fault`` of each row.

    Ids are text or whole numbers. With weights there is a column ``weight`` too.
    """

    name: str
    format: str
    path: Path  # of the file that is read; its size decides the number of threads
    sql: str
    with_time: bool
    with_weight: bool = False
    named: bool = False  # whether a header names the columns
    id_types: Mapping[str, str] = field(default_factory=dict)  # of "user" and "item", if integers
    repeatable: bool = False  # running it again costs little; rows have their number as `line`
    show: Callable[[int, int], str]  # a row, by number and fault, as it stands in the file
    quick: Callable[[], dict[str, Any] | None] = lambda: None  # its arrays, where SQL is not needed
    check: Callable[["DuckDBPyConnection"], None] = lambda db: None  # after reading; may raise
    preamble: int = 0  # so many rows at the start are none: comments and the header
    place: str = "row"
    locate: Callable[[int], str] | None = None  # the place of a row that is no line of its own
    columns: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    known_scale: Scale | None = None
    catalog: Catalog = NO_CATALOG
    profiles: Profiles = NO_PROFILES

    def where(self, row: int) -> str:
        """The place of a row, as people count: from 1."""
        return self.locate(row) if self.locate else f"{self.place} {row + 1:,}"


Reader = Callable[[object, ReadOptions], AbstractContextManager[Raw]]
QueryBuilder = Callable[[object, ReadOptions], AbstractContextManager[Query]]
