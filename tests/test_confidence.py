"""How sure scores are: dense algebra, planted noise, and real ratings in quarters by activity."""

import json

import numpy as np
import pytest

from matinee import splitting
from matinee.algorithms import EASE, MF, NMF, BayesianMF, Bias, ItemKNN, Popularity, SVDpp
from matinee.data.rows import Rows
from matinee.errors import BadSetting, UnknownId
from matinee.models import load
from matinee.models.certainty import certainty, in_words
from matinee.row_solvers import LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.sources.synthetic import planted

MODELS = {
    "mf": MF(n_factors=3, n_epochs=8),
    "sgd": MF(n_factors=3, n_epochs=20, solver="sgd"),
    "nmf": NMF(n_factors=3, n_epochs=8),
    "svdpp": SVDpp(n_factors=3, n_epochs=10),
    "bias": Bias(),
}


@pytest.fixture(scope="module")
def split():
    return splitting.random(planted(300, 120, 3, density=0.25, noise=0.8, seed=3), 0.25)


@pytest.fixture(scope="module")
def models(split):
    return {name: algorithm.fit(split.train) for name, algorithm in MODELS.items()}


def covered(model, test, level):
    """For each test rating, whether it lies in its interval, and the row of its user."""
    inside, rows = [], []
    for user in np.unique(test.user).tolist():
        items, ratings = test.by_user.row(user)
        found = model.interval(model.users.ids[user], model.items.ids[items], level)
        inside.append((ratings >= np.array(found.low)) & (ratings <= np.array(found.high)))
        rows.append(np.full(len(items), user))
    return np.concatenate(inside), np.concatenate(rows)


@pytest.mark.parametrize("nonnegative", [False, True])
def test_the_spread_of_a_row_solve_is_that_of_dense_algebra(nonnegative):
    rng = np.random.default_rng(0)
    items = Embeddings(rng.normal(size=(9, 3)).astype("f4"), np.zeros(9, "f4"))
    solve = LeastSquares(reg=0.5, reg_power=0.5, bias_reg=2.0, nonnegative=nonnegative)
    rated, person = np.array([1, 4, 6, 7]), Embeddings.zeros(1, 3)
    person.factors[0] = [1, 0, 2]
    Y = np.column_stack([items.factors, np.ones(9)]).astype(float)
    ridge = np.diag([0.5 * 2, 0.5 * 2, 0.5 * 2, 2.0])
    keep = [0, 2, 3] if nonnegative else [0, 1, 2, 3]
    A = (Y[rated].T @ Y[rated] + ridge)[np.ix_(keep, keep)]
    expected = [y @ np.linalg.inv(A) @ y for y in Y[:, keep]]
    history, penalty = Rows.single(rated, np.zeros(4)), solve.row_penalty(items)
    found = solve.spread(history, items, np.arange(9), person, penalty)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_spread_of_a_rating_is_its_leverage():
    """By how much a prediction follows its own rating: moved by one, it moves by the spread."""
    rng = np.random.default_rng(1)
    items = Embeddings(rng.normal(size=(6, 2)).astype("f4"), np.zeros(6, "f4"))
    solve = LeastSquares(reg=0.7, bias_reg=1.0)
    rated, ratings = np.arange(6, dtype=np.int32), rng.normal(size=6).astype("f4")
    told = []
    for moved in (0.0, 1.0):
        person = Embeddings.zeros(1, 2)
        given = ratings + np.eye(6, dtype="f4")[2] * np.float32(moved)
        history = Rows.single(rated, given)
        solve.solve(history, 0.0, items, person)
        told.append(person.bias[0] + items.factors[2] @ person.factors[0])
    found = solve.spread(history, items, np.array([2]), person, solve.row_penalty(items))
    assert told[1] - told[0] == pytest.approx(found[0], rel=1e-4)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_intervals_hold_as_many_ratings_as_they_say(name, level, models, split):
    inside, _ = covered(models[name], split.test, level)
    assert inside.mean() == pytest.approx(level, abs=0.05)


@pytest.mark.parametrize("algorithm", [MF(), NMF()], ids=["mf", "nmf"])
def test_eighty_percent_on_ml_100k_overall_and_by_activity(algorithm, ratings_100k):
    """The bars are 77 to 83 %; on 100,000 ratings a quarter of the users is told to 1 %."""
    split = splitting.random(ratings_100k, 0.2, seed=1)
    model = algorithm.fit(split.train)
    inside, users = covered(model, split.test, 0.8)
    counts = model.seen.counts
    quarter = np.digitize(counts, np.quantile(counts, [0.25, 0.5, 0.75]))[users]
    assert 0.77 <= inside.mean() <= 0.83
    for q in range(4):
        assert 0.76 <= inside[quarter == q].mean() <= 0.84


