"""Features of items: by hand, against dense algebra, and in worlds where they are all there is."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array

from matinee.algorithms import MF, NMF, ContentBased, Hybrid, ImplicitALS
from matinee.algorithms.from_model import algorithm_of
from matinee.data.catalog import NO_CATALOG, Catalog, Item
from matinee.data.features import Vocabulary
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.errors import BadSetting
from matinee.row_solvers import ImplicitLeastSquares, LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.priors import ridge

GHOSTS = Catalog(
    {
        "1": Item("Ghosts", 1994, ("Horror", "Comedy"), {"overview": ("The ghost of a ghost.",)}),
        "2": Item("More ghosts", 1998, ("Horror",), {"overview": ("A ghost",), "tags": ("odd",)}),
        "3": Item("None", 2003, ("Comedy",), {"tags": ("odd",)}),
    }
)


# Features.


def test_features_by_hand():
    vocabulary = Vocabulary.of(GHOSTS, GHOSTS)
    names = ("what is usual", "1990s", "genre Comedy", "genre Horror", "tag odd", "word ghost")
    assert vocabulary.names == names  # 2000s has one film only, and "the", "of" say nothing
    F = vocabulary.encode(GHOSTS, ["1", "2", "3", "unknown"]).toarray()
    half = np.sqrt(0.5)  # two genres that are as rare as each other share a length of 1
    expected = [
        [1, 1, half, half, 0, 1],
        [1, 1, 0, 1, 1, 1],
        [1, 0, 1, 0, 1, 0],
        [1, 0, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(F, expected, rtol=1e-6)


def test_rare_features_weigh_more():
    entries = {str(n): Item("", None, ("Drama",) + ("War",) * (n < 2)) for n in range(8)}
    F = Vocabulary.of(Catalog(entries), entries).encode(Catalog(entries), ["0"]).toarray()[0]
    drama, war = 1 + np.log(9 / 9), 1 + np.log(9 / 3)
    np.testing.assert_allclose(F[1:], np.array([drama, war]) / np.hypot(drama, war), rtol=1e-6)


# The mathematics.


def test_the_ridge_of_features_is_that_of_dense_algebra():
    rng = np.random.default_rng(0)
    F = rng.random((50, 7)) * (rng.random((50, 7)) < 0.5)
    F[:, 0] = 1.0
    Q, weights = rng.normal(size=(50, 3)), rng.random((50, 3)) * (rng.random(50) < 0.8)[:, None]
    found = ridge(csr_array(F.astype(np.float32)), weights, Q, 2.0, np.zeros((7, 3), np.float32))
    penalty = np.diag([0.0] + [2.0] * 6)
    for column in range(3):
        w = weights[:, column]
        w = w * (w > 0).sum() / w.sum()
        dense = np.linalg.solve(F.T @ (w[:, None] * F) + penalty, F.T @ (w * Q[:, column]))
        np.testing.assert_allclose(found[:, column], dense, rtol=1e-3, atol=1e-5)


def one_row(n, d, seed=0):
    rng = np.random.default_rng(seed)
    sides = [
        Embeddings(rng.normal(size=(m, d)).astype("f4"), rng.normal(size=m).astype("f4"))
        for m in (n, 1)
    ]
    stars = rng.normal(3, 1, n).astype(np.float32)
    rated = Rows(np.array([0, n]), np.arange(n, dtype=np.int32), stars)
    return rated, *sides


def test_a_row_is_drawn_toward_its_prior():
    rated, items, toward = one_row(6, 3)
    solved = Embeddings.zeros(1, 3)
    fold = LeastSquares(reg=2.0, reg_power=0.5, bias_reg=5.0)
    fold.solve(rated, 1.0, items, solved, toward)
    Y = np.column_stack([items.factors, np.ones(6)]).astype(np.float64)
    D = np.diag([2.0 * np.sqrt(6)] * 3 + [5.0])
    prior = np.append(toward.factors[0], toward.bias[0])
    x = np.linalg.solve(Y.T @ Y + D, Y.T @ (rated.values - 1.0 - items.bias) + D @ prior)
    np.testing.assert_allclose(np.append(solved.factors[0], solved.bias[0]), x, rtol=1e-4)


def test_a_row_of_choices_is_drawn_toward_its_prior():
    rated, _, toward = one_row(4, 3)
    items = one_row(9, 3, seed=1)[1]
    solved = Embeddings.zeros(1, 3)
    ImplicitLeastSquares(reg=0.7, unobserved=0.1).solve(rated, 0.0, items, solved, toward)
    Q, chosen = items.factors.astype(np.float64), items.factors[:4].astype(np.float64)
    reg = 0.7 * (4 + 0.1 * 9)
    A = chosen.T @ chosen + 0.1 * Q.T @ Q + reg * np.eye(3)
    x = np.linalg.solve(A, chosen.sum(axis=0) + reg * toward.factors[0])
    np.testing.assert_allclose(solved.factors[0], x, rtol=1e-4)


# Worlds.

GENRES = ("Action", "Comedy", "Drama", "Horror")
COLD = 8  # the last items, one or two of each genre, are not rated by anybody


def world(n_users=120, n_items=48, seed=0):
    """Everybody likes two genres and gives them 5 or 4, and 2 or 1 to the others."""
    rng = np.random.default_rng(seed)
    users, items = IdMap.of(range(n_users), "user"), IdMap.of(range(n_items), "item")
    likes = np.array([rng.permutation(4) < 2 for _ in range(n_users)])
    stars = np.where(likes[:, np.arange(n_items) % 4], 5, 2) - (
        rng.random((n_users, n_items)) < 0.3
    )
    known = rng.random(stars.shape) < 0.5
    known[:, -COLD:] = False
    user, item = np.nonzero(known)
    catalog = Catalog({str(i): Item(f"Film {i}", None, (GENRES[i % 4],)) for i in range(n_items)})
    train = Ratings.of(
        users, items, user, item, stars[known].astype("f4"), scale=Scale(1, 5), catalog=catalog
    )
    return train, stars, likes


MODELS = {
    "mf": Hybrid(of=MF(n_factors=4), feature_reg=1.0),
    "nmf": Hybrid(of=NMF(n_factors=4), feature_reg=1.0),
    "content": ContentBased(n_factors=4, reg=0.1),
}


@pytest.fixture(scope="module")
def fitted():
    train, stars, likes = world()
    return {name: one.fit(train) for name, one in MODELS.items()}, train, stars, likes


@pytest.mark.parametrize("name", MODELS)
def test_films_that_nobody_rated_get_the_stars_of_their_genre(fitted, name):
    models, train, stars, _ = fitted
    scores = models[name].score_block(np.arange(train.n_users))[:, -COLD:]
    assert np.sqrt(np.mean((scores - stars[:, -COLD:]) ** 2)) < 0.75  # the noise alone makes 0.46
    without = MF(n_factors=4).fit(train).score_block(np.arange(train.n_users))[:, -COLD:]
    assert np.sqrt(np.mean((without - stars[:, -COLD:]) ** 2)) > 1.2


def test_choices_too():
    train, _, likes = world()
    liked = train.positives_from(4)
    model = Hybrid(of=ImplicitALS(n_factors=4), feature_reg=1.0).fit(liked)
    scores = model.score_block(np.arange(train.n_users))[:, -4:]
    wanted = likes[:, np.arange(train.n_items)[-4:] % 4]
    assert (scores[wanted][:, None] > scores[~wanted]).mean() > 0.95


@pytest.mark.parametrize("name", MODELS)
def test_the_genre_is_the_reason(fitted, name):
    models, _, _, likes = fitted
    model, user = models[name], 3
    for item in range(40, 48):
        reasons = {
            t.name: t.value for t in model.explain(str(user), str(item), by="features", of="stars")
        }
        assert set(reasons) <= {
            "average of all ratings",
            "how you rate",
            "what is usual",
            f"genre {GENRES[item % 4]}",
        }
        assert (reasons[f"genre {GENRES[item % 4]}"] > 0) == likes[user, item % 4]


def test_what_ratings_say_beyond_features_is_a_term(fitted):
    models, *_ = fitted
    terms = models["mf"].explain("3", "5", by="features").terms
    assert [t.name for t in terms if t.kind == "remainder"] == ["its ratings, beyond that"]


@pytest.mark.parametrize("name", MODELS)
def test_no_reason_speaks_of_raters_where_ratings_had_no_part(fitted, name):
    model = fitted[0][name]
    features_alone = range(48) if name == "content" else range(48 - COLD, 48)
    for item in features_alone:
        for by in model.views:
            why = model.explain("3", str(item), by, of="stars")
            assert "item" not in {term.kind for term in why}
            assert "rated it" not in why.sentence().replace("you rated it", "")
            assert sum(term.value for term in why) == pytest.approx(why.score, abs=1e-4)
    if name == "mf":
        assert "item" in {term.kind for term in model.explain("3", "5")}


def test_ratings_win_over_features():
    """A comedy that is loved by those who hate comedies: its ratings are believed."""
    train, _, likes = world()
    odd = train.item == 1
    stars = np.where(odd, np.where(likes[train.user, 1], 1, 5), train.rating)
    turned = Ratings.of(
        train.users,
        train.items,
        train.user,
        train.item,
        stars,
        scale=train.scale,
        catalog=train.catalog,
    )
    scores = MODELS["mf"].fit(turned).score_block(np.arange(train.n_users))[:, 1]
    assert scores[~likes[:, 1]].mean() > scores[likes[:, 1]].mean() + 1


# New items.


@pytest.mark.parametrize("name", MODELS)
def test_items_can_be_added_to_a_model(fitted, name):
    models, train, *_ = fitted
    model = models[name]
    later = model.with_items(Catalog({"0a": Item("Tomorrow", None, ("Comedy",))}))
    assert "0a" in later.items
    assert "0a" not in model.items
    old = later.items.rows(model.items)
    everyone = np.arange(train.n_users)
    assert np.array_equal(later.score_block(everyone)[:, old], model.score_block(everyone))
    assert later.score("5", "0a")[0] == pytest.approx(model.score("5", "45")[0], abs=1e-5)
    assert not later.predict("5", "0a").known[0]
    assert set(later.rated("5")) == set(old[model.rated("5")])
    assert later.recommend("5", items=["0a"]).title == ("Tomorrow",)
    person = later.fold_in({"0a": 5})
    assert later.explain(person, "45", by="history").score > 3
    with pytest.raises(BadSetting, match="no item that the model does not know"):
        later.with_items(later.catalog)


# Odd data.


@pytest.mark.parametrize("algorithm", [Hybrid(), ContentBased()])
def test_without_a_catalogue_there_is_nothing_to_learn_from(algorithm):
    train = world()[0]
    with pytest.raises(BadSetting, match=r"knows 0 of them.*\(catalog="):
        algorithm.fit(train.with_catalog(NO_CATALOG))
    untold = Catalog({str(i): Item(f"Film {i}") for i in range(48)})
    with pytest.raises(BadSetting, match="tells nothing that two of the 40 rated items share"):
        algorithm.fit(train.with_catalog(untold))


def test_only_exact_row_solves_take_a_prior():
    with pytest.raises(BadSetting, match="a hybrid is of mf, nmf, implicit-als, not of 'bpr'"):
        Hybrid(of="bpr")
    with pytest.raises(BadSetting, match="als"):
        Hybrid(of=MF(solver="sgd"))
    with pytest.raises(BadSetting, match="ignore"):
        Hybrid(of=NMF(missing="zero"))


@pytest.mark.parametrize("name", MODELS)
def test_a_model_knows_how_to_be_fitted_again(fitted, name):
    assert algorithm_of(fitted[0][name]) == MODELS[name]


def test_one_feature_is_enough():
    train = world()[0]
    only = Catalog({str(i): Item("", None, ("War",)) for i in range(2)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for algorithm in (Hybrid(of=MF(n_factors=2)), ContentBased()):
            model = algorithm.fit(train.with_catalog(only))
            assert np.isfinite(model.score_block(np.arange(train.n_users))).all()
