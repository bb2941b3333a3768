"""People's own files and newcomers at the terminal: what is matched, rescaled, said and refused."""

import json
import re
import zipfile
from io import StringIO

import pytest

import matinee
from matinee.cli import run
from matinee.data.catalog import Catalog, Item
from matinee.data.ids import IdMap
from matinee.data.scale import Scale
from matinee.errors import BadRatings
from matinee.models.group import recommend_together
from matinee.sources.exports import Export, ExportRow, Titles, match, read_export
from test_contract import catalog_of, ratings_of

LETTERBOXD = """\
Date,Name,Year,Letterboxd URI,Rating
2024-01-01,Film 3,1990,https://boxd.it/1,5
2024-01-01,"film, 4!",1961,https://boxd.it/2,0.5
2024-01-01,A Film Unheard Of,2024,https://boxd.it/3,4
2024-01-02,Film 5,1970,https://boxd.it/4,
2024-02-01,Film 3,1990,https://boxd.it/1,3
"""
IMDB = """\
Const,Your Rating,Date ExportRow,Title,Title Type,IMDb Rating,Year
tt0078748,10,2024-01-01,Alien,Movie,8.5,1979
tt0000002,1,2024-01-01,Film 2,Movie,8.5,1980
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of stars, one of choices, and the files of a few people."""
    place = tmp_path_factory.mktemp("newcomers")
    told = {f"u{n:03}": {"town": "ab"[n % 2]} for n in range(60)}
    train = ratings_of().with_profiles(told)
    matinee.NMF(n_factors=3, n_epochs=4).fit(train).save(place / "nmf")
    matinee.ImplicitALS(n_factors=3, n_epochs=3).fit(train).save(place / "als")
    (place / "letterboxd.csv").write_text(LETTERBOXD)
    with zipfile.ZipFile(place / "letterboxd.zip", "w") as archive:
        archive.writestr("likes/ratings.csv", "no")
        archive.writestr("ratings.csv", LETTERBOXD)
    (place / "imdb.csv").write_text(IMDB)
    (place / "mine.csv").write_text("item_id,rating\n3,5\n4,0.5\n")
    return place


