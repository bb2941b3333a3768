"""Penalties learned as variances: planted noise and ranks found, and models like any other."""

import numpy as np
import pytest

from matinee import splitting
from matinee.algorithms import MF
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.models.saved import load
from matinee.sources.synthetic import planted
from matinee.training.choice_structure import excess_of_structure
from matinee.training.variances import balance
from matinee.tuning.k_curve import k_curve

NOISE = 0.15


def signed(n_users=400, n_items=200, rank=3, noise=NOISE, seed=3):
    """Normal factors and noise, and no biases; 40 % of the cells known."""
    rng = np.random.default_rng(seed)
    P, Q = rng.normal(size=(n_users, rank)), rng.normal(size=(n_items, rank)) / np.sqrt(rank)
    user, item = np.nonzero(rng.random((n_users, n_items)) < 0.4)
    stars = 3 + (P[user] * Q[item]).sum(axis=1) + rng.normal(0, noise, len(user))
    ids = IdMap.of(range(n_users), "user"), IdMap.of(range(n_items), "item")
    return Ratings.of(*ids, user, item, stars)


def clustered(seed=0):
    """Two kinds of people who rate two kinds of items, mostly their own, and like them alike."""
    rng = np.random.default_rng(seed)
    kind = np.arange(160) % 2, np.arange(120) % 2
    own = kind[0][:, None] == kind[1]
    user, item = np.nonzero(rng.random(own.shape) < np.where(own, 0.7, 0.1))
    liking = rng.normal(size=(160, 2)) @ rng.normal(size=(2, 120))
    stars = 3 + 0.5 * liking[user, item] + rng.normal(0, 0.5, len(user))
    ids = IdMap.of(range(160), "user"), IdMap.of(range(120), "item")
    return Ratings.of(*ids, user, item, stars)


DATA = {"random choices": signed, "choices with structure": clustered}


@pytest.fixture(scope="module", params=DATA)
def train(request):
    return DATA[request.param]()


@pytest.fixture(scope="module")
def model(train):
    return MF(n_factors=6, choice=None).fit(train)


@pytest.mark.parametrize("n_factors", [3, 5, 10, 20])
def test_planted_noise_and_rank_are_found_whatever_the_number_of_factors(n_factors):
    split = splitting.random(signed(), test_share=0.1)
    model = MF(n_factors=n_factors, choice=None).fit(split.train)
    test = split.test
    error = model.score_rows(test.user, test.item) - test.rating
    assert np.sqrt((error**2).mean()) < 1.05 * NOISE
    assert model.facts["noise"] == pytest.approx(NOISE, rel=0.05)
    assert model.facts["n_active_factors"] == 3


@pytest.mark.parametrize("rank", [3, 5, 10])
def test_the_planted_rank_is_found_with_nothing_set(rank):
    ratings = planted(240, 160, rank, density=0.7, noise=0.1, seed=rank)
    sizes = [rank - 2, rank - 1, rank, rank + 1, rank + 3]
    algorithm = MF(n_epochs=24, choice=None)
    assert k_curve(algorithm, ratings, factors=sizes, metrics=["rmse"], folds=2).chosen == rank


def test_noise_alone_is_not_taken_for_taste():
    ratings = signed()
    columns = ratings.users, ratings.items, ratings.user, ratings.item
    noise = Ratings.of(*columns, np.random.default_rng(0).normal(3, 1, len(ratings)))
    split = splitting.random(noise, test_share=0.1)
    errors = {}
    for reg in (None, 1.15):
        model = MF(n_factors=5, choice=None, reg=reg).fit(split.train)
        errors[reg] = model.score_rows(split.test.user, split.test.item) - split.test.rating
        if reg is None:
            assert model.facts["noise"] == pytest.approx(1, rel=0.02)
    assert np.sqrt((errors[None] ** 2).mean()) < 1.02
    assert (errors[None] ** 2).mean() < (errors[1.15] ** 2).mean()


def test_who_rated_what_takes_part_where_it_has_structure():
    random, structured = signed(), clustered()
    assert excess_of_structure(random) < 0.9
    assert excess_of_structure(structured) > 1.2
    for ratings, implicit in ((random, False), (structured, True)):
        model = MF(n_factors=3, choice=None).fit(ratings)
        assert (model.item_embeddings.implicit is not None) == implicit
        assert bool(model.fold.implicit_weight) == implicit


