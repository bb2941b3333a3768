"""What settings lose on data they were not chosen on: those learned in the fit, and constants.

On every data set each algorithm is fitted with its defaults and with each setting of a grid. Lists:
a fifth of each user's likes is held out as ``other_data`` does it, and NDCG@10 is measured on up to
2,000 users. Stars (nmf): a random fifth of the ratings is held out, and RMSE is measured. Three
losses against the best of the grid on that very set, which its test part chooses:

* default: what the fit learns by itself;
* left out: the one setting of the grid that is best on average on all other sets;
* worst: the worst of the grid, or what there is to lose.

A default whose loss is about that of the constant left out has learned nothing worth its time.
Where a test part has few likes its noise alone parts a grid: ``--splits`` takes means of several.

python benchmarks/left_out.py --data-set filmtrust ml-100k
python benchmarks/left_out.py --data-set ciao --algorithm implicit-als --splits 5
"""

from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from statistics import fmean
from time import process_time
from typing import Any, NamedTuple

from beside_peers import Lists
from data import folder_of_data
from jobs import LIST_LENGTH, RESULTS, Row, circumstances, keep, read_rows
from matinee import __version__, splitting
from matinee.algorithms import BPR, EASE, NMF, Algorithm, ImplicitALS, ItemKNN, RP3beta, UserKNN
from matinee.data.ratings import Ratings
from matinee.evaluation.metrics.rating import rmse
from matinee.kernels.threads import n_threads
from matinee.training.alternating import TableSummary
from matinee.training.balance import BALANCES
from other_data import SEED, SETS, held_out, ratings_of
from tables import table

FILE = RESULTS / "left_out.jsonl"
KEY = ("algorithm", "data_set")
NDCG, RMSE = f"ndcg@{LIST_LENGTH}", "rmse"


class Grid(NamedTuple):
    """The default, and the settings that it is compared with, by what they are called."""

    default: Algorithm
    settings: str  # that differ
    on: Callable[[Ratings], dict[str, Algorithm]]  # the grid for a training part
    metric: str = NDCG


def of_values(kind: type[Algorithm], setting: str, *values: float, **given: Any) -> Grid:
    """A grid of the values of one setting."""
    grid = {f"{value:g}": kind(**given, **{setting: value}) for value in values}
    return Grid(kind(**given), setting, lambda _: grid)


def balances(train: Ratings) -> dict[str, Algorithm]:
    """ImplicitALS by the ratio of the unobserved to the positives with its penalty, and factors."""
    summary, reg_power = TableSummary.of(train), ImplicitALS().reg_power
    grid: dict[str, Algorithm] = {}
    for balance, n_factors in product(BALANCES, (64, 128)):
        unobserved = balance.unobserved(summary)
        reg = balance.reg(summary, unobserved, reg_power)
        name = f"{balance}, {n_factors} factors"
        grid[name] = ImplicitALS(n_factors=n_factors, reg=reg, unobserved=unobserved)
    return grid


def penalties(_: Ratings) -> dict[str, Algorithm]:
    """NMF by multiples of its usual penalties, and by factors."""
    usual = NMF(choice=None)
    return {
        f"{times:g} times, {n_factors} factors": NMF(
            choice=None,
            n_factors=n_factors,
            user_reg=times * usual.user_reg,
            item_reg=times * usual.item_reg,
        )
        for times, n_factors in product((0.5, 0.7, 1, 1.4, 2, 3), (15, 30, 60))
    }


GRIDS = {
    "ease": of_values(EASE, "reg", 5, 20, 80, 300, 1200),
    "rp3beta": of_values(RP3beta, "beta", 0.1, 0.2, 0.3, 0.45, 0.6),
    "item-knn": of_values(ItemKNN, "shrinkage", 0, 5, 25, 100, feedback="preference"),
    "user-knn": of_values(UserKNN, "shrinkage", 0, 5, 25, 100, feedback="preference"),
    "bpr": of_values(BPR, "n_epochs", 10, 30, 100, 240),
    "implicit-als": Grid(ImplicitALS(), "balance and n_factors", balances),
    "nmf": Grid(NMF(choice=None), "penalties and n_factors", penalties, RMSE),
}


