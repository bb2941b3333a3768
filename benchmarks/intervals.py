"""How often the intervals of our models hold the ratings that they were promised to hold.

    python benchmarks/intervals.py                                  all models, both data sets
    python benchmarks/intervals.py --contenders mf nmf --data-set ml-100k

One random fold of five is held out (``matinee cross-validate --folds 5 --seed 0``). Models see the
other four alone, and calibrate their intervals on them. Users are told apart in quarters by their
number of training ratings. Test ratings of users or items without training ratings do not count.
"""

import argparse
import warnings
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from data import SEED, folder_of_data
from jobs import RESULTS, Row, circumstances, keep, read_rows
from matinee import __version__, splitting
from matinee.algorithms import ALGORITHMS
from matinee.data.ratings import Ratings
from matinee.kernels.threads import n_threads
from matinee.models import Model
from matinee.sources import read_ratings
from tables import table

KEY = ("contender", "data_set")
FILE = RESULTS / "intervals.jsonl"
LEVELS = (0.5, 0.8, 0.9, 0.95)
JUDGED, LOW, HIGH = 0.8, 0.77, 0.83  # the level that has a bar, and the bar
CONTENDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "mf": ("mf", {}),
    "mf-sgd": ("mf", {"solver": "sgd"}),
    "nmf": ("nmf", {}),
    "svdpp": ("svdpp", {}),
    "bias": ("bias", {}),
    "bayesian-mf": ("bayesian-mf", {}),
}
SAMPLED = {"bayesian-mf": 150}  # users of each quarter, where intervals take their time


def main() -> None:
    """Measure what is asked for, keep it, and show all there is."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    asked.add_argument("--data-set", choices=("ml-100k", "ml-1m"), action="append")
    asked.add_argument("--data", help="the folder with the zips")
    given = asked.parse_args()
    for data_set in given.data_set or ("ml-100k", "ml-1m"):
        split = first_fold(folder_of_data(given.data) / f"{data_set}.zip")
        for name in given.contenders:
            row = {"contender": name, "data_set": data_set} | measured(name, split)
            keep(
                FILE,
                row
                | {"versions": {"matinee": __version__, "numpy": np.__version__}}
                | circumstances(n_threads()),
                KEY,
            )
    print(table([shown(row) for row in read_rows(FILE)]))


def first_fold(path: Path) -> splitting.Split:
    """The first of five random folds as the test part."""
    return next(iter(splitting.k_fold(read_ratings(path), 5, SEED)))


def measured(name: str, split: splitting.Split) -> Row:
    """Shares of test ratings inside their intervals, and how wide these are."""
    kind, settings = CONTENDERS[name]
    algorithm = ALGORITHMS[kind](**settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = perf_counter()
        model = algorithm.fit(split.train)
        fitted = perf_counter()
        model.interval(known_users(model)[0], model.items.ids[0])
        calibrated = perf_counter()
    quarter = quarters(model)
    users = chosen(model, split.test, quarter, SAMPLED.get(name))
    inside, width, group = held(model, split.test, users, quarter)
    return {
        "settings": {"algorithm": kind, **algorithm.settings},
        "test_ratings": len(group),
        "inside": {str(level): float(inside[level].mean()) for level in LEVELS},
        "inside_by_quarter": [float(inside[JUDGED][group == q].mean()) for q in range(4)],
        "mean_width": {str(level): float(width[level].mean()) for level in LEVELS},
        "fit_wall_seconds": fitted - started,
        "calibration_wall_seconds": calibrated - fitted,
        "interval_wall_seconds_per_user": (perf_counter() - calibrated) / len(users) / len(LEVELS),
    }


def known_users(model: Model) -> np.ndarray:
    """Ids of the users with training ratings."""
    return np.asarray(model.users.ids[model.seen.counts > 0])


def quarters(model: Model) -> np.ndarray:
    """Which quarter of the users each is in by training ratings: 0, the fewest, to 3."""
    counts = model.seen.counts
    return np.digitize(counts, np.quantile(counts[counts > 0], [0.25, 0.5, 0.75]))


def chosen(model: Model, test: Ratings, quarter: np.ndarray, most: int | None) -> np.ndarray:
    """Rows of the users to measure: all with test ratings, or so many drawn of each quarter."""
    users = np.unique(test.user[model.seen.counts[test.user] > 0])
    if most is None:
        return users
    rng = np.random.default_rng(SEED)
    parts = [users[quarter[users] == q] for q in range(4)]
    drawn = [rng.choice(part, min(most, len(part)), replace=False) for part in parts]
    return np.sort(np.concatenate(drawn))


def held(
    model: Model, test: Ratings, users: np.ndarray, quarter: np.ndarray
) -> tuple[dict[float, np.ndarray], dict[float, np.ndarray], np.ndarray]:
    """By level, which ratings are inside and how wide the intervals; and the quarter of each."""
    inside: dict[float, list[np.ndarray]] = {level: [] for level in LEVELS}
    width: dict[float, list[np.ndarray]] = {level: [] for level in LEVELS}
    group = []
    for user in users.tolist():
        items, ratings = test.by_user.row(user)
        known = model.item_counts[items] > 0
        items, ratings = items[known], ratings[known]
        group.append(np.full(len(items), quarter[user]))
        for level in LEVELS:
            found = model.interval(model.users.ids[user], model.items.ids[items], level)
            low, high = np.array(found.low), np.array(found.high)
            inside[level].append((ratings >= low) & (ratings <= high))
            width[level].append(high - low)
    return (
        {level: np.concatenate(parts) for level, parts in inside.items()},
        {level: np.concatenate(parts) for level, parts in width.items()},
        np.concatenate(group),
    )


def shown(row: Row) -> Row:
    """A row as it is printed; the bar is on the 80 % interval, overall and in each quarter."""
    all_of_them = [row["inside"][str(JUDGED)], *row["inside_by_quarter"]]
    return {
        "contender": row["contender"],
        "data set": row["data_set"],
        **{f"{float(level):.0%}": share for level, share in row["inside"].items()},
        **{f"80% Q{q}": share for q, share in enumerate(row["inside_by_quarter"], start=1)},
        "width 80%": row["mean_width"][str(JUDGED)],
        "held": "yes" if all(LOW <= share <= HIGH for share in all_of_them) else "no",
    }


if __name__ == "__main__":
    main()
