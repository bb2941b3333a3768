"""Gibbs sampling against posteriors that are known, and what the averaged model promises."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from matinee.algorithms import BayesianMF
from matinee.algorithms.bayesian_mf import Chain, ScoreAverage, aligning_rotations
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.errors import BadSetting, UnknownId
from matinee.kernels.gibbs import draw_rows
from matinee.kernels.least_squares import Terms, penalty_of
from matinee.kernels.random import fill_normal, philox
from matinee.models import load
from matinee.row_solvers import LeastSquares, PosteriorMean, from_plain, to_plain
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.implicit_features import ImplicitFeatures
from matinee.training.population import Population
from matinee.training.singular_vectors import leading_vectors, nearly_leading_vectors

QUICK = {"n_factors": 3, "n_features": 8, "n_epochs": 60, "n_samples": 20}


# Random numbers.

# Counter, key, and answer: the known-answer test of Random123 (Salmon et al. 2011).
KNOWN_ANSWERS = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(counter, key, answer):
    assert [int(word) for word in philox(*map(np.uint64, counter + key))] == answer


def normals(seed, draw, row, n):
    out = np.empty(n)
    fill_normal(np.uint64(seed), np.uint64(draw), np.uint64(row), out)
    return out


def test_normal_numbers_have_normal_moments():
    drawn = normals(3, 1, 7, 100_001)
    assert np.mean(drawn) == pytest.approx(0, abs=0.02)
    assert np.var(drawn) == pytest.approx(1, abs=0.03)
    assert np.mean(drawn**3) == pytest.approx(0, abs=0.05)
    assert np.mean(drawn**4) == pytest.approx(3, abs=0.15)
    assert np.corrcoef(drawn[:-1], drawn[1:])[0, 1] == pytest.approx(0, abs=0.02)


def test_normal_numbers_belong_to_seed_draw_and_row():
    base = normals(3, 1, 7, 9)
    assert np.array_equal(base[:4], normals(3, 1, 7, 4)), "the first do not depend on how many"
    assert np.array_equal(base, normals(3, 1, 7, 9))
    for other in ((4, 1, 7), (3, 2, 7), (3, 1, 8), (3, 1, 7 + 2**32), (3 + 2**32, 1, 7)):
        assert abs(base - normals(*other, 9)).min() > 1e-9


# One Gibbs step.


def toy(n_users, n_factors=3, n_items=12, seed=0):
    """The same ratings from each of many users, so that each row is a draw from one posterior."""
    rng = np.random.default_rng(seed)
    items = np.arange(n_items, dtype=np.int32)
    ratings = rng.normal(0.5, 1, n_items).astype(np.float32)
    rated = Rows(
        np.arange(n_users + 1, dtype=np.int64) * n_items,
        np.tile(items, n_users),
        np.tile(ratings, n_users),
    )
    Y = rng.normal(0, 0.7, (n_items, n_factors)).astype(np.float32)
    return rated, ratings, Y


def drawn(rated, Y, reg, noise, seed=1, draw=1, weights=None):
    terms = Terms.of(rated._replace(weights=weights), np.zeros(len(Y)), Y)
    return draw_rows(terms, penalty_of(reg, np.zeros(len(reg))), np.sqrt(noise), seed, draw)


@pytest.mark.parametrize("n_items", [12, 2])  # the second in the dual
@pytest.mark.parametrize("weighted", [False, True])
def test_a_row_is_drawn_from_its_posterior(n_items, weighted):
    """x | r ~ N(A^-1 Y'W r, noise A^-1), A = Y'W Y + noise / prior variance."""
    noise, variance = 0.6, np.array([1.0, 0.5, 2.0])
    rated, ratings, Y = toy(40_000, n_items=n_items)
    w = np.linspace(0.5, 2.0, n_items) if weighted else np.ones(n_items)
    weights = np.tile(w, 40_000) if weighted else None
    X = drawn(rated, Y, noise / variance, noise, weights=weights).astype(np.float64)
    Y = Y.astype(np.float64)
    covariance = np.linalg.inv(Y.T @ (w[:, None] * Y) / noise + np.diag(1 / variance))
    mean = covariance @ Y.T @ (w * ratings) / noise
    error = np.sqrt(np.diag(covariance) / len(X))
    assert (abs(X.mean(axis=0) - mean) < 5 * error).all()
    np.testing.assert_allclose(np.cov(X.T), covariance, atol=0.03 * np.diag(covariance).max())


def test_draws_do_not_depend_on_threads(monkeypatch):
    rated, _, Y = toy(500)
    alone = drawn(rated, Y, np.ones(3), 0.5)
    monkeypatch.setenv("MATINEE_THREADS", "4")
    assert np.array_equal(drawn(rated, Y, np.ones(3), 0.5), alone)
    assert not np.array_equal(drawn(rated, Y, np.ones(3), 0.5, draw=2), alone)


# The distribution of rows.


def population(n=4000, seed=0):
    """Rows from a known distribution, of which a feature explains some."""
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(n, 1))
    root = np.array([[0.8, 0.0], [0.3, 0.5]])
    P = np.array([0.4, -0.2]) + (f @ [[0.5, 0.0]] + rng.normal(size=(n, 2))) @ root.T
    bias = 0.1 + P @ [0.2, -0.3] + rng.normal(0, 0.4, n)
    side = Embeddings(P.astype(np.float32), bias.astype(np.float32))
    rated = Rows(np.arange(n + 1), np.zeros(n, np.int32), np.zeros(n, np.float32))
    return side, Population.of(rated, f, n_factors=2, spread=1.0), root


def test_the_distribution_of_rows_is_found_again():
    side, rows, root = population()
    rng = np.random.default_rng(1)
    priors = [rows.draw(side, rng) for _ in range(60)][10:]
    for name, truth in {
        "a": [0.4, -0.2],
        "root": root,
        "G": [[0.5, 0.0]],
        "c": 0.1,
        "w": [0.2, -0.3],
        "bias_variance": 0.16,
    }.items():
        values = np.array([getattr(prior, name) for prior in priors])
        np.testing.assert_allclose(values.mean(axis=0), truth, atol=0.06)


def test_standardized_rows_score_as_before():
    """p . q + b + c' is the same in both coordinates, whatever the distribution."""
    side, rows, _ = population(n=50)
    rng = np.random.default_rng(2)
    prior = rows.draw(side, rng)
    other = Embeddings(
        rng.normal(size=(5, 2)).astype(np.float32), rng.normal(size=5).astype(np.float32)
    )
    standard = rng.normal(size=(7, 3)).astype(np.float32)
    mine, seen = prior.restored(standard), prior.standardized(other)
    before = mine.factors @ other.factors.T + mine.bias[:, None] + other.bias
    after = standard[:, :2] @ seen.factors.T + standard[:, 2:] + seen.bias
    np.testing.assert_allclose(before, after, atol=1e-5)


def test_rotated_samples_face_alike_again():
    rng = np.random.default_rng(0)
    Q = rng.normal(size=(50, 4))
    rotations = [np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(3)]
    samples = [Q @ rotation for rotation in rotations]
    turned = [
        one @ turn
        for one, turn in zip(samples, aligning_rotations(samples, np.ones(50)), strict=True)
    ]
    np.testing.assert_allclose(turned[0], turned[2], atol=1e-5)
    np.testing.assert_allclose(turned[1], turned[2], atol=1e-5)
    gram = turned[2].T @ turned[2]
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-4)


