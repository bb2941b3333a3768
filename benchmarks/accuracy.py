"""How accurate our algorithms and the peers are, on the same folds in the same run.

    python benchmarks/accuracy.py --all-ours                  ours, on everything
    python benchmarks/accuracy.py --all                       ours and the lighter peers
    python benchmarks/accuracy.py --contenders 'surprise-*' --data-set ml-100k --folds 1,2

Each contender fits in a process of its own. Predictions of all are clipped alike, and a test pair
whose user or item has no training rating gets the same damped-bias prediction from all.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import ours
from bars import judge
from contenders import Contender, all_contenders, chosen, is_ours
from data import DATA_SETS, Fold, folder_of_data
from jobs import (
    LIST_LENGTH,
    RESULTS,
    Row,
    Workshop,
    circumstances,
    keep,
    read_rows,
    saved,
    says_why,
    workshop,
)
from lists import of_lists
from matinee.evaluation.metrics.rating import mae, rmse
from peers.plain import damped_bias
from tables import table

KEY = ("contender", "data_set", "fold")
SCALE = (1.0, 5.0)
SUMMARY = ("rmse", "mae", "ndcg@10", "precision@10", "recall@10", "hit_rate@10", "coverage@10")


def main() -> None:
    """Measure what was asked for, keep it, and show it beside the bars."""
    asked = arguments()
    contenders = wanted(asked)
    if asked.list:
        for one in contenders:
            print(one.name, ", ".join(one.tasks), one.settings, "heavy" if one.heavy else "")
        return
    path = Path(asked.results) / "accuracy.jsonl"
    with workshop(asked.threads, asked.limit_seconds, asked.python) as shop:
        for name in asked.data_set:
            measure_all(shop, name, contenders, asked, path)
    rows = read_rows(path)
    print(summary(rows, asked.data_set), "", verdicts(rows), sep="\n")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--all-ours", action="store_true", help="Matinee's algorithms (default)")
    who.add_argument("--all", action="store_true", help="Matinee's algorithms and the peers")
    who.add_argument("--contenders", nargs="+", metavar="NAME", help="names, or patterns of them")
    parser.add_argument("--heavy", action="store_true", help="with --all: those of minutes too")
    parser.add_argument("--data-set", nargs="+", choices=DATA_SETS, default=list(DATA_SETS))
    parser.add_argument("--folds", help="numbers such as 1,2; all folds unless given")
    parser.add_argument("--threads", type=int, default=2, help="for each contender; %(default)s")
    parser.add_argument(
        "--limit-seconds",
        type=float,
        default=3600.0,
        help="for one fit with its predictions; %(default)s",
    )
    parser.add_argument("--data", help="folder of the MovieLens zips")
    parser.add_argument("--results", default=str(RESULTS), help="folder of the JSON lines")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PEER=INTERPRETER",
        help="for a peer in an environment of its own",
    )
    parser.add_argument("--list", action="store_true", help="show the contenders and stop")
    return parser.parse_args()


def wanted(asked: argparse.Namespace) -> list[Contender]:
    """The contenders that the command line names."""
    if asked.contenders:
        return chosen(asked.contenders)
    everybody = all_contenders()
    if asked.all:
        return [one for one in everybody if asked.heavy or not one.heavy]
    return [one for one in everybody if is_ours(one)]


def measure_all(
    shop: Workshop,
    name: str,
    contenders: Iterable[Contender],
    asked: argparse.Namespace,
    path: Path,
) -> None:
    """Measure every contender on the folds of one data set, and keep each row as it comes."""
    data_set = DATA_SETS[name]
    numbers = range(1, data_set.n_folds + 1)
    if asked.folds:
        numbers = [one for one in map(int, asked.folds.split(",")) if one in numbers]
    able = [one for one in contenders if data_set.task in one.tasks]
    idle: set[str] = set()
    folder = folder_of_data(asked.data)
    for fold in data_set.read(folder, numbers):
        with saved(shop, fold) as file:
            for one in able:
                if one.name in idle:
                    continue
                row = measure(shop, one, fold, file, folder)
                reason = says_why(row)
                print(f"{name} {fold.number}  {one.name:28}  {reason or figures(row)}", flush=True)
                if reason:
                    idle.add(one.name)
                else:
                    keep(path, row, KEY)


def measure(shop: Workshop, one: Contender, fold: Fold, file: Path, folder: Path) -> Row:
    """One contender on one fold; the data are in ``folder``."""
    task = DATA_SETS[fold.data_set].task
    shop.warm(one, task, file)
    result, answer = shop.run(one, task, file)
    if says_why(result) or answer is None:
        return result
    settings = ours.all_settings(one.settings) if is_ours(one) else one.settings
    measured = of_ratings(fold, answer) if task == "ratings" else of_lists(fold, answer, folder)
    return {
        "contender": one.name,
        "data_set": fold.data_set,
        "fold": fold.number,
        "settings": settings,
        **measured,
        **result,
        **circumstances(shop.threads),
    }


def of_ratings(fold: Fold, predicted: np.ndarray) -> Row:
    """RMSE and MAE of predictions of the test ratings."""
    train, test = fold.train, fold.test
    cold = (np.bincount(train.user, minlength=fold.n_users)[test.user] == 0) | (
        np.bincount(train.item, minlength=fold.n_items)[test.item] == 0
    )
    silent = ~np.isfinite(predicted) & ~cold
    fallback = damped_bias(train, fold.n_users, fold.n_items, 10, 15).predict
    assert fallback is not None
    shared = np.where(cold | silent, fallback(test.user, test.item), predicted)
    clipped = np.clip(shared, *SCALE)
    return {
        "metrics": {"rmse": rmse(test.rating, clipped), "mae": mae(test.rating, clipped)},
        "test_ratings": len(test.rating),
        "cold": int(cold.sum()),
        "silent": int(silent.sum()),
    }


def figures(row: Row) -> str:
    """The metrics and the cost of one row, on one line."""
    metrics = "  ".join(
        f"{name} {row['metrics'][name]:.4f}" for name in SUMMARY if name in row["metrics"]
    )
    return f"{metrics}  fit {row['fit_wall_seconds']:.2f} s"


def summary(rows: list[Row], data_sets: Iterable[str]) -> str:
    """Means over folds of everything that is kept, the best first."""
    parts = []
    for name in data_sets:
        columns = accuracy_columns(rows, name)
        if columns:
            parts += [name, table(columns)]
    return "\n\n".join(parts)


def accuracy_columns(rows: list[Row], data_set: str) -> list[Row]:
    """One row a contender: means over its folds, the best contender first."""
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        if row["data_set"] == data_set:
            by_name.setdefault(row["contender"], []).append(row)
    first = {"ratings": "rmse", "lists": f"ndcg@{LIST_LENGTH}"}[DATA_SETS[data_set].task]
    sign = 1 if first == "rmse" else -1
    lines = [mean_of(name, folds) for name, folds in by_name.items()]
    return sorted(lines, key=lambda line: sign * line[first])


def mean_of(name: str, folds: list[Row]) -> Row:
    """The mean of the metrics, the median of the costs, the highest memory."""

    def middle(field: str) -> float:
        return float(np.median([fold[field] for fold in folds]))

    metrics = {
        name: float(np.mean([fold["metrics"][name] for fold in folds]))
        for name in SUMMARY
        if name in folds[0]["metrics"]
    }
    return {
        "contender": name,
        "folds": len(folds),
        **metrics,
        "fit s": f"{middle('fit_wall_seconds'):.2f}",
        "fit CPU s": f"{middle('fit_cpu_seconds'):.2f}",
        "answer s": f"{middle('answer_wall_seconds'):.2f}",
        "peak MB": round(max(fold["fit_peak_rss_mb"] or 0 for fold in folds)),
    }


def verdicts(rows: list[Row]) -> str:
    """The bars, and whether each is met."""
    return table(verdict_lines(rows))


def verdict_lines(rows: list[Row]) -> list[Row]:
    """One line a bar."""
    words = {True: "met", False: "NOT met", None: ""}
    return [
        {
            "bar": found.bar.contender,
            "data": found.bar.data_set,
            "metric": found.bar.metric,
            "must": found.bar.must,
            "aim": found.bar.aim,
            "measured": found.value,
            "folds": f"{found.n_folds} of {found.of_folds}",
            "by": found.contender,
            "must is": words[found.meets(found.bar.must)],
            "aim is": words[found.meets(found.bar.aim)],
        }
        for found in judge(rows)
    ]


if __name__ == "__main__":
    main()
