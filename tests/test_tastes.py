"""Tastes: canonical factors, labels, names, and whether they come out again."""

import dataclasses
import re

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.stats import rankdata

import naive
from matinee.algorithms import NMF
from matinee.data.catalog import NO_CATALOG, Catalog, Item
from matinee.errors import BadSetting
from matinee.models import load
from matinee.models.blend import BlendModel
from matinee.models.factor import FactorModel
from matinee.models.hybrid import expected
from matinee.models.matching import match_tastes
from matinee.sources.sample import TASTES, sample, simulate
from matinee.tastes import UNLABELLED, Taste
from matinee.tastes.canonical import Moments, canonical_rotation, signs, variances, varimax
from matinee.tastes.cards import ItemWords
from matinee.tastes.labels import (
    Label,
    chance,
    held,
    label_ends,
    label_of,
    mean_ranks,
    period,
    savage_scores,
    supported,
    words_about,
    worth_of_card,
)
from matinee.tastes.matching import match_factors
from matinee.tastes.names import LIKE, NamedEnd, avoided, names_of, short_title, words_of
from matinee.tuning.stability import taste_stability
from test_contract import CASES, make, ratings_of


@pytest.fixture(scope="module")
def train():
    return ratings_of()


def with_factors(case):
    return case.split(":")[0] in {
        "nmf",
        "truncated-svd",
        "mf",
        "svdpp",
        "bayesian-mf",
        "implicit-als",
        "bpr",
        "hybrid",
        "content",
    }


@pytest.fixture(scope="module", params=filter(with_factors, CASES))
def model(request, train):
    return make(request.param).fit(train)


