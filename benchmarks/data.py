"""The data that everything is measured on: published folds, random folds, a top-n split, a big set.

Real data are the MovieLens zips as they are published, in the folder ``--data``, in
``MATINEE_TEST_DATA``, or in ``../shared/data`` beside the checkout.
"""

import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from matinee import splitting
from matinee.data.catalog import Catalog
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.sources import read_ratings

ROOT = Path(__file__).resolve().parents[1]
SEED = 0
POSITIVE_FROM = 4  # stars that count as a liked film, in the top-n split
HELD_OUT = 5  # one of so many likes of each user is what the lists should find


class Part(NamedTuple):
    """Ratings as three arrays of equal length, users and items by row number."""

    user: np.ndarray  # int32
    item: np.ndarray  # int32
    rating: np.ndarray  # float32

    def at(self, keep: np.ndarray) -> "Part":
        """The ratings at a mask or at positions."""
        return Part(*(column[keep] for column in self))


class Fold(NamedTuple):
    """One part to learn from and one to be measured on."""

    data_set: str
    number: int  # from 1
    n_users: int
    n_items: int
    train: Part
    test: Part
    catalog: str = "{}"  # what is known of the items, by row number, as JSON

    def save(self, folder: Path) -> Path:
        """Write the fold to a file that a contender's own process can read with numpy alone."""
        path = folder / f"{self.data_set}-{self.number}.npz"
        columns = {
            f"{part}_{name}": column
            for part in ("train", "test")
            for name, column in getattr(self, part)._asdict().items()
        }
        np.savez(path, n_users=self.n_users, n_items=self.n_items, catalog=self.catalog, **columns)
        return path


class DataSet(NamedTuple):
    """Folds under a name, and which task they are for."""

    task: str  # "ratings": predict them; "lists": find the held-out liked films
    n_folds: int
    read: Callable[[Path, Iterable[int]], Iterator[Fold]]


def folder_of_data(given: str | None = None) -> Path:
    """Where the zips are."""
    beside = ROOT.parent / "shared" / "data"
    return Path(given or os.environ.get("MATINEE_TEST_DATA") or beside)


def ml_100k(folder: Path, numbers: Iterable[int]) -> Iterator[Fold]:
    """The folds u1..u5 that are published with MovieLens 100K."""
    with tempfile.TemporaryDirectory() as where, zipfile.ZipFile(folder / "ml-100k.zip") as packed:
        packed.extractall(where)
        inside = Path(where) / "ml-100k"
        for number in numbers:
            parts = (read_ratings(inside / f"u{number}.{part}") for part in ("base", "test"))
            yield fold_of("ml-100k", number, splitting.given(*parts))


def ml_1m(folder: Path, numbers: Iterable[int]) -> Iterator[Fold]:
    """Five random folds of MovieLens 1M: those of ``matinee cross-validate --folds 5 --seed 0``."""
    wanted = set(numbers)
    for number, split in enumerate(splitting.k_fold(_ml_1m(folder), 5, SEED), start=1):
        if number in wanted:
            yield fold_of("ml-1m", number, split)


def ml_1m_whole(folder: Path) -> Fold:
    """All of MovieLens 1M to learn from, for speed alone; the test part is a few of the same."""
    ratings = _ml_1m(folder)
    everything = Part(ratings.user, ratings.item, ratings.rating)
    few = everything.at(np.arange(1000))
    return Fold("ml-1m-whole", 1, ratings.n_users, ratings.n_items, everything, few)


def top_n(folder: Path, numbers: Iterable[int]) -> Iterator[Fold]:
    """MovieLens 1M for lists: a random fifth of each user's liked films is held out.

    The training part keeps all other ratings; who learns from likes alone takes those of
    ``POSITIVE_FROM`` stars or more.
    """
    ratings = _ml_1m(folder)
    everything = Part(ratings.user, ratings.item, ratings.rating)
    for number in numbers:
        held_out = hold_out(everything, SEED + number - 1)
        test, train = everything.at(held_out), everything.at(~held_out)
        yield Fold("top-n", number, ratings.n_users, ratings.n_items, train, test, told_of(ratings))


def likes(ratings: Part, at_least: float) -> Part:
    """The ratings of so many stars or more."""
    return ratings.at(ratings.rating >= at_least)


