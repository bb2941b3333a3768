"""The quality of explanations: by hand, and of models whose reasons are known to be true."""

import json

import numpy as np
import pytest

from matinee.algorithms import MF, NMF, Bias, Popularity
from matinee.errors import BadRatings, BadSetting
from matinee.evaluation.explanation_quality import explanation_quality
from matinee.evaluation.metrics.explanations import (
    deletion_fidelity,
    largest_terms_share,
    stability,
)
from matinee.sources.synthetic import planted


@pytest.fixture(scope="module")
def train():
    return planted(80, 60, 3, density=0.4, seed=1)


def test_the_share_of_the_largest_terms_by_hand():
    assert largest_terms_share(np.array([1, -3, 2, 4])) == 9 / 10
    assert largest_terms_share(np.array([0.5, 0.1])) == 1
    assert largest_terms_share(np.array([])) == 1


def test_stability_by_hand():
    a, b, c = frozenset("xyz"), frozenset("xyw"), frozenset("xyz")
    assert stability([a, b, c]) == pytest.approx((2 / 4 + 1 + 2 / 4) / 3)
    assert stability([a]) == 1
    assert stability([frozenset(), frozenset()]) == 1


def test_deletion_fidelity_by_hand():
    assert deletion_fidelity(np.array([2, 1, 0, 3]), np.array([1, 1, 1, 0])) == (2 + 0.5) / 4


def test_reasons_of_exact_row_solves_are_faithful(train):
    found = explanation_quality(MF(n_factors=3, n_epochs=6), train, n_people=10, n_seeds=2)
    assert found.pairs == 30
    assert found.deletion_fidelity > 0.8
    assert 0 < found.stability <= 1
    assert 0 < found.largest_terms_share < 1
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_what_does_not_apply_is_none(train):
    found = explanation_quality(Bias(), train, n_people=5)
    assert found.stability is None  # it has no seed
    assert explanation_quality(NMF(n_factors=2, n_epochs=2), train, 4, n_seeds=1).stability is None


def test_everybody_gets_the_same_from_popularity(train):
    found = explanation_quality(Popularity(), train, n_people=5)
    assert found.largest_terms_share == 1
    assert found.deletion_fidelity in (None, 0.5)  # no rating of theirs counts


@pytest.mark.parametrize("name", ["n_people", "n_items", "n_seeds"])
def test_impossible_numbers_are_refused(name, train):
    with pytest.raises(BadSetting, match=f"{name} is 0"):
        explanation_quality(Bias(), train, **{name: 0})


def test_people_with_one_rating_cannot_be_tested():
    with pytest.raises(BadRatings, match="nobody has two ratings"):
        explanation_quality(Bias(), planted(5, 20, 1, density=0.01))


@pytest.mark.parametrize(
    "algorithm", [MF(n_factors=3, n_epochs=3), NMF(n_factors=3, n_epochs=3), Popularity()]
)
def test_what_is_usual_for_a_person_is_their_mean_score_of_rated_items(algorithm, train):
    model = algorithm.fit(train)
    for scored in (model, model.ranker):
        (person,) = scored.from_stars([model.person(train.users.ids[5])])
        mean = scored.score_people([person], scored.rated_items).mean(dtype=np.float64)
        assert scored.usual_score(person) == pytest.approx(mean, abs=1e-5)
