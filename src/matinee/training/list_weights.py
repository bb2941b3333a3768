"""Weights of a blend that orders lists: those whose lists of ten find most of what is held out.

Squared errors are about thousands of items that no list will hold. So the weights are chosen by
NDCG@10 itself: from equal shares of the scores, each divided by its standard deviation, one weight
after another is raised or lowered by a factor for as long as that helps (coordinate ascent).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from matinee.data.ratings import Ratings
from matinee.kernels.ranking import ItemSets, top_n
from matinee.models.model import Model

USERS_MEASURED = 2000
USERS_AT_ONCE = 128
LENGTH = 10  # of the lists
CANDIDATES = 100  # best of each model: what none of them has so high is in no list
FACTORS = (2.0, 1.5, 1.2, 1.1)  # by which a weight changes, the coarsest first


class Scored(NamedTuple):
    """What models say of items, for some users a row each; -inf where an item is not listed."""

    scores: list[np.ndarray]  # a model each: (n_users, n) float32
    held_out: np.ndarray  # (n_users, n) bool

    def best(self) -> "Scored":
        """The same with only those items that are among the best of any model."""
        n_users, n_items = self.held_out.shape
        nothing = ItemSets(np.zeros(n_users + 1), np.empty(0))
        most = min(CANDIDATES, n_items)
        high = [top_n(one, nothing, most)[0] for one in self.scores]
        place = np.sort(np.concatenate(high, axis=1), axis=1)
        again = np.diff(place, axis=1, prepend=-1) == 0
        scores = [np.take_along_axis(one, place, axis=1) for one in self.scores]
        held_out = np.take_along_axis(self.held_out, place, axis=1)
        return Scored([np.where(again, -np.inf, one) for one in scores], held_out & ~again)

    def ndcg(self, weights: np.ndarray, n_held_out: np.ndarray) -> np.ndarray:
        """NDCG (n_users,) of the lists by the sum of scores with ``weights`` (n_models,).

        ``n_held_out`` (n_users,) are the numbers of held-out items.
        """
        total = sum(weight * one for weight, one in zip(weights, self.scores, strict=True))
        listed = np.argsort(-np.asarray(total), axis=1, kind="stable")[:, :LENGTH]
        discounts = 1 / np.log2(np.arange(2, LENGTH + 2))
        hits = np.take_along_axis(self.held_out, listed, axis=1)
        ideal = np.cumsum(discounts)[np.minimum(n_held_out, LENGTH) - 1]
        return np.asarray(hits @ discounts[: hits.shape[1]] / ideal)


def fitted_list_weights(
    models: Sequence[Model], held_out: Ratings, rng: np.random.Generator
) -> list[float]:
    """The weights of the models' scores by which unseen items are listed best."""
    users = np.flatnonzero(held_out.by_user.counts)
    users = np.sort(rng.choice(users, min(len(users), USERS_MEASURED), replace=False))
    sums, parts = np.zeros((3, len(models))), []
    for scored in all_scores(models, held_out, users.astype(np.int32)):
        for place, one in enumerate(scored.scores):
            known = one[one > -np.inf].astype(np.float64)
            sums[:, place] += len(known), known.sum(), (known**2).sum()
        parts.append(scored.best())
    n, total, squares = sums
    deviation = np.sqrt(np.maximum(squares / n - (total / n) ** 2, 1e-12))
    best = Scored(
        [np.concatenate(one) for one in zip(*(part.scores for part in parts), strict=True)],
        np.concatenate([part.held_out for part in parts]),
    )
    weights = climb(best, held_out.by_user.counts[users], 1.0 / deviation)
    return [float(weight) for weight in weights / (weights * deviation).sum()]


def climb(scored: Scored, n_held_out: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights (n_models,) from which no step by any of the FACTORS leads to a higher NDCG."""
    best = scored.ndcg(weights, n_held_out).mean()
    for factor in FACTORS:
        before = -np.inf
        while best > before:
            before = best
            for place in range(len(weights)):
                for change in (factor, 1 / factor):
                    candidate = weights.copy()
                    candidate[place] *= change
                    ndcg = scored.ndcg(candidate, n_held_out).mean()
                    if ndcg > best:
                        best, weights = ndcg, candidate
    return weights


def all_scores(models: Sequence[Model], held_out: Ratings, users: np.ndarray) -> Iterator[Scored]:
    """The models' scores of all that users (n_users,) have not seen, some users at a time."""
    for first in range(0, len(users), USERS_AT_ONCE):
        block = users[first : first + USERS_AT_ONCE]
        scores = [model.score_block(block).astype(np.float32) for model in models]
        is_held_out = np.zeros(scores[0].shape, dtype=bool)
        for row, user in enumerate(block.tolist()):
            is_held_out[row, held_out.by_user.row(user)[0]] = True
            for one in scores:
                one[row, models[0].seen.row(user)[0]] = -np.inf
        yield Scored(scores, is_held_out)