def ml_1m_ids(folder: Path) -> tuple[IdMap, IdMap, Catalog]:
    """Users, items and catalog of MovieLens 1M, as the rows of ``top_n`` are numbered."""
    ratings = _ml_1m(folder)
    return ratings.users, ratings.items, ratings.catalog


def hold_out(ratings: Part, seed: int) -> np.ndarray:
    """A mask of the held-out fifth of each user's liked films, rounded down."""
    draw = np.random.default_rng(seed).permutation(len(ratings.user))
    liked = np.flatnonzero(ratings.rating >= POSITIVE_FROM)
    return lowest_fifth(ratings.user, liked, draw[liked])


def lowest_fifth(user: np.ndarray, liked: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """A mask of one in ``HELD_OUT`` of each user's likes, rounded down: those drawn lowest.

    ``user`` (n_ratings,) has the row of each rating's user, ``liked`` (n_likes,) the places of the
    likes, and ``draw`` (n_likes,) a random number for each of them.
    """
    order = liked[np.lexsort((draw, user[liked]))]
    n_liked = np.bincount(user[liked])
    first = np.cumsum(n_liked) - n_liked
    place = np.arange(len(order)) - first[user[order]]
    mask = np.zeros(len(user), dtype=bool)
    mask[order[place < n_liked[user[order]] // HELD_OUT]] = True
    return mask


def wide() -> Fold:
    """Choices in a wide and empty catalogue: few a person, and few an item."""
    stars = power_law(900_000, 30_000, 27_000)
    train, test = (
        part._replace(rating=np.full_like(part.rating, 5)) for part in (stars.train, stars.test)
    )
    return stars._replace(data_set="wide", train=train, test=test)


def power_law(n_ratings: int = 10_000_000, n_users: int = 200_000, n_items: int = 20_000) -> Fold:
    """Ratings by chance with a long tail on both sides, for speed alone; a tenth is for tests.

    User and item are drawn with chances that fall as a power of their rank, pairs drawn twice
    count once, and a star is drawn around the mean of its item.
    """
    rng = np.random.default_rng(SEED)
    chances = [_falling(n_users, 0.65), _falling(n_items, 0.75)]
    pairs = np.empty(0, np.int64)
    while len(pairs) < n_ratings:
        more = int(1.1 * (n_ratings - len(pairs))) + 1000
        user, item = (np.searchsorted(chance, rng.random(more)) for chance in chances)
        pairs = np.unique(np.concatenate([pairs, user * n_items + item]))
    pairs = np.sort(rng.permutation(pairs)[:n_ratings])
    user, item = (column.astype(np.int32) for column in np.divmod(pairs, n_items))
    mean = 3.5 + 0.5 * rng.standard_normal(n_items)
    stars = np.clip(np.rint(mean[item] + rng.standard_normal(n_ratings)), 1, 5)
    ratings = Part(user, item, stars.astype(np.float32))
    tested = rng.random(n_ratings) < 0.1
    return Fold("power-law", 1, n_users, n_items, ratings.at(~tested), ratings.at(tested))


DATA_SETS: dict[str, DataSet] = {
    "ml-100k": DataSet("ratings", 5, ml_100k),
    "ml-1m": DataSet("ratings", 5, ml_1m),
    "top-n": DataSet("lists", 1, top_n),
}


def fold_of(data_set: str, number: int, split: splitting.Split) -> Fold:
    """A split of Matinee's as plain arrays."""
    parts = (Part(part.user, part.item, part.rating) for part in (split.train, split.test))
    size = split.train.n_users, split.train.n_items
    return Fold(data_set, number, *size, *parts, told_of(split.train))


def told_of(ratings: Ratings) -> str:
    """The catalogue of some ratings, by row number, as JSON."""
    entries = ratings.catalog.to_plain()
    rows = ratings.items.rows(entries)
    known = zip(rows.tolist(), entries.values(), strict=True)
    return json.dumps({row: entry for row, entry in known if row >= 0})


@cache
def _ml_1m(folder: Path) -> Ratings:
    return read_ratings(folder / "ml-1m.zip")


def _falling(n: int, power: float) -> np.ndarray:
    weight = np.arange(1, n + 1) ** -power
    chance: np.ndarray = np.cumsum(weight) / weight.sum()
    chance[-1] = 1.0
    return chance
