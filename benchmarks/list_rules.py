"""What rules for lists cost: NDCG@10 beside diversity, novelty and calibration, by strength.

A random fifth of the films that each user rated 4 or more is held out, the rest is learned from,
and everything rated in it is left out of the lists of ten. Every rule is alone, at each strength.

python benchmarks/list_rules.py
"""

from argparse import ArgumentParser

import numpy as np

from data import POSITIVE_FROM, SEED, folder_of_data, lowest_fifth
from jobs import LIST_LENGTH, RESULTS, Row, circumstances, keep
from matinee import __version__
from matinee.algorithms import EASE
from matinee.data.ratings import Ratings
from matinee.evaluation.metrics.beyond import (
    ItemFacts,
    Lists,
    diversity,
    genre_calibration,
    novelty,
)
from matinee.kernels.threads import n_threads
from matinee.models import Model
from matinee.sources import read_ratings
from tables import table

RULES = ("diversity", "novelty", "calibrated")
STRENGTHS = (0.1, 0.3, 1.0)
KEY = ("data_set", "algorithm", "rule", "strength")
SHOWN = ("rule", "strength", "ndcg", "diversity", "novelty", "miscalibration")


def main() -> None:
    """Measure, show and keep."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the zips")
    parser.add_argument("--data-set", default="ml-100k", choices=("ml-100k", "ml-1m"))
    given = parser.parse_args()
    ratings = read_ratings(folder_of_data(given.data) / f"{given.data_set}.zip")
    train, test = held_out_likes(ratings)
    algorithm = EASE()
    model = algorithm.fit(train)
    cases = [("none", 0.0), *((rule, strength) for rule in RULES for strength in STRENGTHS)]
    rows = []
    for rule, strength in cases:
        row = {
            "data_set": given.data_set,
            "algorithm": algorithm.name,
            "settings": algorithm.settings,
            "rule": rule,
            "strength": strength,
            **measured(model, test, rule, strength),
            "versions": {"matinee": __version__, "numpy": np.__version__},
        }
        keep(RESULTS / "list_rules.jsonl", row | circumstances(n_threads()), KEY)
        rows.append({name: row[name] for name in SHOWN})
    print(table(rows))


def held_out_likes(ratings: Ratings) -> tuple[Ratings, Ratings]:
    """What is learned from, and a fifth of each user's likes, rounded down, drawn by the seed."""
    draw = np.random.default_rng(SEED).random(len(ratings))
    liked = np.flatnonzero(ratings.rating >= POSITIVE_FROM)
    held_out = lowest_fifth(ratings.user, liked, draw[liked])
    return ratings.subset(~held_out), ratings.subset(held_out)


def measured(model: Model, test: Ratings, rule: str, strength: float) -> Row:
    """The metrics of the lists of all users with held-out likes, means over them."""
    users = np.unique(test.user)
    rules = {} if rule == "none" else {rule: strength}
    listed = model.recommend(model.users.ids[users].tolist(), LIST_LENGTH, **rules)
    items = model.items.rows(listed.item_id).reshape(len(users), LIST_LENGTH)
    facts = ItemFacts.of(model.item_counts, len(model.users), model.item_genres)
    lists = Lists(items.astype(np.int32), facts, liked_genres(model, users, facts))
    return {
        "users": len(users),
        "ndcg": round(ndcg(items, users, test), 4),
        "diversity": round(float(np.nanmean(diversity(lists, LIST_LENGTH))), 4),
        "novelty": round(float(np.nanmean(novelty(lists, LIST_LENGTH))), 4),
        "miscalibration": round(float(np.nanmean(genre_calibration(lists, LIST_LENGTH))), 4),
    }


def liked_genres(model: Model, users: np.ndarray, facts: ItemFacts) -> np.ndarray:
    """p(g|u) of the training films rated 4 or more: (n_users, n_genres)."""
    liked = np.zeros((len(users), facts.genre_shares.shape[1]))
    for place, user in enumerate(users.tolist()):
        items, stars = model.seen.row(user)
        liked[place] = facts.genre_shares[items[stars >= POSITIVE_FROM]].sum(axis=0)
    return liked / np.maximum(liked.sum(axis=1, keepdims=True), 1e-12)


def ndcg(items: np.ndarray, users: np.ndarray, test: Ratings) -> float:
    """Mean NDCG of lists (n_users, n), each held-out like of gain 1."""
    n = items.shape[1]
    discounts = 1 / np.log2(np.arange(2, n + 2))
    values = []
    for user, row in zip(users.tolist(), items, strict=True):
        own, _ = test.by_user.row(user)
        best = discounts[: min(len(own), n)].sum()
        values.append(discounts[np.isin(row, own)].sum() / best)
    return float(np.mean(values))


if __name__ == "__main__":
    main()
