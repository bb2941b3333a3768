"""Rules at list time on the command line and over HTTP: they are those of Python."""

import json

import pytest

import matinee
from matinee.cli.options.list_rules import boosts, conditions, hidden
from matinee.errors import BadSetting
from test_cli import call, fitted, here, model  # noqa: F401  (fixtures)


def test_options_are_the_rules_of_recommend(call, model, tmp_path):  # noqa: F811
    loaded = matinee.load(model)
    first, _, third = loaded.recommend("7", 3).item_id
    boost, hide = tmp_path / "boost.csv", tmp_path / "hide.txt"
    boost.write_text(f"item_id,stars\n{third},2\n", encoding="utf-8")
    hide.write_text(f"item_id\n{loaded.catalog.label(first)}\n", encoding="utf-8")
    options = ["--min-ratings", "2", "--diversity", ".3", "--calibrated", ".5", "--novelty", ".2"]
    options += ["--boost", str(boost), "--hide", str(hide), "-n", "5"]
    code, out, _ = call("recommend", model, "--user", "7", *options, "--json")
    expected = loaded.recommend(
        "7",
        5,
        min_ratings=2,
        diversity=0.3,
        calibrated=0.5,
        novelty=0.2,
        boost={third: 2.0},
        hide={first},
    ).to_dicts()
    assert code == 0
    assert json.loads(out) == expected
    code, out, _ = call("recommend", model, "--user", "7", *options)
    assert all(row["moved"] in out for row in expected)


def test_conditions_are_values_or_a_range():
    assert conditions(("genre=Horror", "genre=Sci-Fi", "year=1990..1999")) == {
        "genre": ["Horror", "Sci-Fi"],
        "year": (1990.0, 1999.0),
    }
    assert conditions(("year=1990..", "title=...And Justice for All")) == {
        "year": (1990.0, None),
        "title": ["...And Justice for All"],
    }
    assert conditions(("year=..1999",)) == {"year": (None, 1999.0)}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--where", "genre"], "write COLUMN=VALUE"),
        (["--where", "genr=Horror"], "did you mean 'genre'"),
        (["--where", "year=1990..1999", "--where", "year=2001"], "beside a range"),
        (["--where", "year=2001", "--where", "year=1990..1999"], "beside others"),
        (["--diversity", "-1"], "'--diversity': it is -1; give a number from 0 to 1"),
        (["--calibrated", "7"], "'--calibrated': it is 7; give a number from 0 to 1"),
        (["--where", "year=1990-1999"], "no item has the year '1990-1999'; a range is year=1990.."),
        (["--where", "year=1990s"], "no item has the year '1990s'; a range is year=1990..1999"),
        (["--boost", "nowhere.csv"], "nowhere.csv cannot be read"),
    ],
)
def test_wrong_rules_are_refused(call, model, arguments, words):  # noqa: F811
    code, _, err = call("recommend", model, "--user", "7", *arguments)
    assert code == 2
    assert words in " ".join(err.split())


def test_rules_that_a_list_cannot_take_are_refused(call, model):  # noqa: F811
    with pytest.raises(BadSetting):
        conditions(("=x",))
    code, _, err = call("recommend", model, "--for", "7,8", "--diversity", ".3")
    assert code == 2
    assert "a list for several together has no rules" in err


def test_what_no_item_meets_is_said(call, model):  # noqa: F811
    code, out, err = call("recommend", model, "--user", "7", "--where", "year=2150..")
    assert (code, out) == (0, "")
    words = "0 of 10 for user 7; no others keep to the rules: of 40 items, year=2150.. leaves 0"
    assert words in " ".join(err.split())


def test_a_short_list_says_what_each_filter_leaves(call, model):  # noqa: F811
    loaded = matinee.load(model)
    rated = {loaded.items.ids[row] for row in loaded.seen.row(loaded.user_row("7"))[0]}
    left = {
        one
        for one, count in zip(loaded.items, loaded.item_counts, strict=True)
        if count >= 30 and "Drama" in loaded.catalog[one].genres
    }
    arguments = ("--min-ratings", "30", "--where", "genre=Drama", "-n", "60")
    code, out, err = call("recommend", model, "--user", "7", *arguments, "--json")
    assert code == 0
    assert {row["item_id"] for row in json.loads(out)} == left - rated
    said = " ".join(err.split())
    assert (
        f"genre=Drama leaves {len(left)}, what is not rated yet leaves {len(left - rated)}" in said
    )


@pytest.mark.parametrize("heading", ["item_id,stars", "Item,boost", "title,stars"])
def test_files_of_rules_may_have_a_heading(model, tmp_path, heading):  # noqa: F811
    loaded = matinee.load(model)
    first, second = loaded.recommend("7", 2).item_id
    path = tmp_path / "items.csv"
    path.write_text(f"{heading}\n{first},2\n\n{second},-1\n", encoding="utf-8")
    assert boosts(loaded, str(path)) == {first: 2.0, second: -1.0}
    path.write_text(f"{heading.split(',')[0]}\n{first}\n", encoding="utf-8")
    assert hidden(loaded, str(path)) == {first}


def test_a_file_of_boosts_is_checked(call, model, tmp_path):  # noqa: F811
    item = matinee.load(model).recommend("7", 1).item_id[0]
    for text, words in (
        (f"{item}\n", "a row is an item and its stars"),
        (f"{item},2\n{item},3\n", "twice"),
        (f"{item},much\n", "'much', not a number"),
    ):
        path = tmp_path / "boost.csv"
        path.write_text(text, encoding="utf-8")
        code, _, err = call("recommend", model, "--user", "7", "--boost", str(path))
        assert code == 2
        assert words in " ".join(err.split())
