"""One contract over every registered algorithm: what any user may rely on, whichever they pick."""

import ast
import copy
import dataclasses
import inspect
import pickle
import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from matinee.algorithms import ALGORITHMS, EASE, MF, NMF, Bias, ImplicitALS, ItemKNN, Popularity
from matinee.algorithms.choice import RatingAlgorithm
from matinee.data.catalog import Catalog, Item
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.errors import BadModel, BadRatings, BadSetting, UnknownId
from matinee.explain.views import VIEWS
from matinee.models import load
from matinee.models.capabilities import INTERVALS, SIMILAR, TASTES
from matinee.storage.serialization import learned_arrays

SMALL_NETWORK = {"n_factors": 3, "n_hidden": 6, "n_inner": 4, "n_epochs": 6, "batch_size": 256}
# Settings that keep the suite quick; every solver and way of filling is a case of its own.
CASES = {
    "popularity": {},
    "bias": {},
    "nmf": {"n_factors": 4, "n_epochs": 5},
    "nmf:zero": {"n_factors": 4, "n_epochs": 50, "missing": "zero", "init": "nndsvd"},
    "nmf:zero-random": {"n_factors": 4, "n_epochs": 50, "missing": "zero"},
    "truncated-svd": {"n_factors": 4},
    "truncated-svd:zero": {"n_factors": 4, "fill": "zero"},
    "truncated-svd:user_all": {"n_factors": 4, "fill": "zero", "center": "user_all"},
    "truncated-svd:user_observed": {"n_factors": 4, "fill": "zero", "center": "user_observed"},
    "truncated-svd:mean": {"n_factors": 4, "fill": "mean"},
    "truncated-svd:user_mean": {"n_factors": 4, "fill": "user_mean"},
    "truncated-svd:item_mean": {"n_factors": 4, "fill": "item_mean"},
    "mf": {"n_factors": 6, "n_epochs": 5},
    "mf:unbiased": {"n_factors": 6, "n_epochs": 5, "biased": False},
    "mf:sgd": {"n_factors": 6, "n_epochs": 10, "solver": "sgd"},
    "svdpp": {"n_factors": 6, "n_epochs": 8},
    "mf:sgd-unbiased": {"n_factors": 6, "n_epochs": 10, "solver": "sgd", "biased": False},
    "blend": {"of": (MF(n_factors=4, n_epochs=3), ItemKNN(n_neighbors=5), Bias())},
    "blend:preference": {"of": (EASE(), Popularity())},
    "bayesian-mf": {"n_factors": 4, "n_epochs": 20, "n_samples": 5},
    "bayesian-mf:plain": {"n_factors": 4, "n_features": 0, "n_epochs": 20, "n_samples": 5},
    "item-knn": {"n_neighbors": 10},
    "item-knn:pearson": {"n_neighbors": 5, "similarity": "pearson", "n_candidates": 20},
    "item-knn:preference": {"feedback": "preference", "n_neighbors": 10},
    "item-knn:bm25": {"feedback": "preference", "n_neighbors": 10, "weighting": "bm25"},
    "user-knn": {"n_neighbors": 10},
    "user-knn:cosine": {"n_neighbors": 5, "similarity": "cosine", "damping": 0.0},
    "user-knn:pearson": {"n_neighbors": 5, "similarity": "pearson", "shrinkage": 5.0},
    "user-knn:preference": {"feedback": "preference", "n_neighbors": 10},
    "user-knn:bm25": {"feedback": "preference", "n_neighbors": 10, "weighting": "bm25"},
    "slope-one": {},
    "slim": {},
    "slim:graded": {"lowest": 0.15},
    "rp3beta": {"n_neighbors": 10},
    "ease": {"reg": 5.0},
    "ease:graded": {"lowest": 0.15},
    "implicit-als": {"n_factors": 4, "n_epochs": 5},
    "implicit-als:weighted": {"n_factors": 4, "n_epochs": 5, "by_rating": 0.5, "reg_power": 1.0},
    "implicit-als:graded": {"n_factors": 4, "n_epochs": 5, "lowest": 0.2},
    "implicit-als:nonnegative": {"n_factors": 4, "nonnegative": True, "lowest": 0.0},
    "bpr": {"n_factors": 4, "n_epochs": 5},
    "neural-mf": SMALL_NETWORK,
    "neural-mf:rating": SMALL_NETWORK | {"feedback": "rating"},
    "mult-vae": {"n_factors": 4, "n_hidden": 8, "n_epochs": 20},
    "hybrid": {"of": MF(n_factors=4, n_epochs=5)},
    "hybrid:nmf": {"of": NMF(n_factors=4, n_epochs=5)},
    "hybrid:implicit-als": {"of": ImplicitALS(n_factors=4, n_epochs=5)},
    "content": {"n_factors": 5},
    "ease:dropout": {"reg": 5.0, "dropout": 0.5},
}
ITERATIVE = [case for case in CASES if case.split(":")[0] in ("bias", "mf", "svdpp")] + ["nmf"]
# Gradient steps and zero-filled NMF do not end on an exact user solve; the others do.
INEXACT = {"bpr", "svdpp", "mf:sgd", "mf:sgd-unbiased", "nmf:zero", "nmf:zero-random"}
EXACT = [case for case in CASES if case not in INEXACT]
TOLERANCE = 1e-4  # how far terms may be from their score, relative to it
NOTHING = 1e-6  # a score this small is rounding alone


