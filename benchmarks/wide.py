"""Fits on wide, empty catalogues, beside the products that the kernels compute, and beside peers.

    python benchmarks/wide.py

Users and items by a power law, with the margins of Gowalla and of Amazon's categories. A product is
a pair of entries of one user: what a comparison of all items that share one costs at least. Peers
that are not installed are left out.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from jobs import RESULTS, Row, circumstances, keep
from matinee.algorithms import Algorithm, BayesianMF, ItemKNN, RP3beta
from matinee.data.ratings import Ratings
from matinee.sources.synthetic import checkerboard, numbered
from power_law import FALL
from tables import table

KEY = ("algorithm", "items")


@dataclass(frozen=True)
class Peer:
    """A peer with settings; its adapter of ``peers/`` fits it."""

    library: str
    settings: dict[str, Any]


COSINE, WALK = ItemKNN(feedback="preference"), RP3beta(beta=0.3)
OF_COSINE, OF_WALK = COSINE.n_neighbors, WALK.n_neighbors  # peers keep as many neighbours
CHOICES = (
    COSINE,
    Peer("irspack", {"model": "CosineKNNRecommender", "top_k": OF_COSINE}),
    Peer("implicit", {"model": "nearest_neighbours.CosineRecommender", "K": OF_COSINE}),
    WALK,
    RP3beta(),  # learns beta on held-out choices
    Peer("irspack", {"model": "RP3betaRecommender", "top_k": OF_WALK, "beta": 0.3}),
)
STARS = (ItemKNN(choice=None),)
SAMPLES = (BayesianMF(choice=None), Peer("myfm", {"rank": 20, "n_iter": 300}))
TABLES: tuple[tuple[int, int, int, tuple[Algorithm | Peer, ...]], ...] = (
    (30_000, 27_000, 900_000, CHOICES),  # users, items, ratings drawn (some twice), who fits them
    (30_000, 41_000, 900_000, CHOICES),
    (15_000, 15_000, 55_000, STARS),
    (17_600, 16_000, 60_000, SAMPLES),
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


def label_of(contender: Algorithm | Peer) -> str:
    """The name, and the settings that are not the default."""
    if isinstance(contender, Peer):
        name, settings = contender.library, contender.settings
    else:
        name, settings = contender.name, contender.non_default_settings
    return " ".join([name, *(f"{one}={value}" for one, value in settings.items() if value)])


def ready(contender: Algorithm | Peer, ratings: Ratings) -> Callable[[], object]:
    """The fit to be timed: of ours compiled, of a peer with the data in its own form."""
    if isinstance(contender, Peer):
        import_module(contender.library)
        adapter = import_module(f"peers.{contender.library}")
        prepared = adapter.prepare(ratings, ratings.n_users, ratings.n_items)
        return lambda: adapter.fit(prepared, contender.settings)
    contender.fit(checkerboard(40))
    return lambda: contender.fit(ratings)


def main() -> None:
    """Measure, keep and show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--results", default=str(RESULTS), help="folder of the JSON lines")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    rows: list[Row] = []
    for n_users, n_items, n, contenders in TABLES:
        ratings = ratings_of(n_users, n_items, n)
        products = int((ratings.user_counts.astype(np.int64) ** 2).sum())
        for contender in contenders:
            if isinstance(contender, Peer) and find_spec(contender.library) is None:
                continue
            fit = ready(contender, ratings)
            started = time.process_time()
            fit()
            row: Row = {
                "algorithm": label_of(contender),
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
