"""People without ratings: from tastes and from what they tell of themselves, by law and by hand."""

import zipfile

import numpy as np
import pytest

from matinee.algorithms import EASE, MF, NMF, BayesianMF, Blend, ImplicitALS, ItemKNN
from matinee.data.profiles import Profiles, grouped
from matinee.errors import BadSetting
from matinee.models import load
from matinee.sources import read_ratings
from matinee.sources.sample import sample
from matinee.tastes.cards import ItemWords
from test_contract import ratings_of

NOBODY = {}


@pytest.fixture(scope="module")
def train():
    """Half of the people are odd and rate the first ten items a star higher than the others do."""
    ratings = ratings_of(n_users=120)
    odd = ratings.user % 2 == 1
    stars = np.clip(ratings.rating + np.where(odd & (ratings.item < 10), 1.0, 0.0), 0.5, 5)
    told = {
        user: {"parity": "odd" if row % 2 else "even", "age": 20 + row % 3}
        for row, user in enumerate(ratings.users)
        if row < 100
    }
    fields = {**ratings.__dict__, "rating": stars.astype(np.float32)}
    fields = {name: fields[name] for name in ratings.__dataclass_fields__}
    return type(ratings)(**fields).with_profiles(told)


@pytest.fixture(scope="module")
def nmf(train):
    return NMF(n_factors=4, n_epochs=8).fit(train)


@pytest.fixture(scope="module")
def mf(train):
    return MF(n_factors=4, n_epochs=8).fit(train)


# Tastes.


def test_all_points_on_one_taste_leave_that_taste_alone(nmf):
    name = list(nmf.tastes())[2].name
    person = nmf.fold_in_tastes({name: 10})
    assert person.strategy == "tastes"
    assert np.flatnonzero(person.embeddings.factors[0]).tolist() == [2]
    reasons = nmf.explain(person, "3", by="factor")
    assert {term.name for term in reasons.terms if term.kind == "taste"} <= {name}
    assert len(nmf.recommend(person, 40)) == 40, "nobody has seen nothing"


@pytest.mark.parametrize("name", ["mf", "nmf"])
def test_a_lover_of_one_taste_is_as_strong_as_people_are_and_no_stronger(request, name):
    model = request.getfixturevalue(name)
    worth = np.abs(model.item_factors).mean(axis=0)
    known = model.user_factors[model.seen.counts > 0]
    usual = (np.abs(known) * worth).sum(axis=1).mean()
    for taste in range(4):
        loved = model.fold_in_tastes({taste: 10}).embeddings.factors[0, taste]
        ends = [np.abs(known[known[:, taste] * sign > 0, taste]) for sign in (1, -1)]
        keen = ends[0] if len(ends[0]) else ends[1]
        assert 0 < loved <= keen.max()
        assert loved == pytest.approx(min(usual / worth[taste], np.quantile(keen, 0.95)), rel=1e-5)


@pytest.mark.parametrize("algorithm", [MF(), NMF(), BayesianMF(n_epochs=20, n_samples=4)])
def test_who_loves_one_taste_alone_scores_as_people_do(algorithm):
    """Many factors: one alone cannot stand for all that people have, as strong as they have it."""
    model = algorithm.fit(sample())
    real = model.score_block(np.arange(len(model.users)))
    every = np.arange(len(model.items))
    lovers = [model.fold_in_tastes({taste: 10}) for taste in range(model.n_factors)]
    scores = model.score_people(lovers, every)
    assert real.min() <= scores.min() < scores.max() <= real.max()


def test_points_that_are_left_go_to_the_average_person(nmf):
    average, whole = nmf.fold_in(NOBODY).embeddings, nmf.fold_in_tastes({1: 10}).embeddings
    some = nmf.fold_in_tastes({"1": 4}).embeddings
    np.testing.assert_allclose(some.factors, 0.4 * whole.factors + 0.6 * average.factors, rtol=1e-5)
    np.testing.assert_allclose(some.bias, average.bias, rtol=1e-5)


def test_samples_share_their_tastes(train):
    model = BayesianMF(n_factors=3, n_epochs=20, n_samples=4).fit(train)
    person = model.fold_in_tastes({1: 10})
    assert np.flatnonzero(model.taste_space.strength(person)).tolist() == [1]
    reasons = model.explain(person, "3", by="factor")
    assert len([term for term in reasons.terms if term.kind == "taste"]) == 1
    assert sum(term.value for term in reasons.terms) == pytest.approx(reasons.score, abs=1e-4)