@pytest.fixture
def call(capsys, folder, monkeypatch):
    monkeypatch.chdir(folder)

    def called(*args, typed=None):
        if typed is not None:
            monkeypatch.setattr("sys.stdin", StringIO(typed))
        code = run([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return code, out, " ".join(err.split())

    return called


# Files.


@pytest.mark.parametrize("name", ["letterboxd.csv", "letterboxd.zip"])
def test_letterboxd_by_title_and_year_the_last_of_two(folder, name):
    train = ratings_of()
    export = read_export(folder / name)
    assert (export.kind, export.scale, export.unrated) == ("Letterboxd", (0.5, 5), 1)
    found = match(export, train.items, train.catalog, Scale(1, 5))
    assert found.history == {"3": pytest.approx(1 + 4 * 2.5 / 4.5), "4": 1.0}
    assert [str(one) for one in found.unmatched] == ["A Film Unheard Of (2024)"]
    assert found.twice == 1


def test_imdb_by_its_ids_on_its_scale(folder):
    items = IdMap.of(["1", "2"], "item")
    catalog = Catalog(
        {"1": Item("Another title", None, (), {"imdb_id": ("0078748",)}), "2": Item("Film 2", 1980)}
    )
    found = match(read_export(folder / "imdb.csv"), items, catalog, Scale(0.5, 5))
    assert found.history == {"1": 5.0, "2": 0.5}


def test_titles_are_found_as_people_write_them():
    entries = {
        "a": Item("The Matrix", 1999),
        "b": Item("Amélie (Le Fabuleux Destin)", 2001),
        "c": Item("Heat", 1995),
        "d": Item("Heat", 1986),
        "e": Item("Willy & Son", 2000),
        "f": Item("Hidden", 2005, other_titles=("Caché", "Hidden")),
        "g": Item("Star Wars: Episode IV - A New Hope", 1977),
        "h": Item("Star Wars: Episode V - The Empire Strikes Back", 1980),
        "i": Item("Heat: The Sequel", 1995),
    }
    titles = Titles(IdMap.of(entries, "item"), Catalog(entries))
    for title, year, wanted in (
        ("matrix", 1999, "a"),
        ("The Matrix", 2000, "a"),  # a year beside it
        ("The Matrix", 2003, None),
        ("The Matrix", None, "a"),
        ("Amélie", 2001, "b"),
        ("amelie", 2001, "b"),
        ("Cache", 2005, "f"),
        ("Heat", 1995, "c"),
        ("Heat", None, None),  # which of them?
        ("Willy and Son", 2000, "e"),
        ("Caché", 2005, "f"),
        ("Hidden", None, "f"),
        ("Star Wars", 1977, "g"),
        ("Star Wars", 1978, None),
        ("Star Wars", None, None),
        ("", None, None),
    ):
        assert titles.find(ExportRow("", title, year, 4)) == wanted, (title, year)


@pytest.mark.parametrize(
    "text",
    [
        'title,rating\n"Star Wars, 1977",5\n',
        "title,rating\nStar Wars, 1977,5\n",
        "title,rating\nStar Wars,1977,5,\n",
        "title,rating\nStar Wars (1977),5\n",
        "title,year,rating\nStar Wars,1977,5\n",
        "rating,title\n5,Star Wars, 1977\n",
    ],
)
def test_a_year_after_a_comma_is_one_and_commas_need_no_quotes(tmp_path, text):
    (tmp_path / "mine.csv").write_text(text)
    assert read_export(tmp_path / "mine.csv").rows == (ExportRow("", "Star Wars", 1977, 5.0, 2),)


def test_commas_of_titles_stay_where_no_quotes_enclose_them(tmp_path):
    (tmp_path / "mine.csv").write_text("name,year,rating\nThe Good, the Bad and the Ugly,1966,4\n")
    (row,) = read_export(tmp_path / "mine.csv").rows
    assert row == ExportRow("", "The Good, the Bad and the Ugly", 1966, 4.0, 2)


def test_of_titles_that_differ_by_an_article_the_one_as_written_is_taken():
    entries = {"a": Item("Heat", 1995), "b": Item("The Heat", 2013), "c": Item("Fly", 1958)}
    titles = Titles(IdMap.of(entries, "item"), Catalog(entries))
    for title, wanted in (("heat", "a"), ("The Heat", "b"), ("The Fly", "c")):
        assert titles.find(ExportRow("", title, None, 4)) == wanted


def test_misspelt_titles_are_offered_and_not_taken():
    entries = {"a": Item("The Godfather", 1972), "b": Item("Alien", 1979), "c": Item("Rocky", 1976)}
    items, catalog = IdMap.of(entries, "item"), Catalog(entries)
    rows = [
        ExportRow("", title, year, 4)
        for title, year in (
            ("Rocky", 1976),
            ("The Godfahter", 1972),
            ("Alein", None),
            ("The Godfahter", 1990),
            ("Unheard Of", 1979),
        )
    ]
    found = match(Export("table", None, tuple(rows), 0), items, catalog, Scale(1, 5))
    assert found.history == {"c": 4}
    assert found.missed(10) == (
        "The Godfahter (1972) (did you mean The Godfather (1972)?); Alein (did you mean Alien "
        "(1979)?); The Godfahter (1990); Unheard Of (1979)"
    )


@pytest.mark.parametrize(
    "text, words",
    [
        ("", r"^mine\.csv is empty; what is taken is item_id or title"),
        ("title,rating\n", r"^there are no ratings in mine\.csv: it has not one row$"),
        ("name,stars_given\nHeat,4\n", "what is taken is item_id or title"),
        ("title,rating\nHeat,good\n", "1 whose rating is not a number \\(line 2: 'good'\\)$"),
        ("title,rating\nHeat,\n", r"^there are no ratings in mine\.csv: 1 row without a rating$"),
        (
            "title,rating\nHeat,nan\nAlien,\n",
            "not a number \\(line 2: 'nan'\\), 1 row without a rating",
        ),
    ],
)
def test_files_that_hold_no_ratings_are_refused_in_words(tmp_path, text, words):
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(BadRatings, match=words):
        read_export(tmp_path / "mine.csv")


def test_nothing_matched_and_outside_the_scale(tmp_path):
    items = IdMap.of(["1"], "item")
    for text, words in (
        (
            "title,rating\nUnheard Of (1990),4\n",
            r"none of what was rated, 1 film: Unheard Of \(1990\)",
        ),
        (
            "item_id,rating\n1,9\n",
            r"^mine\.csv: 1 with a rating outside the scale 1\.\.5 \(line 2: 9 for 1\); no rating "
            "is left, so write them as numbers from 1 to 5",
        ),
    ):
        (tmp_path / "mine.csv").write_text(text)
        with pytest.raises(BadRatings, match=words):
            match(read_export(tmp_path / "mine.csv"), items, catalog_of(items), Scale(1, 5))


def test_rows_that_cannot_be_are_set_aside_by_line_and_the_others_taken(call, folder):
    rows = ["3,5", "4,good", "5,0.5", "6,7", "7,inf", "8,-1", "9,x", "10,y"]
    (folder / "flaws.csv").write_text("\n".join(["item_id,rating", *rows]) + "\n")
    code, out, err = call("recommend", "nmf", "--ratings", "flaws.csv", "-n", 3, "--json")
    assert code == 0
    assert (
        "set aside: 4 whose rating is not a number (line 3: 'good'; line 6: 'inf'; line 8: 'x', "
        "...), 2 with a rating outside the scale 0.5..5 (line 5: 7 for 6; line 7: -1 for 8); write "
        "ratings as numbers from 0.5 to 5"
    ) in err
    (folder / "good.csv").write_text("item_id,rating\n3,5\n5,0.5\n")
    assert out == call("recommend", "nmf", "--ratings", "good.csv", "-n", 3, "--json")[1]


# At the terminal.


def test_recommend_from_a_file_says_what_it_understood(call):
    code, out, err = call("recommend", "nmf", "--ratings", "letterboxd.csv", "-n", 3, "--json")
    assert code == 0
    assert "5 ratings" not in err
    assert "letterboxd.csv (Letterboxd): 4 ratings, 2 films matched; 1 rated again" in err
    assert "not matched: A Film Unheard Of (2024)" in err
    same = call("recommend", "nmf", "--ratings", "letterboxd.zip", "-n", 3, "--json")[1]
    assert json.loads(out) == json.loads(same)
    assert not {"3", "4"} & {row["item_id"] for row in json.loads(out)}


def test_other_scales_and_choices_are_said(call):
    assert (
        "brought from 1..10 to the model's scale 0.5..5"
        in call("recommend", "nmf", "--ratings", "imdb.csv")[2]
    )
    assert "each counts as a choice" in call("recommend", "als", "--ratings", "mine.csv")[2]


def test_tastes_and_features_recommend(call):
    for option, value in (("--tastes", "0=6,1=4"), ("--features", "town=a")):
        code, out, _ = call("recommend", "nmf", option, value, "-n", 4, "--why", "--json")
        rows = json.loads(out)
        assert code == 0
        assert len(rows) == 4
        assert all(row["why"] for row in rows)


def test_tastes_are_typed_as_they_are_shown(call, folder):
    called = {0: "Action, Adventure & Thriller", 1: "Love, loss", 2: "Comedy (22)"}
    model = matinee.load(folder / "nmf")
    for number, name in called.items():
        model = model.rename_taste(number, name)
    model.save(folder / "named")
    by_number = call("recommend", "named", "--tastes", "0=5,1=3.5,2=1")[1]
    typed = [f"{name}={points}" for name, points in zip(called.values(), (5, 3.5, 1), strict=True)]
    assert call("recommend", "named", "--tastes", ",".join(typed))[1] == by_number
    assert call("recommend", "named", "--tastes", ", ".join(typed))[1] == by_number
    again = [word for one in typed for word in ("--tastes", one)]
    assert call("recommend", "named", *again)[1] == by_number


def test_several_together(call):
    code, out, _ = call(
        "recommend", "nmf", "--for", "u001,u002", "--how", "fair-share", "-n", 3, "--why", "--json"
    )
    assert code == 0
    for row in json.loads(out):
        assert set(row["scores"]) == set(row["why"]) == {"u001", "u002"}
        assert row["turn"] in row["scores"]


@pytest.mark.parametrize(
    ("how", "legend"),
    [
        ("average", "the mean of how high something stands"),
        ("least-misery", "of whom it suits least"),
        ("fair-share", "of the person whose turn it is"),
    ],
)
def test_a_list_for_several_shows_stars_and_says_what_its_score_is(call, folder, how, legend):
    asked = ("recommend", "nmf", "--for", "u001,u002", "--how", how, "-n", 2)
    _, text, err = call(*asked)
    assert legend in err
    model = matinee.load(folder / "nmf")
    for row in json.loads(call(*asked, "--json")[1]):
        for user in ("u001", "u002"):
            (stars,) = model.predict([user], row["item_id"]).rating
            assert row["predicted"][user] == pytest.approx(stars)
            assert f"for {user}: {stars:.2f} stars" in text


def test_newcomers_get_a_list_together_by_their_files(call, folder):
    (folder / "hers.csv").write_text("item_id,rating\n5,5\n6,4\n7,1\n")
    asked = ("recommend", "nmf", "--for", "mine.csv,hers.csv", "-n", 3, "--why")
    rows = json.loads(call(*asked, "--json")[1])
    model = matinee.load(folder / "nmf")
    histories = {"mine": {"3": 5, "4": 0.5}, "hers": {"5": 5, "6": 4, "7": 1}}
    together = recommend_together(model, model.fold_in_many(histories), 3)
    assert [row["item_id"] for row in rows] == list(together.item_id)
    assert not {"3", "4", "5", "6", "7"} & {row["item_id"] for row in rows}
    for row in rows:
        assert set(row["predicted"]) == set(row["scores"]) == set(row["why"]) == {"mine", "hers"}
    text = call(*asked)[1]
    assert "for mine: " in text
    assert "for hers: " in text
    mixed = json.loads(call("recommend", "nmf", "--for", "u001,mine.csv", "-n", 1, "--json")[1])
    assert set(mixed[0]["scores"]) == {"u001", "mine"}
    code, _, err = call("recommend", "nmf", "--for", "u001,hsr.csv")
    assert code == 4
    assert "'hsr.csv' is neither a user of the model nor a file of ratings here" in err


def test_a_list_for_several_of_a_model_of_choices_has_points(call):
    asked = ("recommend", "als", "--for", "u001,u002", "-n", 1)
    (row,) = json.loads(call(*asked, "--json")[1])
    assert "predicted" not in row
    assert f"for u001: {row['scores']['u001']:.2f}" in call(*asked)[1]


@pytest.mark.parametrize(
    "args, words",
    [
        ((), "none is given"),
        (("--user", "u001", "--tastes", "0=5"), "--user and --tastes are given"),
        (("--user", "u001", "--how", "average"), "--how goes with --for"),
        (("--for", "u001", "--ratings", "mine.csv"), "too, as --for u001,mine.csv, and leave out"),
        (("--tastes", "0:5"), "--tastes reads Horror=6,Comedy=4"),
        (("--tastes", "0=lots"), "not a number"),
        (("--tastes", "0=5,1"), "or, by number, 0=6,3=4, not '0=5,1'"),
        (("--tastes", "0=5,0=5"), "--tastes names '0' twice"),
        (("--tastes", "0=5", "--tastes", "00=5"), "is named twice"),
        (("--tastes", "Comdy=5"), "no taste 'Comdy'; by number or name, there are 0 '"),
        (("--features", "town=a,town=b"), "--features names 'town' twice"),
        (("--features", "twon=a"), "did you mean 'town'"),
        (("--for", "u001,u002", "--how", "fairshare"), "did you mean 'fair-share'"),
    ],
)
def test_unclear_wishes_are_refused(call, args, words):
    code, _, err = call("recommend", "nmf", *args)
    assert code == 2
    assert words in err


def test_an_interview_by_a_pipe(call):
    code, out, err = call("interview", "nmf", "-n", 3, "--json", typed="4\ns\n9\n2\nq\n")
    told = json.loads(out)
    assert code == 0
    assert list(told["answers"].values()) == [4.0, 2.0]
    assert told["strategy"] == "folded_in"
    assert len(told["recommendations"]) == 3
    assert "'9' is not one of 0.5..5, s, q" in err
    assert "from 2 answers" in err


def test_an_interview_without_answers_says_that_it_knows_nothing(call):
    code, out, err = call("interview", "nmf", "-n", 2, typed="")
    assert code == 0
    assert "nothing is known" in err
    assert len(out.strip().splitlines()) >= 3


def test_an_interview_ends_with_enough(call):
    _, out, _ = call("interview", "nmf", "--questions", 2, "--json", typed="3\n3\n3\n3\n")
    assert len(json.loads(out)["answers"]) == 2
    assert call("interview", "als")[0] == 2


def test_reasons_name_tastes_that_are_listed(call, folder):
    """Those in stars, and with --choosing those in what people choose."""
    _, out, err = call("tastes", "nmf", "--json")
    in_choosing = json.loads(call("tastes", "nmf", "--choosing", "--json")[1])
    listed = {
        f"{start}{one[end]}"
        for start, tastes in (
            ("", json.loads(out)),
            ("you choose ", in_choosing),
            ("you choose less than others: ", in_choosing),
        )
        for one in tastes
        for end in ("name", "low_name")
        if end in one
    }
    model = matinee.load(folder / "nmf")
    items = model.recommend("u001", 10).item_id
    terms = [term for why in model.explain_list("u001", items) for term in why]
    assert {term.name for term in terms if term.kind in ("taste", "choice")} <= listed
    assert any(term.kind == "choice" for term in terms)
    assert "--choosing shows them" in call("tastes", "nmf")[2]
    code, _, err = call("tastes", "als", "--choosing")
    assert code == 2
    assert "has none; leave out --choosing" in err


@pytest.mark.parametrize("how", ["average", "fair-share"])
def test_a_list_for_several_says_each_thing_once(call, how):
    """The title stands in the row, and the stars before the reason."""
    asked = ("recommend", "nmf", "--for", "u001,u002,u003", "--how", how, "-n", 20, "--why")
    rows = json.loads(call(*asked, "--json")[1])
    lines = " ".join(call(*asked)[1].split())
    for row in rows:
        assert lines.count(row["title"]) == 1 + sum(
            row["title"] in words.removeprefix(row["title"])
            for other in rows
            for words in other["why"].values()
        )
    assert not re.search(r"you would probably rate it \d", lines)