CHOICE = (ImplicitALS(n_factors=4, n_epochs=4),)  # a quick choice part, where there can be one


def make(case, **more):
    kind = ALGORITHMS[case.split(":")[0]]
    quick = {"choice": CHOICE} if issubclass(kind, RatingAlgorithm) else {}
    return kind(**quick | CASES[case] | more)


def ratings_of(n_users=60, n_items=40, seed=0):
    """Planted low-rank ratings with a long tail; the last user and item are not rated at all."""
    rng = np.random.default_rng(seed)
    users = IdMap.of([f"u{j:03}" for j in range(n_users)], "user")
    items = IdMap.of(range(n_items), "item")
    liking = rng.normal(0, 1, (n_users, 3)) @ rng.normal(0, 0.7, (n_items, 3)).T
    known = rng.random((n_users, n_items)) < np.linspace(0.7, 0.1, n_items)
    known[-1], known[:, -1] = False, False
    known[:-1, 0] = True
    user, item = np.nonzero(known)
    stars = np.clip(np.round(2 * (3.5 + liking[known])) / 2, 0.5, 5)
    return Ratings.of(
        users, items, user, item, stars, scale=Scale(0.5, 5), catalog=catalog_of(items)
    )


def catalog_of(items):
    """Two of three genres, one of four decades and one of five directors for each item."""
    genres = ("Comedy", "Drama", "War")
    return Catalog(
        {
            item_id: Item(
                f"Film {item_id}",
                1960 + 10 * (row % 4),
                tuple(genre for g, genre in enumerate(genres) if g != row % 3),
                {"director": (f"Director {row % 5}",)},
            )
            for row, item_id in enumerate(items)
        }
    )


@pytest.fixture(scope="module")
def train():
    return ratings_of()


class Fitted(dict):
    """The model of each case, fitted when it is first asked for."""

    def __init__(self, train, **settings):
        self.train, self.settings = train, settings

    def __missing__(self, case):
        self[case] = make(case, **self.settings).fit(self.train)
        return self[case]


@pytest.fixture(scope="module")
def models(train):
    return Fitted(train)


@pytest.fixture(params=CASES, scope="module")  # so that the tests of a case stand together
def case(request):
    return request.param


@pytest.fixture
def model(case, models):
    return models[case]


def test_every_registered_algorithm_is_a_case():
    assert {case.split(":")[0] for case in CASES} == set(ALGORITHMS)