def main() -> None:
    """Measure, keep, and show the losses of all that was ever kept."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips, with the others in more/")
    parser.add_argument("--data-set", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--algorithm", nargs="+", default=list(GRIDS), choices=GRIDS)
    parser.add_argument("--splits", type=int, default=1, help="test parts that are drawn")
    options = parser.parse_args()
    for data_set in options.data_set:
        ratings = ratings_of(data_set, folder_of_data(options.data))
        for algorithm in options.algorithm:
            grid = GRIDS[algorithm]
            if grid.metric == RMSE and not ratings.signal.graded:
                continue
            row = {"algorithm": algorithm, "data_set": data_set, "split_seed": SEED}
            row |= measured(grid, ratings, options.splits)
            row |= {"versions": {"matinee": __version__}} | circumstances(n_threads())
            keep(FILE, row, KEY)
    rows = list(losses(read_rows(FILE)))
    print(table(rows))
    print(table(list(summary(rows))))


def measured(grid: Grid, ratings: Ratings, n_splits: int) -> Row:
    """The metric of the default and of each setting of the grid, means over the splits."""
    judge = rmse_of if grid.metric == RMSE else ndcg_of
    defaults, settings, seconds = [], [], 0.0
    for seed in range(SEED, SEED + n_splits):
        train, figure = judge(ratings, seed)
        started = process_time()
        defaults.append(figure(grid.default))
        seconds += process_time() - started
        settings.append({name: figure(algorithm) for name, algorithm in grid.on(train).items()})
    return {
        "setting": grid.settings,
        grid.metric: round(fmean(defaults), 4),
        "grid": {name: round(fmean(one[name] for one in settings), 4) for name in settings[0]},
        "processor_seconds": round(seconds / n_splits, 1),
        "splits": n_splits,
    }


Judge = tuple[Ratings, Callable[[Algorithm], float]]  # a training part, and the figure of one fit


def ndcg_of(ratings: Ratings, seed: int) -> Judge:
    """By the mean NDCG@10 over the users."""
    lists = Lists(*held_out(ratings, seed))

    def figure(algorithm: Algorithm) -> float:
        model = algorithm.fit(lists.train)
        return round(float(lists.ndcg(map(model.score_block, lists.blocks)).mean()), 4)

    return lists.train, figure


def rmse_of(ratings: Ratings, seed: int) -> Judge:
    """By the RMSE of predicted stars."""
    split = splitting.random(ratings, seed=seed)
    test = split.test

    def figure(algorithm: Algorithm) -> float:
        scores = algorithm.fit(split.train).score_rows(test.user, test.item)
        return round(rmse(test.rating, scores.clip(*test.scale)), 4)

    return split.train, figure


def losses(rows: Iterable[Row]) -> Iterator[Row]:
    """The losses of each algorithm on each data set, in shares of the best of the grid."""
    kept = list(rows)
    for row in kept:
        metric = NDCG if NDCG in row else RMSE
        grid, best = row["grid"], best_of(row["grid"], metric)
        others = [
            shares(one["grid"], metric)
            for one in kept
            if one["algorithm"] == row["algorithm"] and one["data_set"] != row["data_set"]
        ]
        left_out = min(grid, key=lambda value: sum(one[value] for one in others))
        of_grid = shares(grid, metric)
        yield {
            "algorithm": row["algorithm"],
            "data_set": row["data_set"],
            "best": f"{row['setting']}={best}",
            "metric": metric,
            "figure": grid[best],
            "default": loss(row[metric], grid[best], metric),
            "left out": of_grid[left_out],
            "worst": max(of_grid.values()),
        }


def best_of(grid: dict[str, float], metric: str) -> str:
    """The setting with the highest NDCG, or the lowest RMSE."""
    return min(grid, key=grid.__getitem__) if metric == RMSE else max(grid, key=grid.__getitem__)


def loss(figure: float, best: float, metric: str) -> float:
    """How much worse a figure is than the best, as a share of that."""
    return (figure / best - 1) * (1 if metric == RMSE else -1)


def shares(grid: dict[str, float], metric: str) -> dict[str, float]:
    """The loss of each setting of a grid against its best."""
    best = grid[best_of(grid, metric)]
    return {name: loss(figure, best, metric) for name, figure in grid.items()}


def summary(
    rows: list[Row], of: str = "algorithm", columns: Sequence[str] = ("default", "left out")
) -> Iterator[Row]:
    """The mean and the largest of each column of losses over all data sets, as docs/choosing.md."""
    for name in dict.fromkeys(row[of] for row in rows):
        own = [row for row in rows if row[of] == name]
        figures: Row = {of: name, "data sets": len(own)}
        for column in columns:
            most = max(own, key=lambda row: row[column])
            figures[f"{column}: mean"] = sum(row[column] for row in own) / len(own)
            figures[f"{column}: largest"] = f"{most[column]:.4f} ({most['data_set']})"
        yield figures


if __name__ == "__main__":
    main()
