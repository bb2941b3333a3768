"""What kind of data it is, the algorithm that follows, and the check of its lists."""

import json
import re
import warnings

import numpy as np
import pytest

import matinee
from matinee.algorithms import MF, NMF, SLIM, Blend, ImplicitALS, ItemKNN, Popularity, UserKNN
from matinee.algorithms.default import (
    MOST_ITEMS_OF_EASE,
    MOST_ITEMS_OF_SLIM,
    default_algorithm,
)
from matinee.cli import run
from matinee.data.signal import Signal
from matinee.display.text import listed
from matinee.errors import BadRatings, BadSetting, MatineeWarning
from matinee.evaluation.list_check import ListCheck, check_lists, piece_of_users
from matinee.sources.synthetic import checkerboard, uniform


@pytest.mark.parametrize(
    "values, kind",
    [
        ([1, 1, 1], "choices"),
        ([5, 5], "choices"),
        ([1, 2, 3, 4, 5], "stars"),
        ([0.5, 4, 5], "stars"),
        ([-9.95, 0.2, 10], "stars"),  # Jester: a scale below 0 is no count
        ([1, 50, 100], "stars"),
        ([0, 0, 0, 8, 10], "stars"),  # Book-Crossing: 0 is "not rated", and no median
        ([1, 1, 1, 95], "counts"),
        ([0.1, 0.5, 260.0, 352_698.0], "counts"),
    ],
)
def test_kinds_of_ratings(values, kind):
    signal = Signal.of(np.array(values, np.float32))
    assert signal.kind == kind
    assert signal.graded == (kind == "stars")
    assert str(signal).startswith(kind)


def test_the_unit_of_counts_does_not_matter():
    counts = np.array([1, 1, 2, 95], np.float32)
    assert Signal.of(60 * counts).kind == Signal.of(counts).kind == "counts"


def test_a_description_says_kind_and_rarely_rated_items():
    ratings = matinee.read_ratings((["a", "b", "c"], ["x", "x", "y"], [1, 1, 1]))
    told = ratings.describe()
    assert (told.signal.kind, told.n_rarely_rated) == ("choices", 2)
    assert told.to_dict()["kind"] == "choices"
    assert told.to_dict()["rarely_rated_items"] == 2
    assert "100 % of the items have fewer than 10" in str(told)
    assert "choices: every rating is 1" in str(told)
    assert uniform(40, 4, 3).describe().n_rarely_rated == 0


# The default.


def test_the_default_follows_from_the_kind():
    stars = uniform(200, 50, 10)
    graded = SLIM(lowest=0.15), ImplicitALS(lowest=0.15)
    assert default_algorithm(stars) == MF(choice=graded)
    alone = MF(choice=ImplicitALS(lowest=0.15))
    assert default_algorithm(uniform(90, 80, 8)) == alone  # too few for both
    assert default_algorithm(uniform(20, MOST_ITEMS_OF_SLIM + 1, 100)) == alone
    choices = stars.positives_from(1)
    assert default_algorithm(choices) == Blend(of=("ease", "implicit-als"))
    assert default_algorithm(stars.positives_from(5)) == ImplicitALS()  # too few for a blend
    wide = uniform(20, MOST_ITEMS_OF_EASE + 1, 100).positives_from(1)
    assert default_algorithm(wide) == Blend(of=("slim", "implicit-als", "rp3beta"))
    widest = uniform(20, MOST_ITEMS_OF_SLIM + 1, 100).positives_from(1)
    assert default_algorithm(widest) == ImplicitALS()


