"""Reasons on the command line: views, contrasts, what-ifs, counterfactuals, in words and JSON."""

import json

import pytest

import matinee
from test_cli import call, fitted, here, model  # noqa: F401  (fixtures)
from test_contract import ratings_of


@pytest.fixture
def ask(call, model):  # noqa: F811
    """``matinee explain`` for user 7; exit code, standard output, standard error."""

    def asked(item, *args):
        return call("explain", model, "--user", "7", "--item", item, *args)

    return asked


@pytest.fixture
def listed(call, model):  # noqa: F811
    """What is recommended to user 7."""
    return json.loads(call("recommend", model, "--user", "7", "-n", "3", "--json")[1])


def test_reasons_come_with_what_they_rest_on(ask, listed):
    item = listed[0]["item_id"]
    code, out, _ = ask(item, "--json")
    told = json.loads(out)
    assert code == 0
    assert set(told["evidence"]) == {"by_user", "of_item"}
    assert 0 <= told["personal"] <= 1
    assert told["interval"]["low"] <= told["predicted"] <= told["interval"]["high"]
    out = " ".join(ask(item)[1].split())
    assert "It rests on" in out
    assert ("It is more popular than personal." in out) == (told["personal"] < 0.5)
    assert "You would rate it from" in out
    assert not {"they", "them", "their"} & set(out.split()), "one person throughout"


def test_reasons_say_whether_the_list_has_the_film_and_why_it_has_not(ask, call, model):  # noqa: F811
    rows = json.loads(call("recommend", model, "--user", "7", "-n", "100", "--json")[1])
    for args, place in (((), 0), ((), len(rows) - 1), (("-n", "2"), 2)):
        n = int(args[1]) if args else 10
        told = json.loads(ask(rows[place]["item_id"], "--json", *args)[1])
        assert (told["rank"], told["n_ranked"]) == (place + 1, len(rows))
        assert told["is_listed"] == (place < n)
        words = f"of the {len(rows)} that you have not rated, so it is"
        inside = "in" if place < n else "not in"
        out = " ".join(ask(rows[place]["item_id"], *args)[1].split())
        assert f"{words} {inside} your first {n}." in out
    _, rated = rated_by_7(model)
    assert "is not in the list, because you rated it" in " ".join(ask(rated[0])[1].split())


def test_by_people(ask, listed):
    told = json.loads(ask(listed[0]["item_id"], "--by", "people", "--json")[1])
    assert sum(term["value"] for term in told["terms"]) == pytest.approx(told["score"], rel=1e-4)


def test_versus(ask, listed):
    first, second = (row["item_id"] for row in listed[:2])
    told = json.loads(ask(first, "--versus", second, "--json")[1])
    total = sum(term["value"] for term in told["terms"])
    assert total == pytest.approx(told["difference"], abs=1e-4)
    code, out, _ = ask(first, "--versus", second, "--by", "history")
    assert code == 0
    assert "difference" in out


def rated_by_7(model):  # noqa: F811
    import matinee

    loaded = matinee.load(model)
    return loaded, [loaded.items.ids[row] for row in loaded.rated("7").tolist()]


