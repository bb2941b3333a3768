"""Fits on wide, empty catalogues: processor seconds, beside the products that the kernels compute.

    python benchmarks/wide.py

Users and items by a power law, with the margins of Gowalla and of Amazon's categories. A product is
a pair of entries of one user: what a comparison of all items that share one costs at least.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np

from jobs import RESULTS, Row, circumstances, keep
from matinee.algorithms import Algorithm, ItemKNN, RP3beta
from matinee.data.ratings import Ratings
from matinee.sources.synthetic import checkerboard, numbered
from power_law import FALL
from tables import table

KEY = ("algorithm", "items")
CHOICES: tuple[Algorithm, ...] = (
    ItemKNN(feedback="preference"),
    RP3beta(beta=0.3),
    RP3beta(),  # learns beta on held-out choices
)
STARS: tuple[Algorithm, ...] = (ItemKNN(choice=None),)
TABLES = (  # users, items, ratings drawn (some twice), algorithms
    (30_000, 27_000, 900_000, CHOICES),
    (30_000, 41_000, 900_000, CHOICES),
    (15_000, 15_000, 55_000, STARS),
)


def ratings_of(n_users: int, n_items: int, n: int, seed: int = 0) -> Ratings:
    """Stars at random for pairs whose margins fall by a power law."""
    rng = np.random.default_rng(seed)
    activity = rng.lognormal(0.0, 1.0, n_users)
    popularity = np.arange(1, n_items + 1) ** -FALL
    user = rng.choice(n_users, n, p=activity / activity.sum())
    item = rng.choice(n_items, n, p=popularity / popularity.sum())
    pairs = np.unique(user * n_items + item)
    stars = rng.integers(1, 6, len(pairs)).astype(np.float32)
    user, item = ((half.astype(np.int32)) for half in np.divmod(pairs, n_items))
    return numbered(n_users, n_items, user, item, stars, None)


def label_of(algorithm: Algorithm) -> str:
    """The name, and the settings that are not the default."""
    settings = {name: value for name, value in algorithm.non_default_settings.items() if value}
    return " ".join([algorithm.name, *(f"{name}={value}" for name, value in settings.items())])


def main() -> None:
    """Measure, keep and show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--results", default=str(RESULTS), help="folder of the JSON lines")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    rows: list[Row] = []
    for n_users, n_items, n, algorithms in TABLES:
        ratings = ratings_of(n_users, n_items, n)
        products = int((ratings.user_counts.astype(np.int64) ** 2).sum())
        for algorithm in algorithms:
            algorithm.fit(checkerboard(40))  # compiled by then
            started = time.process_time()
            algorithm.fit(ratings)
            row: Row = {
                "algorithm": label_of(algorithm),
                "users": n_users,
                "items": n_items,
                "ratings": len(ratings),
                "million_products": round(products / 1e6, 1),
                "cpu_seconds": round(time.process_time() - started, 2),
            }
            rows.append(row)
            keep(Path(asked.results) / "wide.jsonl", row | circumstances(1), KEY)
    print(table(rows))


if __name__ == "__main__":
    main()
