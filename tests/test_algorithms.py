"""Each algorithm by its mathematics: laws, tutorials, published numbers, and odd data."""

import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from matinee import splitting
from matinee.algorithms import MF, NMF, Bias, ImplicitALS, SVDpp, TruncatedSVD
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.errors import BadRatings, BadSetting, Diverged
from matinee.kernels.sgd import Blocks, Placed, descend
from matinee.row_solvers.embeddings import Embeddings
from matinee.sources import read_ratings
from matinee.sources.synthetic import checkerboard, uniform
from matinee.training import grid as grids
from test_contract import ratings_of


def from_matrix(matrix):
    """Ratings from a small table; 0 means not rated."""
    matrix = np.array(matrix, dtype=np.float32)
    user, item = np.nonzero(matrix)
    users, items = (
        IdMap.of(range(n), kind) for n, kind in zip(matrix.shape, ("user", "item"), strict=True)
    )
    return Ratings.of(users, items, user, item, matrix[user, item], scale=Scale(1, 5))


TUTORIAL = from_matrix(
    [
        [5, 4, 0, 0, 0, 5],
        [0, 0, 4, 5, 4, 0],
        [4, 5, 0, 0, 0, 0],
        [0, 0, 3, 0, 5, 0],
        [2, 0, 0, 3, 0, 1],
    ]
)


def squared_error(model, ratings):
    return float(((model.score_rows(ratings.user, ratings.item) - ratings.rating) ** 2).sum())


# Tutorials.


@pytest.mark.parametrize("seed", range(5))
def test_the_tiny_tutorial_matrix_is_fitted(seed):
    settings = {"solver": "sgd", "biased": False, "learning_rate": 0.01, "reg": 0.01}
    model = MF(n_factors=2, n_epochs=1000, seed=seed, **settings).fit(TUTORIAL)
    assert squared_error(model, TUTORIAL) <= 1.0


def test_zeros_of_a_matrix_are_never_ratings():
    """The unrated cells of the tutorial's matrix could hold anything: they are not seen at all."""
    everything_one = from_matrix(np.where(TUTORIAL.csr().toarray() > 0, 1, 0))
    model = NMF(n_factors=1, user_reg=1e-3, item_reg=1e-3).fit(everything_one)
    assert model.score_block(np.arange(5)).min() > 0.9


@pytest.fixture(scope="module")
def classic():
    """scikit-learn's NMF on 1000 x 1000 uniform ratings, as the classic tutorial fits it."""
    ratings = uniform(1000, 1000, 25, seed=42)
    algorithm = NMF(n_factors=15, missing="zero", init="nndsvd", seed=42, n_epochs=800)
    return ratings, algorithm.fit(ratings)


def test_the_classic_nmf_tutorial_is_reproduced(classic):
    ratings, model = classic
    assert np.unique(ratings.rating, return_counts=True)[1].tolist() == [
        4939,
        4985,
        4947,
        5052,
        5077,
    ]
    assert ratings.describe().sparsity == pytest.approx(0.975)
    assert model.user_factors.shape == model.item_factors.shape == (1000, 15)
    factor_5 = [int(item_id) for item_id, _, _ in model.tastes()[5].top]
    assert factor_5 == [973, 371, 334, 517, 883, 502, 889, 157, 383, 29]
    assert model.recommend("999", n=5).item_id == ("225", "934", "359", "265", "736")


# Laws.


def objective(algorithm, model, train):
    """The objective of MF by ALS, written out from its docstring, in variances of the ratings."""
    unit = train.deviation
    error = squared_error(model, train) / unit**2
    for reg, side, counts in (
        (algorithm.user_reg, model.user_embeddings, train.by_user.counts),
        (algorithm.item_reg, model.item_embeddings, train.by_item.counts),
    ):
        rated = counts > 0
        norms = (side.factors[rated].astype(float) ** 2).sum(axis=1) / unit
        error += reg * float((np.sqrt(counts[rated]) * norms).sum())
        error += algorithm.bias_reg * float(((side.bias[rated] / unit).astype(float) ** 2).sum())
    B = (train.csr().toarray() > 0).astype(float)
    for choice, side in ((B, model.user_embeddings), (B.T, model.item_embeddings)):
        P = np.where(choice.any(axis=1)[:, None], side.factors, 0).astype(float) / np.sqrt(unit)
        reg = algorithm.implicit_reg or 0.0
        Z = np.linalg.solve(P.T @ P + reg * np.eye(4), P.T @ choice)
        error += algorithm.implicit_weight * (((choice - P @ Z) ** 2).sum() + reg * (Z**2).sum())
    return error