@pytest.mark.parametrize(
    "points, message",
    [
        ({9: 5}, "no taste 9; there are 0 to 3"),
        ({"films like Flim 14 & Film 0": 5}, "no taste '.*'; did you mean 'films like Film 14"),
        ({"x": 5}, "by number or name, there are 0 '.*', 1 '.*', 2 '.*', 3 '"),
        ({0: 5, "0": 5}, "is named twice"),
        ({0: 6, 1: 6}, "add up to 12; share up to 10"),
        ({0: -1}, "points for 0 are -1; they go from 0 to 10; they choose the high end"),
        ({0: "much"}, "are 'much', not a number"),
        ({}, "add up to 0"),
    ],
)
def test_impossible_points_are_refused_in_words(nmf, points, message):
    with pytest.raises(BadSetting, match=message):
        nmf.fold_in_tastes(points)


@pytest.mark.parametrize("algorithm", [ItemKNN(), EASE()])
def test_models_without_tastes_or_profiles_say_so(train, algorithm):
    model = algorithm.fit(train)
    with pytest.raises(BadSetting, match="have no tastes; fit nmf or mf"):
        model.fold_in_tastes({0: 5})
    with pytest.raises(BadSetting, match="nothing of people but their ratings"):
        model.fold_in_features({"parity": "odd"})


# Histories.


@pytest.mark.parametrize("name", ["mf", "nmf"])
def test_many_are_folded_in_as_each_is(request, name):
    model = request.getfixturevalue(name)
    histories = {"Ann": {"3": 5, "1": 1}, "Bob": {}, "Cem": {"7": 2.5}}
    people = model.fold_in_many(histories)
    for person, (who, history) in zip(people, histories.items(), strict=True):
        alone = model.fold_in(history, who)
        assert (person.name, person.strategy) == (alone.name, alone.strategy)
        assert np.array_equal(person.items, alone.items)
        np.testing.assert_allclose(person.embeddings.factors, alone.embeddings.factors, rtol=1e-6)
    assert [person.strategy for person in people] == ["folded_in", "popular", "folded_in"]
    assert model.fold_in_many({}) == []
    with pytest.warns(UserWarning, match="1 of 2 items unknown and left out: 'x'"):
        model.fold_in_many({"Ann": {"x": 1, "3": 2}})


# Features.


def test_ages_fall_into_groups():
    groups = [grouped("age", age) for age in (1, "17", 18, 24, 25, 49, 50, 56, 73, "25-34", "?")]
    assert groups == [
        "under 18",
        "under 18",
        "18-24",
        "18-24",
        "25-34",
        "45-49",
        "50-55",
        "56+",
        "56+",
        "25-34",
        "?",
    ]
    assert grouped("floor", 25) == "25"


