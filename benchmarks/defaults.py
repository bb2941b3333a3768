"""How near the usual settings come to tuned ones: ``matinee tune`` over every algorithm.

A fifth of the ratings is the test part: of all ratings for RMSE, of each user's likes for NDCG@10.
Settings are searched on the other four fifths, divided once more, and the winner is fitted on all
four: the test part judges the usual and the tuned settings once each, and chooses nothing.

python benchmarks/defaults.py --data-set ml-100k
"""

from argparse import ArgumentParser, Namespace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from data import POSITIVE_FROM, SEED, folder_of_data
from jobs import LIST_LENGTH, RESULTS, Row, circumstances, keep
from matinee import __version__, evaluate, read_ratings, splitting, tune
from matinee.algorithms import ALGORITHMS, Algorithm
from matinee.data.ratings import Ratings
from matinee.kernels.threads import n_threads
from matinee.splitting import Split
from ours import algorithm_of
from tables import table

# Beside the defaults of all that state a search space: what is tuned as an algorithm of its own.
VARIANTS: tuple[dict[str, Any], ...] = (
    {"algorithm": "mf", "solver": "sgd"},
    {"algorithm": "item-knn", "feedback": "preference"},
    {"algorithm": "user-knn", "feedback": "preference"},
)
METRIC = {"rating": "rmse", "preference": f"ndcg@{LIST_LENGTH}"}
NEAR = 0.01  # how much worse the usual settings may be than the tuned ones
KEY = ("algorithm", "data_set")
SHOWN = ("algorithm", "metric", "usual", "tuned", "loss", "trials", "chosen")


def main() -> None:
    """Tune, show and keep."""
    asked = arguments()
    ratings = read_ratings(folder_of_data(asked.data) / f"{asked.data_set}.zip")
    parts = {
        "rating": splitting.random(ratings, seed=SEED),
        "preference": splitting.per_user(ratings.positives_from(POSITIVE_FROM), seed=SEED),
    }
    rows = []
    for name, algorithm in tunable().items():
        if not any(fnmatchcase(name, one) for one in asked.algorithms):
            continue
        row = {"algorithm": name, "data_set": asked.data_set}
        row |= compared(algorithm, parts[algorithm.kind], asked)
        versions = {"matinee": __version__, "numpy": np.__version__}
        keep(
            RESULTS / "defaults.jsonl",
            row | {"versions": versions} | circumstances(n_threads()),
            KEY,
        )
        rows.append({one: row[one] for one in SHOWN})
        print(table(rows[-1:]), flush=True)
    if rows:
        print(table(sorted(rows, key=lambda row: -row["loss"])))


def arguments() -> Namespace:
    """The command line."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips")
    parser.add_argument("--data-set", default="ml-100k", choices=("ml-100k", "ml-1m"))
    parser.add_argument(
        "--algorithms", nargs="+", default=["*"], metavar="NAME", help="or patterns"
    )
    parser.add_argument("--trials", type=int, default=30, help="for each; %(default)s")
    parser.add_argument(
        "--seconds",
        type=float,
        default=60.0,
        help="then no trial of an algorithm begins; %(default)s",
    )
    return parser.parse_args()


def tunable() -> dict[str, Algorithm]:
    """Every algorithm that says which of its settings are worth searching, by name."""
    usual = {name: kind() for name, kind in ALGORITHMS.items() if kind.space}
    return usual | {"-".join(one.values()): algorithm_of(one) for one in VARIANTS}


def compared(algorithm: Algorithm, split: Split, asked: Namespace) -> Row:
    """The usual settings and the tuned ones on the test part; ``loss`` is in shares of tuned."""
    metric = METRIC[algorithm.kind]
    found = tune(
        algorithm, split, metric=metric, budget=asked.trials, seconds=asked.seconds, seed=SEED
    )
    tuned = found.test.metrics[metric]
    usual = of_test(algorithm, split.train, split.test, metric)
    sign = -1 if found.higher_is_better else 1
    return {
        "metric": metric,
        "usual": usual,
        "tuned": tuned,
        "loss": sign * (usual / tuned - 1),
        "trials": len(found.trials),
        "tuning_seconds": found.seconds,
        "interval": found.test_interval,
        "settings": algorithm.settings,
        "chosen": {name: found.algorithm.settings[name] for name in found.space},
    }


def of_test(algorithm: Algorithm, train: Ratings, test: Ratings, metric: str) -> float:
    """What one fit scores on the test part."""
    names = [metric.partition("@")[0]]
    return evaluate(algorithm.fit(train), test, (LIST_LENGTH,), metrics=names).metrics[metric]


if __name__ == "__main__":
    main()