# Folding in.


def test_the_posterior_mean_is_the_average_of_its_samples():
    rated, _, _ = toy(4)
    rng = np.random.default_rng(5)
    items = Embeddings(rng.normal(size=(12, 6)).astype(np.float32), np.zeros(12, np.float32))
    fold, users = PosteriorMean((0.5, 0.8), (0.3, 0.4)), Embeddings.zeros(4, 6)
    fold.solve(rated, 0.2, items, users)
    scores = users.bias[:, None] + users.factors @ items.factors.T
    expected = np.zeros_like(scores)
    for s, (reg, bias_reg) in enumerate([(0.5, 0.3), (0.8, 0.4)]):
        sample = Embeddings(items.factors[:, 3 * s : 3 * s + 3], items.bias)
        alone = Embeddings.zeros(4, 3)
        LeastSquares(reg, 0.0, bias_reg).solve(rated, 0.2, sample, alone)
        expected += (alone.bias[:, None] + alone.factors @ sample.factors.T) / 2
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    here, ratings = rated.row(0)
    parts = fold.parts(Rows.single(here, ratings - 0.2), items, np.array([7]), users.row(0))
    assert parts.sum() == pytest.approx(scores[0, 7], abs=1e-5)


def test_the_posterior_mean_is_plain_data():
    fold = PosteriorMean((0.5, 0.8), (0.3, 0.4))
    assert from_plain(json.loads(json.dumps(to_plain(fold)))) == fold


# The algorithm.


