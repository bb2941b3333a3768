"""The unit of the ratings: the same settings on stars, on other scales, and on planted data.

Fold u1 of MovieLens 100K as it is, times 20 plus 100, and divided by 20 less 3: the RMSE, back in
stars, should be the same. Jester's jokes are rated from -10 to 10: a tenth of the ratings of 5,000
people is tested. The planted data have three factors, no biases, and noise of deviation 0.15, which
no error on held-out ratings can be below.

python benchmarks/units.py
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from data import folder_of_data, ml_100k
from jobs import RESULTS, Row, circumstances, keep
from matinee import __version__, splitting
from matinee.algorithms import ALGORITHMS, MF, NMF, Algorithm, SVDpp
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.splitting import Split
from other_data import NOT_RATED, jester_cells
from tables import table

SCALES = {"stars": (1.0, 0.0), "20 r + 100": (20.0, 100.0), "r / 20 - 3": (0.05, -3.0)}
PEOPLE = 5_000  # of Jester
N_FACTORS = (3, 10, 20)  # of fits to the planted data
NOISE = 0.15
KEY = ("algorithm",)
ALGORITHMS_MEASURED: dict[str, Callable[..., Algorithm]] = {
    "bias": ALGORITHMS["bias"],
    "item-knn": ALGORITHMS["item-knn"],
    "mf": MF,
    "mf solver=sgd": lambda **settings: MF(solver="sgd", **settings),
    "nmf": NMF,
    "svdpp": SVDpp,
    "bayesian-mf": ALGORITHMS["bayesian-mf"],
}
WITHOUT_FACTORS = ("bias", "item-knn")


def main() -> None:
    """Measure, show and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the data sets")
    parser.add_argument("--algorithms", nargs="+", default=list(ALGORITHMS_MEASURED))
    asked = parser.parse_args()
    folder = folder_of_data(asked.data)
    stars, jokes, planted = movielens(folder), jester(folder), planted_split()
    rows = []
    for name in asked.algorithms:
        make = ALGORITHMS_MEASURED[name]
        row: Row = {"algorithm": name}
        for scale, (a, b) in SCALES.items():
            row[scale] = (
                rmse(make(), splitting.given(times(stars.train, a, b), times(stars.test, a, b))) / a
            )
        row["jester"] = rmse(make(), jokes)
        for k in () if name in WITHOUT_FACTORS else N_FACTORS:
            row[f"planted {k}"] = rmse(make(n_factors=k), planted)
        rows.append(row)
        keep(
            RESULTS / "units.jsonl",
            row | {"versions": {"matinee": __version__}} | circumstances(2),
            KEY,
        )
        print(table(rows[-1:]), flush=True)


def rmse(algorithm: Algorithm, split: Split) -> float:
    """The error of predictions on the test part."""
    model = algorithm.fit(split.train)
    predicted = model.predict_rows(split.test.user, split.test.item)
    return float(np.sqrt(np.mean((predicted - split.test.rating.astype(np.float64)) ** 2)))


def times(ratings: Ratings, a: float, b: float) -> Ratings:
    """The ratings a r + b."""
    values = a * ratings.rating.astype(np.float64) + b
    return Ratings.of(ratings.users, ratings.items, ratings.user, ratings.item, values)


def movielens(folder: Path) -> Split:
    """Fold u1 of MovieLens 100K."""
    fold = next(ml_100k(folder, [1]))
    users, items = IdMap.of(range(fold.n_users), "user"), IdMap.of(range(fold.n_items), "item")
    return splitting.given(*(Ratings.of(users, items, *part) for part in (fold.train, fold.test)))


def jester(folder: Path) -> Split:
    """A tenth of the ratings of the first people of Jester 1 held out."""
    cells = jester_cells(folder)[:PEOPLE]
    return held_out(cells, cells != NOT_RATED)


def planted_split() -> Split:
    """Three factors and noise, 30 % of 1,000 x 300 cells known, a tenth of them held out."""
    rng = np.random.default_rng(3)
    P, Q = rng.normal(size=(1000, 3)), rng.normal(size=(300, 3))
    cells = 3 + P @ Q.T / np.sqrt(3) + rng.normal(0, NOISE, (1000, 300))
    return held_out(cells, rng.random(cells.shape) < 0.3)


def held_out(cells: np.ndarray, known: np.ndarray) -> Split:
    """The known cells (n_users, n_items) as ratings, a random tenth of them for the test."""
    user, item = np.nonzero(known)
    users, items = (
        IdMap.of(range(n), kind) for n, kind in zip(cells.shape, ("user", "item"), strict=True)
    )
    ratings = Ratings.of(users, items, user, item, cells[known])
    return splitting.random(ratings, test_share=0.1)


if __name__ == "__main__":
    main()
