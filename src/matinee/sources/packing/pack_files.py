"""Sorted ratings into the files of ``matinee.data.packed``, a part at a time."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.packed import CATALOG, MANIFEST, VERSIONS, PackedRows
from matinee.data.ratings import PIECE, Ratings
from matinee.data.read_report import ReadReport
from matinee.data.scale import Scale
from matinee.data.texts import Texts
from matinee.disk.reading import entry_of, seal
from matinee.disk.whole_files import sync
from matinee.display.plain_data import JsonObject
from matinee.errors import BadRatings
from matinee.sources.checks import ADDING, MERGE
from matinee.sources.packing.sorting import Bins, Part
from matinee.sources.packing.stages import MOST_LEVELS, scalar
from matinee.sources.raw import Query

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_AT_ONCE = 4_000_000
IDS_AT_ONCE = 500_000
COMPUTED = ("mean", *ADDING)  # how duplicates are merged into a rating that is none of theirs


class MergeRule(NamedTuple):
    """How repeated (user, item) pairs are merged, and which ratings count as positives."""

    duplicates: str  # "last", "mean", "sum", "count" or "error"
    positives_from: float | None


class Facts(NamedTuple):
    """What is written beside the rows: their scale, distinct values, read report and catalogue."""

    scale: Scale
    levels: np.ndarray | None  # (n_levels,) float32 distinct ratings, ascending; None: too many
    report: ReadReport
    catalog: Catalog
    id_types: Mapping[str, str]  # the integer types of "user" and "item", if they came in one


def write_sorted(
    db: "DuckDBPyConnection", bins: Bins, folder: Path, query: Query, rule: MergeRule, facts: Facts
) -> None:
    """Write the folder of the tables ``users`` and ``items`` and the rows in the bins.

    Raises BadRatings for a repeated pair where the rule says so, and without any positives.
    """
    scale, levels, report, catalog, id_types = facts
    users, items = (_texts(db, side) for side in ("user", "item"))
    if rule.positives_from is not None:
        levels, scale = np.ones(1, np.float32), Scale(0.0, 1.0)
    elif rule.duplicates in COMPUTED:
        levels = None  # a mean or sum may be any number
    writer = PackWriter(folder, users, items, levels)
    merged = n_low = 0
    with writer:
        for part in bins.sorted(by_rating=rule.duplicates in COMPUTED):
            distinct = _merged(part, rule, query, users, items)
            merged += len(part.user) - len(distinct.user)
            if rule.positives_from is not None:
                high = distinct.rating >= rule.positives_from
                n_low += int(np.count_nonzero(~high))
                distinct = Part(*(column[high] for column in distinct))
                distinct = distinct._replace(rating=np.ones_like(distinct.rating))
            writer.add(distinct.user, distinct.item, distinct.rating)
    if rule.duplicates in ADDING and rule.positives_from is None:
        scale = writer.scale
    if writer.n_ratings == 0:
        raise BadRatings(
            f"no rating is {rule.positives_from:g} or more, so there are no positives; "
            "lower the threshold"
        )
    report = replace(report, n_kept=report.n_kept - merged, n_merged=merged)
    if rule.positives_from is None:
        report = replace(report, scale=scale)
    else:
        report = report.keeping_positives(rule.positives_from, n_low)
    writer.finish(scale, {**report.to_dict(), "text": str(report)}, catalog, id_types)


def weights_are_not_packed(name: str) -> BadRatings:
    """The error for a source with weights of ratings."""
    return BadRatings(
        f"{name} has a column sample_weight, and packed ratings have no weights; take the column "
        "out, or fit the ratings in memory"
    )


def write_arrays(ratings: Ratings, folder: Path, catalog: Catalog | None) -> None:
    """Write the folder of ratings that are in memory. Raises BadRatings where they have weights."""
    if ratings.sample_weight is not None:
        raise weights_are_not_packed("the source")
    levels = np.unique(ratings.rating)
    few = levels if len(levels) <= MOST_LEVELS else None
    with PackWriter(folder, ratings.users.texts, ratings.items.texts, few) as writer:
        writer.add(ratings.user, ratings.item, ratings.rating)
    report: JsonObject = {}
    if ratings.report is not None:
        report = {**ratings.report.to_dict(), "text": str(ratings.report)}
    types = {ids.kind: ids.id_type for ids in (ratings.users, ratings.items) if ids.id_type}
    writer.finish(ratings.scale, report, catalog or ratings.catalog, types)


class PackWriter:
    """Writes the files of a folder of packed ratings, a part at a time."""

    def __init__(self, folder: Path, users: Texts, items: Texts, levels: np.ndarray | None) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.users, self.items, self.levels = folder, users, items, levels
        self.user_counts = np.zeros(len(users), np.int64)
        self.item_counts = np.zeros(len(items), np.int64)
        self.n_ratings = 0
        self.scale = Scale(np.inf, -np.inf)  # of the ratings so far
        self.item_type = smallest(len(items), np.dtype(np.int32))
        self.code_type = np.dtype(np.float32) if levels is None else smallest(len(levels))

    def __enter__(self) -> "PackWriter":
        self._items: IO[bytes] = (self.folder / "items").open("wb")
        self._ratings: IO[bytes] = (self.folder / "ratings").open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._items, self._ratings):
            sync(file)
            file.close()

    def add(self, user: np.ndarray, item: np.ndarray, rating: np.ndarray) -> None:
        """Append ratings, in order of (user, item) and behind all before."""
        if not len(user):
            return
        users = slice(int(user[0]), int(user[-1]) + 1)
        self.user_counts[users] += np.bincount(user - user[0], minlength=users.stop - users.start)
        self.item_counts += np.bincount(item, minlength=len(self.item_counts))
        codes = rating if self.levels is None else np.searchsorted(self.levels, rating)
        item.astype(self.item_type).tofile(self._items)
        codes.astype(self.code_type).tofile(self._ratings)
        self.n_ratings += len(rating)
        low, high = Scale.of(rating)
        self.scale = Scale(min(low, self.scale.low), max(high, self.scale.high))

    def finish(
        self, scale: Scale, report: JsonObject, catalog: Catalog, id_types: Mapping[str, str]
    ) -> None:
        """Write the rest, the manifest last."""
        offsets = np.zeros(len(self.user_counts) + 1, np.int64)
        np.cumsum(self.user_counts, out=offsets[1:])
        arrays: dict[str, np.ndarray] = {"offsets": offsets, "item_counts": self.item_counts}
        for side, texts in (("user", self.users), ("item", self.items)):
            arrays |= {f"{side}_ids": texts.data, f"{side}_id_ends": texts.ends}
        kinds = {name: (array.dtype.str, len(array)) for name, array in arrays.items()}
        kinds["items"] = (self.item_type.str, self.n_ratings)
        kinds["ratings"] = (self.code_type.str, self.n_ratings)
        for name, array in arrays.items():
            with (self.folder / name).open("wb") as file:
                array.tofile(file)
                sync(file)
        plain = json.dumps(catalog.to_plain(), ensure_ascii=False).encode()
        with (self.folder / CATALOG).open("wb") as file:
            file.write(plain)
            sync(file)
        manifest = {
            **VERSIONS,
            "ratings": self.n_ratings,
            "scale": list(scale),
            "levels": None if self.levels is None else self.levels.tolist(),
            "mean": self._mean(),
            "arrays": kinds,
            "fingerprint": self._fingerprint(sorted(kinds)),
            "files": {name: entry_of(self.folder / name) for name in (CATALOG, *sorted(kinds))},
            "whole_numbers": {
                "user": self.users.whole_numbers(),
                "item": self.items.whole_numbers(),
            },
            "id_types": dict(id_types),
            "report": report,
        }
        with (self.folder / MANIFEST).open("wb") as file:
            file.write(seal(manifest))
            sync(file)

    def _mean(self) -> float:
        """As ``Ratings.mean``: sums over the same pieces."""
        codes = np.memmap(self.folder / "ratings", self.code_type, "r")
        rows = PackedRows(np.empty(0), np.empty(0), codes, self.levels)
        total = sum(
            float(rows.values_of(codes[first : first + PIECE]).sum(dtype="f8"))
            for first in range(0, self.n_ratings, PIECE)
        )
        return total / self.n_ratings

    def _fingerprint(self, names: list[str]) -> str:
        """A digest of all arrays and levels: equal data have equal fingerprints."""
        digest = hashlib.sha256(b"" if self.levels is None else self.levels.tobytes())
        for name in names:
            with (self.folder / name).open("rb") as file:
                digest.update(name.encode())
                while block := file.read(1 << 24):
                    digest.update(block)
        return digest.hexdigest()[:16]


def smallest(n: int, largest: np.dtype[Any] | None = None) -> np.dtype[Any]:
    """The smallest type that holds 0..n - 1."""
    for kind in (np.uint8, np.uint16):
        if n - 1 <= np.iinfo(kind).max:
            return np.dtype(kind)
    return largest or np.dtype(np.int32)


def _texts(db: "DuckDBPyConnection", side: str) -> Texts:
    """The ids of one side, in order, fetched in parts."""
    n = scalar(db, f"SELECT count(*) FROM {side}s")
    parts = []
    for first in range(0, n, IDS_AT_ONCE):
        ids = db.execute(
            f"SELECT id FROM {side}s WHERE rowid >= {first} AND rowid < {first + IDS_AT_ONCE}"
        ).fetchnumpy()["id"]
        parts.append(Texts.of(map(str, ids.tolist())))
    starts = np.cumsum([0, *(len(part.data) for part in parts)])
    ends = [part.ends + start for part, start in zip(parts, starts, strict=False)]
    return Texts(np.concatenate([part.data for part in parts]), np.concatenate(ends))


def numbered_rows(db: "DuckDBPyConnection") -> Iterator[Part]:
    """The rows of ``numbered``, in parts."""
    n, columns = (
        scalar(db, "SELECT count(*) FROM numbered"),
        ", ".join(f'"{c}"' for c in Part._fields),
    )
    for first in range(0, n, ROWS_AT_ONCE):
        rows = db.execute(
            f"SELECT {columns} FROM numbered "
            f"WHERE rowid >= {first} AND rowid < {first + ROWS_AT_ONCE}"
        ).fetchnumpy()
        yield Part(*(np.asarray(rows[name]) for name in Part._fields))


def _merged(part: Part, rule: MergeRule, query: Query, users: Texts, items: Texts) -> Part:
    """One rating for each pair: the last in order, or the mean or sum of all."""
    again = (np.diff(part.user) == 0) & (np.diff(part.item) == 0)
    if not again.any():
        return part
    if rule.duplicates == "error":
        raise _repeated(part, int(np.argmax(again)), query, users, items)
    last = np.flatnonzero(np.append(~again, True))
    distinct = Part(*(column[last] for column in part))
    if rule.duplicates == "last":
        return distinct
    starts = np.append(0, last[:-1] + 1)
    total = np.add.reduceat(part.rating.astype(np.float64), starts)
    if rule.duplicates == "mean":
        total /= last - starts + 1
    return distinct._replace(rating=total.astype(np.float32))


def _repeated(part: Part, at: int, query: Query, users: Texts, items: Texts) -> BadRatings:
    """The error of ``duplicates="error"``: who rated what twice, and where."""
    same = (part.user == part.user[at]) & (part.item == part.item[at])
    lines = np.sort(part.line[same])
    places = " and ".join(query.where(int(line)) for line in lines[:3])
    user, item = users[part.user[at]], items[part.item[at]]
    return BadRatings(
        f"{query.name}: user {user!r} rated item {item!r} {len(lines)} times ({places}); choose ",
        *MERGE,
    )
