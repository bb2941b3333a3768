"""The demonstration: what it shows is true, adds up, fits the page, and works as printed."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

import matinee
from matinee.cli import run
from matinee.cli import walkthrough as demo
from matinee.cli.commands.demo import commands, report
from matinee.cli.walkthrough import READABLE, Demo


@pytest.fixture(scope="module")
def steps() -> list[tuple[int, int, str]]:
    return []


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, str]]) -> Demo:
    out = tmp_path_factory.mktemp("demo") / "matinee-demo"
    return demo.run(out, lambda done, total, words: steps.append((done, total, words)))


def test_progress_goes_from_nothing_to_all(found, steps):
    done, totals, words = zip(*steps, strict=True)
    assert done == tuple(range(totals[0] + 1))
    assert set(totals) == {totals[0]}
    assert all(words)


def test_the_data_are_the_sample(found):
    assert found.description.fingerprint == matinee.sample().fingerprint


def test_every_algorithm_is_measured_on_the_held_out_part(found):
    rows = found.rows
    names = ["popularity", "bias", "nmf", "mf", "truncated-svd"]
    assert [row["algorithm"] for row in rows] == names
    for row in rows:
        assert (row["rmse"] is None) == (row["algorithm"] == "popularity"), "no stars, no error"
        assert 0 < row["ndcg@10"] < 1
        assert 0 < row["coverage@10"] <= 1
        assert row["fit_seconds"] > 0
    error = {row["algorithm"]: row["rmse"] for row in rows}
    assert error["nmf"] < error["bias"], "tastes are there to be found"


def test_settings_that_are_not_the_usual_ones_are_told():
    assert matinee.NMF(n_factors=7).non_default_settings == {"n_factors": 7}


def test_the_default_stands_in_the_table(found):
    default = matinee.default_algorithm(matinee.sample())
    assert repr(default) == found.comparison.entries[3].algorithm
    settings = {row["algorithm"]: row["settings"] for row in found.rows if row["settings"]}
    assert settings == {"nmf": READABLE.non_default_settings}


def test_the_profile_sums_to_one_the_largest_taste_first(found):
    shares = list(found.profile.values())
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


def test_the_person_has_of_typical_people_the_list_least_like_popularity(found):
    ratings = matinee.sample()
    histories = {user: ratings.history(user) for user in ratings.users}
    fewest, most = np.quantile([len(rated) for rated in histories.values()], [0.25, 0.75])
    typical = [user for user, rated in histories.items() if fewest <= len(rated) <= most]
    counts = dict(zip(found.model.items, found.model.item_counts, strict=True))
    most_rated = sorted(counts, key=lambda item: -counts[item])
    table = found.model.recommend(typical)
    lists = set(zip(table.user_id, table.item_id, strict=True))

    def shared(user: str) -> int:
        popular = [item for item in most_rated if item not in histories[user]][:10]
        return sum((user, item) in lists for item in popular)

    assert found.shown.shared == min(map(shared, typical)) == shared(found.shown.user_id)


def test_the_list_is_of_the_default_and_the_tastes_are_readable(found):
    assert found.model.algorithm == matinee.default_algorithm(matinee.sample()).name
    assert found.model.choice is not None
    assert len(found.tastes) == demo.READABLE.n_factors
    assert found.explanation.of == "list"


def test_the_reasons_are_of_the_first_film_and_add_up(found):
    assert found.explanation.item_id == found.recommendations.item_id[0]
    total = sum(term.value for term in found.explanation)
    assert total == pytest.approx(found.recommendations.score[0], rel=1e-4)


def test_the_model_is_kept_and_says_the_same(found):
    model = matinee.load(found.saved)
    assert model.recommend(found.shown.user_id) == found.recommendations


@pytest.mark.parametrize("columns", [80, 100])
def test_the_report_fits_the_page_and_says_it_all(found, columns):
    lines = report(found, columns)
    printed = commands(found)
    text = "\n".join(lines)
    unbroken = [line for line in lines if line.strip() in printed or str(found.saved) in line]
    assert max(len(line) for line in lines if line not in unbroken) <= columns
    assert "simulated" in text
    assert str(found.saved) in text
    for words in (*(row["algorithm"] for row in found.rows), "NDCG@10", "–"):
        assert words in text
    for taste in found.tastes:
        assert taste.label in text
    assert all(title in text for title in found.recommendations.title)
    assert found.explanation.sentence() in " ".join(text.split())
    assert "\x1b" not in text


def test_the_next_commands_work_as_printed(found, capsys):
    assert len(found.next_arguments) == 3
    for arguments, printed in zip(found.next_arguments, commands(found), strict=True):
        assert shlex.split(printed)[-len(arguments) :] == list(arguments)
        assert run(arguments) == 0, capsys.readouterr().err


def test_one_document_and_overwriting(found, capsys):
    out = found.saved
    assert run(["demo", "--json", "--out", str(out)]) == 0, "its own model may be replaced"
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert document["data"]["simulated"] is True
    assert document["model"] == str(out)
    assert document["recommendations"] == found.recommendations.to_dicts(), "the same every time"
    assert len(document["next"]) == 3
    assert len(document["tastes"]) == len(found.tastes)
    assert "fitting and measuring nmf" in shown.err


def test_something_else_in_the_way_is_left_alone(tmp_path: Path, capsys):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear ...")
    assert run(["demo", "--out", str(tmp_path / "letters")]) == 1
    assert "not a model folder" in capsys.readouterr().err
    assert (tmp_path / "letters" / "dear.txt").exists()
