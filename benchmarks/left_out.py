"""What settings lose on data they were not chosen on: those learned in the fit, and constants.

A fifth of each user's likes is held out as ``other_data`` does it, and NDCG@10 is measured on up to
2,000 users. On every data set each algorithm is fitted with its defaults and with each setting of a
grid. Three losses against the best of the grid on that very set, which its test part chooses:

* default: what the fit learns by itself;
* left out: the one setting of the grid that is best on average on all other sets;
* worst: the worst of the grid, or what there is to lose.

A default whose loss is about that of the constant left out has learned nothing worth its time.

python benchmarks/left_out.py --data-set filmtrust ml-100k
"""

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from time import process_time
from typing import Any

from beside_peers import Lists
from data import folder_of_data
from jobs import LIST_LENGTH, RESULTS, Row, circumstances, keep, read_rows
from matinee import __version__
from matinee.algorithms import BPR, EASE, Algorithm, ItemKNN, RP3beta, UserKNN
from matinee.kernels.threads import n_threads
from other_data import SEED, SETS, held_out, ratings_of
from tables import table

CHOICES = {"feedback": "preference"}
GRIDS: dict[str, tuple[type[Algorithm], dict[str, Any], str, tuple[float, ...]]] = {
    "ease": (EASE, {}, "reg", (5, 20, 80, 300, 1200)),
    "rp3beta": (RP3beta, {}, "beta", (0.1, 0.2, 0.3, 0.45, 0.6)),
    "item-knn": (ItemKNN, CHOICES, "shrinkage", (0, 5, 25, 100)),
    "user-knn": (UserKNN, CHOICES, "shrinkage", (0, 5, 25, 100)),
    "bpr": (BPR, {}, "n_epochs", (10, 30, 100, 240)),
}
FILE = RESULTS / "left_out.jsonl"
KEY = ("algorithm", "data_set")


def main() -> None:
    """Measure, keep, and show the losses of all that was ever kept."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips, with the others in more/")
    parser.add_argument("--data-set", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--algorithm", nargs="+", default=list(GRIDS), choices=GRIDS)
    options = parser.parse_args()
    for data_set in options.data_set:
        lists = Lists(*held_out(ratings_of(data_set, folder_of_data(options.data))))
        for algorithm in options.algorithm:
            row = {"algorithm": algorithm, "data_set": data_set, "split_seed": SEED}
            row |= measured(algorithm, lists)
            row |= {"versions": {"matinee": __version__}} | circumstances(n_threads())
            keep(FILE, row, KEY)
    rows = list(losses(read_rows(FILE)))
    print(table(rows))
    print(table(list(summary(rows))))


def measured(name: str, lists: Lists) -> Row:
    """NDCG@10 of the default and of each setting of the grid."""
    kind, given, setting, values = GRIDS[name]
    started = process_time()
    default = ndcg(kind(**given), lists)
    seconds = process_time() - started
    grid = {f"{value:g}": ndcg(kind(**given, **{setting: value}), lists) for value in values}
    return {
        "setting": setting,
        f"ndcg@{LIST_LENGTH}": default,
        "grid": grid,
        "processor_seconds": round(seconds, 1),
    }


def ndcg(algorithm: Algorithm, lists: Lists) -> float:
    """The mean over the users of one fit."""
    model = algorithm.fit(lists.train)
    return round(float(lists.ndcg(map(model.score_block, lists.blocks)).mean()), 4)


def losses(rows: Iterable[Row]) -> Iterator[Row]:
    """The losses of each algorithm on each data set, in shares of the best of the grid."""
    kept = list(rows)
    for row in kept:
        grid = row["grid"]
        best = max(grid, key=grid.__getitem__)
        others = [
            one["grid"]
            for one in kept
            if one["algorithm"] == row["algorithm"] and one["data_set"] != row["data_set"]
        ]
        left_out = max(grid, key=lambda value: mean_share(value, others))
        yield {
            "algorithm": row["algorithm"],
            "data_set": row["data_set"],
            "best": f"{row['setting']}={best}",
            "ndcg@10": grid[best],
            "default": 1 - row[f"ndcg@{LIST_LENGTH}"] / grid[best],
            "left out": 1 - grid[left_out] / grid[best],
            "worst": 1 - min(grid.values()) / grid[best],
        }


def summary(rows: list[Row]) -> Iterator[Row]:
    """The mean and the largest loss of each algorithm over all data sets, as docs/choosing.md."""
    for algorithm in dict.fromkeys(row["algorithm"] for row in rows):
        own = [row for row in rows if row["algorithm"] == algorithm]
        columns: Row = {"algorithm": algorithm, "data sets": len(own)}
        for loss in ("default", "left out"):
            columns[f"{loss}: mean"] = sum(row[loss] for row in own) / len(own)
            most = max(own, key=lambda row: row[loss])
            columns[f"{loss}: largest"] = f"{most[loss]:.4f} ({most['data_set']})"
        yield columns


def mean_share(value: str, grids: list[dict[str, float]]) -> float:
    """The mean share of the best of each grid that a setting reaches."""
    return sum(grid[value] / max(grid.values()) for grid in grids) / max(len(grids), 1)


if __name__ == "__main__":
    main()
