"""Weights of blends that order lists: whatever the units, and never worse than what they blend."""

import numpy as np
import pytest

from matinee.algorithms import EASE, Blend, ImplicitALS, Popularity
from matinee.sources.synthetic import planted
from matinee.training.list_weights import Scored, climb, fitted_list_weights


@pytest.fixture(scope="module")
def parts():
    liked = planted(150, 80, 4, density=0.4, noise=0.3, seed=2).positives_from(4)
    aside = np.random.default_rng(0).random(len(liked)) < 0.2
    return liked.subset(~aside), liked.subset(aside)


@pytest.fixture(scope="module")
def models(parts):
    return [one.fit(parts[0]) for one in (EASE(reg=20.0), ImplicitALS(n_factors=4), Popularity())]


class Louder:
    """A model whose scores are larger by a factor."""

    def __init__(self, model, factor):
        self.model, self.factor, self.seen = model, factor, model.seen

    def score_block(self, users):
        return self.factor * self.model.score_block(users)


def slow_ndcg(models, weights, held_out):
    """NDCG@10 of every user with held-out items, by sorting everything."""
    found = []
    for user in np.flatnonzero(held_out.by_user.counts):
        scores = sum(
            w * m.score_block(np.array([user], np.int32))[0]
            for w, m in zip(weights, models, strict=True)
        )
        scores = scores.astype(np.float64)
        scores[models[0].seen.row(user)[0]] = -np.inf
        relevant = set(held_out.by_user.row(user)[0].tolist())
        listed = np.argsort(-scores, kind="stable")[:10].tolist()
        gain = sum(1 / np.log2(2 + p) for p, item in enumerate(listed) if item in relevant)
        found.append(gain / sum(1 / np.log2(2 + p) for p in range(min(10, len(relevant)))))
    return np.mean(found)


def test_the_blend_lists_held_out_items_no_worse_than_its_parts(models, parts):
    weights = fitted_list_weights(models, parts[1], np.random.default_rng(0))
    blended = slow_ndcg(models, weights, parts[1])
    for place in range(len(models)):
        assert blended >= slow_ndcg(models, np.eye(len(models))[place], parts[1]) - 1e-9


def test_units_do_not_matter(models, parts):
    weights = fitted_list_weights(models, parts[1], np.random.default_rng(0))
    louder = [Louder(models[0], 1024.0), *models[1:]]
    again = fitted_list_weights(louder, parts[1], np.random.default_rng(0))
    np.testing.assert_allclose(again, [weights[0] / 1024, *weights[1:]], rtol=1e-4)


def test_the_ndcg_that_is_climbed_is_that_of_whole_lists():
    rng = np.random.default_rng(3)
    scores = [rng.normal(size=(20, 300)).astype(np.float32) for _ in range(2)]
    held_out = rng.random((20, 300)) < 0.05
    n, whole = np.maximum(held_out.sum(axis=1), 1), Scored(scores, held_out)
    narrow = whole.best()
    assert narrow.held_out.shape == (20, 200)
    for weights in ([1.0, 1.0], [1.0, 0.3]):
        assert (narrow.ndcg(np.array(weights), n) == whole.ndcg(np.array(weights), n)).all()
    climbed = climb(whole, n, np.ones(2))
    assert whole.ndcg(climbed, n).mean() >= whole.ndcg(np.ones(2), n).mean()


def test_a_blend_of_preferences_has_no_constant_and_adds_up(parts):
    model = Blend(of=(EASE(reg=20.0), ImplicitALS(n_factors=4))).fit(parts[0])
    assert model.constant == 0
    assert min(model.weights) > 0
    explanation = model.explain("3", "5")
    assert sum(term.value for term in explanation.terms) == pytest.approx(explanation.score)
