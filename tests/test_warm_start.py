"""Warm starts from a smaller model: as if the fit had not stopped, refused where unsupported."""

import numpy as np
import pytest

from matinee.algorithms import MF, NMF, ImplicitALS
from matinee.errors import BadSetting
from matinee.sources.synthetic import planted
from matinee.tuning.k_curve import k_curve

SUPPORTED = [MF(n_factors=4), MF(n_factors=4, biased=False), ImplicitALS(n_factors=4)]


@pytest.fixture(scope="module")
def ratings():
    return planted(120, 60, 3, density=0.3, noise=0.3, seed=1)


def with_epochs(algorithm, n_epochs):
    return type(algorithm)(**(algorithm.non_default_settings | {"n_epochs": n_epochs}))


def arrays(model):
    return [*model.user_embeddings[:2], *model.item_embeddings[:2]]


@pytest.mark.parametrize("algorithm", SUPPORTED, ids=str)
def test_a_warm_start_continues_the_fit(algorithm, ratings):
    whole = with_epochs(algorithm, 6).fit(ratings)
    half = with_epochs(algorithm, 2).fit(ratings)
    resumed = with_epochs(algorithm, 4).fit(ratings, start=half)
    everyone = np.arange(120)
    np.testing.assert_allclose(
        resumed.score_block(everyone), whole.score_block(everyone), atol=1e-4
    )


@pytest.mark.parametrize("kind", [MF, NMF])
def test_factors_that_are_added_fit_the_training_ratings_better(kind, ratings):
    small = kind(n_factors=1).fit(ratings)
    errors = [small.facts["train_rmse"]]
    for size in (2, 3):
        small = kind(n_factors=size, n_epochs=4).fit(ratings, start=small)
        errors.append(small.facts["train_rmse"])
    assert errors == sorted(errors, reverse=True)
    assert kind is MF or (small.item_factors >= 0).all()


def test_the_same_start_gives_the_same_bits(ratings):
    small = NMF(n_factors=2).fit(ratings)
    one, other = (NMF(n_factors=4).fit(ratings, start=small) for _ in range(2))
    assert all(map(np.array_equal, arrays(one), arrays(other)))


def test_a_warm_curve_is_as_good_as_a_cold_one(ratings):
    converged = MF(n_epochs=60)  # cold fits of so few ratings need more than the default's epochs
    warm, cold = (
        k_curve(converged, ratings, factors=[1, 2, 3, 4], metrics=["rmse"], folds=2, warm=warm)
        for warm in (True, False)
    )
    assert warm.points[0].metrics == cold.points[0].metrics
    for one, other in zip(warm.points, cold.points, strict=True):
        assert one.metrics["rmse"] < 1.02 * other.metrics["rmse"]
    assert warm.chosen == cold.chosen
    assert "starts from the one above it" in str(warm)
    assert "starts from the one above it" not in str(cold)


@pytest.mark.parametrize(
    "algorithm, words",
    [
        (MF(n_factors=9, solver="sgd"), "does not support a warm start"),
        (NMF(n_factors=9, missing="zero"), "does not support a warm start"),
        (NMF(n_factors=9), "start is a model of mf; it must be of nmf"),
        (MF(n_factors=2), "start has 4 factors, more than the 2"),
    ],
)
def test_what_does_not_fit_is_refused(algorithm, words, ratings):
    start = MF(n_factors=4, n_epochs=1).fit(ratings)
    with pytest.raises(BadSetting, match=words):
        algorithm.fit(ratings, start=start)


def test_a_start_is_of_the_same_users_and_items(ratings):
    start = MF(n_factors=4, n_epochs=1).fit(planted(119, 60, 3, density=0.3, seed=1))
    with pytest.raises(BadSetting, match="other users or items"):
        MF().fit(ratings, start=start)
