"""Newcomers: folding in against fitting again, and how quick it is.

A tenth of the users of MovieLens 1M is held out. Ten ratings of each are given, the rest is tested:
once folded into a model of all the others, once by a model that was fitted on those ten as well.
Then a thousand people with twenty ratings each are folded in.

python benchmarks/fold_in.py
"""

from argparse import ArgumentParser
from time import perf_counter

import numpy as np

from cold_start import rmse
from data import folder_of_data
from jobs import RESULTS, Row, circumstances, keep
from matinee import __version__
from matinee.algorithms import MF, NMF, Bias, ImplicitALS, SVDpp
from matinee.algorithms.base import Algorithm
from matinee.data.ratings import Ratings
from matinee.kernels.threads import n_threads
from matinee.models import Model
from matinee.sources import read_ratings
from tables import table

CONTENDERS: tuple[Algorithm, ...] = (Bias(), NMF(), MF(), SVDpp(), ImplicitALS())
GIVEN = 10
KEY = ("algorithm", "data_set")
SHOWN = ("algorithm", "folded_in_rmse", "refit_rmse", "ratio", "fold_in_1000_seconds")


def main() -> None:
    """Measure, show and keep."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of ml-1m.zip")
    parser.add_argument("--data-set", default="ml-1m", choices=("ml-100k", "ml-1m"))
    given = parser.parse_args()
    ratings = read_ratings(folder_of_data(given.data) / f"{given.data_set}.zip")
    others, history, test = parted(ratings)
    rows = []
    for algorithm in CONTENDERS:
        row = measured(algorithm, ratings, others, history, test)
        row |= {
            "data_set": given.data_set,
            "given": GIVEN,
            "versions": {"matinee": __version__, "numpy": np.__version__},
        }
        keep(RESULTS / "fold_in.jsonl", row | circumstances(n_threads()), KEY)
        rows.append({name: row[name] for name in SHOWN})
        print(table(rows[-1:]), flush=True)
    print(table(rows))


def parted(ratings: Ratings, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks of the ratings of the other users, of those given, and of those tested."""
    rng = np.random.default_rng(seed)
    held_out = (rng.permutation(ratings.n_users) < ratings.n_users // 10)[ratings.user]
    order = np.lexsort((rng.random(len(ratings)), ratings.user))
    place = np.empty(len(ratings), int)
    place[order] = np.arange(len(ratings)) - ratings.by_user.indptr[ratings.user]
    return ~held_out, held_out & (place < GIVEN), held_out & (place >= GIVEN)


def measured(
    algorithm: Algorithm, ratings: Ratings, others: np.ndarray, given: np.ndarray, test: np.ndarray
) -> Row:
    """One algorithm's figures; no RMSE for scores that are no stars."""
    model = algorithm.fit(ratings.subset(others))
    row: Row = {
        "algorithm": algorithm.name,
        "settings": algorithm.settings,
        "fold_in_1000_seconds": seconds_of_a_thousand(model),
    }
    if model.kind != "rating":
        return row | {"folded_in_rmse": None, "refit_rmse": None, "ratio": None}
    tested = ratings.subset(test)
    folded = folded_in_rmse(model, ratings.subset(given), tested)
    refit = rmse(algorithm.fit(ratings.subset(others | given)), tested)
    return row | {"folded_in_rmse": folded, "refit_rmse": refit, "ratio": folded / refit}


def folded_in_rmse(model: Model, given: Ratings, test: Ratings) -> float:
    """RMSE for people who are folded in from what is given."""
    names = given.users.ids[np.unique(given.user)].tolist()
    squares = 0.0
    for person in model.fold_in_many({name: given.history(name) for name in names}):
        items, stars = test.by_user.row(test.users.row(person.name))
        error = model.clipped(model.score_people([person], items)[0]).astype(np.float64) - stars
        squares += float((error**2).sum())
    return float(np.sqrt(squares / len(test)))


def seconds_of_a_thousand(model: Model, turns: int = 5) -> float:
    """The median time to fold in 1,000 people of 20 ratings each, from ids to persons."""
    rng = np.random.default_rng(0)
    histories = {
        f"newcomer {number}": {
            model.items.ids[item]: float(rng.integers(1, 6))
            for item in rng.choice(len(model.items), 20, replace=False)
        }
        for number in range(1000)
    }
    model.fold_in_many(histories)  # compiles
    times = []
    for _ in range(turns):
        started = perf_counter()
        model.fold_in_many(histories)
        times.append(perf_counter() - started)
    return round(float(np.median(times)), 4)


if __name__ == "__main__":
    main()