def orthogonal(n, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


def allowed_turn(model, seed=0):
    """A turn, a change of order, or neither, as the model's fold-in lets it."""
    rng = np.random.default_rng(seed)
    order = np.eye(model.n_factors)[rng.permutation(model.n_factors)]
    return {
        "rotation": orthogonal(model.n_factors),
        "order": order,
        "none": np.eye(model.n_factors),
    }[model.fold.freedom]


# The canonical form.


def test_a_turn_changes_neither_scores_nor_fold_ins(model, train):
    other = model.rotated(allowed_turn(model)).canonical()
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
    if model.fold.freedom != "none":  # those of nndsvd keep the order of scikit-learn
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
    assert best == pytest.approx(criterion(Q @ naive.varimax(Q)))
    assert all(criterion(Q @ orthogonal(3, seed)) <= best + 1e-12 for seed in range(50))


def test_factors_of_zeros_are_left_alone():
    nothing = Moments(np.zeros((3, 3)), np.zeros(3))
    for freedom in ("rotation", "order"):
        zeros, counts = np.zeros((5, 3), np.float32), np.zeros(5)
        T = canonical_rotation(zeros, counts, nothing, nothing, freedom)
        assert T is None or np.allclose(T.T @ T, np.eye(3))
    assert signs(np.array([[-2.0, 1.0, 0.0], [1.0, 1.0, 0.0]])).tolist() == [-1, 1, 1]


def test_all_samples_of_a_posterior_are_turned_alike(train):
    model = make("bayesian-mf").fit(train)
    T = orthogonal(model.n_factors)
    other = model.rotated(T)
    for mine, its in zip(model.taste_factors, other.taste_factors, strict=True):
        np.testing.assert_allclose(its, mine @ T, atol=1e-5)
    assert isinstance(other, FactorModel)


@pytest.mark.parametrize("of", ["hybrid", "content"])
def test_effects_of_features_are_turned_along(of, train):
    model = make(of).fit(train)
    T = orthogonal(model.n_factors)
    guesses = [expected(one.features, one.weights).factors for one in (model, model.rotated(T))]
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
        other = model.rotated(orthogonal(model.n_factors))
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
    known = ratings.item_counts >= 10  # of the rarely rated, ratings tell no tastes
    B, Q = B[known], Q[known]
    cosine = (B / np.linalg.norm(B, axis=0)).T @ (Q / np.linalg.norm(Q, axis=0))
    truth, found = linear_sum_assignment(-cosine)
    assert cosine[truth, found].mean() > 0.9
    assert cosine[truth, found].min() > 0.8


def test_most_labels_of_known_tastes_are_right():
    names, B, ratings = true_item_tastes()
    model = NMF(n_factors=len(names)).fit(ratings)
    Q = model.item_factors
    cosine = (B / np.linalg.norm(B, axis=0)).T @ (Q / np.linalg.norm(Q, axis=0))
    right = 0
    for truth, found in zip(*linear_sum_assignment(-cosine), strict=True):
        strongest = sorted(TASTES[names[truth]], key=TASTES[names[truth]].get)[-2:]
        right += any(genre in model.tastes()[found].label for genre in strongest)
    assert right >= 7


# Labels.


def test_chance_is_that_of_items_changing_places_within_popularity_bins():
    """The moments against all that many permutations do."""
    rng = np.random.default_rng(0)
    n, words = 200, 4
    has = csr_array((rng.random((words, n)) < [[0.05], [0.1], [0.3], [0.02]]).astype(float))
    scores = savage_scores(rng.exponential(size=(n, 2)) * np.linspace(3, 1, n)[:, None])
    total, mean, variance = held(has, scores)
    np.testing.assert_allclose(total, has.toarray() @ scores)
    bins = np.array_split(np.arange(n), 10)
    drawn = []
    for _ in range(4000):
        order = np.concatenate([rng.permutation(rows) for rows in bins])
        drawn.append(has @ scores[order])
    drawn = np.array(drawn)
    np.testing.assert_allclose(drawn.mean(axis=0), mean, rtol=0.02)
    np.testing.assert_allclose(drawn.var(axis=0), variance, rtol=0.12)
    by_hand = (drawn >= total - 1e-9).mean(axis=0)
    np.testing.assert_allclose(chance(has, scores), by_hand, atol=0.04)


def test_ranks_share_their_mean_where_numbers_tie():
    x = np.random.default_rng(0).integers(0, 20, (50, 3)).astype(float)
    np.testing.assert_array_equal(mean_ranks(x), rankdata(x, axis=0))


def test_no_label_comes_from_noise():
    rng = np.random.default_rng(0)
    catalog = Catalog(
        {str(i): Item(f"Film {i}", 1930 + i % 90, (f"g{i % 7}", f"h{i % 11}")) for i in range(300)}
    )
    high, low = label_ends(rng.normal(size=(300, 40)), [str(i) for i in range(300)], catalog)
    assert sum(label.text != UNLABELLED for label in high + low) <= 2


def test_popularity_alone_makes_no_label():
    """All well-known films are dramas, and the factor is high on what is well known."""
    genres = [("Drama",) if i < 100 else ("Comedy",) for i in range(400)]
    catalog = Catalog({str(i): Item(f"Film {i}", None, genres[i]) for i in range(400)})
    rng = np.random.default_rng(0)
    W = np.abs(rng.normal(size=(400, 3))) * np.linspace(2, 1, 400)[:, None] ** 3
    labels = label_ends(W, [str(i) for i in range(400)], catalog)[0]
    assert [label.text for label in labels] == [UNLABELLED] * 3


def test_people_tags_and_decades_can_label_both_ends():
    def entry(i):
        old = i % 4 == 0
        features = {"director": ("Varda" if old else f"Director {i % 50}",), "plot": ("a cat",)}
        return Item(f"Film {i}", 1962 if old else 1990, ("Crime",) if i % 4 == 2 else (), features)

    catalog = Catalog({str(i): entry(i) for i in range(400)})
    rng = np.random.default_rng(0)
    side = np.array([{0: 1.0, 2: -1.0}.get(i % 4, 0.0) for i in range(400)])
    W = np.column_stack([side, np.roll(side, 1)]) + 0.1 * rng.normal(size=(400, 2))
    high, low = label_ends(W, [str(i) for i in range(400)], catalog)
    assert high[0].text == "1960s Varda"
    assert low[0].text == "Crime"
    assert low[0].genres == ("Crime",)


@pytest.mark.parametrize(
    "n_fifties, n_westerns, label",
    [(4, 10, "Western"), (5, 10, "1950s Western"), (5, 5, "1950s Western"), (5, 4, "1950s")],
)
def test_a_word_stands_on_the_card_or_in_no_label(n_fifties, n_westerns, label):
    """Five of ten on the card; next come most others of both."""
    order = np.arange(400)
    of_fifties = (order < n_fifties) | ((order >= 10) & (order < 60))
    is_western = (order < n_westerns) | ((order >= 10) & (order < 40))
    catalog = Catalog(
        {
            str(i): Item(f"Film {i}", 1955 if old else 1990, ("Western",) if western else ())
            for i, (old, western) in enumerate(zip(of_fifties, is_western, strict=True))
        }
    )
    rng = np.random.default_rng(0)
    rows = rng.permutation(400)  # by popularity
    W = np.linspace(2, 0, 400)[rows, None] ** 6
    assert [one.text for one in label_ends(W, [str(i) for i in rows], catalog)[0]] == [label]


def test_labels_read_as_words():
    words = [("decade", "1950s"), ("genre", "Horror"), ("genre", "Sci-Fi"), ("tag", "zombies")]

    def text(*worth):
        return label_of(words, np.array(worth), np.zeros(len(worth))).text

    assert text(0.9, 1.0, 0, 0) == "1950s Horror"
    assert text(0, 1.0, 0.6, 0.4) == "Horror, Sci-Fi & zombies"
    assert text(0, 1.0, 0.4, 0) == "Horror"
    assert text(0, 0, 0, 0) == UNLABELLED
    assert text(1.0, 0.2, 0, 0) == "Horror", "no decade alone, if it can be"
    assert text(1.0, 0, 0, 0) == "1950s"
    assert period(["1940s", "1950s", "1960s"]) == "1940s to 1960s"
    assert period(["1940s", "1970s"]) == "1940s & 1970s"


def test_words_that_pass_beside_a_label_are_kept_to_set_tastes_apart():
    words = [("decade", "1950s"), ("genre", "Horror"), ("genre", "Sci-Fi"), ("tag", "zombies")]
    label = label_of(words, np.array([0.2, 1.0, 0.3, 0.0]), np.zeros(4))
    assert label.text == "Horror"
    assert [label.with_word(word).text for word in label.further] == [
        "Horror & Sci-Fi",
        "1950s Horror",
    ]


def test_items_that_few_rated_show_in_no_card():
    counts = np.array([100, 3, 50, 0, 20, 19, 40])
    assert supported(counts).tolist() == [0, 2, 6, 4, 5]
    assert supported(np.zeros(3, int)).tolist() == []


# Names.


@pytest.fixture(scope="module")
def signed(train):
    return make("mf").fit(train)


def test_a_name_takes_the_place_of_the_label_everywhere(signed, tmp_path):
    f = int(np.argmin(np.abs((signed.user_factors > 0).mean(axis=0) - 0.5)))  # has both ends
    named = signed.rename_taste(f, " Heist films ")
    assert named.tastes()[f].name == "Heist films"
    before = signed.tastes()[f].name
    assert before != "Heist films", "the old model is as it was"
    saved = load(named.save(tmp_path / "model"))
    assert saved.tastes()[f].name == "Heist films"
    assert saved.taste_notes == named.taste_notes
    names = {term.name for user in train_users(named) for term in named.explain(user, "7")}
    assert {"Heist films", "anything but Heist films"} <= names
    assert "Heist films" in str(named.tastes())
    assert named.rename_taste("heist FILMS", "").tastes()[f].name == before


def train_users(model):
    return list(model.users)[:-1]  # the last has no rating


@pytest.mark.parametrize(
    "taste, name, words",
    [
        (99, "x", "no taste 99; there are 0 to 5"),
        ("Horor", "x", "no taste 'Horor'"),
        (1, "x" * 61, "61 characters; at most 60"),
        (1, "two\nlines", "control character U\\+000A"),
        (1, "\u202etrick", "control character U\\+202E"),
        (1, "HEIST", "taste 0 is already called 'HEIST'"),
        (1, 7, "is text, not 7"),
    ],
)
def test_names_that_cannot_be(signed, taste, name, words):
    with pytest.raises(BadSetting, match=words):
        signed.rename_taste(0, "Heist").rename_taste(taste, name)


def ends(*labels, titles=("Heat", "Up", "Alien")):
    """Ends with a label each: its words, separated by blanks, then words that pass too."""
    found = []
    for label in labels:
        words, _, further = label.partition("|")
        features = [tuple(("genre", w) for w in text.split()) for text in (words, further)]
        found.append(NamedEnd(Label(*features), titles))
    return found


def test_a_name_is_the_label_or_what_sets_it_apart_and_never_a_number():
    high, low = names_of(ends("Horror|Thriller", "Horror|Thriller", "Horror", "", ""), None, {})
    assert high == [
        "Horror",
        "Horror & Thriller",
        "Horror like Heat & Up",
        "films like Heat & Up",
        "films like Heat & Alien",
    ]
    assert low == [""] * 5


def test_what_a_name_says_is_what_films_are_held_against():
    """A label, with a word that sets it apart, or cut to two words before films."""
    (end,) = ends("Horror|Thriller")
    (long,) = ends("Sci-Fi Adventure Action")
    for one, name, words in (
        (end, "Horror", ["Horror"]),
        (end, "Horror & Thriller", ["Horror", "Thriller"]),
        (long, "Sci-Fi, Adventure & Action", ["Sci-Fi", "Adventure", "Action"]),
        (long, "Sci-Fi & Adventure like Heat & Up", ["Sci-Fi", "Adventure"]),
    ):
        assert name in list(one.names())
        assert list(one.label_in(name).genres) == words


@pytest.mark.parametrize(
    ("year", "fits"), [(1978, False), (1979, True), (1990, True), (1991, False)]
)
def test_a_name_with_a_decade_means_nothing_for_films_of_another(year, fits):
    """A year's grace is given: a film is released here and there."""
    label = Label((("decade", "1980s"), ("genre", "Comedy")))
    taste = Taste(0, label.text, label.text, (), (), 1.0, 1, labels=(label, label), low_name="Old")
    words = ItemWords.of(Catalog({"1": Item("Airplane!", year, ("Comedy",))}), "1")
    assert taste.fits(words, 1.0) == taste.fits(words, -1.0) == fits
    assert dataclasses.replace(taste, is_renamed=True).fits(words, 1.0)


@pytest.mark.parametrize("of", ["sample", "ml-100k", "ml-latest-small"])
@pytest.mark.parametrize("algorithm", ["nmf", "mf", "default"])
def test_no_reason_names_a_genre_or_a_decade_that_the_film_is_not_of(list_models, of, algorithm):
    model = list_models(of, algorithm)
    genres = {genre for entry in model.catalog.entries.values() for genre in entry.genres}
    for user in model.users.ids[::25].tolist()[:20]:
        for why in model.explain_list(user, model.recommend(user, 10).item_id):
            film = model.catalog[why.item_id]
            for name in named_tastes(why):
                decades = range_of(re.findall(r"(\d{4})s", name), through=" to " in name)
                assert not decades or any(ten - 1 <= film.year <= ten + 10 for ten in decades)
                said = genres.intersection(re.split(r", | & |(?<=\ds) ", name))
                assert not said or said.intersection(film.genres), (name, film)


def named_tastes(why):
    """What a sentence calls tastes, without films and what tells of other items."""
    for key in why.said_keys:
        kind, _, name = key.partition(" ")
        words = name.removeprefix("you choose ").partition(LIKE)[0]
        if kind in ("taste", "choice") and avoided(words) is None:
            yield words


def range_of(decades, through):
    years = [int(decade) for decade in decades]
    return range(years[0], years[-1] + 1, 10) if through else years


def test_the_same_words_in_another_order_are_the_same_name():
    high, _ = names_of(ends("Crime Thriller", "Thriller Crime"), None, {})
    assert high == ["Crime & Thriller", "Thriller & Crime like Heat & Up"]


def test_names_that_people_gave_come_first():
    high, low = names_of(ends("Horror", "Drama", ""), ends("", "", ""), {2: "horror"})
    assert high == ["Horror like Heat & Up", "Drama", "horror"]
    assert low == ["films like Heat & Up", "anything but Drama", "anything but horror"]


def test_what_follows_the_numbers_of_ratings_is_called_popular():
    def popular(*words):
        return NamedEnd(Label(tuple(words)), ("Heat", "Up"), is_popular=True)

    decade = popular(("decade", "1990s"))
    names, low = names_of([popular(), decade, popular(("genre", "Crime"))], ends("", "", ""), {})
    assert names == ["popular films", "popular 1990s films", "Crime"]
    assert low[0] == "anything but popular films"


def test_items_that_no_catalogue_describes_are_no_films():
    end = NamedEnd(Label(), ("Portal", "Dota 2"), noun="items")
    assert next(end.names()) == "items like Portal & Dota 2"
    assert next(dataclasses.replace(end, is_popular=True).names()) == "popular items"
    model = make("nmf").fit(dataclasses.replace(ratings_of(), catalog=NO_CATALOG))
    assert all("films" not in taste.name for taste in model.tastes())


def test_names_leave_out_years_original_titles_and_long_subtitles():
    titles = ("Spirited Away (Sen to Chihiro)", "Star Trek II: The Wrath of Khan and More")
    assert names_of(ends("", titles=titles), None, {})[0] == [
        "films like Spirited Away & Star Trek II"
    ]
    alternative = "Dr. Strangelove or: How I Learned to Stop Worrying"
    assert short_title(alternative) == "Dr. Strangelove"


NUMBERED = re.compile(r"\(\d+\)$|(?<!like)(?<!&) \(\d+\)|^taste \d+|of taste \d+")


@pytest.mark.parametrize("of", ["sample", "ml-100k", "ml-latest-small"])
@pytest.mark.parametrize("algorithm", ["nmf", "mf", "default"])
def test_no_two_tastes_of_real_data_share_their_words(list_models, of, algorithm):
    for part in parts_with_tastes(list_models(of, algorithm)):
        names = [name for one in part.tastes() for name in (one.name, one.low_name) if name]
        assert len({words_of(name) for name in names}) == len(names)
        assert not [name for name in names if NUMBERED.search(name)]


def parts_with_tastes(model):
    """The model of stars, and the models of choices that have tastes."""
    choice = model.choice.model
    parts = choice.models if isinstance(choice, BlendModel) else (choice,)
    return model, *(one for one in parts if isinstance(one, FactorModel))


@pytest.mark.parametrize("of", ["sample", "ml-100k", "ml-latest-small"])
@pytest.mark.parametrize("algorithm", ["nmf", "mf", "default"])
def test_films_on_a_card_bear_out_its_name(list_models, of, algorithm):
    """Half of the ten bear each word of it; eight or more are not what a name says they are not."""
    for part in parts_with_tastes(list_models(of, algorithm)):
        for taste in part.tastes():
            high, low = taste.labels
            for name, label, end in (
                (taste.name, high, taste.top),
                (taste.low_name, low, taste.bottom),
            ):
                films = [set(words_about(part.catalog, one)) for one, _, _ in end]
                if avoided(name):
                    assert not high.words or sum(map(high.fits, films)) <= 2, name
                else:
                    for word in (*label.words, *label.further):
                        assert sum(word in film for film in films) >= 5, (name, word)


def test_a_low_end_of_the_same_films_is_not_said_to_be_anything_but_these():
    high, (other, alike) = ends("Horror", "Drama"), ends("", "", titles=("Heat", "Up"))
    alike = dataclasses.replace(alike, resembles_other=True)
    _, low_names = names_of(high, [other, alike], {})
    assert low_names == ["anything but Horror", "films like Heat & Up"]


@pytest.mark.parametrize("of", ["sample", "ml-100k", "ml-latest-small"])
def test_the_factor_of_popularity_is_called_so(list_models, of):
    """In choices it makes most of the differences; its films are those that most have rated."""
    choice = list_models(of, "mf").choice.model
    (taste, *_) = [one for one in choice.tastes() if one.name.startswith("popular")]
    counts = choice.item_counts[choice.items.rows(item for item, _, _ in taste.top)]
    assert taste.share > 0.1
    assert np.median(counts) > np.quantile(choice.item_counts, 0.98)


def test_a_person_is_told_of_the_end_they_are_at(signed):
    """At the low end of a taste a film is high on what the low end is called."""
    for user in train_users(signed):
        strength = signed.taste_space.strength(signed.person(user))
        terms = {term.name: term for term in signed.explain(user, "7") if term.kind == "taste"}
        for taste, p in zip(signed.tastes(), strength, strict=True):
            name = taste.name if p >= 0 else taste.low_name
            at_same_end = (p >= 0) == (signed.item_factors[7, taste.number] >= 0)
            assert name not in terms or (terms[name].value > 0) == at_same_end


@pytest.mark.parametrize(
    ("name", "low_name", "high", "low"),
    [
        ("Horror", "Drama", "Horror", "Drama"),
        ("1980s", "anything but 1980s", "films of the 1980s", "anything but films of the 1980s"),
        ("1940s to 1960s", "1980s", "films of the 1940s to 1960s", "films of the 1980s"),
        (
            "1980s Horror",
            "anything but 1980s Horror",
            "1980s Horror",
            "anything but 1980s Horror",
        ),
        ("films like Heat & Up", "Heists", "films like Heat & Up", "Heists"),
    ],
)
def test_a_taste_inside_a_sentence(name, low_name, high, low):
    top, bottom = ((("1", "Heat", 2.0), ("2", "Casino", 1.5)), (("3", "Up", -1.0),))
    taste = Taste(3, UNLABELLED, name, top, bottom, 0.1, 5, low_name=low_name)
    assert (taste.said_for(0.5), taste.said_for(-0.5)) == (high, low)


def test_cards_are_html_without_scripts_and_escaped(signed):
    page = signed.rename_taste(0, "<script>alert(1)</script>").tastes()._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


# Stability, and names that survive a refit.


def test_matching_finds_partners_whatever_order_sign_and_length():
    Q = np.random.default_rng(0).normal(size=(50, 4))
    order = [2, 0, 3, 1]
    partner, cosine = match_factors(Q, Q[:, order] * [1, -2, 3, 0.5])
    assert [order[at] for at in partner] == [0, 1, 2, 3]
    np.testing.assert_allclose(cosine, np.where(np.arange(4) == 0, -1, 1))
    partner, cosine = match_factors(Q, Q[:, [3, 1]])
    assert partner.tolist() == [-1, 1, -1, 0]
    assert cosine[[0, 2]].tolist() == [0, 0]


@pytest.fixture(scope="module")
def eight():
    return NMF(n_factors=8).fit(sample())


def test_known_tastes_are_stable_and_further_ones_are_not(eight):
    assert min(taste.stability for taste in taste_stability(eight, n_refits=2).tastes()) > 0.95
    more = taste_stability(NMF(n_factors=14), sample(), n_refits=3)
    stable = [taste.stability > 0.9 for taste in more.tastes()]
    assert 7 <= sum(stable) <= 9
    assert any(taste.unstable for taste in more.tastes())
    assert "unstable: fitted again" in str(more.tastes())


def test_stability_stays_with_the_model_and_changes_no_score(eight, tmp_path):
    found = taste_stability(eight, n_refits=1, how="samples")
    assert len(found.taste_notes.stability) == 8
    assert found.taste_notes.refits == 1
    assert load(found.save(tmp_path / "model")).taste_notes == found.taste_notes
    people = np.arange(5)
    assert np.array_equal(found.score_block(people), eight.score_block(people))


def test_stability_that_cannot_be_measured(train):
    with pytest.raises(BadSetting, match="have no tastes"):
        taste_stability(make("bias").fit(train), how="samples")
    with pytest.raises(BadSetting, match="has no seed"):
        taste_stability(make("truncated-svd").fit(train))
    with pytest.raises(BadSetting, match="needs ratings"):
        taste_stability(make("mf"))
    with pytest.raises(BadSetting, match="n_refits is 0"):
        taste_stability(make("mf"), train, n_refits=0)
    with pytest.raises(BadSetting, match="how is 'luck'"):
        taste_stability(make("mf"), train, how="luck")


def test_a_name_survives_a_refit_when_the_taste_does(eight):
    horror = eight.tastes().find("Horror").number
    old = eight.rename_taste(horror, "Things that go bump")
    other = NMF(n_factors=9, seed=3).fit(sample())
    matches = match_tastes(old, other)
    new = matches.named()
    found = new.tastes().find("Things that go bump")
    assert found.label == "Horror"
    assert [one.old.number for one in matches.carried] == [horror]
    assert matches.lost == ()
    assert "Things that go bump" in str(matches)
    assert sum(one.same for one in matches) >= 7


def test_a_name_is_reported_lost_when_its_taste_is(eight):
    old = eight.rename_taste(0, "Crooks").rename_taste(4, "Things that go bump")
    few = sample().subset(np.random.default_rng(0).random(len(sample())) < 0.1)
    matches = match_tastes(old, NMF(n_factors=1).fit(few))
    assert {one.old.name for one in matches.lost} | {one.old.name for one in matches.carried} == {
        "Crooks",
        "Things that go bump",
    }
    assert len(matches.lost) >= 1
    with pytest.raises(BadSetting, match="no item in common"):
        match_tastes(old, make("mf").fit(ratings_of()))
    with pytest.raises(BadSetting, match="have no tastes"):
        match_tastes(old, make("bias").fit(ratings_of()))


def test_a_new_model_keeps_its_own_names(eight):
    old = eight.rename_taste(0, "Crooks").rename_taste(1, "Kisses")
    new = eight.rename_taste(0, "Gangsters").rename_taste(2, "Kisses")
    assert dict(match_tastes(old, new).named().taste_notes.names) == {0: "Gangsters", 2: "Kisses"}


# What no label is found for.


def test_a_card_is_described_by_what_half_of_it_is_and_half_as_much_again_as_all_items():
    """Of 20 items the first 10 are on the card; each word is on so many there, and in all."""
    counts = {"Comedy": (6, 6), "Drama": (5, 10), "Horror": (4, 4), "Action": (5, 6)}
    has = np.zeros((len(counts), 20))
    for row, (on_card, in_all) in enumerate(counts.values()):
        has[row, [*range(on_card), *range(10, 10 + in_all - on_card)]] = 1
    worth = worth_of_card(csr_array(has), np.arange(20.0, 0, -1)[:, None])[:, 0]
    described = {name for name, value in zip(counts, worth, strict=True) if value > 0}
    assert described == {"Comedy", "Action"}
    assert worth[0] == pytest.approx(0.6 * np.log(0.6 / 0.3))


def test_an_end_without_a_label_is_named_after_what_its_card_is_of():
    comedy, nineties = ("genre", "Comedy"), ("decade", "1990s")
    titles = ("Heat", "Up")
    assert next(NamedEnd(Label(of_card=(comedy,)), titles).names()) == "Comedy like Heat & Up"
    named = next(NamedEnd(Label(of_card=(nineties,)), titles).names())
    assert named == "1990s films like Heat & Up"
    label = Label(of_card=(comedy,))
    assert label.text == "unlabelled"
    assert label.fits({comedy, nineties})
    assert not label.fits({nineties})


def test_what_is_popular_and_has_no_label_is_never_called_unlabelled():
    end = NamedEnd(Label(), ("1", "38"), is_popular=True, noun="items")
    assert list(end.names()) == ["popular items", "items like 1 & 38"]