def test_who_rated_little_and_what_was_rated_little_is_less_sure(models):
    model = models["mf"]
    history = dict(zip(model.items.ids[:30].tolist(), [3.0, 4.0, 5.0] * 10, strict=True))
    items = np.arange(40, 60)
    few, many = (model.fold_in(dict(list(history.items())[:n])) for n in (3, 30))
    assert model.deviations(few, items).mean() > model.deviations(many, items).mean()
    nobody = model.deviations(model.fold_in({}), items)
    assert np.isfinite(nobody).all()


def test_intervals_are_around_predictions_and_refuse_in_words(models):
    model = models["mf"]
    found = model.interval(["1", "2"], "3", level=0.9)
    assert found.rating == pytest.approx(np.asarray(model.predict(["1", "2"], "3")), abs=1e-6)
    assert all(
        low <= rating <= high
        for low, rating, high in zip(found.low, found.rating, found.high, strict=True)
    )
    wider = model.interval(["1", "2"], "3", level=0.95)
    assert wider.low[0] <= found.low[0]
    with pytest.raises(BadSetting, match=r"level is 1\.5"):
        model.interval("1", "3", level=1.5)
    with pytest.raises(UnknownId):
        model.interval("stranger", "3")
    for other in (ItemKNN(), EASE(), Popularity()):
        with pytest.raises(BadSetting, match=f"models of {other.name} give no intervals; mf, nmf"):
            other.fit(planted(20, 10, 1, density=0.5)).interval("1", "3")


def test_intervals_survive_saving(models, tmp_path):
    model = models["nmf"]
    loaded = load(model.save(tmp_path / "model"))
    assert loaded.item_fold == model.item_fold
    assert np.array_equal(loaded.calibration.strays, model.calibration.strays)
    assert loaded.interval("1", ["3", "4"]) == model.interval("1", ["3", "4"])


def test_a_person_with_one_rating_each_gives_nothing_to_calibrate_on():
    model = MF(n_factors=1, n_epochs=2).fit(planted(5, 20, 1, density=0.01))
    with pytest.raises(BadSetting, match="nobody has two ratings"):
        model.interval(model.users.ids[0], model.items.ids[0])


def test_evidence_counts_ratings(models, split):
    user, item = split.train.users.ids[3], split.train.items.ids[7]
    found = models["mf"].evidence(user, item)
    assert found == (split.train.by_user.counts[3], split.train.by_item.counts[7])
    assert models["mf"].evidence(models["mf"].fold_in({item: 4}), item).by_user == 1
    assert models["mf"].evidence("stranger", item).by_user == 0


def test_what_everybody_gets_is_not_personal(models):
    popularity = Popularity().fit(planted(40, 30, 2, density=0.4))
    assert popularity.how_personal("3", popularity.recommend("3").item_id[0]) == 0
    model = models["mf"]
    nobody = model.fold_in({})
    assert model.how_personal(nobody, model.recommend(nobody, 1).item_id[0]) == 0
    ease = EASE(reg=5.0).fit(planted(40, 30, 2, density=0.4))
    assert ease.how_personal("3", ease.recommend("3").item_id[0]) == 1


def test_an_item_without_a_lead_is_neither_personal_nor_popular(models):
    """The last of all, which the user's score puts behind the mean of the rated items."""
    model = models["mf"]
    item = model.recommend("3", len(model.items), exclude_seen=False).item_id[-1]
    assert model.how_personal("3", item) is None
    certain = certainty(model, "3", item)
    assert certain.to_dict(digits=2)["personal"] is None
    assert "popular" not in in_words(certain)


def test_the_share_that_is_personal_by_hand(models):
    model = models["mf"]
    item = model.recommend("3", 1).item_id[0]
    row = model.items.row(item)
    rated = model.item_counts > 0
    leads = []
    for person in ("3", model.fold_in({})):
        scores = model.list_scores([person], np.arange(len(model.items)))[0].astype(float)
        leads.append(scores[row] - scores[rated].mean())
    expected = min(max(1 - leads[1] / leads[0], 0), 1)
    assert model.how_personal("3", item) == pytest.approx(expected, abs=1e-5)
    json.dumps(model.how_personal("3", item))


def test_bayesian_intervals_keep_the_same_contract(split):
    model = BayesianMF(n_factors=3, n_epochs=30, n_samples=10).fit(split.train)
    found = model.interval("1", "3")
    assert found.low[0] <= found.rating[0] <= found.high[0]
    assert list(found.columns) == ["user_id", "item_id", "rating", "low", "high"]