def test_help_says_what_the_default_is(capsys):
    stars, wide = uniform(200, 50, 10), uniform(20, MOST_ITEMS_OF_EASE + 1, 100)
    assert run(["fit", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    (default,) = re.findall(r"Default: (.*) Algorithms, and", told)
    choosers = [one.name for one in default_algorithm(stars).choosers]
    assert f"mf for stars, with choices by {listed(choosers)}; for counts" in default
    for ratings, size in ((stars, ""), (wide, f", above {MOST_ITEMS_OF_EASE:,} items")):
        blend = default_algorithm(ratings.positives_from(1))
        assert f"{size} of {listed([one.name for one in blend.algorithms])}" in default
    assert f"above {MOST_ITEMS_OF_SLIM:,} items and below 1,000 ratings, implicit-als" in default


def test_lists_of_nmf_have_reasons_for_and_none_against_but_deviations_that_are_stated():
    sample = matinee.sample()
    model = NMF(n_factors=6, n_epochs=8).fit(sample)
    (chooser,) = model.settings["choice"]
    assert (chooser["algorithm"], chooser["nonnegative"]) == ("implicit-als", True)
    kinds = set()
    for row in model.recommend(sample.users.ids[:30].tolist(), n=5):
        explanation = model.explain(row.user_id, row.item_id)
        kinds |= {term.kind for term in explanation}
        for term in explanation:
            if term.kind in ("taste", "choice", "popularity"):
                assert term.value > -1e-4, term
            else:  # the average, how user and item deviate from it, and what few ratings take off
                assert term.kind in ("base", "user", "item", "certainty"), term
    assert {"taste", "choice"} <= kinds


def test_fit_takes_the_default_an_algorithm_or_a_name():
    stars = uniform(90, 80, 8)
    chosen = NMF(n_factors=2, n_epochs=2)
    assert matinee.fit(stars.positives_from(1)).algorithm == "implicit-als"
    assert matinee.fit(stars, "popularity").algorithm == "popularity"
    by_hand = chosen.fit(stars)
    np.testing.assert_array_equal(matinee.fit(stars, chosen).user_factors, by_hand.user_factors)
    with pytest.raises(BadSetting, match="did you mean 'popularity'"):
        matinee.fit(stars, "popularty")
    with pytest.raises(BadRatings, match="read them first"):
        matinee.fit("ratings.csv")


@pytest.mark.parametrize("kind", [ItemKNN, UserKNN])
def test_neighbours_take_equal_ratings_for_choices_and_say_so(kind):
    likes = checkerboard(40).positives_from(5)
    with pytest.warns(MatineeWarning, match='every rating is 1, so .*feedback="preference"'):
        model = kind(n_neighbors=7).fit(likes)
    stated = kind(n_neighbors=7, feedback="preference")
    assert model.kind == "preference"
    assert model.settings == stated.settings
    rows = np.arange(40)
    np.testing.assert_array_equal(model.score_block(rows), stated.fit(likes).score_block(rows))


def test_neighbours_keep_stars_and_a_similarity_of_stars():
    assert ItemKNN().for_data(checkerboard(40)) == ItemKNN()
    pearson = ItemKNN(similarity="pearson")
    assert pearson.for_data(checkerboard(40).positives_from(5)) is pearson


# The check of lists.


def test_a_check_holds_out_a_fifth_of_what_some_users_liked():
    ratings = uniform(2000, 50, 20)
    held_out = piece_of_users(ratings, 0)
    users = np.unique(ratings.user[held_out])
    assert len(users) == 1000
    assert ratings.rating[held_out].min() >= 4
    n_liked = np.bincount(ratings.user[ratings.rating >= 4], minlength=2000)
    assert np.array_equal(
        np.bincount(ratings.user[held_out], minlength=2000)[users], n_liked[users] // 5
    )
    assert np.array_equal(held_out, piece_of_users(ratings, 0))


def test_a_check_knows_what_beats_popularity():
    ratings = checkerboard(80, density=0.5)
    check = check_lists(ImplicitALS(n_factors=2), ratings.positives_from(5))
    assert check is not None
    assert check.lists > check.popularity > 0
    assert check.verdict == "better"
    low, high = check.difference
    assert 0 < low < check.lists - check.popularity < high
    same = check_lists(Popularity(), ratings)
    assert same is not None
    assert same.lists == same.popularity
    assert same.verdict == "tied"
    assert check_lists(Popularity(), checkerboard(10)) is None  # too few users


def test_figures_of_the_fit_are_taken_over():
    model = Popularity().fit(uniform(30, 20, 5))
    assert ListCheck.of_facts(model) is None
    found = {
        "ndcg@10": {"list": 0.3, "popularity": 0.4},
        "beyond_popularity": [-0.15, -0.05],
        "n_users": 12,
    }
    check = ListCheck.of_facts(type("Model", (), {"facts": {"lists": found}})())
    assert check == (0.3, 0.4, (-0.15, -0.05), 12)
    assert check.verdict == "worse"
    assert check.judgement == "the lists are worse, by 0.050 to 0.150"
    assert str(check) == (
        "lists: NDCG@10 0.300, by popularity alone 0.400, where a fifth of what 12 users liked was "
        "held out"
    )


def test_next_to_nothing_is_fitted_with_a_warning(tmp_path, capsys):
    rows = (["a", "a", "b", "b"], ["x", "y", "x", "y"], [4.0, -1.0, 99.0, 5.0])
    words = (
        "4 ratings by 2 users are too few to learn anything personal from: bring at least 50, "
        "better thousands. Their scale is taken to be -1..99; where it is another, give "
    )
    with pytest.warns(MatineeWarning, match=re.escape(f"{words}scale=...")):
        matinee.fit(matinee.read_ratings(rows), "popularity")
    path = tmp_path / "tiny.csv"
    lines = (f"{u},{i},{r}\n" for u, i, r in zip(*rows, strict=True))
    path.write_text("user_id,item_id,rating\n" + "".join(lines))
    assert run(["fit", str(path), "-a", "popularity", "--out", str(tmp_path / "model")]) == 0
    assert f"note: {words}--scale" in " ".join(capsys.readouterr().err.split())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        matinee.fit(uniform(10, 20, 5), "popularity")


# On the command line.


@pytest.fixture
def file(tmp_path):
    """1,000 ratings of 1..5 by 100 users."""
    ratings = uniform(100, 40, 10)
    path = tmp_path / "ratings.csv"
    rows = zip(
        ratings.users.ids[ratings.user],
        ratings.items.ids[ratings.item],
        ratings.rating.tolist(),
        strict=True,
    )
    path.write_text("user_id,item_id,rating\n" + "".join(f"{u},{i},{r}\n" for u, i, r in rows))
    return path


def test_fit_names_the_default_and_checks_it(file, capsys):
    place = str(file.parent / "model")
    likes = ["--positives-from", "3", "--out", place, "--json"]
    assert run(["fit", str(file), *likes]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["algorithm"] == "implicit-als"
    assert document["rarely_rated_items"] > 0
    assert 0 < document["check"]["popularity"] < 1
    assert "algorithm: implicit-als, the default for choices" in err
    assert f"lists: NDCG@10 {document['check']['lists']:.3f}, by popularity alone" in err
    assert "evaluate ... --split liked measures all users so" in " ".join(err.split())
    assert run(["fit", str(file), *likes, "--no-check"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["check"] is None
    assert "NDCG" not in err


WORSE, TIED = ListCheck(0.1, 0.2, (-0.14, -0.06), 50), ListCheck(0.1, 0.2, (-0.24, 0.04), 50)


@pytest.mark.parametrize(
    "check, named, note",
    [
        (
            WORSE,
            [],
            "note: the lists are worse, by 0.060 to 0.140; what people choose here is what",
        ),
        (
            WORSE,
            ["-a", "bias"],
            "0.140; without --algorithm and --set it is mf with choices by slim",
        ),
        (
            WORSE,
            ["-a", "auto"],
            "0.140; what people choose here is what is popular: --algorithm pop",
        ),
        (TIED, [], "note: with 50 users they cannot be told apart"),
        (TIED, ["-a", "popularity"], None),
    ],
)
def test_a_fit_says_worse_only_beyond_chance_and_proposes_only_what_was_not_tried(
    file, capsys, monkeypatch, check, named, note
):
    from matinee.cli import list_check

    monkeypatch.chdir(file.parent)
    monkeypatch.setattr(ListCheck, "of_facts", lambda model: check)
    few = ["--minutes", "1e-9"] if "auto" in named else []
    assert run(["fit", str(file), *named, *few, "--out", "model"]) == 0
    err = " ".join(capsys.readouterr().err.split())
    assert note in err if note else "note:" not in err
    assert ("worse" in err) == (check is WORSE)
    assert list_check.better_choice(None, uniform(30, 20, 5)) == (
        "half of the users have at most 5 ratings, too few to learn from: "
        "--algorithm popularity is the better choice"
    )


def test_the_default_by_its_name_is_not_proposed_again():
    from matinee.cli.list_check import better_choice

    ratings = uniform(100, 40, 10)
    default = default_algorithm(ratings)
    assert "popularity" in better_choice(default, ratings)
    assert "popularity" not in better_choice(MF(), ratings)


def test_a_check_that_is_left_out_is_said_with_how_to_get_it(file, capsys, monkeypatch):
    from matinee.cli import list_check

    place = str(file.parent / "model")
    fit = ["fit", str(file), "-a", "implicit-als", "--positives-from", "1", "--out", place]
    monkeypatch.setattr(list_check, "CHEAP_FIT", 0.0)
    assert run([*fit, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["check"] is None
    assert "lists not compared with popularity, as another fit would take" in err
    assert f"measure {place} does so" in " ".join(err.split())
    assert run(["measure", place]) == 0
    assert "popularity" in capsys.readouterr().out


def test_fit_says_what_kind_of_data_it_is(file, capsys):
    how = ["--out", str(file.parent / "model"), "--no-check"]
    assert run(["fit", str(file), "--positives-from", "3", "-a", "bias", *how]) == 0
    assert "every rating is 1; bias predicts stars" in capsys.readouterr().err
    plays = file.with_name("plays.csv")
    plays.write_text("user,item,rating\n" + "a,x,1\na,y,2\nb,x,4\nb,y,2\nb,z,700\n")
    assert run(["fit", str(plays), *how]) == 0
    err = capsys.readouterr().err
    assert "counts: up to 700, half are at most 2" in err
    assert "by_rating" not in err, "weights by counts can make lists worse"


def test_fit_names_what_learns_the_choices_of_the_default(file, capsys):
    """As mf by its name learns them otherwise, and its lists differ."""
    assert run(["fit", str(file), "--no-check", "--out", str(file.parent / "model")]) == 0
    words = "algorithm: mf with choices by slim and implicit-als, the default for stars"
    assert words in capsys.readouterr().err


def test_settings_need_the_algorithm_that_has_them(file, capsys):
    assert run(["fit", str(file), "--set", "n_factors=3", "--out", "model"]) == 2
    err = capsys.readouterr().err
    assert "--set goes with --algorithm" in err
    assert "--algorithm mf --set n_factors=3" in err
    assert run(["fit", str(file), "--set", "n_neighbors=3", "--out", "model"]) == 2
    assert "--algorithm item-knn --set n_neighbors=3" in capsys.readouterr().err
    assert run(["fit", str(file), "--set", "n_factor=3", "--out", "model"]) == 2
    assert "no setting 'n_factor'; did you mean 'n_factors'?" in capsys.readouterr().err
