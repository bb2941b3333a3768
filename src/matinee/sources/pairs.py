"""Pairs of a user and an item from any source of ratings: every row, in its order."""

from typing import NamedTuple

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.packed import PackedRatings, is_packed
from matinee.data.ratings import Ratings
from matinee.errors import BadRatings
from matinee.sources import files, source_of
from matinee.sources.raw import REASON, Fault, Numbered, Raw, ReadOptions


class Pairs(NamedTuple):
    """Users and items in step, and their ratings where these are known."""

    users: np.ndarray  # (n_pairs,) ids; where a model is asked, also people folded in
    items: np.ndarray  # (n_pairs,) ids
    ratings: np.ndarray | None = None  # (n_pairs,) float32


def read_pairs(source: object) -> Pairs:
    """The pairs in Ratings, or in any source that ``read_ratings`` takes.

    Ratings may be absent, and other columns present. Raises BadRatings for a source that cannot be
    read, and for a row without both ids or with a bad rating.
    """
    if isinstance(source, Ratings):
        return Pairs(source.users.ids[source.user], source.items.ids[source.item], source.rating)
    path = files.as_path(source)
    if path is not None and is_packed(path):
        return read_pairs(PackedRatings.open(path).in_memory())
    with files.on_disk(source) as place:
        try:
            return _read(place, ReadOptions())
        except BadRatings as error:
            try:
                return _read(place, ReadOptions(duplicates="count"))  # no ratings are looked for
            except BadRatings:
                raise error from None


def _read(source: object, options: ReadOptions) -> Pairs:
    with source_of(source).read(source, options) as raw:
        rows = np.flatnonzero(raw.fault != Fault.NO_ROW)
        _check(raw, rows)
        rated = options.rating_needed and ("rating" in raw.columns or not raw.columns)
        ratings = raw.rating[rows] if rated else None
        return Pairs(_ids(raw.users, rows), _ids(raw.items, rows), ratings)


def _ids(column: Numbered, rows: np.ndarray) -> np.ndarray:
    """The ids in some rows: (n_rows,) str."""
    ids = column.ids.ids if isinstance(column.ids, IdMap) else column.ids
    texts = np.empty(len(ids), dtype=object)
    texts[:] = list(ids)
    return np.asarray(texts[column.code[rows]])


def _check(raw: Raw, rows: np.ndarray) -> None:
    """Raise BadRatings for the first bad row, and where there is none at all."""
    bad = rows[raw.fault[rows] != Fault.NONE]
    if len(bad):
        row = int(bad[0])
        reason = REASON[Fault(raw.fault[row])]
        raise BadRatings(
            f"{raw.name}, {raw.where(row)}: {raw.show(row)} is a row {reason}; mend it"
        )
    if not len(rows):
        raise BadRatings(f"{raw.name} holds no pairs: there is not one row in it")