GIVEN = {"reg": 1.15, "bias_reg": 2.0}  # penalties by hand


@pytest.mark.parametrize("implicit_weight", [0, 2])
def test_als_never_raises_its_objective(implicit_weight):
    train = ratings_of()
    values = []
    for n_epochs in range(1, 7):
        implicit = {"implicit_weight": implicit_weight}
        implicit |= {"implicit_reg": 90.0} if implicit_weight else {}
        algorithm = MF(n_factors=4, n_epochs=n_epochs, **GIVEN, **implicit)
        values.append(objective(algorithm, algorithm.fit(train), train))
    assert values == sorted(values, reverse=True)


def test_biases_are_the_joint_least_squares_solution():
    train = ratings_of()
    model = Bias(n_epochs=100, user_damping=3, item_damping=2).fit(train)
    m, n = train.n_users, train.n_items
    A = np.zeros((len(train), m + n))
    A[np.arange(len(train)), train.user] = 1
    A[np.arange(len(train)), m + train.item] = 1
    normal = A.T @ A + np.diag(np.r_[np.full(m, 3.0), np.full(n, 2.0)])
    exact = np.linalg.solve(normal, A.T @ (train.rating - train.rating.mean()))
    rated = train.by_user.counts > 0
    np.testing.assert_allclose(model.user_bias[rated], exact[:m][rated], atol=1e-4)
    rated = train.by_item.counts > 0
    np.testing.assert_allclose(model.item_bias[rated], exact[m:][rated], atol=1e-4)


def test_nmf_factors_are_never_negative():
    for missing in ("ignore", "zero"):
        model = NMF(n_factors=5, n_epochs=20, missing=missing).fit(ratings_of())
        assert model.user_factors.min() >= 0
        assert model.item_factors.min() >= 0


def test_a_gradient_step_follows_the_gradient():
    """Central differences of half the loss of one rating, term by term of the step."""
    rng = np.random.default_rng(0)
    P, Q = (rng.normal(size=(1, 3)).astype(np.float32) for _ in range(2))
    b, c = (rng.normal(size=1).astype(np.float32) for _ in range(2))
    rating, mean, rate, reg, bias_reg = 4.0, 3.5, 1e-3, (0.1, 0.2), 0.3

    def half_loss(p, q, b, c):
        error = rating - (mean + b + c + p @ q)
        return (error**2 + reg[0] * p @ p + reg[1] * q @ q + bias_reg * (b * b + c * c)) / 2

    start = [P[0, :3].astype(float), Q[0, :3].astype(float), float(b[0]), float(c[0])]

    def slope(which, f=None):
        h, ends = 1e-5, []
        for sign in (1, -1):
            moved = [np.copy(part) for part in start]
            moved[which] = moved[which] + sign * h * (1 if f is None else np.eye(3)[f])
            ends.append(half_loss(*moved))
        return (ends[0] - ends[1]) / (2 * h)

    place = np.zeros(1, np.int32)
    blocks = Blocks(1, np.array([0, 1]), place, place, np.array([rating], np.float32), place, place)
    sides = Embeddings(P, b), Embeddings(Q, c)
    users, items = (
        Placed.of(side, place, (np.array([one]), np.array([bias_reg])))
        for side, one in zip(sides, reg, strict=True)
    )
    descend(blocks, [0], mean, rate, users, items)
    assert not users.factors[0, 3:].any(), "columns of zeros are added"
    for steps, side in zip((users, items), sides, strict=True):
        steps.write(side)
    for f in range(3):
        assert (start[0][f] - P[0, f]) / rate == pytest.approx(slope(0, f), rel=5e-3, abs=1e-3)
        assert (start[1][f] - Q[0, f]) / rate == pytest.approx(slope(1, f), rel=5e-3, abs=1e-3)
    assert (start[2] - b[0]) / rate == pytest.approx(slope(2), rel=5e-3, abs=1e-3)
    assert (start[3] - c[0]) / rate == pytest.approx(slope(3), rel=5e-3, abs=1e-3)


