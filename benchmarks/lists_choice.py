"""Lists by stars, by choice and by both: what choice adds to the lists of a model of stars.

A fifth of what each user rated 4 or more (0.75 of the scale) is held out, by chance; the rest is
the training part, and all that a user rated there is left out of the ranking. NDCG@10 over the
users with something held out, the share of places in lists of ten that go to films with fewer than
ten ratings, and the share of 300 people whose list holds the most repeated title.

"best" learns choices by three models. They were chosen among seven sums of such models on ml-1m, by
this split, so its figure there is a little flattered.

python benchmarks/lists_choice.py --data-set ml-100k --algorithm nmf
"""

from argparse import ArgumentParser
from time import process_time

import numpy as np

from data import folder_of_data
from jobs import LIST_LENGTH, RESULTS, Row, circumstances, keep
from matinee import __version__
from matinee.algorithms import (
    ALGORITHMS,
    EASE,
    MF,
    SLIM,
    Algorithm,
    ImplicitALS,
    default_algorithm,
)
from matinee.data.ratings import Ratings
from matinee.evaluation.evaluate import evaluate
from matinee.kernels.threads import n_threads
from matinee.models import Model
from matinee.sources import read_ratings
from other_data import SEED, held_out
from tables import table

FEW_RATINGS = 10
PEOPLE = 300
SETS = ("ml-100k", "ml-latest-small", "ml-1m")
CONTENDERS = ("default", "best", "popularity", "nmf", "mf", "implicit-als", "ease", "slim")
BEST = MF(
    choice=(
        EASE(lowest=0.15),
        SLIM(lowest=0.15),
        ImplicitALS(lowest=0.3, nonnegative=True, n_factors=128),
    )
)
KEY = ("data_set", "algorithm", "lists")
SHOWN = ("data_set", "algorithm", "lists", "ndcg@10", "rare", "repeated", "fit_cpu_seconds")


def main() -> None:
    """Measure, show and keep."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the MovieLens zips")
    parser.add_argument("--data-set", nargs="+", default=SETS, choices=SETS)
    parser.add_argument(
        "--algorithm", nargs="+", default=CONTENDERS, choices=("default", "best", *ALGORITHMS)
    )
    given = parser.parse_args()
    rows = []
    for data_set in given.data_set:
        ratings = read_ratings(folder_of_data(given.data) / f"{data_set}.zip")
        train, test = held_out(ratings)
        for name in given.algorithm:
            for row in measured(name, train, test):
                row |= {"data_set": data_set, "algorithm": name, "split_seed": SEED}
                row |= {"versions": {"matinee": __version__, "numpy": np.__version__}}
                keep(RESULTS / "lists_choice.jsonl", row | circumstances(n_threads()), KEY)
                rows.append({name: row[name] for name in SHOWN})
                print(table(rows[-1:]), flush=True)
    print(table(rows))


def measured(name: str, train: Ratings, test: Ratings) -> list[Row]:
    """The figures of an algorithm's lists: as they are, by stars alone and by choice alone."""
    started = process_time()
    algorithm = contender(name, train)
    model = algorithm.fit(train)
    seconds = round(process_time() - started, 2)
    lists = {"as they are": model}
    if model.choice is not None:
        lists |= {"stars alone": model.weighed(np.inf), "choice alone": model.weighed(0)}
    facts = {"fit_cpu_seconds": seconds, "held_out": len(test), "settings": algorithm.settings}
    if model.choice is not None:
        facts |= {"stars_weight": model.choice.stars_weight, "in_training": model.facts["lists"]}
    return [facts | {"lists": how} | figures(one, test) for how, one in lists.items()]


def contender(name: str, train: Ratings) -> Algorithm:
    """The algorithm of a name."""
    if name == "best":
        return BEST
    return default_algorithm(train) if name == "default" else ALGORITHMS[name]()


def figures(model: Model, test: Ratings) -> Row:
    """NDCG, and what the lists of some people hold."""
    found = evaluate(model, test, (LIST_LENGTH,), metrics=["ndcg"])
    known = np.flatnonzero(model.seen.counts)
    people = np.random.default_rng(SEED).choice(known, min(PEOPLE, len(known)), replace=False)
    listed = model.recommend(model.users.ids[np.sort(people)].tolist(), LIST_LENGTH)
    rows = model.items.rows(listed.item_id)
    return {
        f"ndcg@{LIST_LENGTH}": round(found.metrics[f"ndcg@{LIST_LENGTH}"], 4),
        "users": found.users_measured,
        "rare": round(float((model.item_counts[rows] < FEW_RATINGS).mean()), 4),
        "repeated": round(float(np.bincount(rows).max() / len(people)), 3),
    }


if __name__ == "__main__":
    main()
