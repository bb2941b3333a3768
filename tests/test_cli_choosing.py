"""The commands that choose: compare, runs, tune, k-curve."""

import json
from pathlib import Path

import pytest

import matinee
from matinee.algorithms import MF
from matinee.algorithms.search_space import Choice, Real, Whole
from matinee.cli import run
from matinee.cli.commands.k_curve import read_sizes
from matinee.cli.commands.tune import read_dimension
from matinee.errors import BadSetting
from matinee.evaluation import compare as comparison


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a small ratings file; the shell stands there."""
    world = matinee.planted(60, 40, 3, density=0.5, seed=1)
    rows = [
        f"{user},{item},{min(5, max(1, round(float(rating))))}"
        for user, item, rating in zip(world.user, world.item, world.rating, strict=True)
    ]
    (tmp_path / "ratings.csv").write_text("\n".join(["userId,movieId,rating", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def call(here, capsys):
    """Run a command: exit code, standard output, standard error."""

    def called(*args):
        code = run(list(args))
        out, err = capsys.readouterr()
        return code, out, err

    return called


COMPARE = ("compare", "ratings.csv", "--algorithms", "mf", "--metrics", "rmse,ndcg@5")


def test_a_comparison_is_a_table_and_is_kept(call, here):
    code, out, err = call(*COMPARE, "--also", "mf n_factors=2 n_epochs=3")
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].split()[:2] == ["rmse", "ndcg@5"]
    assert [line.split()[0] for line in lines[1:5]] == ["popularity", "bias", "mf", "mf"]
    assert lines[4].startswith("mf n_factors=2 n_epochs=3")
    assert "★" in out
    assert "compare 4/4  done" in err
    assert len((here / "matinee-runs.jsonl").read_text().splitlines()) == 4


def test_a_table_that_is_too_wide_goes_on_below(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    _, out, _ = call(*COMPARE, "--no-record", "--also", "mf n_factors=2 n_epochs=3 bias_reg=3")
    assert out.count("popularity") > 1
    assert all(len(line) <= 60 for line in out.splitlines())


def test_a_comparison_as_json_without_a_record(call, here):
    code, out, _ = call(*COMPARE, "--json", "--no-record", "--split", "leave-last", "--last", "2")
    found = json.loads(out)
    assert code == 0
    assert found["origin"]["split"] == "leave-last"
    assert found["algorithms"][1]["metrics"]["rmse"]["low"] > 0
    assert not (here / "matinee-runs.jsonl").exists()


def test_a_comparison_is_taken_up_again(call, monkeypatch):
    _, first, _ = call(*COMPARE)
    monkeypatch.setattr(comparison, "_run", lambda *_: pytest.fail("run again"))
    code, again, _ = call(*COMPARE, "--resume")
    assert code == 0
    assert again == first


def test_an_interrupted_comparison_shows_what_it_has(call, monkeypatch):
    whole, fits = comparison._run, []

    def interrupted(*args):
        fits.append(1)
        if len(fits) == 3:
            raise KeyboardInterrupt
        return whole(*args)

    monkeypatch.setattr(comparison, "_run", interrupted)
    code, out, _ = call(*COMPARE)
    assert code == 130
    assert "popularity" in out
    assert "interrupted before: mf" in out


def test_runs_are_listed(call):
    call(*COMPARE)
    call("tune", "ratings.csv", "-a", "bias", "--trials", "2")
    code, out, _ = call("runs")
    assert code == 0
    assert [line.split()[2] for line in out.splitlines()[1:]] == ["comparison"] * 3 + ["trial"] * 2
    assert "rmse" in out
    code, out, _ = call("runs", "--json")
    assert "resampled" not in json.loads(out)[0]["entry"]


def test_trials_of_a_search_are_listed_with_algorithm_settings_and_figure(call):
    trial = {"number": 0, "algorithm": "mf", "settings": {"n_factors": 8}, "share": 1.0}
    failed = {**trial, "value": None, "seconds": 1.0, "reason": "too few users"}
    runs = [{"what": "auto", "metric": "ndcg@10", "trial": {**trial, "value": 0.25}}]
    runs += [{"what": "auto", "metric": "ndcg@10", "trial": failed}]
    Path("runs.jsonl").write_text("".join(json.dumps(run) + "\n" for run in runs))
    code, out, _ = call("runs", "runs.jsonl")
    assert code == 0
    lines = [line.split() for line in out.splitlines()[1:]]
    assert lines[0][-5:] == ["auto", "mf", "n_factors=8", "ndcg@10", "0.2500"]
    assert lines[1][-6:] == ["auto", "mf", "n_factors=8", "too", "few", "users"]


def test_runs_need_a_record(call):
    code, _, err = call("runs")
    assert code == 1
    assert "there is no record matinee-runs.jsonl" in err


TUNE = ("tune", "ratings.csv", "-a", "mf", "--set", "n_epochs=3", "--trials", "3")


def test_tuning_ends_with_the_command_that_fits_the_winner(call):
    code, out, err = call(*TUNE, "--space", "n_factors=1..4", "--space", "reg=0.1..10:log")
    assert code == 0, err
    assert "test rmse, measured once" in out
    fit = next(line for line in err.splitlines() if line.startswith("fit it: "))
    words = fit.split("matinee ", 1)[1].split()
    assert words[:4] == ["fit", "ratings.csv", "--algorithm", "mf"]
    assert call(*words)[0] == 0


def test_tuning_as_json(call):
    code, out, _ = call(
        *TUNE,
        "--metric",
        "ndcg@5",
        "--json",
        "--method",
        "grid",
        "--space",
        "n_factors=2,3",
        "--no-record",
    )
    found = json.loads(out)
    assert code == 0
    assert [trial["settings"]["n_factors"] for trial in found["trials"]] == [50, 2, 3]


def test_a_curve_is_drawn_and_is_json(call):
    curve = (
        "k-curve",
        "ratings.csv",
        "-a",
        "mf",
        "--factors",
        "1..3",
        "--folds",
        "2",
        "--set",
        "n_epochs=3",
        "--metrics",
        "rmse,ndcg@5",
    )
    code, out, err = call(*curve)
    assert code == 0, err
    assert "chosen by rmse over 2 folds" in out
    code, out, _ = call(*curve, "--json", "--rule", "minimum")
    found = json.loads(out)
    assert [point["n_factors"] for point in found["points"]] == [1, 2, 3]
    assert found["chosen"] == found["choices"]["minimum"]


@pytest.mark.parametrize(
    "args, words",
    [
        (("compare", "ratings.csv", "--algorithms", "nfm"), "no algorithm 'nfm'"),
        (("compare", "ratings.csv", "--metrics", "nope"), "no metric 'nope'"),
        (("compare", "ratings.csv", "-n", "41"), "a list length is 41; with 40 items"),
        (("compare", "ratings.csv", "--split", "cold-users", "--last", "1"), "takes no --last"),
        (("tune", "ratings.csv", "-a", "mf", "--space", "nope=1..2"), "no setting 'nope'"),
        (("tune", "ratings.csv", "-a", "mf", "--space", "n_factors=0..2"), "is impossible"),
        (("tune", "ratings.csv", "-a", "mf", "--space", "reg=1..2:lin"), "--space takes"),
        (("tune", "ratings.csv", "-a", "mf", "--space", "solver=als..sgd"), "is no number"),
        (("tune", "ratings.csv", "-a", "ease"), "rmse is about predicted ratings"),
        (("k-curve", "ratings.csv", "-a", "bias"), "bias has no n_factors"),
        (("k-curve", "ratings.csv", "--factors", "two"), "--factors takes"),
    ],
)
def test_mistakes_are_one_sentence(call, args, words):
    code, out, err = call(*args)
    assert code == 2
    assert out == ""
    assert words in err
    assert "Traceback" not in err


def test_an_unwritable_record_is_refused(call):
    code, _, err = call(*COMPARE, "--record", "no/such/folder/runs.jsonl")
    assert code == 1
    assert "cannot be written" in err


def test_words_are_dimensions_and_sizes():
    base = MF()
    assert read_dimension(base, "n_factors=2..9") == ("n_factors", Whole(2, 9))
    assert read_dimension(base, "reg=0.1..9:log") == ("reg", Real(0.1, 9, log=True))
    assert read_dimension(base, "solver=als,sgd") == ("solver", Choice("als", "sgd"))
    assert read_sizes("2..9:3") == [2, 5, 8]
    assert read_sizes("2..4") == [2, 3, 4]
    assert read_sizes("2,8") == [2, 8]
    with pytest.raises(BadSetting):
        read_sizes("..")


def test_evaluate_takes_metrics_and_shows_groups(call):
    evaluate = ("evaluate", "ratings.csv", "-a", "bias", "--metrics", "rmse,ndcg@5")
    code, out, err = call(*evaluate, "--groups")
    assert code == 0, err
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["rmse", "ndcg@5"]
    assert "users with 1.." in out
    assert "items with" in out
    code, out, _ = call(
        "cross-validate", "ratings.csv", "-a", "bias", "--folds", "2", "--metrics", "mae", "--json"
    )
    assert list(json.loads(out)["metrics"]) == ["mae"]
