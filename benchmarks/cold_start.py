"""Films that nobody rated: what features say of them, and what they cost on the others.

A tenth of the films of MovieLens 1M is held out of training with all ratings, and a tenth of the
other ratings too. RMSE on both; and among the held-out films alone, those that each user rated 4
or more are ranked against the others: AUC and NDCG@10, where equal scores count as a fair draw.

python benchmarks/cold_start.py
"""

from argparse import ArgumentParser
from time import perf_counter
from typing import Any

import numpy as np

from data import POSITIVE_FROM, folder_of_data
from jobs import RESULTS, Row, circumstances, keep
from matinee import __version__, splitting
from matinee.algorithms import MF, NMF, Bias, ContentBased, Hybrid, ImplicitALS
from matinee.algorithms.base import Algorithm
from matinee.data.ratings import Ratings
from matinee.evaluation.metrics.ranking import RankedTest, auc, ndcg
from matinee.kernels.threads import n_threads
from matinee.models import Model
from matinee.sources import read_ratings
from tables import table

CONTENDERS: tuple[Algorithm, ...] = (
    Bias(),
    ContentBased(),
    MF(),
    Hybrid(),
    NMF(),
    Hybrid(of="nmf"),
    ImplicitALS(),
    Hybrid(of="implicit-als"),
)
USERS_AT_ONCE = 500
KEY = ("algorithm", "data_set")
SHOWN = ("algorithm", "warm_rmse", "cold_rmse", "cold_auc", "cold_ndcg@10", "fit_seconds")


def main() -> None:
    """Measure, show and keep."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of ml-1m.zip")
    parser.add_argument("--data-set", default="ml-1m", choices=("ml-100k", "ml-1m"))
    given = parser.parse_args()
    ratings = read_ratings(folder_of_data(given.data) / f"{given.data_set}.zip")
    cold = splitting.cold_items(ratings, 0.1, seed=0)
    warm = splitting.random(cold.train, 0.1, seed=0)
    rows = []
    for algorithm in CONTENDERS:
        row = measured(algorithm, warm.train, warm.test, cold.test)
        row |= {
            "data_set": given.data_set,
            "splits": [str(cold), str(warm)],
            "versions": {"matinee": __version__, "numpy": np.__version__},
        }
        keep(RESULTS / "cold_start.jsonl", row | circumstances(n_threads()), KEY)
        rows.append({name: row[name] for name in SHOWN})
        print(table(rows[-1:]), flush=True)
    print(table(rows))


def measured(algorithm: Algorithm, train: Ratings, warm: Ratings, cold: Ratings) -> Row:
    """One algorithm's figures; no RMSE for scores that are no stars."""
    started = perf_counter()
    model: Any = algorithm.fit(train)
    seconds = perf_counter() - started
    stars = model.kind == "rating"
    ranked = ranking(model, cold)
    return {
        "algorithm": name_of(algorithm),
        "settings": algorithm.settings,
        "warm_rmse": rmse(model, warm) if stars else None,
        "cold_rmse": rmse(model, cold) if stars else None,
        "cold_auc": float(np.nanmean(auc(ranked))),
        "cold_ndcg@10": float(np.nanmean(ndcg(ranked, 10))),
        "users_ranked_for": len(ranked.relevant),
        "fit_seconds": round(seconds, 2),
    }


def name_of(algorithm: Algorithm) -> str:
    """``hybrid of nmf``, or the registered name."""
    of = f" of {algorithm.base.name}" if isinstance(algorithm, Hybrid) else ""
    return algorithm.name + of


def rmse(model: Model, test: Ratings) -> float:
    """Root of the mean squared error of predicted ratings."""
    error = model.predict_rows(test.user, test.item).astype(np.float64) - test.rating
    return float(np.sqrt(np.mean(error**2)))


def ranking(model: Model, cold: Ratings) -> RankedTest:
    """Where the liked films of each user stand among the films that are in ``cold``."""
    films = np.unique(cold.item)
    users = np.unique(cold.user[cold.rating >= POSITIVE_FROM])
    better, tied, counts = [], [], []
    for block in np.array_split(users, len(users) // USERS_AT_ONCE + 1):
        for user, scores in zip(block, model.score_block(block)[:, films], strict=True):
            items, stars = cold.by_user.row(int(user))
            mine = scores[np.searchsorted(films, items[stars >= POSITIVE_FROM])]
            better.append((scores > mine[:, None]).sum(axis=1))
            tied.append((scores == mine[:, None]).sum(axis=1))
            counts.append(len(mine))
    return RankedTest(
        np.append(0, np.cumsum(counts)),
        np.concatenate(better).astype(np.int32),
        np.concatenate(tied).astype(np.int32),
        np.full(len(counts), len(films), np.int32),
    )


if __name__ == "__main__":
    main()