def test_the_map_is_ridge_regression_on_centred_features(train, mf):
    rows = [r for r in range(100) if mf.seen.counts[r]]
    names = [("age", "18-24"), ("parity", "even"), ("parity", "odd")]
    told = [train.profiles[train.users.ids[r]] for r in rows]
    F = np.array([[float(one[name] == value) for name, value in names] for one in told])
    X = np.column_stack([mf.user_factors[rows], mf.user_bias[rows]]).astype(np.float64)
    centred = F - F.mean(axis=0)
    W = np.linalg.solve(centred.T @ centred + 10 * np.eye(3), centred.T @ (X - X.mean(axis=0)))
    person = mf.fold_in_features({"parity": "odd", "age": "24"})
    average = mf.fold_in(NOBODY).embeddings
    expected = np.append(average.factors[0], average.bias) + ([1, 0, 1] - F.mean(axis=0)) @ W
    np.testing.assert_allclose(person.embeddings.factors[0], expected[:-1], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(person.embeddings.bias[0], expected[-1], rtol=1e-3, atol=1e-5)
    assert person.strategy == "features"


@pytest.mark.parametrize("name", ["mf", "nmf"])
def test_features_find_who_likes_what(request, name):
    model = request.getfixturevalue(name)
    odd, even = (model.fold_in_features({"parity": which}) for which in ("odd", "Even"))
    scores = model.score_people([odd, even], np.arange(40))
    higher = scores[0] - scores[1]
    assert higher[:10].mean() > higher[10:39].mean() + 0.05


def test_choices_and_blends_know_features_too(train):
    model = ImplicitALS(n_factors=3).fit(train)
    assert model.fold_in_features({"parity": "odd"}).strategy == "features"
    blend = Blend(of=(MF(n_factors=3), NMF(n_factors=3))).fit(train)
    person = blend.fold_in_features({"parity": "odd"})
    assert len(blend.recommend(person, 5)) == 5


@pytest.mark.parametrize(
    "features, message",
    [
        ({"party": "odd"}, "'party' is no feature of people.*did you mean 'parity'"),
        ({"parity": "ood"}, "parity is 'ood'; it can be 'even', 'odd'; did you mean 'odd'"),
        ({}, "no feature is given; the model knows age, parity"),
    ],
)
def test_unknown_features_are_refused_with_the_nearest(mf, features, message):
    with pytest.raises(BadSetting, match=message):
        mf.fold_in_features(features)


def test_a_value_of_few_people_tells_of_no_one(train):
    told = {user: {"town": "A" if row < 4 else "B"} for row, user in enumerate(train.users)}
    model = MF(n_factors=2).fit(train.with_profiles(told))
    with pytest.raises(BadSetting, match="can be 'B'"):
        model.fold_in_features({"town": "A"})


@pytest.mark.parametrize("name", ["mf", "nmf"])
def test_every_strategy_explains_itself_in_terms_that_add_up(request, name):
    model = request.getfixturevalue(name)
    people = {
        "personal": model.person("u003"),
        "folded_in": model.fold_in({"3": 5}),
        "features": model.fold_in_features({"parity": "odd"}),
        "tastes": model.fold_in_tastes({0: 7, 1: 3}),
        "popular": model.fold_in(NOBODY),
    }
    for strategy, person in people.items():
        for view in ("factor", "history"):
            reasons = model.explain(person, "5", by=view)
            assert reasons.strategy == strategy
            assert sum(term.value for term in reasons.terms) == pytest.approx(
                reasons.score, abs=1e-4
            )


def test_a_saved_model_keeps_the_map_and_an_old_one_loads_without(mf, train, tmp_path):
    loaded = load(mf.save(tmp_path / "model"))
    one, same = (model.fold_in_features({"parity": "odd"}) for model in (mf, loaded))
    assert np.array_equal(one.embeddings.factors, same.embeddings.factors)
    plain = MF(n_factors=2, n_epochs=2).fit(train.with_profiles(Profiles({})))
    with pytest.raises(BadSetting, match="nothing of people"):
        load(plain.save(tmp_path / "plain")).fold_in_features({"parity": "odd"})


# Where profiles come from.


def test_profiles_stay_with_the_ratings(train):
    assert train.subset(train.user < 50).profiles is train.profiles
    assert train.positives_from(3).profiles is train.profiles
    assert train.with_profiles({}).fingerprint == train.fingerprint


def test_movielens_tells_who_its_users_are(tmp_path):
    item = "1|Heat (1995)|||" + "|0" * 19
    files = {
        "u.data": "1\t1\t4\t9\n2\t1\t3\t9\n",
        "u.item": item,
        "u.user": "1|24|M|writer|85711\n",
    }
    with zipfile.ZipFile(tmp_path / "100k.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(f"ml-100k/{name}", text)
    told = read_ratings(tmp_path / "100k.zip").profiles
    assert told["1"] == {"gender": "M", "age": "18-24", "occupation": "writer"}
    assert told["2"] == {}

    files = {
        "ratings.dat": "1::1::4::9\n2::1::3::9\n",
        "movies.dat": "1::Heat (1995)::Action",
        "users.dat": "1::F::1::10::48067\n2::M::56::16::70072\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    told = read_ratings(tmp_path).profiles
    assert told["1"] == {"gender": "F", "age": "under 18", "occupation": "K-12 student"}
    assert told["2"] == {"gender": "M", "age": "56+", "occupation": "self-employed"}


@pytest.mark.parametrize("algorithm", [MF(), NMF(n_factors=12)])
def test_strangers_get_what_is_popular_and_liked(algorithm):
    model = algorithm.fit(sample())
    listed = model.recommend(model.fold_in(NOBODY), 10)
    counts, rows = model.item_counts, model.items.rows(listed.item_id)
    assert np.median(counts[rows]) >= np.quantile(counts[counts > 0], 0.9)
    means = model.score_people([model.fold_in(NOBODY)], np.arange(len(counts)))[0]
    assert np.median(means[rows]) > np.median(means[counts > 0])


# Lists of real data for people without ratings.

KNOWN = 20  # ratings of a film that many know
FEWEST_KNOWN = 50  # films of a genre that many know, without which a list cannot be filled


SETS = ("ml-100k", "ml-latest-small", "ml-1m")
FITS = [(of, by) for of in SETS for by in ("nmf", "mf", "default")]


@pytest.fixture(scope="module", params=FITS, ids="-".join)
def real(request, list_models):
    return list_models(*request.param)


def test_ten_points_on_a_genre_give_seven_films_of_it_or_more(real):
    """Whatever genres a taste is named after, where the catalogue has films enough."""
    genres, has = real.catalog.genre_matrix(real.items)
    known = has[real.item_counts >= KNOWN].sum(axis=0)
    rich = {genre for genre, n in zip(genres, known, strict=True) if n >= FEWEST_KNOWN}
    asked = [taste for taste in real.tastes() if taste.genres and rich.issuperset(taste.genres)]
    assert "Horror" in {genre for taste in asked for genre in taste.genres}
    for taste in asked:
        listed = real.recommend(real.fold_in_tastes({taste.number: 10}), 10).item_id
        of_genre = [one for one in listed if {*taste.genres} & {*real.catalog[one].genres}]
        assert len(of_genre) >= 7, taste.name


def test_a_stated_taste_is_named_in_the_list_and_with_each_film_of_it(real):
    """As often as other reasons are, and more often only with films that have no other."""
    horror = next(taste for taste in real.tastes().by_share() if "Horror" in taste.genres)
    person = real.fold_in_tastes({horror.number: 10})
    stated = f"because you like {horror.name}"
    listed = [
        one
        for one in real.recommend(person, 30).item_id
        if horror.fits(ItemWords.of(real.catalog, one), 1.0)
    ][:10]
    whys = real.explain_list(person, listed, "factor")
    saying = [why for why in whys if stated in why.sentence()]
    assert saying
    assert all(len(set(why.possible_keys)) <= 2 for why in saying[4:])
    alone = [real.explain(person, item, "factor").sentence() for item in listed]
    assert sum(stated in sentence for sentence in alone) >= 0.7 * len(listed)


def test_points_are_shared_among_genres(real):
    """Equal points show both in a list of thirty; the more points, the more films."""
    named = [taste for taste in real.tastes().by_share() if taste.genres]
    horror = next(taste for taste in named if "Horror" in taste.genres)
    apart = next(taste for taste in named if not {*horror.genres} & {*taste.genres})
    films = {}
    for points in (2, 5, 8):
        shared = {horror.number: points, apart.number: 10 - points}
        listed = real.recommend(real.fold_in_tastes(shared), 30).item_id
        films[points] = [
            sum(bool({*taste.genres} & {*real.catalog[one].genres}) for one in listed)
            for taste in (horror, apart)
        ]
    assert min(films[5]) >= 3
    assert films[2][0] <= films[5][0] <= films[8][0]
    assert films[2][1] >= films[5][1] >= films[8][1]
    assert films[2] != films[8]


def test_nobody_known_gets_what_is_popular_and_liked(real):
    """Films among the most rated thirtieth, whose ratings are better than most."""
    listed = real.recommend(real.fold_in(NOBODY), 10)
    rows = real.items.rows(listed.item_id)
    counts = real.item_counts
    assert (counts[rows] >= np.quantile(counts, 1 - 1 / 30)).all()
    ratings, items = real.seen.values, real.seen.indices
    means = np.bincount(items, ratings, len(counts)) / np.maximum(counts, 1)
    assert np.median(means[rows]) > np.quantile(means[counts >= KNOWN], 0.75)


def test_points_leave_what_only_adds_as_it_is(list_models):
    nmf = list_models("ml-100k", "nmf")
    assert nmf.fold_in_tastes({0: 10}).choice.factors.min() >= 0
