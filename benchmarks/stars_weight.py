"""Rules for the weight of the stars in lists, judged on data they were not chosen on.

A fifth of each user's likes is held out as ``other_data`` does it. On the training part a model of
stars and one of choices are fitted, and what a fit knows of each weight: its NDCG@10 on likes held
out from that part, how far it is behind the best, and the standard error of that distance. On the
test part, NDCG@10 of up to 2,000 users with each weight. Weights are in standard deviations of the
scores of choice per star's. A rule chooses by the former, and loses by the latter against the best
weight of the same fit. Rules with an anchor take it from the data sets other than the one they are
judged on: the anchor that loses least there.

python benchmarks/stars_weight.py --data-set ml-100k --algorithm default
"""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator

import numpy as np

from beside_peers import Lists
from data import folder_of_data
from jobs import RESULTS, Row, circumstances, keep, read_rows
from lists_choice import contender
from matinee import __version__
from matinee.algorithms.choice import CAUTION
from matinee.algorithms.choosers import choices_of
from matinee.data.ratings import Ratings
from matinee.kernels.threads import n_threads
from matinee.training.stars_weight import (
    USUAL_WEIGHT,
    WEIGHTS,
    deviation_of_scores,
    some_users,
)
from other_data import SEED, SETS, held_out, ratings_of
from tables import table

GRADED = ("ml-100k", "ml-latest-small", "ml-1m", "filmtrust", "ciao", "jester")
FILE = RESULTS / "stars_weight.jsonl"
KEY = ("data_set", "algorithm", "split_seed")
TESTED = (0.0, *WEIGHTS)


def main() -> None:
    """Measure, keep, and show the losses of the rules on all that was ever kept."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips, with the others in more/")
    parser.add_argument("--data-set", nargs="*", default=GRADED, choices=SETS)
    parser.add_argument("--algorithm", nargs="+", default=("default", "mf", "nmf"))
    parser.add_argument("--seeds", type=int, default=1, help="splits of each; %(default)s")
    options = parser.parse_args()
    for data_set in options.data_set:
        ratings = ratings_of(data_set, folder_of_data(options.data))
        for seed in range(SEED, SEED + options.seeds):
            for name in options.algorithm:
                row = {"data_set": data_set, "algorithm": name, "split_seed": seed}
                row |= measured(name, Lists(*held_out(ratings, seed)))
                row |= {"versions": {"matinee": __version__}} | circumstances(n_threads())
                keep(FILE, row, KEY)
    rows = read_rows(FILE)
    print(table(list(losses(rows))))
    print(table(list(summary(rows))))


def measured(name: str, lists: Lists) -> Row:
    """What a fit knows of each weight, and NDCG@10 of the lists with it."""
    train = lists.train
    algorithm = contender(name, train)
    model = algorithm.fit(train)
    assert model.choice is not None
    noise = model.choice.noise
    rng = np.random.default_rng(0)
    choices = choices_of(algorithm.choosers, train).trial
    assert choices is not None
    ndcg = algorithm.list_trial(choices, noise, rng).by_weight()
    behind = ndcg[ndcg.mean(axis=1).argmax()] - ndcg
    errors = behind.std(axis=1) / np.sqrt(behind.shape[1])
    return {
        "learning": {
            f"{weight:g}": [round(float(one), 5) for one in known]
            for weight, *known in zip(
                WEIGHTS, ndcg.mean(axis=1), behind.mean(axis=1), errors, strict=True
            )
        },
        "users_learning": ndcg.shape[1],
        "grid": of_weights(model, lists),
        "learned": model.choice.stars_weight / unit_of(model, train),
    }


def unit_of(model, train: Ratings) -> float:
    """Points of choice that a star is worth with a weight of 1."""
    choice = model.choice.model
    users = some_users(choice, np.random.default_rng(0))
    return deviation_of_scores(choice, users) / float(train.rating.std(dtype="f8"))


def of_weights(model, lists: Lists) -> dict[str, float]:
    """NDCG@10 of the lists with each weight; 0 is choice alone."""
    unit = unit_of(model, lists.train)
    certainty = -CAUTION * model.choice.noise / np.sqrt(model.item_counts + 1)
    found: dict[str, list[np.ndarray]] = {f"{weight:g}": [] for weight in TESTED}
    for users in lists.blocks:
        choice, stars = model.choice.model.score_block(users), model.score_block(users) + certainty
        for weight in TESTED:
            found[f"{weight:g}"].append(choice + weight * unit * stars)
    return {name: round(float(lists.ndcg(iter(of)).mean()), 4) for name, of in found.items()}


# Rules: a weight for a row, where ``anchor`` is one of the weights that some of them take.

Rule = Callable[[Row, float], float]


def near(row: Row) -> list[float]:
    """The weights within a standard error of the best, as a fit knows them."""
    known = row["learning"].items()
    return [float(weight) for weight, (_, behind, error) in known if behind <= error]


def nearest_to(anchor: float, weights: list[float]) -> float:
    """By their logarithms."""
    return min(weights, key=lambda weight: abs(np.log(weight / anchor)))


def middle(weights: list[float]) -> float:
    """The geometric middle, as the nearest weight that was measured."""
    return nearest_to((min(weights) * max(weights)) ** 0.5, list(WEIGHTS))


RULES: dict[str, Rule] = {
    "largest near the best": lambda row, _: max(near(row)),
    "smallest near the best": lambda row, _: min(near(row)),
    "best": lambda row, _: float(max(row["learning"], key=lambda one: row["learning"][one][0])),
    "middle of those near the best": lambda row, _: middle(near(row)),
    "near the best, nearest to the usual": lambda row, _: nearest_to(USUAL_WEIGHT, near(row)),
    "near the best, nearest to the anchor": lambda row, anchor: nearest_to(anchor, near(row)),
    "the anchor": lambda _, anchor: anchor,
}


def losses(rows: list[Row]) -> Iterator[Row]:
    """What each rule loses in each row, as a share of the best weight, with anchors from others."""
    for row in rows:
        others = [one for one in rows if one["data_set"] != row["data_set"]]
        found: Row = {name: row[name] for name in KEY}
        for name, rule in RULES.items():
            anchor = min(WEIGHTS, key=lambda one: mean_loss(rule, one, others))
            found[name] = loss(row, rule(row, anchor))
        yield found


def loss(row: Row, weight: float) -> float:
    """What a weight loses against the best of the row."""
    return 1 - row["grid"][f"{weight:g}"] / max(row["grid"].values())


def mean_loss(rule: Rule, anchor: float, rows: list[Row]) -> float:
    """The mean over data sets, each with the same weight however many rows it has."""
    by_set: dict[str, list[float]] = {}
    for row in rows:
        by_set.setdefault(row["data_set"], []).append(loss(row, rule(row, anchor)))
    return float(np.mean([np.mean(one) for one in by_set.values()]))


def summary(rows: list[Row]) -> Iterator[Row]:
    """The mean and the largest loss of each rule, over data sets, as docs/choosing.md."""
    found = list(losses(rows))
    for name, rule in RULES.items():
        by_set: dict[str, list[float]] = {}
        for row in found:
            by_set.setdefault(row["data_set"], []).append(row[name])
        means = {data_set: float(np.mean(one)) for data_set, one in by_set.items()}
        most = max(means, key=means.__getitem__)
        yield {
            "rule": name,
            "mean loss": float(np.mean(list(means.values()))),
            "largest": f"{means[most]:.4f} ({most})",
            "anchor on all": min(WEIGHTS, key=lambda one: mean_loss(rule, one, rows)),
        }


if __name__ == "__main__":
    main()
