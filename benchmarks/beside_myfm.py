"""Predicted stars beside tuned myFM, on other scales than MovieLens: RMSE.

A fifth of the ratings is the test part, by chance. myFM's rank is chosen by RMSE on a fifth of the
training part; then it learns from all of it, in three runs of the sampler with other seeds. Ours
run with nothing set. The difference is of squared errors on the same ratings, with its standard
error over users, whose ratings hang together.

python benchmarks/beside_myfm.py --data-set filmtrust
"""

from argparse import ArgumentParser
from collections.abc import Callable
from importlib.metadata import version
from time import process_time
from typing import Any

import numpy as np

from data import Part, folder_of_data
from jobs import RESULTS, Row, circumstances, keep
from matinee import __version__, splitting
from matinee.algorithms import ALGORITHMS
from matinee.data.ratings import Ratings
from matinee.kernels.threads import n_threads
from matinee.splitting import Split
from other_data import ratings_of
from peers import myfm
from tables import table

SEED = 42
SETS = ("filmtrust", "ciao", "jester")
OURS = ("bayesian-mf", "blend", "mf")
RANKS = (1, 2, 4, 8, 16)
N_ITER = 300
SEEDS = (0, 1, 2)
KEY = ("data_set", "contender")
SHOWN = ("data_set", "contender", "rmse", "of_runs", "ahead", "error", "settings")

Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]


def main() -> None:
    """Measure, show and keep."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips, with the others in more/")
    parser.add_argument("--data-set", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--algorithm", nargs="+", default=OURS, choices=ALGORITHMS)
    options = parser.parse_args()
    rows = []
    for name in options.data_set:
        ratings = ratings_of(name, folder_of_data(options.data))
        split = splitting.random(ratings, test_share=0.2, seed=SEED)
        for row in compared(split, options.algorithm):
            row |= {"data_set": name, "split_seed": SEED} | circumstances(n_threads())
            keep(RESULTS / "beside_myfm.jsonl", row, KEY)
            rows.append({one: row.get(one, "") for one in SHOWN})
            print(table(rows[-1:]), flush=True)
    print(table(rows))


def compared(split: Split, algorithms: list[str]) -> list[Row]:
    """A row for myFM, then one for each of ours with how far it is ahead."""
    started = process_time()
    rank = best_rank(split.train)
    runs = [squares(of_myfm(split.train, rank, seed), split.test) for seed in SEEDS]
    peer = np.mean(runs, axis=0)
    of_runs = [round(float(np.sqrt(one.mean())), 4) for one in runs]
    rows: list[Row] = [
        {
            "contender": "myfm",
            "rmse": round(float(np.mean(of_runs)), 4),
            "of_runs": of_runs,
            "settings": {"rank": rank, "n_iter": N_ITER},
            "processor_seconds": round(process_time() - started, 1),
            "versions": {"myfm": version("myfm")},
        }
    ]
    for name in algorithms:
        started = process_time()
        model = ALGORITHMS[name](choice=None).fit(split.train)
        own = squares(model.predict_rows, split.test)
        rows.append(
            {"contender": name, "rmse": round(float(np.sqrt(own.mean())), 4)}
            | difference(peer, own, split.test)
            | {
                "processor_seconds": round(process_time() - started, 1),
                "versions": {"matinee": __version__},
            }
        )
    return rows


def best_rank(train: Ratings) -> int:
    """The rank of the least RMSE on a held-out fifth."""
    part = splitting.random(train, test_share=0.2, seed=SEED)
    errors = {rank: squares(of_myfm(part.train, rank, 0), part.test).mean() for rank in RANKS}
    return min(errors, key=errors.__getitem__)


def of_myfm(train: Ratings, rank: int, seed: int) -> Predict:
    """Predictions of myFM, clipped to the scale."""
    part = Part(train.user, train.item, train.rating)
    prepared = myfm.prepare(part, train.n_users, train.n_items)
    settings: dict[str, Any] = {"rank": rank, "n_iter": N_ITER, "random_seed": seed}
    predict = myfm.fit(prepared, settings).predict
    assert predict is not None
    return lambda user, item: np.clip(predict(user, item), *train.scale)


def squares(predict: Predict, test: Ratings) -> np.ndarray:
    """The squared error of each rating of the test part."""
    predicted = np.asarray(predict(test.user, test.item), np.float64)
    return np.asarray((predicted - test.rating.astype(np.float64)) ** 2)


def difference(peer: np.ndarray, own: np.ndarray, test: Ratings) -> Row:
    """How much lower our RMSE is, and the standard error of that over users."""
    rmse = np.sqrt(peer.mean()), np.sqrt(own.mean())
    gains = (peer - own) / (rmse[0] + rmse[1])  # add up to the difference of the roots
    of_users = np.bincount(test.user, gains - gains.mean(), test.n_users)
    error = np.sqrt((of_users**2).sum()) / len(own)
    return {"ahead": round(float(rmse[0] - rmse[1]), 4), "error": round(float(error), 4)}


if __name__ == "__main__":
    main()
