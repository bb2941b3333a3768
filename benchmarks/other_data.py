"""Data sets of other kinds than MovieLens, from the folder ``more`` beside its zips.

Stars of other scales, plays, visits, views (of RetailRocket, not its purchases) and purchases (of
Steam, not its hours). Jester is 2,000 random people. Items with fewer than three rows are left out
where most have fewer: a list cannot be judged by them.
"""

import csv
import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data import lowest_fifth
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.sources import read_ratings

SEED = 42
PEOPLE = 2_000  # of Jester
NOT_RATED = 99.0


class Source(NamedTuple):
    """How a data set is read, and how many rows an item needs."""

    read: Callable[[Path], Ratings]
    least_rows: int = 1


def ratings_of(name: str, folder: Path) -> Ratings:
    """The ratings of a data set, without its rare items where they are left out."""
    source = SETS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # repeated pairs are merged, the last kept
        ratings = source.read(folder)
    ratings = ratings.subset(ratings.item_counts[ratings.item] >= source.least_rows)
    users, items = (
        IdMap.of(ids.ids[counts > 0].tolist(), kind)
        for ids, counts, kind in (
            (ratings.users, ratings.user_counts, "user"),
            (ratings.items, ratings.item_counts, "item"),
        )
    )
    return ratings.renumbered(users, items)


def held_out(ratings: Ratings, seed: int = SEED) -> tuple[Ratings, Ratings]:
    """The training part, and a fifth of each user's likes, rounded down."""
    rng = np.random.default_rng(seed)
    liked = np.arange(len(ratings))
    if ratings.signal.graded:
        liked = np.flatnonzero(ratings.rating >= ratings.scale.liked_from)
    test = lowest_fifth(ratings.user, liked, rng.random(len(liked)))
    return ratings.subset(~test), ratings.subset(test)


def plain(file: str, *columns: int, table: str | None = None) -> Callable[[Path], Ratings]:
    """A reader of a text file with user, item and, if there are, ratings in these columns."""
    names = ("user_id", "item_id", "rating")
    by_name = dict(zip(names, columns, strict=False)) if columns else None

    def read(folder: Path) -> Ratings:
        return read_ratings(folder / "more" / file, columns=by_name, table=table)

    return read


def movielens(name: str) -> Source:
    """A MovieLens zip."""
    return Source(lambda folder: read_ratings(folder / f"{name}.zip"))


def jester_cells(folder: Path) -> np.ndarray:
    """Everything in Jester 1: a row a person, a column a joke, NOT_RATED where there is nothing."""
    with zipfile.ZipFile(folder / "more" / "jester-data-1.zip") as packed:
        text = packed.read(packed.namelist()[0]).decode()
    lines = csv.reader(io.StringIO(text))
    return np.array([[float(cell) for cell in line[1:]] for line in lines])


def jester(folder: Path) -> Ratings:
    """Random people of Jester 1."""
    cells = jester_cells(folder)
    people = np.random.default_rng(SEED).choice(len(cells), PEOPLE, replace=False)
    cells = cells[np.sort(people)]
    user, item = np.nonzero(cells != NOT_RATED)
    users, items = (
        IdMap.of(range(n), kind) for n, kind in zip(cells.shape, ("user", "item"), strict=True)
    )
    return Ratings.of(users, items, user, item, cells[user, item])


SETS: dict[str, Source] = {
    "ml-100k": movielens("ml-100k"),
    "ml-latest-small": movielens("ml-latest-small"),
    "ml-1m": movielens("ml-1m"),
    "filmtrust": Source(plain("filmtrust-ratings.txt.gz", 0, 1, 2)),
    "ciao": Source(plain("ciao-movie-ratings.txt.gz", 0, 1, 4), least_rows=3),
    "jester": Source(jester),
    "lastfm": Source(plain("lastfm-user_artists.dat.gz"), least_rows=3),
    "foursquare": Source(plain("foursquare-checkins.txt.gz", 0, 1, 2)),
    "retailrocket": Source(
        plain("Retailrocket_Ecommerce.zip", table="view_ecommerce.dat"), least_rows=3
    ),
    "steam": Source(plain("steam.zip", table="game_purchase.dat")),
}
