"""The lists of an algorithm against those of popularity, on a small held-out part.

This is a quick check, not an evaluation: a fifth of what up to 1,000 users liked, one split.
``splitting.liked`` holds out as much of all users.
"""

from typing import NamedTuple

import numpy as np

from matinee.algorithms import Algorithm, Popularity
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted
from matinee.evaluation.bootstrap import difference
from matinee.evaluation.evaluate import evaluate
from matinee.evaluation.protocol import relevance
from matinee.evaluation.results import Evaluation
from matinee.kernels.resampling import Verdict, verdict_of
from matinee.models.model import Model
from matinee.models.trial_fits import trial_fits
from matinee.splitting import some_liked

SHARE = 0.2  # of what each user measured liked, held out
MOST_USERS = 1000
LEAST_USERS = 20  # fewer are too few for a figure
METRIC = "ndcg@10"


class ListCheck(NamedTuple):
    """NDCG@10 of a model's lists and of the most popular items, for the same held-out ratings."""

    lists: float
    popularity: float
    difference: tuple[float, float]  # its interval over users, at 95 %
    n_users: int

    @classmethod
    def of_facts(cls, model: Model) -> "ListCheck | None":
        """The figures measured while a fit learned its list weights; None where it learned none."""
        facts: JsonObject = model.facts.get("lists", {})
        if METRIC not in facts:
            return None
        figures, (low, high) = facts[METRIC], facts["beyond_popularity"]
        return cls(figures["list"], figures["popularity"], (low, high), facts["n_users"])

    @property
    def verdict(self) -> Verdict:
        """How the lists do against the most popular items, the same for all: beyond chance."""
        return verdict_of(self.difference)

    @property
    def judgement(self) -> str:
        """The verdict in words, with what it is about; empty where the lists are better."""
        if self.verdict == "tied":
            return f"with {counted(self.n_users, 'user')} they cannot be told apart"
        low, high = self.difference
        return f"the lists are worse, by {-high:.3f} to {-low:.3f}" if high < 0 else ""

    @property
    def figures(self) -> str:
        """Both, in words."""
        return f"lists: NDCG@10 {self.lists:.3f}, by popularity alone {self.popularity:.3f}"

    def __str__(self) -> str:
        users = counted(self.n_users, "user")
        return f"{self.figures}, where a fifth of what {users} liked was held out"


def check_lists(algorithm: Algorithm, ratings: Ratings, seed: int = 0) -> ListCheck | None:
    """The check of an algorithm, fitted without the held-out part; None for fewer than 20 users.

    Relevant items are those of ``evaluate``. Raises what the fit does.
    """
    held_out = piece_of_users(ratings, seed)
    threshold = relevant_from(ratings)
    if len(np.unique(ratings.user[held_out])) < LEAST_USERS:
        return None
    train, piece = ratings.subset(~held_out), ratings.subset(held_out)
    with trial_fits():
        result = evaluate(algorithm.fit(train), piece, (), threshold, [METRIC])
        return beside_popularity(result, train, piece)


def beside_popularity(result: Evaluation, train: Ratings, test: Ratings) -> ListCheck:
    """The lists that were measured on ``test`` beside the most popular items of ``train``."""
    popularity = Popularity().fit(train.with_sample_weight(None))
    popular = evaluate(popularity, test, (), result.relevant_from, [METRIC])
    assert result.per_user is not None
    assert popular.per_user is not None
    return ListCheck(
        result.metrics[METRIC],
        popular.metrics[METRIC],
        difference(result.per_user, popular.per_user, METRIC),
        result.users_measured,
    )


def relevant_from(ratings: Ratings) -> float:
    """The lowest rating of a relevant held-out item; see ``protocol.relevance``."""
    return relevance(None, ratings.scale, ratings.rating)


def piece_of_users(ratings: Ratings, seed: int) -> np.ndarray:
    """Which ratings are held out, (n_ratings,) bool: a fifth of what some random users liked."""
    likes = some_liked(ratings, SHARE, seed)
    users = np.unique(ratings.user[likes])
    measured = np.zeros(ratings.n_users, bool)
    rng = np.random.default_rng(seed)
    measured[rng.choice(users, min(len(users), MOST_USERS), replace=False)] = True
    held_out: np.ndarray = measured[ratings.user] & likes
    return held_out
