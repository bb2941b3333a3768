"""What constants that no fit learns cost on data they were not chosen on.

* variances: ``MF`` learns its penalties where an average user and item have ``LEAST_PER_ROW``
  ratings, else it takes those by hand. RMSE of both on a random fifth of the ratings.
* likes, choices: below numbers of items the default learns choices by more than ``ImplicitALS``,
  of ratings and of plain choices. NDCG@10 of each of its ways, a fifth of each user's likes held
  out.
* emphasis: how far from the average a newcomer stands who shares points among tastes. For each
  user the three strongest of their tastes get 10 points by their strength: NDCG@10 of the list for
  these points on the user's held-out likes. 0 where a list for 10 points on a taste named after
  genres has fewer than 7 of 10 that bear one of them.

A loss is against the best way on the same data. "left out" takes the constant that loses least on
the other data sets.

python benchmarks/constants.py --constant variances --data-set ml-100k
"""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import NamedTuple
from unittest.mock import patch

import numpy as np

from beside_peers import Lists
from data import folder_of_data
from jobs import LIST_LENGTH, RESULTS, Row, circumstances, keep, read_rows
from left_out import NDCG, RMSE, summary
from matinee import __version__, splitting
from matinee.algorithms import (
    MF,
    NMF,
    SLIM,
    Algorithm,
    Blend,
    ImplicitALS,
    default_algorithm,
    mf,
)
from matinee.algorithms.default import LOWEST, MOST_ITEMS_OF_EASE, MOST_ITEMS_OF_SLIM
from matinee.data.ratings import Ratings
from matinee.data.rows import mean_count
from matinee.evaluation.metrics.rating import rmse
from matinee.kernels.threads import n_threads
from matinee.models import Model, choice
from matinee.row_solvers.person import Person
from other_data import SEED, SETS, held_out, ratings_of
from tables import table

Value = tuple[float, ...]  # of a constant, or of two that belong together

