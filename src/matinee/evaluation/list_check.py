"""How the lists of an algorithm do beside popularity: one figure each, on a held-out piece.

It is a check and no evaluation: a fifth of the ratings of up to 1,000 users, one split.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np

from matinee.algorithms import Algorithm, Popularity
from matinee.data.ratings import Ratings
from matinee.display.text import counted
from matinee.evaluation.evaluate import evaluate
from matinee.evaluation.protocol import relevance
from matinee.models.model import Model

SHARE = 0.2  # of the ratings of each user measured, held out
MOST_USERS = 1000
FEWEST_RATINGS = 5  # of a user measured
LEAST_USERS = 20  # fewer say nothing
METRIC = "ndcg@10"


class ListCheck(NamedTuple):
    """NDCG@10 of a model's lists and of the most popular items, for the same held-out ratings."""

    lists: float
    popularity: float
    n_users: int

    @classmethod
    def of_facts(cls, model: Model) -> "ListCheck | None":
        """The figures that a fit measured when it learned how to list; None where it did not."""
        facts: dict[str, Any] = model.facts.get("lists", {})
        if METRIC not in facts:
            return None
        figures = facts[METRIC]
        return cls(figures["list"], figures["popularity"], facts["n_users"])

    @property
    def behind(self) -> bool:
        """Whether the most popular items, the same for all, would be better lists."""
        return self.lists < self.popularity

    def __str__(self) -> str:
        return (
            f"lists: NDCG@10 {self.lists:.3f} on held-out ratings of "
            f"{counted(self.n_users, 'user')}, "
            f"{self.popularity:.3f} by popularity alone"
        )


def check_lists(algorithm: Algorithm, ratings: Ratings, seed: int = 0) -> ListCheck | None:
    """The figures of an algorithm fitted without a held-out piece; None where users are too few.

    Stars count as found from ``evaluate``'s threshold on, counts and choices whatever their value.
    """
    held_out = piece_of_users(ratings, seed)
    threshold = relevant_from(ratings)
    if len(np.unique(ratings.user[held_out & (ratings.rating >= threshold)])) < LEAST_USERS:
        return None
    train, piece = ratings.subset(~held_out), ratings.subset(held_out)
    figures = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what there is to say, the fit on all ratings has said
        for one in (algorithm, Popularity()):
            found = evaluate(one.fit(train), piece, (), threshold, [METRIC])
            figures.append(found.metrics[METRIC])
    return ListCheck(figures[0], figures[1], found.users_measured)


def relevant_from(ratings: Ratings) -> float:
    """From which rating on a held-out item is one to list: any, where ratings are no stars."""
    return relevance(None, ratings.scale, ratings.rating)


def piece_of_users(ratings: Ratings, seed: int) -> np.ndarray:
    """Which ratings (n_ratings,) are held out: a random fifth of those of some random users."""
    rng = np.random.default_rng(seed)
    users = np.flatnonzero(ratings.user_counts >= FEWEST_RATINGS)
    measured = np.zeros(ratings.n_users, bool)
    measured[rng.choice(users, min(len(users), MOST_USERS), replace=False)] = True
    held_out: np.ndarray = measured[ratings.user] & (rng.random(len(ratings)) < SHARE)
    return held_out
