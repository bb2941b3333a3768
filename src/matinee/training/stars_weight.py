"""The weight of the stars in lists by choice and stars, learned on held-out likes.

A fifth of what some users liked is held out. Lists of ten, of everything else, are measured by
NDCG@10 on one half of these users, with each weight of a grid. Those within a standard error of the
best (Breiman et al. 1984) cannot be told apart, and the nearest of them to the usual weight is
taken: which of them is best is luck, and a few ratings more would turn it. The figures to report
are measured on the other half. Weights are in standard deviations, of scores of choice per star's:
so neither the unit of the ratings nor that of the choices matters.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonObject
from matinee.kernels.ranking import BLOCK_SCORES
from matinee.kernels.resampling import interval_of_mean
from matinee.models.model import Model
from matinee.training.list_weights import Scored, all_scores

WEIGHTS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
USUAL_WEIGHT = 0.35  # one of WEIGHTS: taken unless likes that were held out speak against it
LIKES_HELD_OUT = 5  # one of so many
MOST_USERS = 1000
LEAST_USERS = 40
MOST_RATINGS = 2_000_000  # of the trials: with more, those of some users
SCORES = ("choice", "held back", "stars", "popularity")  # stars held back by doubt, and as they are
SPREAD_USERS = 200  # whose scores a standard deviation is measured on


def held_out_likes(train: Ratings, rng: np.random.Generator) -> tuple[Ratings, Ratings] | None:
    """The ratings to fit trials on, and likes of some users; None where too few have likes."""
    liked = train.rating >= train.scale.liked_from
    n_likes = np.bincount(train.user[liked], minlength=train.n_users)
    users = np.flatnonzero(n_likes >= LIKES_HELD_OUT)
    if len(users) < LEAST_USERS or liked.all():
        return None
    tested = np.zeros(train.n_users, bool)
    tested[rng.choice(users, min(len(users), MOST_USERS), replace=False)] = True
    # The likes of each user in an order by chance; of n, the first n // 5 are held out.
    at = np.flatnonzero(liked & tested[train.user])
    at = at[np.lexsort((rng.random(len(at)), train.user[at]))]
    first = np.searchsorted(train.user[at], train.user[at])
    place = np.arange(len(at)) - first
    held_out = at[place < n_likes[train.user[at]] // LIKES_HELD_OUT]
    keep = np.ones(len(train), bool)
    keep[held_out] = False
    if len(train) > MOST_RATINGS:
        sampled = tested | (rng.random(train.n_users) < MOST_RATINGS / len(train))
        keep &= sampled[train.user]
    return train.subset(keep), train.subset(np.sort(held_out))


@dataclass(frozen=True, eq=False)
class ListTrial:
    """Models that were fitted without some likes, and these likes of users (n_users,)."""

    scored: Scored  # by SCORES, the best of each
    n_held_out: np.ndarray  # (n_users,) likes
    unit: float  # points of choice that a star is worth with a weight of 1
    learning: np.ndarray  # (n_users,) bool: the half that the weight is learned on

    @classmethod
    def of(
        cls,
        models: tuple[Model, Model],
        held_out: Ratings,
        doubt: float,
        rng: np.random.Generator,
    ) -> "ListTrial":
        """A trial of a model of stars and one of choices.

        ``doubt / sqrt(n_i + 1)`` is what the stars of an item are held back by.
        """
        stars, choice = models
        users = np.flatnonzero(held_out.by_user.counts).astype(np.int32)
        certainty = (-doubt / np.sqrt(stars.item_counts + 1)).astype(np.float32)
        popularity = np.log1p(stars.item_counts).astype(np.float32)
        parts = []
        for scored in all_scores(models, held_out, users):
            stars_of, choice_of = scored.scores
            known = np.where(choice_of > -np.inf, popularity, -np.inf)
            scores = [choice_of, stars_of + certainty, stars_of, known]
            parts.append(Scored(scores, scored.held_out).best())
        best = Scored(
            [np.concatenate(one) for one in zip(*(part.scores for part in parts), strict=True)],
            np.concatenate([part.held_out for part in parts]),
        )
        unit = deviation_of_scores(choice, users[:SPREAD_USERS]) / _spread(stars)
        learning = rng.permutation(len(users)) < len(users) // 2
        return cls(best, held_out.by_user.counts[users], unit, learning)

    def ndcg(self, rows: np.ndarray, weights: Mapping[str, float]) -> np.ndarray:
        """NDCG (n,) of lists by some of the scores, for the users in ``rows`` (n,)."""
        scores = [self.scored.scores[SCORES.index(name)][rows] for name in weights]
        by_weight = Scored(scores, self.scored.held_out[rows])
        return by_weight.ndcg(np.array(list(weights.values())), self.n_held_out[rows])

    def by_weight(self) -> np.ndarray:
        """NDCG (n_weights, n) of lists with each of WEIGHTS, for the users that learn."""
        return np.array([self.ndcg(self.learning, self._list(weight)) for weight in WEIGHTS])

    def figures(self, weight: float) -> JsonObject:
        """What to report of the lists of the other users."""
        lists = {"list": self._list(weight)}
        lists |= {one: {one: 1.0} for one in ("stars", "choice", "popularity")}
        rows = ~self.learning
        ndcg = {name: self.ndcg(rows, weights) for name, weights in lists.items()}
        difference = interval_of_mean(ndcg["list"] - ndcg["popularity"])
        return {
            "lists": {
                "ndcg@10": {name: float(each.mean()) for name, each in ndcg.items()},
                "beyond_popularity": list(difference),
                "n_users": int(rows.sum()),
            }
        }

    def _list(self, weight: float) -> dict[str, float]:
        return {"choice": 1.0, "held back": weight * self.unit}


def usual_or_nearest(by_weight: np.ndarray) -> float:
    """The one of WEIGHTS nearest to the usual of those within a standard error of the best.

    ``by_weight`` (n_weights, n_users) is the NDCG of each. The error is that of the mean difference
    from the best, over users. Nearest is by the ratio, and of two the lesser.
    """
    behind = by_weight[by_weight.mean(axis=1).argmax()] - by_weight
    errors = behind.std(axis=1) / np.sqrt(behind.shape[1])
    near = np.array(WEIGHTS)[behind.mean(axis=1) <= errors]
    return float(near[np.abs(np.log(near / USUAL_WEIGHT)).argmin()])


def deviation_of_scores(model: Model, users: np.ndarray) -> float:
    """The standard deviation of the scores of what users (n,) have not rated; above 0."""
    size, sums = max(1, BLOCK_SCORES // len(model.items)), np.zeros(3)
    for first in range(0, len(users), size):
        block = users[first : first + size]
        scores, rated = model.score_block(block).astype(np.float64), model.seen.take(block)
        scores[np.repeat(np.arange(len(block)), rated.counts), rated.indices] = 0.0
        sums += scores.size - len(rated.indices), scores.sum(), (scores**2).sum()
    n, total, squares = sums
    if not n:
        return 1.0
    return float(np.sqrt(max(squares / n - (total / n) ** 2, 0.0))) or 1.0


def some_users(model: Model, rng: np.random.Generator) -> np.ndarray:
    """Rows (n,) of some users with ratings, ascending."""
    users = np.flatnonzero(model.seen.counts).astype(np.int32)
    return np.sort(rng.choice(users, min(len(users), SPREAD_USERS), replace=False))


def _spread(stars: Model) -> float:
    """The standard deviation of the ratings."""
    return float(stars.seen.values.std(dtype="f8")) or 1.0