def test_without_and_change_take_titles_or_ids(ask, listed, model):  # noqa: F811
    loaded, rated = rated_by_7(model)
    item = listed[0]["item_id"]
    title = loaded.catalog.label(rated[0])
    code, out, _ = ask(item, "--without", title, "--change", f"{rated[1]}=1", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["changes"][0].startswith("without your ")
    assert told["changes"][1].startswith("with 1 instead of ")
    assert told["before"]["rank"] == 1
    same = loaded.what_if("7", item, without=[rated[0]], change={rated[1]: 1})
    assert told["after"]["rank"] == same.rank_after
    assert ask(item, "--without", rated[0])[1].startswith("Without your ")


def test_tastes_count_more_or_less(ask, listed, model):  # noqa: F811
    loaded, _ = rated_by_7(model)
    item, name = listed[0]["item_id"], loaded.tastes()[1].name
    code, out, _ = ask(item, "--taste-times", f"0=0,{name}=2", "--json")
    told = json.loads(out)
    assert code == 0
    assert told == loaded.what_if("7", item, tastes={0: 0, 1: 2}).to_dict()
    assert (
        json.loads(ask(item, "--taste-times", "0=0", "--taste-times", "1=2", "--json")[1]) == told
    )


def test_counterfactual(ask, listed):
    told = json.loads(ask(listed[2]["item_id"], "--counterfactual", "-n", "3", "--json")[1])
    assert told["rank_before"] == 3
    assert len(told["removed"]) <= told["most"] == 5
    code, out, _ = ask(listed[2]["item_id"], "--counterfactual", "-n", "3")
    sentence, *table = out.strip().split("\n\n")
    assert (code, sentence) == (0, told["sentence"])
    removed = [f"{one['title']} {one['rating']:g}".split() for one in told["removed"]]
    rows = [line.split() for line in "".join(table).splitlines()]
    assert rows == ([["without", "rating"], *removed] if removed else [])


def test_lists_say_what_is_popular_rather_than_personal(call, model):  # noqa: F811
    rows = json.loads(call("recommend", model, "--user", "7", "-n", "20", "--why", "--json")[1])
    for row in rows:
        share = row["personal"]  # None where the item has no lead
        assert share is None or 0 <= share <= 1
        if row["why"].endswith("more popular than personal."):
            assert share is not None
            assert share < 0.5


@pytest.mark.parametrize(
    "args, code, words",
    [
        (("--change", "Alien"), 2, "write ITEM=RATING, such as 'Heat (1995)=4'"),
        (("--change", "Alien=good"), 2, "write ITEM=RATING"),
        (("--change", "Alien=9"), 3, "outside 1..5"),
        (("--change", "Alein=3"), 4, "did you mean 'Alien'"),
        (("--without", "Alein"), 4, "did you mean 'Alien'"),
        (("--taste-times", "0"), 2, "--taste-times reads Horror=0 or, by number, 3=2, not '0'"),
        (("--taste-times", "0=off"), 2, "the factor for taste '0' is 'off', not a number"),
        (("--taste-times", "0=-1"), 2, "it must be at least 0"),
        (("--taste-times", "99=1"), 2, "no taste '99'"),
        (("--versus", "Alein"), 4, "did you mean 'Alien'"),
        (("--versus", "Alien", "--counterfactual"), 2, "different questions"),
        (("--counterfactual", "--by", "history"), 2, "--by goes with reasons and --versus"),
    ],
)
def test_mistakes_are_told_in_words(ask, args, code, words):
    got, _, err = ask("5", *args)
    assert got == code
    assert words in err


def test_what_was_never_rated_cannot_be_left_out(ask, listed):
    code, _, err = ask("5", "--without", listed[0]["item_id"])
    assert code == 2
    assert "7 has not rated" in err


def test_of_stars_and_of_the_list_take_apart_their_own_number(ask, listed, model):  # noqa: F811
    import matinee

    item, loaded = listed[0]["item_id"], matinee.load(model)
    for of in ("stars", "list"):
        code, out, _ = ask(item, "--of", of, "--json")
        told = json.loads(out)
        assert (code, told["of"]) == (0, of)
        assert told["score"] == pytest.approx(loaded.explain("7", item, of=of).score, abs=1e-4)
        assert sum(term["value"] for term in told["terms"]) == pytest.approx(
            told["score"], rel=1e-4
        )
    assert ask(item, "--of", "points")[0] == 2


@pytest.mark.parametrize(
    "options, weights",
    [
        (("--stars-weight", "inf"), (float("inf"), None)),
        (("--stars-weight", "0"), (0.0, None)),
        (("--caution", "-3"), (None, -3.0)),
    ],
)
def test_weights_of_lists_on_the_command_line(call, model, options, weights):  # noqa: F811
    import matinee

    code, out, _ = call("recommend", model, "--user", "7", "-n", "5", "--json", *options)
    own = matinee.load(model).weighed(*weights).recommend("7", 5)
    assert code == 0
    assert [row["item_id"] for row in json.loads(out)] == list(own.item_id)
    assert [row["score"] for row in json.loads(out)] == pytest.approx(own.score, abs=1e-4)


@pytest.mark.parametrize(
    "options", [(), ("--stars-weight", "0.3"), ("--stars-weight", "inf"), ("--caution", "-3")]
)
def test_reasons_add_up_to_the_score_of_the_same_list(call, ask, model, options):  # noqa: F811
    _, _, err = call("recommend", model, "--user", "7", "-n", "3", *options)
    rows = json.loads(call("recommend", model, "--user", "7", "-n", "3", "--json", *options)[1])
    for row in rows:
        told = json.loads(ask(row["item_id"], "--json", *options)[1])
        assert told["score"] == pytest.approx(row["score"], abs=1e-6)
        assert sum(term["value"] for term in told["terms"]) == pytest.approx(row["score"], abs=1e-4)
    standing = json.loads(ask(rows[1]["item_id"], "--standing", "--json", *options)[1])
    assert standing["rank"] == 2
    if "score ranks" in err:
        assert " ".join(["matinee explain", *options, "shows the sum"]) in " ".join(err.split())


def test_somebody_new_asks_by_a_file_of_ratings(call, model, tmp_path):  # noqa: F811
    file = tmp_path / "mine.csv"
    file.write_text("item_id,rating\n1,5\n2,4\n3,1\n")
    mine = ("--ratings", str(file))
    (first, *_) = json.loads(call("recommend", model, *mine, "-n", "3", "--json")[1])
    code, out, _ = call("explain", model, *mine, "--item", first["item_id"], "--json")
    why = json.loads(out)
    assert code == 0
    assert (why["user"], why["strategy"]) == ("you", "folded_in")
    assert why["score"] == pytest.approx(first["score"], abs=1e-6)
    assert sum(term["value"] for term in why["terms"]) == pytest.approx(why["score"], abs=1e-4)
    picture = tmp_path / "why.svg"
    for more in (("--standing",), ("--counterfactual",), ("--receipt", str(picture))):
        assert call("explain", model, *mine, "--item", first["item_id"], *more)[0] == 0
    assert "you" in picture.read_text(encoding="utf-8")
    for whom in ((), ("--user", "7", *mine)):
        code, _, err = call("explain", model, *whom, "--item", "5")
        assert code == 2
        assert "by one of --user, --ratings, --tastes or --features; " in err


@pytest.mark.parametrize("newcomer", [("--tastes", "0=6,1=4"), ("--features", "town=a")])
def test_somebody_new_asks_as_for_a_list(call, model, tmp_path, newcomer):  # noqa: F811
    told = {f"u{n:03}": {"town": "ab"[n % 2]} for n in range(60)}
    folder = tmp_path / "profiles"
    matinee.MF(n_factors=3, n_epochs=4).fit(ratings_of().with_profiles(told)).save(folder)
    (first, *_) = json.loads(call("recommend", folder, *newcomer, "-n", "3", "--json")[1])
    code, out, _ = call("explain", folder, *newcomer, "--item", first["item_id"], "--json")
    why = json.loads(out)
    assert (code, why["user"]) == (0, "you")
    assert why["score"] == pytest.approx(first["score"], abs=1e-5)


def test_a_weight_below_nothing_is_refused(call, model):  # noqa: F811
    code, _, err = call("recommend", model, "--user", "7", "--stars-weight", "-1")
    assert code != 0
    assert "it is -1; give a number of at least 0" in err


def test_standing(ask, listed):
    item = listed[1]["item_id"]
    told = json.loads(ask(item, "--standing", "--json")[1])
    assert (told["rank"], told["is_listed"], told["n"]) == (2, True, 10)
    assert not json.loads(ask(item, "--standing", "-n", "1", "--json")[1])["is_listed"]
    code, out, _ = ask(item, "--standing")
    assert code == 0
    assert "is 2nd of the" in out
    code, _, err = ask(item, "--standing", "--counterfactual")
    assert code == 2
    assert "different questions" in err


def test_a_receipt_holds_the_sum_the_model_and_the_data(ask, listed, model, tmp_path):  # noqa: F811
    import matinee

    item, path = listed[0], tmp_path / "receipt.svg"
    assert ask(item["item_id"], "--receipt", path)[0] == 0
    svg = path.read_text()
    loaded = matinee.load(model)
    for words in (f"{item['score']:.2f}", loaded.data_fingerprint, loaded.algorithm, "is 1st of"):
        assert words in svg
    code, _, err = ask(item["item_id"], "--receipt", tmp_path / "receipt.png")
    assert code == 2
    assert "end its name in .svg" in err
