"""Ratings: (user, item, stars, time) columns. Immutable, numbered, without duplicates."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from matinee.data.catalog import NO_CATALOG, Catalog
from matinee.data.ids import IdMap
from matinee.data.profiles import NO_PROFILES, Profiles
from matinee.data.rows import Rows, indptr_of
from matinee.data.sample_weights import A_WEIGHT, is_weight, weights_of
from matinee.data.scale import Scale
from matinee.data.signal import Signal
from matinee.display.frames import Column, Framed, ids_in_type
from matinee.display.notebook import Part, Printable
from matinee.display.tables import Table
from matinee.display.text import counted
from matinee.errors import BadRatings, BadSetting, Option, check_whole

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

    from matinee.data.describe import Description
    from matinee.data.read_report import ReadReport


PIECE = 1 << 20  # ratings summed at once for their mean
CONSTANT = 1e-6  # of the mean: a deviation this small is rounding alone


def sum_of_squares(ratings: Any, mean: float) -> float:
    """The sum of (r - mean)^2 in float64, in pieces: the same for packed and unpacked ratings."""
    pieces = (ratings[first : first + PIECE] for first in range(0, len(ratings), PIECE))
    return sum(float(((piece - mean) ** 2).sum()) for piece in map(np.float64, pieces))


def deviation_of(squares: float, n: int, mean: float) -> float:
    """The standard deviation of n ratings, of the sum of their squared distances from the mean.

    Rounded to float32, so that it does not depend on the order of summing; 1 where all ratings are
    the same, as far as float32 can tell.
    """
    deviation = float(np.float32(np.sqrt(max(squares, 0.0) / n)))
    return deviation if deviation > CONSTANT * abs(mean) else 1.0


class Rating(NamedTuple):
    """One rating."""

    user_id: str
    item_id: str
    rating: float
    timestamp: int | None  # seconds since 1970, where known


@dataclass(frozen=True, eq=False, repr=False)
class Ratings(Framed, Printable):
    """Ratings of ``items`` by ``users``, in order of (user, item), each pair at most once.

    ``users`` and ``items`` may know more ids than are rated here: the parts of a split share
    them. Build one with ``read_ratings`` or ``Ratings.of``.
    """

    users: IdMap
    items: IdMap
    user: np.ndarray  # (n_ratings,) int32 row numbers in users
    item: np.ndarray  # (n_ratings,) int32 row numbers in items
    rating: np.ndarray  # (n_ratings,) float32, in stars
    timestamp: np.ndarray | None  # (n_ratings,) int64, seconds since 1970, or unknown
    scale: Scale
    catalog: Catalog = NO_CATALOG
    report: "ReadReport | None" = None  # how their source was read
    profiles: Profiles = NO_PROFILES
    sample_weight: np.ndarray | None = None  # (n_ratings,) float32 above 0; None: all weigh one

    @classmethod
    def of(
        cls,
        users: IdMap,
        items: IdMap,
        user: np.ndarray,
        item: np.ndarray,
        rating: np.ndarray,
        timestamp: np.ndarray | None = None,
        *,
        scale: Scale | None = None,
        catalog: Catalog = NO_CATALOG,
        report: "ReadReport | None" = None,
        profiles: Profiles = NO_PROFILES,
        sample_weight: np.ndarray | None = None,
    ) -> "Ratings":
        """Sort numbered ratings by (user, item) and freeze them.

        Raises BadRatings when none is given, a rating is not finite, a (user, item) pair occurs
        twice, or a weight is no finite number above 0.
        """
        if len(rating) == 0:
            raise BadRatings("there are no ratings here; at least one is needed")
        order: slice | np.ndarray = slice(None)
        if not _in_order(user, item):
            order = np.argsort(user.astype(np.int64) * len(items) + item)
        user, item = _frozen(user[order], np.int32), _frozen(item[order], np.int32)
        rating = _frozen(rating[order], np.float32)
        timestamp = None if timestamp is None else _frozen(timestamp[order], np.int64)
        if len(bad := np.flatnonzero(~np.isfinite(rating))):
            raise BadRatings(
                f"the rating of item {items.ids[item[bad[0]]]!r} by user "
                f"{users.ids[user[bad[0]]]!r} is {rating[bad[0]]}; a rating is a finite number: "
                "leave it out, or read_ratings sets such rows aside"
            )
        same = (np.diff(user) == 0) & (np.diff(item) == 0)
        if same.any():
            at = int(np.argmax(same))
            raise BadRatings(
                f"user {users.ids[user[at]]!r} rated item {items.ids[item[at]]!r} twice; "
                "read_ratings can keep the last or the mean (",
                Option("duplicates", ...),
                ")",
            )
        ratings = cls(
            users,
            items,
            user,
            item,
            rating,
            timestamp,
            scale or Scale.of(rating),
            catalog,
            report,
            profiles,
        )
        if sample_weight is None:
            return ratings
        fits = len(sample_weight) == len(rating)  # or the next line says so
        return ratings.with_sample_weight(sample_weight[order] if fits else sample_weight)

    def __len__(self) -> int:
        return len(self.rating)

    def __repr__(self) -> str:
        return (
            f"<Ratings: {counted(len(self), 'rating')} of {counted(self.n_items, 'item')} by "
            f"{counted(self.n_users, 'user')}, {self.scale}"
            f"{'' if self.sample_weight is None else ', weighted'}>"
        )

    def parts(self) -> Iterator[Part]:
        """How many ratings there are, and the first of them."""
        yield repr(self)
        yield self.head()

    @property
    def n_users(self) -> int:
        return len(self.users)

    @property
    def n_items(self) -> int:
        return len(self.items)

    @cached_property
    def by_user(self) -> Rows:
        """The ratings of each user: rows are users, columns items."""
        indptr = indptr_of(self.user, self.n_users)
        return Rows(indptr, self.item, self.rating, self.sample_weight)

    @cached_property
    def by_item(self) -> Rows:
        """The ratings of each item: rows are items, columns users."""
        indptr = indptr_of(self.item, self.n_items)
        by_item = self.csr().tocsc()  # by counting: no order of all ratings is made on the way
        weights = None
        if self.sample_weight is not None:
            weights = self._csr(self.sample_weight).tocsc().data
        return Rows(indptr, by_item.indices.astype(np.int32, copy=False), by_item.data, weights)

    @cached_property
    def mean(self) -> float:
        """The weighted mean rating, in float64; the same in memory and packed."""
        pieces = [slice(first, first + PIECE) for first in range(0, len(self), PIECE)]
        rating, weights = self.rating, self.sample_weight
        if weights is None:
            return sum(float(rating[one].sum(dtype="f8")) for one in pieces) / len(self)
        total = sum(float((weights[one].astype("f8") * rating[one]).sum()) for one in pieces)
        return total / float(weights.sum(dtype="f8"))

    @cached_property
    def deviation(self) -> float:
        """The standard deviation of the ratings, the unit of penalties; see ``deviation_of``."""
        return deviation_of(sum_of_squares(self.rating, self.mean), len(self), self.mean)

    def standardized(self, mean: float) -> "Ratings":
        """The ratings less ``mean``, in units of their standard deviation."""
        return replace(self, rating=((self.rating - mean) / self.deviation).astype(np.float32))

    @property
    def mean_weight(self) -> float:
        """The mean of the weights, 1 where there are none."""
        weights = self.sample_weight
        return 1.0 if weights is None else float(weights.mean(dtype="f8"))

    @property
    def user_weights(self) -> np.ndarray:
        """What the ratings of each user weigh together: float64 (n_users,)."""
        if self.sample_weight is None:
            return self.user_counts.astype(np.float64)
        return np.bincount(self.user, self.sample_weight, self.n_users)

    @property
    def item_weights(self) -> np.ndarray:
        """What the ratings of each item weigh together: float64 (n_items,)."""
        return np.bincount(self.item, self.sample_weight, self.n_items).astype(np.float64)

    @property
    def user_counts(self) -> np.ndarray:
        """Ratings of each user: int64 (n_users,)."""
        return self.by_user.counts

    @property
    def item_counts(self) -> np.ndarray:
        """Ratings of each item: int64 (n_items,)."""
        return np.bincount(self.item, minlength=self.n_items)

    def csr(self) -> "csr_array":
        """The ratings as a scipy CSR array (n_users, n_items); absent means not rated."""
        return self._csr(self.rating)

    def _csr(self, values: np.ndarray) -> "csr_array":
        """Values (n_ratings,) where the ratings are."""
        from scipy.sparse import csr_array

        indptr, indices, *_ = self.by_user
        return csr_array((values, indices, indptr), shape=(self.n_users, self.n_items))

    def csc(self) -> "csc_array":
        """The ratings as a scipy CSC array (n_users, n_items); absent means not rated."""
        from scipy.sparse import csc_array

        indptr, indices, values, _ = self.by_item
        return csc_array((values, indices, indptr), shape=(self.n_users, self.n_items))

    def frame_columns(self) -> dict[str, Column]:
        """``user_id, item_id, rating``, and ``timestamp`` and ``sample_weight`` where they are.

        Ids are in the type they were given in, so that they merge with the frame that was read.
        """
        ids = {
            f"{one.kind}_id": np.asarray(ids_in_type(one.ids.tolist(), one.id_type))[rows]
            for one, rows in ((self.users, self.user), (self.items, self.item))
        }
        optional = {"timestamp": self.timestamp, "sample_weight": self.sample_weight}
        known = {name: column for name, column in optional.items() if column is not None}
        return {**ids, "rating": self.rating, **known}

    def __iter__(self) -> Iterator[Rating]:
        for first in range(0, len(self), PIECE):
            piece = slice(first, first + PIECE)
            n = len(self.rating[piece])
            times = [None] * n if self.timestamp is None else self.timestamp[piece].tolist()
            columns = (
                self.users.ids[self.user[piece]],
                self.items.ids[self.item[piece]],
                self.rating[piece].tolist(),
                times,
            )
            yield from map(Rating._make, zip(*columns, strict=True))

    @overload
    def __getitem__(self, at: int | np.integer) -> Rating: ...
    @overload
    def __getitem__(self, at: "slice | np.ndarray | Sequence[int]") -> "Ratings": ...
    def __getitem__(
        self, at: "int | np.integer | slice | np.ndarray | Sequence[int]"
    ) -> "Rating | Ratings":
        """One rating by its position, or the ratings of a slice, positions or a bool mask.

        Raises IndexError for a position beyond the last, and BadRatings where none is left and
        for what is no position.
        """
        if isinstance(at, int | np.integer):
            if not -len(self) <= at < len(self):
                raise self._beyond(at)
            time = None if self.timestamp is None else int(self.timestamp[at])
            user, item = self.users.ids[self.user[at]], self.items.ids[self.item[at]]
            return Rating(user, item, float(self.rating[at]), time)
        where = at if isinstance(at, slice) else self._positions(at)
        return self.subset(where)

    def _positions(self, at: object) -> np.ndarray:
        """Positions or a mask as numpy takes them. Raises BadRatings and IndexError for others."""
        where = np.asarray(at)
        if where.size == 0 and where.ndim == 1:
            return where.astype(np.int64)
        if where.ndim != 1 or where.dtype.kind not in "biu":
            raise BadRatings(
                f"{at!r} is no position of a rating; give a whole number, a slice, or a bool mask; "
                "the ratings of a user are history(user)"
            )
        if where.dtype.kind == "b":
            if len(where) != len(self):
                raise IndexError(
                    f"the mask has {counted(len(where), 'value')}; "
                    f"{counted(len(self), 'rating')} take one each"
                )
        elif len(beyond := np.flatnonzero((where < -len(self)) | (where >= len(self)))):
            raise self._beyond(where[beyond[0]])
        return where

    def _beyond(self, at: "int | np.integer") -> IndexError:
        return IndexError(
            f"position {at} is beyond the {counted(len(self), 'rating')}; give one from "
            f"{-len(self)} to {len(self) - 1}"
        )

    def head(self, n: int = 5) -> Table:
        """The first ``n`` ratings as a table. Raises BadSetting unless n is 0 or more."""
        check_whole("n", n)
        if n < 0:
            raise BadSetting(f"n is {n}; it must be 0 or more")
        columns = zip(*islice(self, n), strict=True)
        table = dict(zip(Rating._fields, columns, strict=False))
        if self.timestamp is None:
            table.pop("timestamp", None)
        if self.sample_weight is not None:
            table["sample_weight"] = tuple(self.sample_weight[:n].tolist())
        return Table(table, id_types={"user_id": self.users.id_type, "item_id": self.items.id_type})

    def history(self, user: object) -> dict[str, float]:
        """What one user rated: ``{item id: rating}``. Raises UnknownId."""
        items, values = self.by_user.row(self.users.row(user))
        return dict(zip(self.items.ids[items].tolist(), values.tolist(), strict=True))

    def subset(self, keep: np.ndarray | slice) -> "Ratings":
        """The ratings at ``keep``, over the same users and items.

        keep: bool (n_ratings,), positions, or a slice. Raises BadRatings when none is left.
        """
        return self._with(
            user=self.user[keep],
            item=self.item[keep],
            rating=self.rating[keep],
            timestamp=None if self.timestamp is None else self.timestamp[keep],
            sample_weight=None if self.sample_weight is None else self.sample_weight[keep],
        )

    def positives_from(self, threshold: float) -> "Ratings":
        """The ratings of at least ``threshold`` stars, as positives: each is 1 on the scale 0..1.

        The ids keep their row numbers, so that parts of a split stay comparable. Algorithms for
        preferences take every rating for a positive, whatever its value; this chooses which ones
        they see. The report counts the others as set aside. Raises BadRatings when none is high
        enough.
        """
        keep = self.rating >= threshold
        if not keep.any():
            raise BadRatings(
                f"no rating is {threshold:g} or more (the highest is {self.rating.max():g}), so "
                "there are no positives; lower the threshold"
            )
        report = self.report
        if report is not None:
            report = report.keeping_positives(threshold, int(np.count_nonzero(~keep)))
        high = self.subset(keep)
        ones = np.ones(len(high), np.float32)
        return high._with(rating=ones, scale=Scale(0.0, 1.0), report=report)

    def renumbered(self, users: IdMap, items: IdMap) -> "Ratings":
        """The same ratings over id maps that contain these ids, and maybe more."""
        return self._with(
            users=users,
            items=items,
            user=users.rows(self.users)[self.user],
            item=items.rows(self.items)[self.item],
        )

    def _with(self, **columns: Any) -> "Ratings":
        """These ratings with some fields replaced, in order again; the others stay as they are."""
        return Ratings.of(**{one.name: getattr(self, one.name) for one in fields(self)} | columns)

    def with_sample_weight(self, sample_weight: "np.ndarray | Sequence[float] | None") -> "Ratings":
        """The same ratings, each counting as much as its weight; None: all weigh one.

            loss = sum_j sample_weight_j (r_j - score_j)^2 + penalty

        Penalties that grow with the number n of ratings take n as it is, as scikit-learn's
        ``Ridge`` does. sample_weight: (n_ratings,) in the order of these ratings, by user and then
        item; ``read_ratings`` takes weights in a column of the source, in any order. Raises
        BadRatings unless they are finite numbers above 0, one for each rating.
        """
        if sample_weight is None:
            return replace(self, sample_weight=None)
        given = np.asarray(sample_weight)
        if given.shape != self.rating.shape:
            raise BadRatings(
                f"sample_weight has the shape {given.shape}; {counted(len(self), 'rating')} "
                f"take {counted(len(self), 'weight')}, shape ({len(self)},)"
            )
        weights = weights_of(given)
        if len(bad := np.flatnonzero(~is_weight(weights))):
            at = int(bad[0])
            one, value = self[at], given.tolist()[at]
            raise BadRatings(
                f"sample_weight[{at}] is {value!r}, of the rating of item {one.item_id!r} by user "
                f"{one.user_id!r}; {A_WEIGHT}: correct it, or leave the rating out"
            )
        weights.flags.writeable = False
        return replace(self, sample_weight=weights)

    def with_catalog(self, catalog: Catalog) -> "Ratings":
        """The same ratings with another catalogue attached."""
        return replace(self, catalog=catalog)

    def with_profiles(
        self, profiles: "Profiles | Mapping[object, Mapping[str, object]]"
    ) -> "Ratings":
        """The same ratings with what is known of users: ``{user id: {"age": 25, ...}}``."""
        if not isinstance(profiles, Profiles):
            profiles = Profiles.of(profiles)
        return replace(self, profiles=profiles)

    @cached_property
    def signal(self) -> Signal:
        """Whether these are stars, counts or choices; see ``data.signal``."""
        return Signal.of(self.rating)

    def describe(self) -> "Description":
        """Counts, sparsity, distribution, activity, scale and time span; see ``Description``."""
        from matinee.data.describe import Description

        return Description.of(self)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of ids, ratings, times and weights: equal data have equal fingerprints."""
        digest = hashlib.sha256()
        for ids in (self.users, self.items):
            digest.update("\n".join(ids).encode())
            digest.update(b"\0")
        for column in (self.user, self.item, self.rating, self.timestamp):
            digest.update(b"-" if column is None else column.tobytes())
        if self.sample_weight is not None:
            digest.update(b"sample_weight" + self.sample_weight.tobytes())
        return digest.hexdigest()[:16]


def _in_order(user: np.ndarray, item: np.ndarray) -> bool:
    """Whether pairs ascend by user and then by item, each above the one before."""
    same_user, next_item = user[1:] == user[:-1], item[1:] > item[:-1]
    return bool(((user[1:] > user[:-1]) | (same_user & next_item)).all())


def _frozen(column: np.ndarray, dtype: type) -> np.ndarray:
    """A read-only copy."""
    array: np.ndarray = np.array(column, dtype=dtype, order="C")
    array.flags.writeable = False
    return array


def union(kind: str, maps: Sequence[IdMap]) -> IdMap:
    """One numbering for all ids of several maps."""
    types = {ids.id_type for ids in maps}
    id_type = types.pop() if len(types) == 1 else None
    return IdMap.of((text for ids in maps for text in ids), kind, id_type)


def check_ratings(function: str, argument: object) -> None:
    """Raise BadRatings unless the argument of a function is ``Ratings``."""
    if not isinstance(argument, Ratings):
        source = repr(argument) if isinstance(argument, str) else "..."
        raise BadRatings(
            f"{function} takes Ratings, not {type(argument).__name__}; "
            f"read them first: matinee.read_ratings({source})"
        )