def planted(n_users=150, n_items=80, noise=0.5, share=0.3, seed=0):
    """Ratings off a known low-rank truth, a training and a test part of them."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 0.9, (n_users, 2)) @ rng.normal(0, 0.9, (n_items, 2)).T
    truth += 10 + rng.normal(0, 0.5, (n_users, 1)) + rng.normal(0, 0.5, n_items)
    user, item = np.nonzero(rng.random((n_users, n_items)) < share)
    rating = truth[user, item] + rng.normal(0, noise, len(user))
    whole = Ratings.of(
        IdMap.of([f"u{one}" for one in range(n_users)], "user"),
        IdMap.of([f"i{one}" for one in range(n_items)], "item"),
        user,
        item,
        rating,
        scale=Scale(0, 20),
    )
    held_out = rng.random(len(whole)) < 0.25
    return whole.subset(~held_out), whole.subset(held_out)


@pytest.fixture(scope="module")
def data():
    return planted()


@pytest.fixture(scope="module")
def model(data):
    return BayesianMF(**QUICK).fit(data[0])


def test_the_noise_of_planted_ratings_is_found(model, data):
    assert model.facts["noise"] == pytest.approx(0.5, rel=0.15)
    _, test = data
    error = np.sqrt(np.mean((model.predict_rows(test.user, test.item) - test.rating) ** 2))
    assert error < 0.5 * test.rating.std()


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_intervals_hold_as_many_ratings_as_they_say(model, data, level):
    _, test = data
    found = model.interval(test.users.ids[test.user], test.items.ids[test.item], level)
    inside = (test.rating >= np.array(found.low)) & (test.rating <= np.array(found.high))
    assert inside.mean() == pytest.approx(level, abs=0.06)


def test_fewer_ratings_mean_a_wider_interval(model, data):
    history = data[0].history("u1")
    few, many = model.fold_in(dict(list(history.items())[:2])), model.fold_in(history)
    width = [
        np.mean(np.subtract(table.high, table.low))
        for table in (model.interval(one, ["i3", "i4", "i5"]) for one in (few, many))
    ]
    assert width[0] > width[1]


def test_intervals_are_around_predictions_and_refuse_in_words(model):
    found = model.interval(["u1", "u2"], "i3")
    predicted = model.predict(["u1", "u2"], "i3")
    assert found.user_id == ("u1", "u2")
    np.testing.assert_allclose(found.rating, np.asarray(predicted), rtol=1e-6)
    assert found.low < found.rating < found.high
    with pytest.raises(BadSetting, match=r"level is 1\.5"):
        model.interval("u1", "i3", level=1.5)
    with pytest.raises(UnknownId):
        model.interval("stranger", "i3")


def test_intervals_survive_saving(model, tmp_path):
    loaded = load(model.save(tmp_path / "model"))
    assert loaded.interval("u1", ["i3", "i4"]) == model.interval("u1", ["i3", "i4"])


def test_a_taste_is_a_factor_of_all_samples_together(model):
    assert len(model.tastes()) == model.n_factors == QUICK["n_factors"]
    assert model.n_samples == QUICK["n_samples"]
    assert model.item_factors.shape[1] == model.n_factors * model.n_samples
    tastes = [term for term in model.explain("u1", "i3", by="factor") if term.kind == "taste"]
    assert len(tastes) == model.n_factors


def steadiness(noise_damping):
    """The mean w_u of steady and of erratic people, whose ratings scatter by 0.2 and by 1."""
    train, _ = planted(noise=0.2)
    erratic = train.user % 2 == 1
    off = np.random.default_rng(5).normal(0, 1, len(train)) * erratic
    train = replace(train, rating=(train.rating + off).astype(np.float32))
    chain = Chain.start(train, BayesianMF(n_factors=3, n_features=0, noise_damping=noise_damping))
    drawn = [(chain.step(epoch), chain.steadiness)[1] for epoch in range(1, 31)]
    mean = np.mean(drawn[10:], axis=0)
    return mean[::2].mean(), mean[1::2].mean()


def test_steady_people_are_told_from_erratic_ones():
    steady, erratic = steadiness(noise_damping=1)
    assert 10 < steady / erratic < 26, "26 were items known; what is unsure of them adds to both"
    steady, erratic = steadiness(noise_damping=1e9)
    assert steady == pytest.approx(1, abs=1e-3)
    assert erratic == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("n_features", [0, 8])
def test_each_sample_of_the_model_scores_as_its_draw(data, n_features):
    """The items of a sample, with users solved on them, are near the draw that they come from."""
    train, _ = data
    chain = Chain.start(train, BayesianMF(n_factors=3, n_features=n_features, seed=0))
    mean = float(train.rating.mean())
    chain.train = train
    for epoch in range(1, 30):
        sample = chain.step(epoch)
    fold = PosteriorMean((sample.noise,), (sample.noise / sample.user_bias_variance,))
    users = Embeddings.zeros(train.n_users, 3)
    fold.solve(train.by_user, 0.0, sample.items, users)
    told = users.factors @ sample.items.factors.T + users.bias[:, None] + sample.items.bias
    draw = (
        chain.users.factors @ chain.items.factors.T + chain.users.bias[:, None] + chain.items.bias
    )
    difference = (told - draw)[train.user, train.item]
    assert mean > 5
    assert difference.std() < 0.5, "a draw scatters around its mean by less than the noise"
    assert abs(difference.mean()) < 0.05


def test_scores_follow_the_unit_of_ratings(data):
    """Ratings ten times as large, scores ten times as large."""
    train, _ = data
    larger = Ratings.of(
        train.users, train.items, train.user, train.item, 10 * train.rating, scale=Scale(0, 200)
    )
    everyone = np.arange(train.n_users)
    scores = [BayesianMF(**QUICK).fit(one).score_block(everyone) for one in (train, larger)]
    np.testing.assert_allclose(scores[1], 10 * scores[0], rtol=0.02)


def test_features_are_what_implicit_factors_add_up_to(data):
    train, _ = data
    choices = ImplicitFeatures.of(train, 6)
    G = np.random.default_rng(0).normal(size=(6, 2))
    implicit = choices.vectors @ G
    for user in (0, 7):
        here, _ = train.by_user.row(user)
        expected = implicit[here].sum(axis=0) / np.sqrt(len(here))
        np.testing.assert_allclose(choices.of_users[user] @ G, expected, atol=1e-8)
    for features in (choices.of_users, choices.of_items):
        np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-8)
        np.testing.assert_allclose(features.var(axis=0), 1, rtol=1e-8)


def test_nearly_leading_vectors_span_the_leading_ones_where_there_is_a_gap():
    rng = np.random.default_rng(0)
    strong = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 200))
    A = csr_array(strong + 0.1 * rng.normal(size=strong.shape))
    U, s, V = nearly_leading_vectors(A, 5)
    exact_U, exact_s, exact_V = leading_vectors(A, 5, float((A.data**2).sum()))
    np.testing.assert_allclose(s, exact_s, rtol=1e-9)
    np.testing.assert_allclose(V, exact_V, atol=1e-6)
    np.testing.assert_allclose(U, exact_U, atol=1e-6)


def test_a_validation_part_is_measured_and_epochs_are_told(data):
    train, test = data
    told = []
    model = BayesianMF(**QUICK, tolerance=0).fit(train, test, told.append)
    assert [epoch.number for epoch in told] == list(range(1, QUICK["n_epochs"] + 1))
    error = np.sqrt(np.mean((model.predict_rows(test.user, test.item) - test.rating) ** 2))
    assert model.facts["validation_rmse"] == pytest.approx(error, rel=1e-5)


def test_a_settled_average_is_that_of_a_shorter_run(data):
    early = BayesianMF(**QUICK, tolerance=1e9).fit(data[0])
    assert early.facts["n_epochs_run"] == 35  # 10 + 50 / 2: a quarter has fewer than 20 draws
    short = BayesianMF(**QUICK | {"n_epochs": 35}, tolerance=0).fit(data[0])
    np.testing.assert_array_equal(early.item_factors, short.item_factors)
    assert early.facts["sampling_error"] == short.facts["sampling_error"] > 0


def test_without_tolerance_all_epochs_are_run(data):
    model = BayesianMF(**QUICK, tolerance=0).fit(data[0])
    assert model.facts["n_epochs_run"] == QUICK["n_epochs"]
    short = BayesianMF(**QUICK | {"n_epochs": 35}, tolerance=0).fit(data[0])
    assert model.facts["sampling_error"] < short.facts["sampling_error"]


def test_the_sampling_error_of_independent_draws_is_their_variance_over_their_number():
    draws = np.random.default_rng(0).normal(2.0, 3.0, (50, 20_000))
    average = ScoreAverage.of(20_000)
    assert average.sampling_error() == np.inf
    for n, draw in enumerate(draws, start=1):
        average.add(draw)
        if n == 25:
            average.end_first_part()
    assert average.sampling_error() == pytest.approx(9 / 50, rel=0.05)


@pytest.mark.parametrize(
    ("user", "item", "rating"),
    [
        ([0], [0], [3.0]),
        ([0, 0], [0, 1], [3.0, 3.0]),
        ([0, 1, 0, 1], [0, 0, 1, 1], [1e6, 2e6, 1e6, 3e6]),
        ([0, 1, 2, 3], [0, 0, 0, 0], [1.0, 2.0, 3.0, 4.0]),
    ],
    ids=["one rating", "constant", "huge", "one item"],
)
@pytest.mark.filterwarnings("ignore:n_factors is")
def test_odd_data_give_finite_scores(user, item, rating):
    users, items = IdMap.of(range(max(user) + 1), "user"), IdMap.of(range(max(item) + 1), "item")
    train = Ratings.of(users, items, *map(np.array, (user, item, rating)))
    model = BayesianMF(n_factors=2, n_epochs=20, n_samples=5).fit(train)
    assert np.isfinite(model.score_block(np.arange(len(users)))).all()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("n_factors", 0),
        ("n_samples", 0),
        ("burn_in", -1),
        ("n_epochs", 59),
        ("spread", 0.0),
        ("noise_damping", 0.0),
    ],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(BadSetting, match=setting):
        BayesianMF(**{setting: value})