def test_names_are_those_of_the_registry():
    assert all(kind.name == name for name, kind in ALGORITHMS.items())


def test_an_algorithm_is_a_frozen_value(case):
    algorithm = make(case)
    assert algorithm == make(case)
    for field in dataclasses.fields(algorithm):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(algorithm, field.name, 1)


def test_unknown_settings_are_refused(case):
    kind = ALGORITHMS[case.split(":")[0]]
    with pytest.raises(BadSetting, match=rf"{kind.name} has no setting 'factors'"):
        kind(factors=3)
    with pytest.raises(BadSetting, match=rf"settings go by name: {kind.__name__}\(\w+=3\)"):
        kind(3)


def test_near_settings_are_offered_and_signatures_keep_theirs():
    with pytest.raises(BadSetting, match="did you mean 'n_factors'"):
        NMF(factors=3)
    assert "n_factors" in inspect.signature(NMF).parameters
    assert pickle.loads(pickle.dumps(NMF(seed=3))) == copy.copy(NMF(seed=3))


@pytest.mark.parametrize(
    ("algorithm", "words"),
    [
        (
            NMF(n_factors=2, missing="zero", item_reg=3),
            "item_reg of nmf has no effect with missing=",
        ),
        (
            MF(n_factors=2, n_epochs=1, implicit_weight=0, implicit_reg=5),
            "implicit_reg of mf has no",
        ),
        (MF(n_factors=2, n_epochs=1, solver="sgd", implicit_reg=5), "with implicit_weight=0"),
        (MF(n_factors=2, n_epochs=1, biased=False, bias_reg=5), "bias_reg of mf has no effect"),
    ],
)
def test_a_setting_without_effect_is_told_where_it_was_chosen(train, algorithm, words):
    with pytest.warns(UserWarning, match=words):
        dataclasses.replace(algorithm, choice=CHOICE).fit(train)


@pytest.mark.parametrize("settings", [{"solver": "sgd"}, {"biased": False}, {"implicit_weight": 0}])
def test_usual_settings_without_effect_are_no_news(train, settings):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MF(n_factors=2, n_epochs=1, choice=CHOICE, **settings).fit(train)


def test_same_seed_same_bits(case, train, models):
    again = make(case).fit(train)
    everyone = np.arange(train.n_users)
    assert np.array_equal(again.score_block(everyone), models[case].score_block(everyone))


def test_the_number_of_threads_changes_no_bit(case, train, models, monkeypatch):
    monkeypatch.setenv("MATINEE_THREADS", "3")
    again = make(case).fit(train)
    everyone = np.arange(train.n_users)
    assert np.array_equal(again.score_block(everyone), models[case].score_block(everyone))


def test_saved_and_loaded_models_agree_to_the_bit(model, tmp_path):
    loaded = load(model.save(tmp_path / "model"))
    everyone = np.arange(len(model.users))
    assert np.array_equal(loaded.score_block(everyone), model.score_block(everyone))
    assert loaded.recommend("u003") == model.recommend("u003")
    assert loaded.settings == model.settings
    assert loaded.catalog == model.catalog
    assert str(loaded.explain("u003", "7")) == str(model.explain("u003", "7"))
    person, same = (one.fold_in({"1": 5, "2": 0.5}) for one in (model, loaded))
    assert np.array_equal(person.embeddings.factors, same.embeddings.factors)


def test_a_list_of_nothing_has_no_reasons(model):
    for by in model.views:
        assert model.explain_list("u003", [], by=by) == []


def test_scores_are_finite(model):
    assert np.isfinite(model.score_block(np.arange(len(model.users)))).all()


