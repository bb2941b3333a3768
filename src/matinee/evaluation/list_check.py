"""The lists of an algorithm against those of popularity, on a small held-out part.

This is a quick check, not an evaluation: a fifth of the ratings of up to 1,000 users, one split.
"""

from typing import NamedTuple

import numpy as np

from matinee.algorithms import Algorithm, Popularity
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted
from matinee.evaluation.evaluate import evaluate
from matinee.evaluation.protocol import relevance
from matinee.models.model import Model
from matinee.models.trial_fits import trial_fits

SHARE = 0.2  # of the ratings of each user measured, held out
MOST_USERS = 1000
FEWEST_RATINGS = 5  # of a user measured
LEAST_USERS = 20  # fewer are too few for a figure
METRIC = "ndcg@10"


class ListCheck(NamedTuple):
    """NDCG@10 of a model's lists and of the most popular items, for the same held-out ratings."""

    lists: float
    popularity: float
    n_users: int

    @classmethod
    def of_facts(cls, model: Model) -> "ListCheck | None":
        """The figures measured while a fit learned its list weights; None where it learned none."""
        facts: JsonObject = model.facts.get("lists", {})
        if METRIC not in facts:
            return None
        figures = facts[METRIC]
        return cls(figures["list"], figures["popularity"], facts["n_users"])

    @property
    def behind(self) -> bool:
        """Whether the most popular items, the same list for all, score better."""
        return self.lists < self.popularity

    def __str__(self) -> str:
        return (
            f"lists: NDCG@10 {self.lists:.3f} on held-out ratings of "
            f"{counted(self.n_users, 'user')}, "
            f"{self.popularity:.3f} by popularity alone"
        )


def check_lists(algorithm: Algorithm, ratings: Ratings, seed: int = 0) -> ListCheck | None:
    """The check of an algorithm, fitted without the held-out part; None for fewer than 20 users.

    Relevant items are those of ``evaluate``. Raises what the fit does.
    """
    held_out = piece_of_users(ratings, seed)
    threshold = relevant_from(ratings)
    if len(np.unique(ratings.user[held_out & (ratings.rating >= threshold)])) < LEAST_USERS:
        return None
    train, piece = ratings.subset(~held_out), ratings.subset(held_out)
    figures = []
    with trial_fits():
        popularity = Popularity().fit(train.with_sample_weight(None))
        for model in (algorithm.fit(train), popularity):
            result = evaluate(model, piece, (), threshold, [METRIC])
            figures.append(result.metrics[METRIC])
    return ListCheck(figures[0], figures[1], result.users_measured)


def relevant_from(ratings: Ratings) -> float:
    """The lowest rating of a relevant held-out item; see ``protocol.relevance``."""
    return relevance(None, ratings.scale, ratings.rating)


def piece_of_users(ratings: Ratings, seed: int) -> np.ndarray:
    """Which ratings are held out, (n_ratings,) bool: a random fifth of those of random users."""
    rng = np.random.default_rng(seed)
    users = np.flatnonzero(ratings.user_counts >= FEWEST_RATINGS)
    measured = np.zeros(ratings.n_users, bool)
    measured[rng.choice(users, min(len(users), MOST_USERS), replace=False)] = True
    held_out: np.ndarray = measured[ratings.user] & (rng.random(len(ratings)) < SHARE)
    return held_out