FILE = RESULTS / "constants.jsonl"
KEY = ("constant", "data_set")
NEWCOMERS = 300
TASTES = 3  # that a newcomer shares points among
POINTS = 10
EMPHASES = (0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
LEAST_SHARE = 0.7  # of the lists for 10 points on a taste, that bears its genre


def main() -> None:
    """Measure, keep, and show the losses of all that was ever kept."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips, with the others in more/")
    parser.add_argument("--data-set", nargs="*", default=list(SETS), choices=SETS)
    parser.add_argument("--constant", nargs="*", default=list(CONSTANTS), choices=CONSTANTS)
    options = parser.parse_args()
    for data_set in options.data_set:
        ratings = ratings_of(data_set, folder_of_data(options.data))
        for name in options.constant:
            if name != "choices" and not ratings.signal.graded:
                continue
            if name.startswith("emphasis") and not ratings.catalog.genre_matrix(ratings.items)[0]:
                continue
            row = {"constant": name, "data_set": data_set, "split_seed": SEED}
            row |= CONSTANTS[name].measure(ratings)
            row |= {"versions": {"matinee": __version__}} | circumstances(n_threads())
            keep(FILE, row, KEY)
    rows = list(losses(read_rows(FILE)))
    print(table(rows))
    print(table(list(summary(rows, "constant", ("as it is", "left out")))))


def of_variances(ratings: Ratings) -> Row:
    """RMSE with penalties that are learned, and by hand."""
    split = splitting.random(ratings, seed=SEED)
    train, test = split.train, split.test
    counts = train.user_counts, train.item_counts

    def figure(least_per_row: float) -> float:
        with patch.object(mf, "LEAST_PER_ROW", least_per_row):
            scores = MF(choice=None).fit(train).score_rows(test.user, test.item)
        return round(rmse(test.rating, scores.clip(*test.scale)), 4)

    return {
        "metric": "rmse",
        "size": round(min(map(mean_count, counts)), 1),
        "figures": {"learned": figure(0.0), "by hand": figure(np.inf)},
    }


def of_likes(ratings: Ratings) -> Row:
    """NDCG@10 of the ways to learn choices beside stars."""
    implicit = ImplicitALS(lowest=LOWEST)
    more = MF(choice=(SLIM(lowest=LOWEST), implicit))
    return of_lists(ratings, {"slim and implicit-als": more, "implicit-als": MF(choice=implicit)})


def of_choices(ratings: Ratings) -> Row:
    """NDCG@10 of the ways to learn plain choices."""
    names = ("ease", "implicit-als"), ("slim", "implicit-als", "rp3beta")
    blends: dict[str, Algorithm] = {" and ".join(of): Blend(of=of) for of in names}
    return of_lists(
        ratings.positives_from(ratings.scale.low), blends | {"implicit-als": ImplicitALS()}
    )


def of_lists(ratings: Ratings, ways: dict[str, Algorithm]) -> Row:
    """NDCG@10 of the lists of each of some algorithms."""
    lists = Lists(*held_out(ratings))
    figures = {}
    for way, algorithm in ways.items():
        ranker = algorithm.fit(lists.train).ranker
        figures[way] = round(float(lists.ndcg(map(ranker.score_block, lists.blocks)).mean()), 4)
    return {"metric": NDCG, "size": ratings.n_items, "figures": figures}


def of_emphasis(algorithm: Algorithm | None, ratings: Ratings) -> Row:
    """NDCG@10 of newcomers' lists by tastes, and the least share of the genre asked for."""
    train, test = held_out(ratings)
    model = (algorithm or default_algorithm(train)).fit(train)
    lists = Lists(train, test)
    lists.users = lists.users[:: max(1, len(lists.users) // NEWCOMERS)]
    figures, shares = {}, {}
    for emphasis in EMPHASES:
        with patch.object(choice, "EMPHASIS", emphasis):
            newcomers = [of_strongest(model, user) for user in lists.users.tolist()]
            scores = scores_of(model, newcomers)
            figures[f"{emphasis:g}"] = round(float(lists.ndcg(iter([scores])).mean()), 4)
            shares[f"{emphasis:g}"] = shares_of_genre(model)
    return {
        "metric": NDCG,
        "ndcg": figures,
        "shares": shares,
        "figures": {
            name: ndcg if min(shares[name]) >= LEAST_SHARE else 0.0
            for name, ndcg in figures.items()
        },
    }


def of_strongest(model: Model, user: int) -> Person:
    """A newcomer with the strongest tastes of a user, who shares points by their strength."""
    tastes = model.tastes()
    strength = model.taste_controls.strength(model.person(model.users.ids[user])).astype("f8")
    strongest = np.argsort(-strength, kind="stable")[:TASTES]
    points = POINTS * strength[strongest] / strength[strongest].sum()
    names = [tastes[one].name for one in strongest.tolist()]
    return model.fold_in_tastes(dict(zip(names, points.tolist(), strict=True)))


def shares_of_genre(model: Model) -> list[float]:
    """The share of the list for each taste named after genres that bears one of them."""
    genres, has = model.catalog.genre_matrix(model.items)
    shares = []
    for taste in model.tastes():
        if taste.genres:
            scores = scores_of(model, [model.fold_in_tastes({taste.name: POINTS})])[0]
            listed = np.argsort(-scores, kind="stable")[:LIST_LENGTH]
            own = [genre in taste.genres for genre in genres]
            shares.append(round(float(has[listed][:, own].any(axis=1).mean()), 2))
    return shares


def scores_of(model: Model, people: list[Person]) -> np.ndarray:
    """The scores that rank the lists of newcomers: (n_people, n_items)."""
    ranker = model.ranker
    return ranker.score_people(ranker.from_stars(people), np.arange(len(model.items)))


# Constants, and which of the ways they take.


class Constant(NamedTuple):
    """How a constant is measured, and the way that it takes in a row if it has some value."""

    measure: Callable[[Ratings], Row]
    now: Value  # what stands in the source
    values: tuple[Value, ...]
    way: Callable[[Row, Value], str]


def by_size(*ways: str) -> Callable[[Row, Value], str]:
    """The first way up to the first limit, the second up to the second, the last beyond."""
    return lambda row, limits: ways[sum(row["size"] > limit for limit in limits)]


LIMITS = (0, 1_000, 2_000, 5_000, 7_000, 10_000, np.inf)
CONSTANTS = {
    "variances": Constant(
        of_variances,
        (mf.LEAST_PER_ROW,),
        tuple((limit,) for limit in (0, 10, 20, 30, 50, 100, np.inf)),
        by_size("by hand", "learned"),
    ),
    "likes": Constant(
        of_likes,
        (MOST_ITEMS_OF_SLIM,),
        tuple((limit,) for limit in LIMITS),
        by_size("slim and implicit-als", "implicit-als"),
    ),
    "choices": Constant(
        of_choices,
        (MOST_ITEMS_OF_EASE, MOST_ITEMS_OF_SLIM),
        tuple(combinations(LIMITS, 2)),
        by_size("ease and implicit-als", "slim and implicit-als and rp3beta", "implicit-als"),
    ),
    **{
        name: Constant(
            partial(of_emphasis, algorithm),
            (choice.EMPHASIS,),
            tuple((emphasis,) for emphasis in EMPHASES),
            lambda _, value: f"{value[0]:g}",
        )
        for name, algorithm in (
            ("emphasis", None),
            ("emphasis of mf", MF()),
            ("emphasis of nmf", NMF()),
        )
    },
}


def losses(rows: list[Row]) -> Iterator[Row]:
    """What a constant loses in each row: as it is, and as the other data sets would have it."""
    for row in rows:
        constant = CONSTANTS[row["constant"]]
        others = [
            one
            for one in rows
            if one["constant"] == row["constant"] and one["data_set"] != row["data_set"]
        ]
        left_out = best_value(constant, others)
        yield {
            "constant": row["constant"],
            "data_set": row["data_set"],
            "size": row.get("size", ""),
            "best": best_way(row),
            "as it is": loss(row, constant.way(row, constant.now)),
            "left out": loss(row, constant.way(row, left_out)),
            "worst": max(loss(row, way) for way in row["figures"]),
        }


def best_way(row: Row) -> str:
    """The way with the highest NDCG, or the lowest RMSE."""
    sign = -1 if row["metric"] == RMSE else 1
    figures: dict[str, float] = row["figures"]
    return max(figures, key=lambda way: sign * figures[way])


def loss(row: Row, way: str) -> float:
    """How much worse a way is than the best, as a share of that."""
    share: float = row["figures"][way] / row["figures"][best_way(row)]
    return share - 1 if row["metric"] == RMSE else 1 - share


def best_value(constant: Constant, rows: list[Row]) -> Value:
    """What loses least on some rows; of several, what stands in the source, or the first."""

    def cost(value: Value) -> tuple[float, bool]:
        mean = sum(loss(row, constant.way(row, value)) for row in rows) / max(len(rows), 1)
        return round(mean, 9), value != constant.now

    return min(constant.values, key=cost)


if __name__ == "__main__":
    main()
