"""Tastes: canonical factors, labels, names, and whether they come out again."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from matinee.algorithms import NMF
from matinee.models.factor import FactorModel
from matinee.models.hybrid import expected
from matinee.sources.sample import sample, simulate
from matinee.tastes.canonical import Moments, canonical_turn, faces, variances, varimax
from test_contract import CASES, make, ratings_of


@pytest.fixture(scope="module")
def train():
    return ratings_of()


def with_factors(case):
    return case.split(":")[0] in {
        "nmf", "truncated-svd", "mf", "svdpp", "bayesian-mf", "implicit-als", "bpr",
        "hybrid", "content",
    }  # fmt: skip


@pytest.fixture(scope="module", params=filter(with_factors, CASES))
def model(request, train):
    return make(request.param).fit(train)


def orthogonal(n, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


def allowed_turn(model, seed=0):
    """A turn, with signs and order, or order alone, as the model's fold-in lets it."""
    rng = np.random.default_rng(seed)
    order = np.eye(model.n_factors)[rng.permutation(model.n_factors)]
    signs = rng.choice([-1, 1], model.n_factors)
    freedom = model.fold.freedom
    return {"turn": orthogonal(model.n_factors), "sign": order * signs, "order": order}[freedom]


# The canonical form.


def test_a_turn_changes_neither_scores_nor_fold_ins(model, train):
    other = model.turned(allowed_turn(model)).canonical()
    everyone = np.arange(train.n_users)
    np.testing.assert_allclose(other.score_block(everyone), model.score_block(everyone), atol=2e-5)
    for history in ({"1": 5, "2": 0.5, "7": 4}, train.history("u004")):
        people = [one.fold_in(history) for one in (model, other)]
        scores = [
            one.score_people([person], np.arange(40))
            for one, person in zip((model, other), people, strict=True)
        ]
        np.testing.assert_allclose(*scores, atol=1e-4)
        reasons = [
            one.explain(person, "9", by="history").terms
            for one, person in zip((model, other), people, strict=True)
        ]
        assert [one.name for one in reasons[0]] == [one.name for one in reasons[1]]
        values = [[one.value for one in terms] for terms in reasons]
        np.testing.assert_allclose(*values, atol=1e-4)


def test_what_is_canonical_stays_as_it_is(model):
    assert model.canonical() is model


def test_factors_stand_by_variance_and_face_their_pronounced_end(model):
    P, Q = model.taste_factors
    spread = [np.var(np.outer(P[:, f], Q[:, f]).astype(float)) for f in range(model.n_factors)]
    assert (np.diff(spread) <= 1e-5 * spread[0]).all()
    if model.fold.freedom != "order":
        assert ((Q.astype(float) ** 3).sum(axis=0) >= -1e-9).all()


def test_variances_are_those_of_the_terms():
    rng = np.random.default_rng(0)
    P, Q = rng.normal(1, 2, (30, 3)), rng.normal(-1, 1, (20, 3))
    by_hand = [np.var(np.outer(P[:, f], Q[:, f])) for f in range(3)]
    moments = [Moments(X.T @ X / len(X), X.mean(axis=0)) for X in (P, Q)]
    np.testing.assert_allclose(variances(*moments), by_hand)


def test_varimax_finds_the_axes_of_sparse_loadings():
    rng = np.random.default_rng(0)
    simple = rng.exponential(size=(500, 4)) ** 2 * np.eye(4)[rng.integers(4, size=500)]
    T = varimax(simple @ orthogonal(4))
    found = np.abs(orthogonal(4) @ T)  # a change of order and signs, if it found them
    np.testing.assert_allclose(found.max(axis=0), 1, atol=1e-3)
    assert sorted(found.argmax(axis=0)) == [0, 1, 2, 3]
    np.testing.assert_allclose(T.T @ T, np.eye(4), atol=1e-12)


def test_varimax_beats_every_other_turn():
    def criterion(L):
        return (np.mean(L**4, axis=0) - np.mean(L**2, axis=0) ** 2).sum()

    Q = np.random.default_rng(1).normal(size=(200, 3)) ** 3
    best = criterion(Q @ varimax(Q))
    assert all(criterion(Q @ orthogonal(3, seed)) <= best + 1e-12 for seed in range(50))


def test_factors_of_zeros_are_left_alone():
    nothing = Moments(np.zeros((3, 3)), np.zeros(3))
    for freedom in ("turn", "sign", "order"):
        zeros, counts = np.zeros((5, 3), np.float32), np.zeros(5)
        T = canonical_turn(zeros, counts, nothing, nothing, freedom)
        assert T is None or np.allclose(T.T @ T, np.eye(3))
    assert faces(np.array([[-2.0, 1.0, 0.0], [1.0, 1.0, 0.0]])).tolist() == [-1, 1, 1]


def test_all_samples_of_a_posterior_are_turned_alike(train):
    model = make("bayesian-mf").fit(train)
    T = orthogonal(model.n_factors)
    other = model.turned(T)
    for mine, its in zip(model.taste_factors, other.taste_factors, strict=True):
        np.testing.assert_allclose(its, mine @ T, atol=1e-5)
    assert isinstance(other, FactorModel)


@pytest.mark.parametrize("of", ["hybrid", "content"])
def test_effects_of_features_are_turned_along(of, train):
    model = make(of).fit(train)
    T = orthogonal(model.n_factors)
    guesses = [expected(one.features, one.weights).factors for one in (model, model.turned(T))]
    np.testing.assert_allclose(guesses[0] @ T, guesses[1], atol=1e-5)
    cold = model.item_counts == 0
    np.testing.assert_allclose(guesses[0][cold], model.item_factors[cold], atol=1e-5)


def test_what_profiles_say_is_turned_along(train):
    profiles = {
        user: {"shift": "early" if row % 3 else "late"} for row, user in enumerate(train.users)
    }
    told = dataclasses.replace(train, profiles=profiles)
    for case in ("mf", "bayesian-mf"):
        model = make(case).fit(told)
        other = model.turned(orthogonal(model.n_factors))
        people = [one.fold_in_features({"shift": "late"}) for one in (model, other)]
        scores = [
            one.score_people([person], np.arange(40))
            for one, person in zip((model, other), people, strict=True)
        ]
        np.testing.assert_allclose(*scores, atol=1e-4)


# Known tastes are found again.


def true_item_tastes():
    """b_i of the embedded sample's simulator, in the item order of ``sample()``."""
    world, ratings = simulate(), sample()
    rows = ratings.items.rows(film.item_id for film in world.films)
    B = np.empty_like(world.item_tastes)
    B[rows] = world.item_tastes
    return world.taste_names, B, ratings


@pytest.mark.parametrize("seed", [42, 1])
def test_nmf_recovers_the_known_tastes_of_the_sample(seed):
    names, B, ratings = true_item_tastes()
    Q = NMF(n_factors=len(names), seed=seed).fit(ratings).item_factors
    cosine = (B / np.linalg.norm(B, axis=0)).T @ (Q / np.linalg.norm(Q, axis=0))
    truth, found = linear_sum_assignment(-cosine)
    assert cosine[truth, found].mean() > 0.9
    assert cosine[truth, found].min() > 0.8
