"""Ratings packed on disk: more of them than memory holds, mapped and read in blocks of users.

    packed.json       the manifest: format, counts, types, digests, scale, what reading found
    offsets           (n_users + 1,) int64: where each user's ratings begin
    items             (n_ratings,) item numbers, ascending within a user, in the smallest type
    ratings           (n_ratings,) uint8 or uint16 numbers in the list of levels, or float32
    user_ids, item_ids, and *_ends: the ids (``Texts``), in natural order
    item_counts       (n_items,) int64
    catalog.json      titles and features

A usual rating takes 3 bytes: two for the item, one for the stars.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from matinee.data.catalog import Catalog
from matinee.data.ids import IdMap, check_ids
from matinee.data.integrity import check_codes, check_counts, check_rows, check_texts
from matinee.data.profiles import NO_PROFILES, Profiles
from matinee.data.ratings import Ratings, deviation_of, sum_of_squares
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.data.texts import Texts
from matinee.disk.reading import (
    DOCUMENT_BYTES,
    BadFile,
    check_digest,
    entries_of,
    open_regular,
    parse_json,
    read_sealed,
)
from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.display.text import counted
from matinee.errors import Advice, BadRatings

FORMAT = "matinee-packed-ratings"
FORMAT_VERSION = 2
VERSIONS = {"format": FORMAT, "version": FORMAT_VERSION}
MANIFEST, CATALOG = "packed.json", "catalog.json"
ARRAYS = (
    "offsets",
    "items",
    "ratings",
    "item_counts",
    "user_ids",
    "user_id_ends",
    "item_ids",
    "item_id_ends",
)
FILES = (MANIFEST, CATALOG, *ARRAYS)
FILE_NAMES = {name: re.escape(name) for name in (CATALOG, *ARRAYS)}
DTYPES = {
    "offsets": "<i8",
    "items": "|u1 <u2 <i4",
    "ratings": "|u1 <u2 <f4",
    "item_counts": "<i8",
    "user_ids": "|u1",
    "user_id_ends": "<i8",
    "item_ids": "|u1",
    "item_id_ends": "<i8",
}
USERS_PER_PIECE = 8192  # blocks hold whole pieces, so that sums over pieces keep their order
RATINGS_PER_BLOCK = 4_000_000  # looked at together: a block costs some 40 bytes for each


@dataclass(frozen=True, eq=False)
class PackedRows:
    """``Rows`` in small types: a value is a position in ``levels``, where there are any."""

    indptr: np.ndarray  # (n_rows + 1,) int64
    indices: np.ndarray  # (n_ratings,) uint8, uint16 or int32
    codes: np.ndarray  # (n_ratings,) uint8 or uint16, or the float32 values themselves
    levels: np.ndarray | None  # (n_levels,) float32, ascending
    weights: ClassVar[None] = None  # all weigh one

    @property
    def counts(self) -> np.ndarray:
        """How many values each row holds: int64 (n_rows,)."""
        return np.diff(self.indptr)

    @property
    def values(self) -> "Values":
        """All values (n_ratings,) float32, each decoded when it is looked at."""
        return Values(self)

    def values_of(self, codes: np.ndarray) -> np.ndarray:
        """The ratings that some codes stand for: float32, of the same shape."""
        if self.levels is None:
            return np.asarray(codes, np.float32)
        values: np.ndarray = self.levels[codes]
        return values

    def row(self, r: int) -> tuple[np.ndarray, np.ndarray]:
        """Column numbers (n,) and values (n,) of one row."""
        span = slice(int(self.indptr[r]), int(self.indptr[r + 1]))
        return np.asarray(self.indices[span], np.int32), self.values_of(self.codes[span])

    def only(self, r: int) -> Rows:
        """The matrix of row ``r`` alone, in memory."""
        return Rows.single(*self.row(r))

    def block(self, first: int, stop: int) -> Rows:
        """The rows first..stop, in memory."""
        ends = np.asarray(self.indptr[first : stop + 1])
        span = slice(int(ends[0]), int(ends[-1]))
        indices = np.asarray(self.indices[span], np.int32)
        return Rows(ends - ends[0], indices, self.values_of(self.codes[span]))

    def take(self, rows: np.ndarray) -> Rows:
        """The matrix of ``rows`` (n,), in memory; those below 0 are empty."""
        values: Any = self.values
        rated = Rows(self.indptr, self.indices, values).take(rows)
        return rated._replace(indices=np.asarray(rated.indices, np.int32))

    def parts(self) -> dict[str, np.ndarray]:
        """Arrays by their names in a model folder: ends (n_rows + 1,), the others (n_ratings,)."""
        levels = {} if self.levels is None else {"seen_levels": self.levels}
        return {
            "seen_indptr": self.indptr,
            "seen_items": self.indices,
            "seen_ratings": self.codes,
            **levels,
        }


@dataclass(frozen=True, eq=False)
class Values:
    """The values of packed rows, as an array that decodes what is taken of it."""

    rows: PackedRows

    def __len__(self) -> int:
        return len(self.rows.codes)

    def __getitem__(self, at: Any) -> np.ndarray:
        return self.rows.values_of(self.rows.codes[at])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)


def rows_of(arrays: Mapping[str, np.ndarray]) -> Rows | PackedRows:
    """The rows whose ``parts`` these are; shapes as there."""
    indptr, items, ratings = (arrays[f"seen_{name}"] for name in ("indptr", "items", "ratings"))
    levels = arrays.get("seen_levels")
    if levels is None and items.dtype == np.int32:
        return Rows(indptr, items, ratings, arrays.get("seen_weights"))
    return PackedRows(indptr, items, ratings, levels)


@dataclass(frozen=True, eq=False, repr=False)
class PackedRatings:
    """Ratings in a folder, made by ``matinee.pack``; algorithms with ``fit_packed`` fit them.

    Users and items are numbered as ``read_ratings`` would. Times are not kept.
    """

    profiles: ClassVar[Profiles] = NO_PROFILES  # they are not packed

    path: Path
    users: IdMap
    items: IdMap
    by_user: PackedRows
    item_counts: np.ndarray  # (n_items,) int64: ratings of each item
    scale: Scale
    catalog: Catalog
    fingerprint: str
    report: JsonMapping  # how the source was read, in plain data
    mean: float

    @classmethod
    def open(cls, path: str | Path) -> "PackedRatings":
        """The ratings packed in a folder.

        Every file is checked by its digest and every array for what it may hold, which takes about
        a second per GB. Raises BadRatings, in words, for any other folder and a damaged one.
        """
        path = Path(path)
        manifest = read_manifest(path)
        try:
            return cls._of(path, manifest)
        except BadFile as error:
            raise BadRatings(f"{error}; pack the ratings again") from None
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise BadRatings(
                f"{path} does not hold whole packed ratings ({error}); pack them again"
            ) from None

    @classmethod
    def _of(cls, path: Path, manifest: JsonMapping) -> "PackedRatings":
        entries = entries_of(manifest["files"], FILE_NAMES)
        arrays = {
            name: _mapped(path, name, entries[name], *manifest["arrays"][name]) for name in ARRAYS
        }
        levels = None if manifest["levels"] is None else np.array(manifest["levels"], np.float32)
        _check(arrays, levels)
        users, items = (
            IdMap.packed(
                Texts(arrays[f"{kind}_ids"], arrays[f"{kind}_id_ends"]),
                kind,
                manifest["whole_numbers"][kind],
                manifest.get("id_types", {}).get(kind),
            )
            for kind in ("user", "item")
        )
        for ids in (users, items):
            check_ids(ids)
        with open_regular(path / CATALOG) as file:
            check_digest(path / CATALOG, file, entries[CATALOG])
            catalog = Catalog.from_plain(parse_json(file.read(DOCUMENT_BYTES), path / CATALOG))
        low, high = map(float, manifest["scale"])
        if not -math.inf < low <= high < math.inf:
            raise BadFile(f"{path / MANIFEST} has a scale that is none")
        rows = PackedRows(arrays["offsets"], arrays["items"], arrays["ratings"], levels)
        return cls(
            path,
            users,
            items,
            rows,
            arrays["item_counts"],
            Scale(low, high),
            catalog,
            str(manifest["fingerprint"]),
            manifest["report"],
            float(manifest["mean"]),
        )

    def __len__(self) -> int:
        return len(self.by_user.indices)

    def __repr__(self) -> str:
        return (
            f"<PackedRatings: {counted(len(self), 'rating')} of {counted(self.n_items, 'item')} by "
            f"{counted(self.n_users, 'user')}, {self.scale}, {self.n_bytes / len(self):.1f} bytes "
            "each>"
        )

    @property
    def n_users(self) -> int:
        return len(self.users)

    @property
    def n_items(self) -> int:
        return len(self.items)

    @property
    def n_bytes(self) -> int:
        """The size of the folder in bytes."""
        return sum(file.stat().st_size for file in self.path.iterdir())

    @cached_property
    def deviation(self) -> float:
        """As ``Ratings.deviation``, to the bit."""
        return deviation_of(sum_of_squares(self.by_user.values, self.mean), len(self), self.mean)

    @cached_property
    def user_counts(self) -> np.ndarray:
        """Ratings of each user: int64 (n_users,)."""
        return self.by_user.counts

    def blocks(self, most: int = RATINGS_PER_BLOCK) -> Iterator[tuple[int, int]]:
        """Runs first..stop of users with up to about ``most`` ratings, in whole pieces."""
        first = 0
        while first < self.n_users:
            target = self.by_user.indptr[first] + most
            stop = int(np.searchsorted(self.by_user.indptr, target, side="right")) - 1
            pieces = max(1, (stop - first) // USERS_PER_PIECE)
            stop = min(first + pieces * USERS_PER_PIECE, self.n_users)
            yield first, stop
            first = stop

    def in_memory(self) -> Ratings:
        """The same as ``Ratings``, all of them in memory, without times."""
        users = np.repeat(np.arange(self.n_users, dtype=np.int32), self.user_counts)
        rated = self.by_user
        items, values = np.asarray(rated.indices, np.int32), np.asarray(rated.values)
        return Ratings.of(
            self.users, self.items, users, items, values, scale=self.scale, catalog=self.catalog
        )


def is_packed(path: str | Path) -> bool:
    """Whether a path is a folder of packed ratings."""
    return (Path(path) / MANIFEST).is_file()


def read_manifest(path: Path) -> JsonObject:
    """The manifest of a folder. Raises BadRatings, in words, where it is missing or not ours."""
    if not is_packed(path):
        pack = Advice("matinee.pack", "matinee pack")
        raise BadRatings(f"{path} holds no packed ratings; make some with ", pack)
    try:
        return read_sealed(path / MANIFEST, "packed ratings of", VERSIONS)
    except BadFile as error:
        raise BadRatings(f"{error}; pack the ratings again") from None


def _mapped(path: Path, name: str, entry: JsonMapping, dtype: str, length: int) -> np.ndarray:
    """An array of the folder, mapped. Raises BadFile unless it is as it was written."""
    if dtype not in DTYPES[name].split() or type(length) is not int or length < 0:
        raise BadFile(f"{path / MANIFEST} gives {name} a type or a length that it cannot have")
    with open_regular(path / name) as file:
        check_digest(path / name, file, entry)
        if entry["bytes"] != length * np.dtype(dtype).itemsize:
            raise BadFile(f"{path / name} is not as long as its type and length say")
        if not length:
            return np.empty(0, dtype)
        return np.memmap(file, dtype, "r", shape=(length,)).view(np.ndarray)


def _check(arrays: Mapping[str, np.ndarray], levels: np.ndarray | None) -> None:
    """Raise BadArray unless a kernel may index with the arrays."""
    n_users, n_items = len(arrays["user_id_ends"]), len(arrays["item_id_ends"])
    items = arrays["items"]
    for side in ("user", "item"):
        check_texts(f"{side}_ids", arrays[f"{side}_ids"], arrays[f"{side}_id_ends"])
    check_rows(arrays["offsets"], items, n_users, n_items)
    check_codes(arrays["ratings"], levels, len(items))
    check_counts(arrays["item_counts"], items, n_items)