def test_a_block_steps_through_some_users_at_a_time(monkeypatch):
    monkeypatch.setattr(grids, "RATINGS_PER_BLOCK", 40)
    monkeypatch.setattr(grids, "USERS_AT_ONCE", 4)
    train = checkerboard(30)
    blocks = grids.Grid.of(train, 0).blocks
    assert blocks.n_groups == 3, "of ten users and ten items each"
    user, item = (np.argsort(place) for place in (blocks.user_place, blocks.item_place))
    dealt = zip(user[blocks.user], item[blocks.item], blocks.rating, strict=True)
    assert sorted(dealt) == sorted(zip(train.user, train.item, train.rating, strict=True))
    for number, (start, end) in enumerate(pairwise(blocks.starts)):
        group, within = np.divmod(blocks.user[start:end], 10)
        assert (group == number % 3).all()
        assert (np.diff(within // 4) >= 0).all()
        assert (np.diff(within) < 0).any(), "their ratings are in random order"


def dense_filled(train, fill, center):
    """The filled and centred matrix that TruncatedSVD never forms, and what was taken off."""
    R = train.csr().toarray().astype(np.float64)
    rated = R > 0
    if fill == "zero":
        row_mean = {
            "none": np.zeros(len(R)),
            "user_all": R.mean(axis=1),
            "user_observed": R.sum(axis=1) / np.maximum(rated.sum(axis=1), 1),
        }[center]
        return R - row_mean[:, None], np.broadcast_to(row_mean[:, None], R.shape)
    mean = R[rated].mean()
    base = np.full(R.shape, mean)
    if fill == "user_mean":
        base[:] = (R.sum(axis=1) / np.maximum(rated.sum(axis=1), 1))[:, None]
    if fill == "item_mean":
        base[:] = (R.sum(axis=0) / np.maximum(rated.sum(axis=0), 1))[None, :]
    return np.where(rated, R - base, 0.0), base


@pytest.mark.parametrize(
    "fill, center",
    [
        ("zero", "none"),
        ("zero", "user_all"),
        ("zero", "user_observed"),
        ("mean", "none"),
        ("user_mean", "none"),
        ("item_mean", "none"),
    ],
)
def test_truncated_svd_equals_dense_algebra(fill, center):
    train = ratings_of()
    A, base = dense_filled(train, fill, center)
    U, s, Vt = np.linalg.svd(A)
    model = TruncatedSVD(n_factors=5, fill=fill, center=center).fit(train)
    np.testing.assert_allclose(model.facts["singular_values"], s[:5], rtol=1e-5)
    explained = s[:5] ** 2 / (s**2).sum()
    np.testing.assert_allclose(model.facts["variance_explained"], explained, rtol=1e-5)
    dense = base + U[:, :5] @ np.diag(s[:5]) @ Vt[:5]
    rated = train.by_user.counts > 0
    scores = model.score_block(np.flatnonzero(rated))
    known = train.by_item.counts > 0
    np.testing.assert_allclose(scores[:, known], dense[rated][:, known], atol=1e-3)


def test_singular_vectors_have_fixed_signs():
    Q = TruncatedSVD(n_factors=5).fit(ratings_of()).item_factors
    assert ((Q**3).sum(axis=0) > 0).all()


def test_planted_factors_are_recovered():
    rng = np.random.default_rng(0)
    liking = rng.normal(size=(120, 3)) @ rng.normal(size=(3, 80)) * 0.5
    user, item = np.nonzero(rng.random(liking.shape) < 0.5)
    users, items = IdMap.of(range(120), "user"), IdMap.of(range(80), "item")
    ratings = Ratings.of(users, items, user, item, 3 + liking[user, item], scale=Scale(-9, 15))
    held_out = rng.random(len(ratings)) < 0.2
    train, test = ratings.subset(~held_out), ratings.subset(held_out)
    model = MF(n_factors=3, n_epochs=60, reg=1e-3, bias_reg=1e-3, implicit_weight=0).fit(train)
    error = np.sqrt(squared_error(model, test) / len(test))
    assert error < 0.03 * test.rating.std()


# Settings and odd data.


def test_numbers_of_a_grid_become_numbers_of_python():
    """So that a model's settings are JSON, and equal those given as plain numbers."""
    of_grid = MF(n_factors=np.int64(4), reg=np.float32(0.5), biased=np.True_)
    assert of_grid == MF(n_factors=4, reg=0.5, biased=True)
    assert [type(of_grid.settings[name]) for name in ("n_factors", "reg", "biased")] == [
        int,
        float,
        bool,
    ]


@pytest.mark.parametrize(
    "kind, settings, words",
    [
        (MF, {"n_factors": 0}, "n_factors is 0; it must be at least 1"),
        (MF, {"n_factors": 2.5}, "n_factors is 2.5; it must be a whole number"),
        (MF, {"seed": -1}, "seed is -1; it must be at least 0"),
        (NMF, {"seed": None}, "seed is None; it must be a whole number"),
        (MF, {"reg": 0}, "reg is 0; it must be above 0"),
        (MF, {"reg": "lots"}, "reg is 'lots'; it must be a number"),
        (MF, {"solver": "magic"}, "solver is 'magic'; it must be one of 'als', 'sgd'"),
        (MF, {"solver": "sgd", "learning_rate": -1}, "learning_rate is -1"),
        (MF, {"learning_rate": 0.1}, 'learning_rate goes with solver="sgd"'),
        (NMF, {"missing": "nan"}, "missing is 'nan'"),
        (NMF, {"init": "nndsvd"}, "init is 'nndsvd'"),
        (TruncatedSVD, {"fill": "mean", "center": "user_all"}, 'goes with fill="zero" only'),
        (Bias, {"n_epochs": 0}, "n_epochs is 0"),
    ],
)
def test_impossible_settings_are_refused_before_any_work(kind, settings, words):
    with pytest.raises(BadSetting, match=words):
        kind(**settings)


def test_a_diverging_fit_stops_and_says_what_to_change():
    with pytest.raises(Diverged, match=r"diverged in epoch \d+.*lower learning_rate \(now 5"):
        MF(n_factors=4, solver="sgd", learning_rate=5).fit(ratings_of())


def test_a_slip_among_the_ratings_is_no_matter_of_the_penalty():
    rows = [("a", "x", 1), ("b", "x", 1e30), ("a", "y", 2), ("b", "y", 3), ("c", "x", 4)]
    train = read_ratings(tuple(map(list, zip(*rows, strict=True))))
    with pytest.raises(Diverged, match=r"the scale is 1\.\.1e\+30; give one \(scale="):
        MF(n_factors=2).fit(train)


def test_more_factors_than_the_data_support_are_said():
    for algorithm in (MF(n_factors=30, n_epochs=2), NMF(n_factors=30), TruncatedSVD(n_factors=30)):
        with pytest.warns(UserWarning, match="n_factors is 30"):
            model = algorithm.fit(TUTORIAL)
        assert np.isfinite(model.score_block(np.arange(5))).all()


def test_validation_must_be_numbered_alike():
    with pytest.raises(BadSetting, match=r"matinee\.splitting"):
        MF(n_factors=2).fit(ratings_of(), TUTORIAL)


# SVD++ that is told what else people chose.


def test_transductive_svdpp_learns_from_choices_but_never_from_their_ratings():
    split = splitting.random(ratings_of(), test_share=0.3)
    algorithm = SVDpp(n_factors=4, n_epochs=5)
    upside_down = replace(
        split.test, rating=split.test.scale.low + split.test.scale.high - split.test.rating
    )
    told, told_otherwise = (
        algorithm.fit_transductive(split.train, chosen) for chosen in (split.test, upside_down)
    )
    alone = algorithm.fit(split.train)
    np.testing.assert_array_equal(told.user_factors, told_otherwise.user_factors)
    assert not np.array_equal(told.user_factors, alone.user_factors)
    assert told.facts["also_chosen"] == len(split.test)
    with pytest.raises(BadRatings, match="are in both the training and the chosen part"):
        algorithm.fit_transductive(split.train, split.train)


def test_a_fit_holds_the_users_factors_twice():
    """Once as they are learned, once in another basis; the model takes them over."""
    algorithm = ImplicitALS(n_factors=128, n_epochs=1, reg=0.1, unobserved=0.1)
    algorithm.fit(uniform(300, 200, 5))  # compiles
    train = uniform(30_000, 200, 2)
    train = train.subset(train.user > 0)  # who has no rating gets the average
    tracemalloc.start()
    try:
        model = algorithm.fit(train)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * model.user_factors.nbytes


def test_factors_of_a_model_are_not_overwritten():
    known = np.array([True, True, False])
    side = Embeddings(np.eye(3, dtype=np.float32), np.ones(3, np.float32)).frozen()
    average = side.completed(known).factors[2]
    assert average.tolist() == [0.5, 0.5, 0]
    assert np.array_equal(side.factors, np.eye(3))
