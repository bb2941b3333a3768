"""How near the settings that a fit learns come to the best of a grid, for implicit-als.

A fifth of each user's likes (at least 3/4 up the scale) is the test part; all other ratings train,
those below included, and none of them is ranked. NDCG@10 on up to 2,000 users. The grid has every
pair of a ratio and a strength (see ``matinee.training.balance``), each fitted on the same training
part; its best is chosen on the test part, so a loss is overstated where the pairs differ by chance.

python benchmarks/learned_settings.py --data-set ml-100k
"""

from argparse import ArgumentParser
from itertools import product

import numpy as np

from data import SEED, folder_of_data, lowest_fifth
from jobs import RESULTS, Row, circumstances, keep
from matinee import __version__, read_ratings
from matinee.algorithms import ImplicitALS
from matinee.data.ratings import Ratings
from matinee.kernels.threads import n_threads
from matinee.training.alternating import TableSummary
from matinee.training.balance import Balance
from matinee.training.held_out import HeldOut
from tables import table

RATIOS, STRENGTHS = (4.0, 12.0, 36.0), (0.35, 0.5, 0.8)
LOWEST = (1.0, 0.15)  # equal positives, and graded ones
LIKED = 0.75  # how far up the scale a rating is a like
KEY = ("algorithm", "lowest", "data_set")
SHOWN = ("algorithm", "lowest", "data_set", "learned", "best", "loss", "of_grid")


def main() -> None:
    """Measure, show and keep."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips")
    parser.add_argument("--data-set", default="ml-100k")
    options = parser.parse_args()
    ratings = read_ratings(folder_of_data(options.data) / f"{options.data_set}.zip")
    parts = likes_held_out(ratings)
    rows = []
    for lowest in LOWEST:
        row = {"data_set": options.data_set} | compared(ImplicitALS(lowest=lowest), parts)
        versions = {"matinee": __version__, "numpy": np.__version__}
        row |= {"versions": versions} | circumstances(n_threads())
        keep(RESULTS / "learned_settings.jsonl", row, KEY)
        rows.append({name: row[name] for name in SHOWN})
    print(table(rows))


def likes_held_out(ratings: Ratings) -> HeldOut:
    """The parts: a random fifth of each user's likes, and all other ratings."""
    low, high = ratings.scale
    liked = np.flatnonzero(ratings.rating >= low + LIKED * (high - low))
    draw = np.random.default_rng(SEED).random(len(liked))
    in_test = lowest_fifth(ratings.user, liked, draw)
    return HeldOut(ratings.subset(~in_test), ratings.subset(in_test))


def compared(algorithm: ImplicitALS, parts: HeldOut) -> Row:
    """NDCG@10 of the learned settings and of each of the grid; the loss in shares of the best."""
    summary, gains = TableSummary.of(parts.train), np.ones(len(parts.test))
    target = float(parts.train.scale.targets(parts.train.rating, algorithm.lowest).mean())
    model = algorithm.fit(parts.train)
    of_grid = {}
    for ratio, strength in product(RATIOS, STRENGTHS):
        balance = Balance(ratio, strength)
        unobserved = balance.unobserved(summary)
        reg = balance.reg(summary, unobserved, algorithm.reg_power, target)
        given = ImplicitALS(lowest=algorithm.lowest, reg=reg, unobserved=unobserved)
        of_grid[str(balance)] = parts.ndcg(given.fit(parts.train), gains)
    learned, best = parts.ndcg(model, gains), max(of_grid, key=of_grid.__getitem__)
    return {
        "algorithm": algorithm.name,
        "lowest": algorithm.lowest,
        "learned": learned,
        "best": of_grid[best],
        "loss": 1 - learned / of_grid[best],
        "of_grid": best,
        "grid": of_grid,
        "facts": dict(model.facts),
    }


if __name__ == "__main__":
    main()