def test_the_three_ways_to_score_agree(model, train):
    block = model.score_block(train.user[:50])
    pairs = model.score_rows(train.user[:50], train.item[:50])
    by_id = model.score(train.users.ids[train.user[:50]], train.items.ids[train.item[:50]])
    np.testing.assert_allclose(pairs, block[np.arange(50), train.item[:50]], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(by_id, pairs, rtol=1e-4, atol=1e-5)


def test_predictions_are_clipped_to_the_scale(model, train):
    predicted = model.predict_rows(train.user, train.item)
    if model.kind == "rating":
        assert predicted.min() >= 0.5
        assert predicted.max() <= 5


def test_relabelling_ids_changes_nothing(case, train, models):
    users = IdMap.of([f"person-{one}" for one in train.users], "user")
    items = IdMap.of([int(one) + 1000 for one in train.items], "item")
    columns = (train.user, train.item, train.rating)
    relabelled = Ratings.of(users, items, *columns, scale=train.scale, catalog=catalog_of(items))
    everyone = np.arange(train.n_users)
    other = make(case).fit(relabelled).score_block(everyone)
    assert np.array_equal(other, models[case].score_block(everyone))


# A zero-filled matrix, raw cosines and a fit without a mean take ratings as distances from zero, so
# there a r + b is other data than r; a r is not.
FROM_ZERO = {
    "mf:sgd-unbiased",
    "mf:unbiased",
    "nmf:zero",
    "nmf:zero-random",
    "truncated-svd:user_all",
    "truncated-svd:user_observed",
    "truncated-svd:zero",
    "user-knn:cosine",
}
RATING_CASES = [case for case in CASES if make(case).kind == "rating"]


UNITS = [(20.0, 100.0), (0.05, -3.0), (0.05, 0.0), (70_000.0, 0.0)]  # a and b


def units_of(case):
    """The units that a case must not know of, each once."""
    return dict.fromkeys((a, 0.0 if case in FROM_ZERO else b) for a, b in UNITS)


@pytest.mark.parametrize(
    "case, a, b",
    [(case, *unit) for case in RATING_CASES for unit in units_of(case)],
    scope="module",
)
def test_units_of_ratings_cannot_matter(case, train, models, a, b):
    """fit(a r + b) = a fit(r) + b, for everybody and newcomers."""
    stars, scale = a * train.rating.astype(float) + b, Scale(0.5 * a + b, 5 * a + b)
    columns = train.user, train.item, stars
    other = Ratings.of(train.users, train.items, *columns, scale=scale, catalog=train.catalog)
    model, everyone = make(case).fit(other), np.arange(train.n_users)
    scores = (model.score_block(everyone) - b) / a
    # A float32 rating near b is exact to b / 2^24, which is so much of a star:
    tolerance = 2e-3 + 40 * abs(b) / a * 2**-24
    np.testing.assert_allclose(scores, models[case].score_block(everyone), atol=tolerance)
    history = {"1": 5.0, "5": 1.0, "9": 4.5}
    person = model.fold_in({item: a * stars + b for item, stars in history.items()})
    same = models[case].fold_in(history)
    for one in ("2", "17", "39"):
        score = (float(model.score(person, one)[0]) - b) / a
        assert score == pytest.approx(float(models[case].score(same, one)[0]), abs=tolerance)


@pytest.mark.parametrize("user", ["u000", "u031", "folded in", "with one rating", "nobody"])
def test_terms_sum_to_the_score(model, train, user):
    person = {
        "folded in": lambda: model.fold_in({"1": 5, "5": 1, "9": 4.5}),
        "with one rating": lambda: model.fold_in({"3": 2}),
        "nobody": lambda: model.fold_in({}),
    }.get(user, lambda: user)()
    for item in ("0", "17", "39"):  # the last has no rating at all
        for by in model.views:
            reasons = model.explain(person, item, by=by)
            total = sum(term.value for term in reasons.terms)
            assert total == pytest.approx(reasons.score, rel=TOLERANCE, abs=NOTHING)
            shown = sum(round(100 * value) for _, value, *_ in reasons.rows())
            assert shown == round(100 * reasons.score), "the rounded numbers add up too"
            predicted = float(model.predict(person, item))
            assert reasons.predicted == pytest.approx(predicted, abs=1e-6)
            scored = float(model.list_scores([person], np.array([int(item)]))[0, 0])
            assert reasons.score == pytest.approx(scored, abs=1e-6)
            if model.kind == "preference":
                continue
            stars = model.explain(person, item, by=by, of="stars")
            score = float(model.score_people([person], np.array([int(item)]))[0, 0])
            assert stars.score == pytest.approx(score, abs=1e-6)
            total = sum(term.value for term in stars.terms)
            assert total == pytest.approx(stars.score, rel=TOLERANCE, abs=NOTHING)
            shown = sum(round(100 * value) for _, value, *_ in stars.rows())
            limits = round(100 * stars.limits.value) if stars.limits else 0
            assert shown + limits == round(100 * stars.predicted), "down to what people see"


def test_terms_of_a_list_are_those_of_each_item_alone(model):
    """Those of tastes and ratings to the bit; others may come from scores, which are float32."""
    items = ("39", "0", "17")
    for by in model.views:
        for one, item in zip(model.explain_each("u000", items, by), items, strict=True):
            alone = model.explain("u000", item, by)
            assert [term._replace(value=0) for term in one] == [
                term._replace(value=0) for term in alone
            ]
            exact = {term.name: term.value for term in one if term.kind in ("taste", "rating")}
            assert exact.items() <= {term.name: term.value for term in alone}.items()
            assert [term.value for term in one] == pytest.approx(
                [term.value for term in alone], rel=1e-5, abs=1e-5
            )


@pytest.mark.parametrize("case", EXACT, scope="module")
def test_a_folded_in_training_user_is_the_trained_one(model, train):
    """Users are solved last, so fold-in returns the trained row."""
    for user in ("u000", "u031"):
        person = model.fold_in(train.history(user))
        trained = model.embeddings_of(train.users.row(user))
        np.testing.assert_allclose(person.embeddings.factors, trained.factors, rtol=1e-3, atol=2e-5)
        np.testing.assert_allclose(person.embeddings.bias, trained.bias, rtol=1e-3, atol=2e-5)
        assert person.strategy == "folded_in"


def test_no_two_views_say_the_same(model):
    told = [
        [model.explain(user, "17", by=view).terms for user in ("u000", "u031")]
        for view in model.views
    ]
    assert all(one != other for one, other in combinations(told, 2))


def test_only_an_inexact_model_has_a_remainder(case, model):
    reasons = model.explain("u000", "17", by="history")
    remainders = [term for term in reasons.terms if term.kind == "remainder"]
    assert len(remainders) == (case in INEXACT)


def test_recommendations_are_sorted_unseen_and_named(model, train):
    seen = set(train.history("u004"))
    listed = model.recommend("u004", n=12)
    assert listed.rank == tuple(range(1, 13))
    assert list(listed.score) == sorted(listed.score, reverse=True)
    assert not seen & set(listed.item_id)
    everything = model.recommend("u004", n=1000, exclude_seen=False)
    assert set(everything.item_id) == set(train.items)
    assert len(model.recommend("u004", n=1000)) == len(train.items) - len(seen)


def test_recommending_for_many_is_recommending_for_each(model, train):
    users = ["u004", "u009", model.fold_in({"3": 5}), "u001"]
    together = model.recommend(users, n=5)
    rows = iter(together)
    for user in users:
        for row in model.recommend(user, n=5):
            same = next(rows)
            assert (same.rank, same.item_id) == (row.rank, row.item_id)
            assert same.score == pytest.approx(row.score, rel=1e-5, abs=1e-6)


def test_candidates_can_be_limited_and_excluded(model):
    listed = model.recommend("u004", n=50, exclude_seen=False, items=["3", "5", "8"], exclude=["5"])
    assert sorted(listed.item_id) == ["3", "8"]


def test_unknown_ids_are_marked_and_scored_as_the_average(model, train):
    answer = model.predict(["u000", "stranger", "u000", "u059"], ["1", "1", "no-such-film", "1"])
    assert answer.known == (True, False, False, False)
    assert np.isfinite(np.asarray(answer)).all()
    nobody = model.fold_in({})
    assert nobody.strategy == "popular"
    assert answer.score[1] == pytest.approx(float(model.score(nobody, "1")[0]), abs=1e-5)


def test_wrong_questions_get_an_answer_in_words(model):
    with pytest.raises(UnknownId, match="did you mean"):
        model.recommend("u0044")
    with pytest.raises(UnknownId, match="by their ratings"):
        model.recommend("u059")  # known, but without a rating
    with pytest.raises(UnknownId, match="item 'x'"):
        model.explain("u004", "x")
    with pytest.raises(BadSetting, match="n is 0"):
        model.recommend("u004", n=0)
    with pytest.raises(BadSetting, match="by is 'magic'"):
        model.explain("u004", "1", by="magic")
    with pytest.raises(BadRatings, match="not a finite number"):
        model.fold_in({"1": float("nan")})
    with pytest.raises(BadRatings, match="not a number"):
        model.fold_in({"1": "good"})
    with pytest.raises(UnknownId):
        model.fold_in({"no-such-film": 3})
    with pytest.warns(UserWarning, match="1 of 2 items unknown and left out: 'no-such-film'"):
        person = model.fold_in({"no-such-film": 3, "1": 4})
    assert person.unknown_items == ("no-such-film",)


def test_the_model_is_immutable(model):
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.scale = None
    for array in learned_arrays(model).values():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize("case", ITERATIVE, scope="module")
def test_epochs_are_told_and_the_best_is_kept(case, train):
    rng = np.random.default_rng(1)
    held_out = rng.random(len(train)) < 0.3
    told = []
    algorithm = dataclasses.replace(make(case), n_epochs=30)
    model = algorithm.fit(train.subset(~held_out), train.subset(held_out), told.append)
    assert [epoch.number for epoch in told] == list(range(1, len(told) + 1))
    assert model.facts["validation_rmse"] == min(epoch.validation_rmse for epoch in told)
    assert model.facts["best_epoch"] == 1 + int(
        np.argmin([epoch.validation_rmse for epoch in told])
    )


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize(
    "given", ["ml-100k.zip", pd.DataFrame({"user": ["a"]})], ids=["text", "frame"]
)
def test_only_ratings_are_fitted(name, given):
    with pytest.raises(BadRatings, match=f"fit takes Ratings, not {type(given).__name__}; read"):
        make(name).fit(given)


@pytest.mark.parametrize("n", [2.5, "3", True])
def test_a_list_has_a_whole_number_of_entries(models, n):
    with pytest.raises(BadSetting, match="it must be a whole number"):
        models["bias"].recommend("u000", n=n)


def test_a_history_is_a_mapping(models):
    with pytest.raises(BadRatings, match=r"a history is .*, not list$"):
        models["bias"].fold_in(["3"])


@pytest.mark.parametrize("name", ["bias", "ease"])
def test_a_row_of_a_matrix_is_told_how_it_becomes_a_history(models, name):
    model = models[name]
    row = csr_array(([model.scale.high], ([0], [2])), shape=(1, len(model.items)))
    with pytest.raises(BadRatings, match="a history is") as caught:
        model.fold_in(row)
    words = str(caught.value)
    example = words.partition("such as ")[2].partition(", not ")[0]
    assert len(model.fold_in(ast.literal_eval(example)).items) == 1  # of the model's own
    way = words.rpartition("it is ")[2]
    history = eval(way, {"dict": dict, "zip": zip}, {"model": model, "row": row})
    assert model.fold_in(history).items.tolist() == [2]


def test_a_title_is_told_from_an_id(models):
    for title in ("Film 3", "film 3 (1990)"):
        with pytest.raises(UnknownId, match="that is the title of item '3'"):
            models["bias"].explain("u000", title)


@pytest.mark.parametrize("name", sorted({*INTERVALS.algorithms, *TASTES.algorithms}))
def test_messages_name_algorithms_whose_models_can_do_it(name, models):
    model = models[name]
    assert model.has_intervals or name not in INTERVALS.algorithms
    assert model.taste_controls is not None or name not in TASTES.algorithms
    for side, capability in SIMILAR.items():
        if name in capability.algorithms:
            assert len(model.nearest(side, 0, 3)[0]) == 3


def test_every_view_of_a_model_is_one_that_all_faces_know(model):
    assert model.views.keys() <= VIEWS.keys()
    for name, view in model.views.items():
        assert dataclasses.replace(view, terms=VIEWS[name].terms) == VIEWS[name]


# Lists by choice and stars.

WITH_CHOICE = [
    case
    for case in CASES
    if issubclass(ALGORITHMS[case.split(":")[0]], RatingAlgorithm)
    and make(case).kind == "rating"
    and not case.startswith("nmf:zero")
]
# A newcomer has all users for neighbours, among them the one with the same ratings.
FOLDED = [one for one in WITH_CHOICE if one in EXACT and not one.startswith("user-knn")]
PEOPLE = ["u000", "u031"]


@pytest.fixture(params=WITH_CHOICE, scope="module")
def choosing(request, models):
    return models[request.param]


@pytest.fixture(scope="module")
def by_stars(train):
    """The same fits without a choice part."""
    return Fitted(train, choice=None)


def test_other_models_rank_by_their_own_scores(case, models):
    if case not in WITH_CHOICE:
        assert models[case].choice is None
        assert models[case].ranker is models[case]


@pytest.mark.parametrize("case", WITH_CHOICE, scope="module")
def test_a_choice_part_changes_no_stars(case, models, by_stars):
    everyone = np.arange(len(models[case].users))
    assert np.array_equal(models[case].score_block(everyone), by_stars[case].score_block(everyone))


@pytest.mark.parametrize("case", WITH_CHOICE, scope="module")
def test_an_infinite_weight_gives_the_lists_by_stars(case, models, by_stars):
    old = by_stars[case].recommend(PEOPLE, 7)
    assert models[case].recommend(PEOPLE, 7, stars_weight=np.inf).to_dicts() == old.to_dicts()


def test_a_list_score_is_stars_choice_and_certainty(choosing, train):
    part, items = choosing.choice, np.arange(train.n_items)
    stars = choosing.score_people(PEOPLE, items)
    choice = part.model.score_people(PEOPLE, items)
    doubt = part.caution * part.noise / np.sqrt(train.by_item.counts + 1)
    expected = stars + choice / part.stars_weight - doubt
    assert choosing.list_scores(PEOPLE, items) == pytest.approx(expected, rel=1e-5, abs=1e-5)
    rows = train.users.rows(PEOPLE)
    assert choosing.ranker.score_block(rows) == pytest.approx(expected, rel=1e-5, abs=1e-5)
    listed = choosing.recommend("u000", 5)
    places = train.items.rows(listed.item_id)
    assert listed.score == pytest.approx(expected[0, places].tolist(), rel=1e-5)
    assert listed.stars == pytest.approx(np.clip(stars[0, places], 0.5, 5).tolist(), rel=1e-5)


def test_a_weight_of_nothing_ranks_by_choice_alone(choosing):
    chosen = choosing.choice.model.recommend("u000", 7)
    listed = choosing.recommend("u000", 7, stars_weight=0)
    assert (listed.item_id, listed.score) == (chosen.item_id, chosen.score)
    reasons = choosing.weighed(0).explain("u000", chosen.item_id[0])
    assert reasons.unit == "points"
    assert sum(term.value for term in reasons) == pytest.approx(reasons.score, abs=1e-4)


def test_caution_holds_back_what_few_have_rated(choosing, train):
    part, items = choosing.choice, np.arange(train.n_items)
    scores = [choosing.weighed(None, c).list_scores(["u000"], items)[0] for c in (-1, 0, 2)]
    moved = part.noise / np.sqrt(train.by_item.counts + 1)
    assert scores[0] - scores[1] == pytest.approx(moved, abs=1e-4)
    assert scores[1] - scores[2] == pytest.approx(2 * moved, abs=1e-4)
    (term,) = [one for one in choosing.explain("u000", "0") if one.kind == "certainty"]
    assert term.value == pytest.approx(-part.caution * moved[0], abs=1e-6)


def test_a_saved_model_lists_the_same(choosing, tmp_path):
    saved = load(choosing.save(tmp_path / "model"))
    people = [*PEOPLE, saved.fold_in({"1": 5, "5": 1})]
    own = [*PEOPLE, choosing.fold_in({"1": 5, "5": 1})]
    assert saved.recommend(people, 9).to_dicts() == choosing.recommend(own, 9).to_dicts()
    assert saved.explain("u000", "0").to_dict() == choosing.explain("u000", "0").to_dict()


@pytest.mark.parametrize("case", FOLDED, scope="module")
def test_a_known_history_folded_in_gets_that_user_s_list(case, models, train):
    model = models[case]
    items, ratings = train.by_user.row(3)
    history = dict(zip(train.items.ids[items], ratings.tolist(), strict=True))
    rows = np.arange(train.n_items)
    known, folded = model.list_scores(["u003", model.fold_in(history)], rows)
    assert folded == pytest.approx(known, abs=0.02)


@pytest.mark.parametrize("name", ["stars_weight", "caution"])
@pytest.mark.parametrize("value", [np.nan, "2", True])
def test_weights_of_lists_are_numbers(models, name, value):
    with pytest.raises(BadSetting, match=name):
        models["mf"].recommend("u000", **{name: value})


def test_weights_of_lists_are_refused_where_there_is_no_choice_part(models):
    with pytest.raises(BadSetting, match="ranks by its scores alone"):
        models["ease"].recommend("u000", stars_weight=1)
    with pytest.raises(BadSetting, match="at least 0"):
        models["mf"].recommend("u000", stars_weight=-1)
    with pytest.raises(BadSetting, match="finite"):
        models["mf"].recommend("u000", caution=np.inf)


def test_a_choice_part_is_of_the_same_users_and_items(models):
    other = make("implicit-als").fit(ratings_of(n_users=50))
    part = dataclasses.replace(models["mf"].choice, model=other)
    with pytest.raises(BadModel, match="other users"):
        dataclasses.replace(models["mf"], choice=part)
    part = dataclasses.replace(models["mf"].choice, model=models["bias"])
    with pytest.raises(BadModel, match="preferences"):
        dataclasses.replace(models["mf"], choice=part)


def test_choices_are_learned_by_preferences_alone():
    with pytest.raises(BadSetting, match="bias is not"):
        MF(choice="bias")
    with pytest.raises(BadSetting, match="no algorithm 'eas'"):
        MF(choice="eas")
    assert MF(choice="ease").choice == ("ease",)


def test_several_learn_choices_together(train):
    model = MF(n_factors=3, n_epochs=3, choice=(EASE(reg=5.0), Popularity())).fit(train)
    parts = model.choice.model
    rows = np.arange(train.n_items)
    both = [
        one.score_people(["u000"], rows)[0] * w
        for one, w in zip(parts.models, parts.weights, strict=True)
    ]
    assert parts.score_people(["u000"], rows)[0] == pytest.approx(sum(both), rel=1e-5)
    item = model.recommend("u000", 1).item_id[0]
    for by in model.views:
        reasons = model.explain("u000", item, by)
        assert sum(term.value for term in reasons) == pytest.approx(reasons.score, abs=1e-4)