def test_a_number_given_still_holds(train):
    """Each of the penalties that are stated by hand, and all others at what they were."""
    usual = {"bias_reg": 2.0, "implicit_weight": 1.6, "implicit_reg": 90.0}
    one, other = (MF(n_factors=4, choice=None, reg=1.15, **more).fit(train) for more in ({}, usual))
    assert np.array_equal(one.item_factors, other.item_factors)
    assert one.fold == other.fold
    assert one.fold.matrix is None
    assert "noise" not in one.facts
    learned = MF(n_factors=4, choice=None, bias_reg=7.0).fit(train)
    assert learned.fold.bias_reg == learned.item_fold.bias_reg == 7
    assert learned.fold.matrix is not None


def test_few_ratings_of_a_row_leave_the_usual_numbers():
    sparse = planted(120, 60, 3, density=0.3, noise=0.3, seed=1)
    learned, stated = (
        MF(n_factors=4, choice=None, **how).fit(sparse) for how in ({}, {"reg": 1.15})
    )
    assert np.array_equal(learned.item_factors, stated.item_factors)


def test_a_trained_user_folded_in_is_the_trained_row(model, train):
    for user in ("3", "77"):
        person = model.fold_in(train.history(user))
        trained = model.embeddings_of(train.users.row(user))
        np.testing.assert_allclose(person.embeddings.factors, trained.factors, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(person.embeddings.bias, trained.bias, rtol=1e-3, atol=1e-4)


def test_explanations_leave_no_remainder(model):
    for by in model.views:
        reasons = model.explain("5", "9", by=by)
        assert sum(term.value for term in reasons.terms) == pytest.approx(reasons.score, abs=1e-4)
    kinds = {term.kind for term in model.explain("5", "9", by="history").terms}
    assert "rest" not in kinds


def test_a_rating_taken_back_is_a_solve_without_it(model, train):
    history = train.history("5")
    items = train.items.rows(history)
    stars = np.array(list(history.values()), np.float32)
    order = np.argsort(items)
    without = model.solve_without_each(Rows.single(items[order], stars[order]))
    rest = np.delete(order, 2)
    alone = model.solve(items[rest], stars[rest])
    np.testing.assert_allclose(without.factors[2], alone.factors[0], atol=1e-3)


def test_intervals_hold_the_share_they_promise(train):
    split = splitting.random(train, test_share=0.25)
    model, test = MF(n_factors=4, choice=None).fit(split.train), split.test
    inside = []
    for user in range(100):
        at = np.flatnonzero(test.user == user)
        if len(at):
            person = model.person(train.users.ids[user])
            reach = model.reach(person, test.item[at], 0.8)
            error = np.abs(model.score_rows(test.user[at], test.item[at]) - test.rating[at])
            inside.append(error <= reach)
    assert np.concatenate(inside).mean() == pytest.approx(0.8, abs=0.05)


def test_a_saved_model_folds_in_to_the_bit(model, tmp_path):
    loaded = load(model.save(tmp_path / "model"))
    one, other = (of.fold_in({"3": 4.0, "5": 2.5}) for of in (model, loaded))
    assert np.array_equal(one.embeddings.factors, other.embeddings.factors)
    assert np.array_equal(loaded.fold.matrix.base, model.fold.matrix.base)


def test_the_number_of_threads_changes_no_bit(model, train, monkeypatch):
    monkeypatch.setenv("MATINEE_THREADS", "3")
    again = MF(n_factors=6, choice=None).fit(train)
    assert np.array_equal(again.item_factors, model.item_factors)


@pytest.mark.parametrize("a, b", [(20.0, 100.0), (0.05, -3.0)])
def test_units_of_ratings_cannot_matter(model, train, a, b):
    columns = train.users, train.items, train.user, train.item
    other = MF(n_factors=6, choice=None).fit(Ratings.of(*columns, a * train.rating + b))
    everyone = np.arange(train.n_users)
    scores = (other.score_block(everyone) - b) / a
    np.testing.assert_allclose(scores, model.score_block(everyone), atol=5e-3)


def test_to_go_on_is_not_to_have_stopped(train):
    whole, half = (MF(n_factors=4, choice=None, n_epochs=n).fit(train) for n in (6, 2))
    gone_on = MF(n_factors=4, choice=None, n_epochs=4).fit(train, start=half)
    everyone = np.arange(train.n_users)
    np.testing.assert_allclose(
        gone_on.score_block(everyone), whole.score_block(everyone), atol=5e-3
    )


def test_balance_makes_both_sides_alike_and_keeps_scores():
    rng = np.random.default_rng(0)
    P, Q = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4)), rng.normal(size=(30, 4))
    R, T, sizes = balance(P.T @ P, Q.T @ Q)
    np.testing.assert_allclose((P @ R) @ (Q @ T).T, P @ Q.T, atol=1e-9)
    for side in (P @ R, Q @ T):
        np.testing.assert_allclose(side.T @ side, np.diag(sizes), atol=1e-8)
