"""What time would add: item biases by bins of time, and a drift of each user (Koren 2009).

    r_ui - mu ~ b_u + c_i + c_i,bin(t) + a_u dev_u(t),   dev_u(t) = sign(t - t_u) |t - t_u|^0.4
    min  sum of squares + damping (sum c_i,bin^2 + sum a_u^2) + the penalties of ``Bias``

t is in days and t_u the mean time of u's ratings; bins hold equally many ratings. The terms are
fitted with the biases, taken off the training ratings, and an algorithm learns the rest. Its
scores are measured without them (algorithm), with the terms of the time at which each test rating
was given, and with those of the newest training rating, which is when a recommendation is made.

python benchmarks/time_terms.py --data-set ml-100k
"""

from argparse import ArgumentParser
from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np

from data import SEED, folder_of_data
from jobs import RESULTS, Row, circumstances, keep
from matinee import __version__, read_ratings, splitting
from matinee.algorithms import MF, Algorithm, Bias, SVDpp
from matinee.data.ratings import Ratings
from matinee.evaluation.metrics.rating import rmse
from matinee.kernels.threads import n_threads
from matinee.splitting import Split
from tables import table

DAY = 86_400.0
POWER = 0.4  # Koren's beta
SWEEPS = 15
BINS = 30
# Penalties on the bins and on the drift; np.inf leaves a term out.
DAMPINGS = {"bins": (100.0, np.inf), "drift": (np.inf, 500.0), "both": (100.0, 500.0)}
ALGORITHMS: tuple[Algorithm, ...] = (Bias(), MF(), SVDpp())
KEY = ("data_set", "split", "algorithm", "terms")


class TimeTerms(NamedTuple):
    """What was learned of time."""

    edges: np.ndarray  # (BINS - 1,) seconds since 1970: where the next bin begins
    of_bin: np.ndarray  # (n_items, BINS) in stars
    drift: np.ndarray  # (n_users,) a_u
    middle: np.ndarray  # (n_users,) t_u

    @classmethod
    def learn(cls, train: Ratings, bin_damping: float, drift_damping: float) -> Self:
        """Each part solved in turn against the others, with the biases."""
        usual, t = Bias(), times(train)
        user, item, y = train.user, train.item, train.rating - train.mean
        n_u, n_i = train.user_counts, train.item_counts
        middle = np.bincount(user, t, train.n_users) / np.maximum(n_u, 1)
        edges = np.quantile(t, np.arange(1, BINS) / BINS)
        cell = item * BINS + np.searchsorted(edges, t)
        n_cell = np.bincount(cell, minlength=train.n_items * BINS)
        d = deviation(t - middle[user])
        b, c, a, f = (
            np.zeros(n) for n in (train.n_users, train.n_items, train.n_users, train.n_items * BINS)
        )
        for _ in range(SWEEPS):
            off = y - b[user] - f[cell] - a[user] * d
            c = np.bincount(item, off, len(c)) / (n_i + usual.item_damping)
            off = y - b[user] - c[item] - a[user] * d
            f = np.bincount(cell, off, len(f)) / (n_cell + bin_damping)
            off = y - c[item] - f[cell] - a[user] * d
            b = np.bincount(user, off, len(b)) / (n_u + usual.user_damping)
            off = y - c[item] - f[cell] - b[user]
            a = np.bincount(user, off * d, len(a)) / (
                np.bincount(user, d * d, len(a)) + drift_damping
            )
        return cls(edges, f.reshape(-1, BINS), a, middle)

    def at(self, ratings: Ratings, t: np.ndarray) -> np.ndarray:
        """The terms of each rating's user and item at the times ``t``, in stars."""
        of_item = self.of_bin[ratings.item, np.searchsorted(self.edges, t)]
        of_user = self.drift[ratings.user] * deviation(t - self.middle[ratings.user])
        total: np.ndarray = of_item + of_user
        return total


def times(ratings: Ratings) -> np.ndarray:
    """When each rating was given, float64 seconds."""
    assert ratings.timestamp is not None
    return ratings.timestamp.astype(np.float64)


def deviation(seconds: np.ndarray) -> np.ndarray:
    """dev_u(t), of the time that has gone by since t_u."""
    days = seconds / DAY
    bent: np.ndarray = np.sign(days) * np.abs(days) ** POWER
    return bent


def main() -> None:
    """Measure, show and keep."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips")
    parser.add_argument("--data-set", default="ml-100k", choices=("ml-100k", "ml-1m"))
    given = parser.parse_args()
    ratings = read_ratings(folder_of_data(given.data) / f"{given.data_set}.zip")
    parts = {
        "random": splitting.random(ratings, seed=SEED),
        "last 10 of each user": splitting.leave_last(ratings, 10),
        "by time": splitting.by_time(ratings),
    }
    rows = []
    for name, split in parts.items():
        for row in measured(split):
            row |= {
                "data_set": given.data_set,
                "split": name,
                "versions": {"matinee": __version__, "numpy": np.__version__},
            }
            keep(RESULTS / "time_terms.jsonl", row | circumstances(n_threads()), KEY)
            rows.append({"split": name} | {one: row[one] for one in SHOWN})
        print(table(rows), flush=True)


SHOWN = ("algorithm", "terms", "rmse", "then", "now")


def measured(split: Split) -> list[Row]:
    """RMSE without terms, and how it changes with them: as of then, and as of now."""
    train, test = split.train, split.test
    usual = {
        one.name: error(one.fit(train).score_rows(test.user, test.item), test) for one in ALGORITHMS
    }
    now = np.full(len(test), times(train).max())
    rows = []
    for what, dampings in DAMPINGS.items():
        terms = TimeTerms.learn(train, *dampings)
        rest = (train.rating - terms.at(train, times(train))).astype(np.float32)
        for one in ALGORITHMS:
            scores = one.fit(replace(train, rating=rest)).score_rows(test.user, test.item)
            then, later = (error(scores + terms.at(test, t), test) for t in (times(test), now))
            base = usual[one.name]
            rows.append(
                {
                    "algorithm": one.name,
                    "settings": one.settings,
                    "terms": what,
                    "rmse": base,
                    "then": then - base,
                    "now": later - base,
                }
            )
    return rows


def error(scores: np.ndarray, test: Ratings) -> float:
    """RMSE of scores, clipped."""
    return rmse(test.rating, np.clip(scores, *test.scale))


if __name__ == "__main__":
    main()
