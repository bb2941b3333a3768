"""The command line as people and scripts meet it: shapes, exit codes, sentences, no tracebacks."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from math import inf
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import matinee
from matinee.algorithms import ALGORITHMS, MF, SLIM, Bias
from matinee.algorithms.registry import label
from matinee.cli import COMMANDS, app, run
from matinee.cli.console import bold, ranked_list, wrap
from matinee.cli.options.settings import make_algorithm
from matinee.cli.packed_fit import at_epoch
from matinee.cli.progress import progress
from matinee.display.text import seconds, shorten
from matinee.errors import BadModel, BadSetting
from matinee.training.progress import Epoch

SOURCE = Path(matinee.__file__).resolve().parents[1]
Call = Callable[..., tuple[int, str, str]]


def process(*args: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The program in a process of its own, as a shell starts it."""
    return subprocess.run(
        [sys.executable, "-m", "matinee", *args],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(SOURCE)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command in this process: exit code, standard output, standard error."""

    def called(*args: str) -> tuple[int, str, str]:
        code = run([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return code, out, err

    return called


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ratings file, a catalogue and a file with flaws."""
    folder = tmp_path_factory.mktemp("cli")
    world = matinee.planted(60, 40, 3, density=0.5, seed=1)
    rows = [
        f"{user},{item},{min(5, max(1, round(float(rating))))}"
        for user, item, rating in zip(world.user, world.item, world.rating, strict=True)
    ]
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating", *rows]) + "\n")
    titles = ["0,Heat (1995),Crime", "1,Heat (1986),Action", "2,Alien (1979),Horror"]
    titles += [f"{item},Film {item} (2000),Drama" for item in range(3, 40)]
    (folder / "films.csv").write_text("\n".join(["movieId,title,genres", *titles]) + "\n")
    (folder / "flaws.csv").write_text("user,item,rating\n1,1,5\n1,2,good\n2,1,3\n2,2\n2,1,4\n")
    return folder


@pytest.fixture(scope="session")
def fitted(here: Path) -> "subprocess.CompletedProcess[str]":
    """``matinee fit`` with ``--json``; the model is in ``model/``."""
    return process(
        "fit",
        "ratings.csv",
        "--algorithm",
        "nmf",
        "--set",
        "n_factors=3",
        "--out",
        "model/",
        "--catalog",
        "films.csv",
        "--json",
        cwd=here,
    )


@pytest.fixture
def model(fitted: "subprocess.CompletedProcess[str]", here: Path) -> str:
    assert fitted.returncode == 0, fitted.stderr
    return str(here / "model")


# In processes: what a shell sees.


def test_fit_says_what_it_made_and_what_to_try(fitted):
    assert fitted.returncode == 0, fitted.stderr
    made = json.loads(fitted.stdout)
    assert made["algorithm"] == "nmf"
    assert made["settings"]["n_factors"] == 3
    assert (made["users"], made["items"], made["set_aside"]) == (60, 40, 0)
    assert made["fit_seconds"] > 0
    assert "1,200 rows read, 1,200 kept" in fitted.stderr
    assert "saved in model" in fitted.stderr
    assert "recommend model --user" in fitted.stderr


@pytest.mark.parametrize("rated, user", [("ann", "bob"), ("ann,bob", None)])
def test_fit_proposes_a_list_of_who_has_not_rated_everything(call, tmp_path, rated, user):
    whole = [(name, item) for name in rated.split(",") for item in "wxyz"]
    rows = [
        *whole,
        *([("bob", "x"), ("bob", "y")] if user else []),
        *([("cat", "x")] if user else []),
    ]
    path = tmp_path / "ratings.csv"
    path.write_text("user_id,item_id,rating\n" + "".join(f"{u},{i},{len(i)}\n" for u, i in rows))
    code, _, err = call("fit", str(path), "-a", "popularity", "--out", str(tmp_path / "model"))
    assert code == 0
    assert ("try:" in err) == (user is not None)
    if user:
        assert f"--user {user} --why" in err
        listed = call("recommend", str(tmp_path / "model"), "--user", user, "--json")[1]
        assert {row["item_id"] for row in json.loads(listed)} == {"w", "z"}


def test_data_on_standard_output_and_talk_on_standard_error(model, here):
    done = process("recommend", "model/", "--user", "7", "-n", "3", "--json", cwd=here)
    assert done.returncode == 0
    assert done.stderr == ""
    rows = json.loads(done.stdout)
    assert [list(row) for row in rows] == [
        ["rank", "item_id", "title", "stars", "points", "score"]
    ] * 3
    assert [row["rank"] for row in rows] == [1, 2, 3]


def test_no_traceback_and_no_control_codes(here):
    done = process("recommend", "nowhere", "--user", "7", cwd=here, FORCE_COLOR="1", NO_COLOR="1")
    assert done.returncode == 5
    assert done.stdout == ""
    assert done.stderr.startswith("error: there is no model at nowhere")
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error(model, here):
    command = f"{sys.executable} -m matinee recommend model --user 7 -n 30 | head -n 1"
    done = subprocess.run(
        command,
        shell=True,
        cwd=here,
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("rank  title")
    assert "Error" not in done.stderr


# What another test has imported may warn of forks; the child becomes another program at once.
forks = pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")


@forks
@pytest.mark.skipif(os.name == "nt", reason="signals are other there")
def test_an_interruption_ends_with_130(here):
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "matinee",
            "fit",
            "ratings.csv",
            "--out",
            "never",
            "-a",
            "mf",
            "--set",
            "solver=sgd",
            "--set",
            "n_epochs=100000000",
        ],
        cwd=here,
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # or a job ignores it
    ) as started:
        try:
            assert started.stderr is not None
            assert any("epoch" in line for line in started.stderr)
            started.send_signal(signal.SIGINT)
            _, err = started.communicate(timeout=60)
        finally:
            started.kill()
    assert started.returncode == 130
    assert err.rstrip().endswith("interrupted")
    assert "Traceback" not in err
    assert not (here / "never").exists()


LARGE = 400_000  # rows; enough for DuckDB to be at work when it is interrupted
# Says when the program has begun: before that Python itself takes the signal, and aborts.
BEGUN = """
import sys
from matinee.__main__ import main
class Beginning:
    def find_spec(self, name, *_):
        if name == "matinee.cli":
            print("begun", flush=True)
sys.meta_path.insert(0, Beginning())
main()
"""


@forks
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("command", [["inspect"], ["fit", "-a", "bias", "--out", "never"]])
def test_ctrl_c_ends_reading_a_large_file(command, share, large_file, tmp_path):
    """A real signal, from the first import on to the last line: one word, and 130.

    On a quick machine it comes after the reading: then a model that is there is complete.
    """
    file, seconds = large_file
    with subprocess.Popen(
        [sys.executable, "-c", BEGUN, *command, str(file)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "begun\n"
        time.sleep(share * seconds)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
    finished = "400,000 kept" in out + err
    if started.returncode == 0 or (started.returncode == -signal.SIGINT and finished):
        return  # this machine was quicker than before; at its very end Python takes the signal
    assert (started.returncode, err.split()[-1:], "Traceback" in err) == (
        130,
        ["interrupted"],
        False,
    )
    assert not out or out.startswith("large.csv: delimited text")
    for path in tmp_path.iterdir():
        assert matinee.load(path).trained_by == Bias()


IMPORTING = """
import sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == "matinee.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
from matinee.__main__ import main
main()
"""


FALLING = """
import os, signal
from matinee.cli.exit_codes import exit_code_of
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job ignores it
def command():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        raise AttributeError("what a library left half done")
print(exit_code_of(command))
"""


DROPPED = """
import ctypes, os, signal, time
from matinee.cli.exit_codes import exit_code_of
signal.signal(signal.SIGINT, signal.default_int_handler)
def interrupt(*_):
    os.kill(os.getpid(), signal.SIGINT)
callback = ctypes.CFUNCTYPE(None)(interrupt)
Finalized = type("Finalized", (), {"__del__": interrupt})
def command():
    WAY()
    time.sleep(1000)
print(exit_code_of(command))
"""


@pytest.mark.parametrize(
    "code",
    [FALLING, *(DROPPED.replace("WAY", way) for way in ("callback", "Finalized"))],
    ids=["an error instead", "dropped by a callback", "dropped by a finalizer"],
)
def test_an_interrupt_that_a_library_takes_ends_a_command_too(code):
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert (done.stdout, done.stderr) == ("130\n", "interrupted\n")


def test_ctrl_c_while_modules_are_imported():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING],
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr.split()) == (130, "", ["interrupted"])


@pytest.fixture(scope="module")
def large_file(tmp_path_factory):
    """A large file, and how many seconds it takes to inspect it."""
    file = tmp_path_factory.mktemp("large") / "large.csv"
    rows = "".join(f"{n % 40_009},{n % 9_973},{n % 5 + 1}\n" for n in range(LARGE))
    file.write_text("user,item,rating\n" + rows)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "matinee", "inspect", str(file)],
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        check=True,
    )
    assert done.stdout
    return file, time.monotonic() - started


# Fixed forms.


def test_recommend_for_people(call, model):
    code, out, _ = call("recommend", model, "--user", "7", "-n", "2", "--why")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["rank", "title", "stars", "points", "score", "item_id"]
    reasons = [line for line in lines if line.startswith("      because ")]
    assert [line.split()[0] for line in lines if not line.startswith("     ")] == ["rank", "1", "2"]
    assert len(reasons) == 2, "a sentence below each item, of as many lines as it takes"


BOTH = "the stars predicted, plus points for how likely each is to be chosen"
STARS_ALONE = "the stars predicted, before they are held to 1..5"
FEW = "some where few have rated it"


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ((), f"{BOTH}, less {FEW}; a point is worth a star;"),
        (("--caution", "0"), f"{BOTH}; a point is worth a star;"),
        (("--caution", "-1"), f"{BOTH}, plus {FEW}; a point is worth a star;"),
        (("--stars-weight", "inf"), f"{STARS_ALONE};"),
        (("--stars-weight", "inf", "--caution", "2"), f"{STARS_ALONE}, less {FEW};"),
        (("--stars-weight", "0"), "points for how likely each is to be chosen; they only rank,"),
    ],
)
def test_a_list_says_what_its_score_is_and_stars_and_points_add_up_to_it(
    call, model, weights, words
):
    code, out, err = call("recommend", model, "--user", "7", "-n", "5", *weights)
    heading, *lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert f"score: {words}" in " ".join(err.split())
    assert ("points" in heading) == ("--stars-weight" not in weights), "where choice counts"
    for line in lines if "points" in heading else ():
        stars, points, score = map(float, line[-4:-1])
        assert round(stars + points, 2) == score


def test_a_list_in_python_says_what_its_score_is_and_adds_up_to_it(model):
    recommended = matinee.load(model).recommend("7", 30)
    caption, heading, *lines = str(recommended).split("\n")
    assert caption.startswith("score: the stars predicted, plus points")
    assert heading.split()[-3:] == ["stars", "points", "score"]
    assert caption in str(recommended._repr_html_())
    for line in lines:
        stars, points, score = map(float, line.split()[-3:])
        assert round(stars + points, 3) == score, "as it is shown"
    frame = recommended.to_pandas()
    assert np.allclose(frame["stars"] + frame["points"], frame["score"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("weight", [0, inf])
def test_a_list_of_one_part_alone_has_no_points(model, weight):
    recommended = matinee.load(model).recommend("7", 2, stars_weight=weight)
    assert "points" not in recommended.columns


def test_a_list_by_choice_alone_says_that_its_scores_are_points(model):
    alone = str(matinee.load(model).recommend("7", 2, stars_weight=0))
    assert alone.startswith("score: points for how likely")


def test_recommend_with_reasons_that_add_up(call, model):
    code, out, _ = call("recommend", model, "--user", "7", "-n", "2", "--why", "--json")
    for row in json.loads(out):
        assert row["why"].startswith(row["title"])
        assert sum(term["value"] for term in row["reasons"]) == pytest.approx(
            row["score"], rel=1e-4
        )
    assert code == 0


def test_recommend_to_several(call, model):
    _, out, _ = call("recommend", model, "--user", "7", "--user", "8", "-n", "2", "--json")
    rows = json.loads(out)
    assert [row["user_id"] for row in rows] == ["7", "7", "8", "8"]
    _, out, _ = call("recommend", model, "--user", "7", "--user", "8", "-n", "2")
    assert out.startswith("user 7\n")
    assert "\n\nuser 8\n" in out


def test_a_short_list_is_said(call, model):
    code, out, err = call("recommend", model, "--user", "7", "-n", "30", "--json")
    assert code == 0
    assert f"note: {len(json.loads(out))} of 30 for user 7" in err
    _, out, err = call("recommend", model, "--user", "7", "-n", "30", "--include-seen", "--json")
    assert (len(json.loads(out)), err) == (30, "")


@pytest.mark.parametrize("by", [[], ["--by", "factor"], ["--by", "history"]])
def test_explain(call, model, by):
    code, out, _ = call("explain", model, "--user", "7", "--item", "5", *by, "--json")
    reasons = json.loads(out)
    assert code == 0
    assert {"score", "terms"} <= set(reasons)
    assert all({"name", "value"} <= set(term) for term in reasons["terms"])
    total = sum(term["value"] for term in reasons["terms"])
    assert total == pytest.approx(reasons["score"], rel=1e-4)


@pytest.mark.parametrize("title", ["Heat (1995)", "heat (1995)", "1995 HEAT", "0"])
def test_an_item_by_its_title(call, model, title):
    _, out, _ = call("explain", model, "--user", "7", "--item", title, "--json")
    assert json.loads(out)["item_id"] == "0"


def test_explain_for_people_fits_the_page(call, model):
    code, out, _ = call("explain", model, "--user", "7", "--item", "5", "--by", "history")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 100
    assert "average of all ratings" in out


def test_predict_marks_what_it_does_not_know(call, model):
    code, out, err = call(
        "predict", model, "--user", "7", "--item", "5", "--item", "nonsense", "--json"
    )
    known, unknown = json.loads(out)
    assert code == 0
    assert set(known) == {"user_id", "item_id", "title", "rating", "score", "known"}
    assert (known["known"], unknown["known"]) == (True, False)
    assert 1 <= known["rating"] <= 5
    assert "does not know item 'nonsense'" in err
    _, out, _ = call("predict", model, "--user", "7", "--item", "5")
    assert "Film 5 (2000)" in out


def test_similar(call, model):
    _, out, _ = call("similar", model, "--item", "5", "-n", "3", "--json")
    assert [list(row) for row in json.loads(out)] == [
        ["rank", "item_id", "title", "similarity"]
    ] * 3
    _, out, _ = call("similar", model, "--user", "7", "-n", "3", "--json")
    assert [list(row) for row in json.loads(out)] == [["rank", "user_id", "similarity"]] * 3
    _, out, _ = call("similar", model, "--user", "7", "-n", "3")
    assert out.splitlines()[0].split() == ["rank", "similarity", "user_id"]


def test_tastes(call, model):
    _, out, _ = call("tastes", model, "-n", "2", "--json")
    tastes = json.loads(out)
    assert len(tastes) == 3
    assert all(len(taste["top"]) == 2 for taste in tastes)
    assert sum(taste["share"] for taste in tastes) == pytest.approx(1)
    _, out, err = call("tastes", model)
    assert "of scores, strongest in" in out
    assert "by their ids" not in err


def test_tastes_without_titles_say_so_and_how_to_give_some(call, here, tmp_path):
    """A table of ids and names names them, as last.fm has one of its artists."""
    names = tmp_path / "artists.dat"
    names.write_text("id\tname\n" + "".join(f"{item}\tArtist {item}\n" for item in range(40)))
    fit = ("fit", here / "ratings.csv", "-a", "implicit-als", "--set", "n_factors=2", "--out")
    assert (
        call(*fit, tmp_path / "ids")[0] == call(*fit, tmp_path / "of", "--catalog", names)[0] == 0
    )
    _, out, err = call("tastes", tmp_path / "ids")
    assert "items like" in out
    assert "items go by their ids" in err
    assert "--catalog FILE" in err
    _, out, err = call("tastes", tmp_path / "of")
    assert "like Artist " in out
    assert "by their ids" not in err


def test_inspect_tells_what_was_set_aside(call, here):
    code, out, err = call("inspect", here / "flaws.csv", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["report"]["rows"] == 5
    assert sum(flaw["count"] for flaw in found["report"]["set_aside"]) == 2
    assert found["description"]["ratings"] == found["report"]["kept"]
    _, out, _ = call("inspect", here / "flaws.csv")
    assert "line 3" in out
    assert "'good'" in out


def test_inspect_of_a_model_says_what_it_is_and_what_feedback_counts_as(call, model):
    code, out, err = call("inspect", model)
    assert code == 0
    fitted = matinee.load(model)
    assert repr(fitted) in " ".join(out.split())
    low, high = fitted.scale
    assert f"feedback counts as: rating as given, like {high:g}, dislike {low:g}" in out
    assert "serve take this folder" in err
    code, out, _ = call("inspect", model, "--json")
    facts = json.loads(out)["model"]
    assert facts["settings"] == dict(fitted.settings)
    assert facts["event_weights"]["like"] == high
    assert facts["event_weights"]["click"] is None
    code, _, err = call("inspect", model, "--html", "page.html")
    assert code == 2
    assert "matinee report MODEL" in err


def test_what_was_set_aside_is_said_whenever_ratings_are_read(call, here, tmp_path):
    place = str(tmp_path / "bias")
    code, out, err = call("fit", here / "flaws.csv", "-a", "bias", "--out", place)
    assert (code, out) == (0, "")
    assert "2 rows set aside" in err


def test_reading_options(call, here, tmp_path):
    file = tmp_path / "odd.csv"
    file.write_text("wer,was,wieviel\na,x,3\na,x,5\nb,x,9\n")
    columns = "user=wer,item=was,rating=wieviel"
    args = ["inspect", file, "--columns", columns, "--json"]
    code, out, _ = call(*args, "--scale", "1,5", "--duplicates", "mean")
    found = json.loads(out)
    assert code == 0
    assert found["description"]["distribution"] == {"4": 1}
    assert found["report"]["merged"] == 1
    assert call(*args, "--scale", "1,5", "--strict")[0] == 3
    assert call(*args, "--duplicates", "error")[0] == 3
    assert call(*args, "--catalog", here / "films.csv")[0] == 0


def test_early_stopping_then_all_ratings(call, here, tmp_path):
    code, out, err = call(
        "fit",
        here / "ratings.csv",
        "-a",
        "mf",
        "--set",
        "n_factors=3",
        "--out",
        tmp_path / "mf",
        "--validation-share",
        "0.2",
        "--json",
    )
    made = json.loads(out)
    assert code == 0, err
    assert f"best after {made['settings']['n_epochs']} epochs" in err
    assert made["facts"]["n_epochs_run"] == made["settings"]["n_epochs"]
    assert made["ratings"] == 1200


@pytest.mark.parametrize(
    "split",
    [[], ["--split", "random", "--test-share", "0.3", "--seed", "5"], ["--split", "leave-last"]],
)
def test_evaluate_one_source(call, here, split):
    code, out, err = call(
        "evaluate", here / "ratings.csv", *split, "-n", "3,5", "-a", "bias", "--json"
    )
    found = json.loads(out)
    assert code == 0, err
    assert {"rmse", "mae", "ndcg@3", "ndcg@5"} <= set(found["metrics"])
    assert found["fit_seconds"] > 0


def test_evaluate_parts_of_ml_100k_as_they_are(call, folder_100k):
    code, out, err = call(
        "evaluate",
        "--train",
        folder_100k / "u1.base",
        "--test",
        folder_100k / "u1.test",
        "--algorithm",
        "mf",
        "--set",
        "n_factors=40",
        "--json",
    )
    found = json.loads(out)
    assert code == 0, err
    assert {"rmse", "mae", "ndcg@10"} <= set(found["metrics"])
    assert found["metrics"]["rmse"] < 0.95
    assert found["test_ratings"] == 20_000


def test_cross_validate(call, here):
    args = ["cross-validate", here / "ratings.csv", "-a", "bias", "--folds", "3", "-n", "5"]
    code, out, err = call(*args, "--json")
    found = json.loads(out)
    assert code == 0, err
    assert set(found["std"]) == set(found["metrics"])
    assert len(found["folds"]) == 3
    assert "fold 3/3" in err
    _, out, _ = call(*args)
    assert "fold_3" in out
    assert "mean" in out


def test_the_sample_goes_by_its_name(call):
    code, out, err = call("inspect", "sample", "--json")
    assert code == 0
    assert json.loads(out)["description"]["users"] == 2000
    code, out, err = call("inspect", "sample", "--scale", "1,5")
    assert code == 2
    assert "leave out --scale" in err


# Mistakes, each with its exit code and a sentence.

MODEL, RATINGS = "model", "ratings.csv"
MISTAKES: list[tuple[str, int, str]] = [
    ("recomend", 2, "did you mean 'recommend'"),
    ("recommend model", 2, "--user"),
    ("recommend model --user 7 -n 0", 2, "at least 1"),
    ("recommend model --user 777", 4, "no user '777' among the 60 users known"),
    (
        "recommend model --user nobody",
        4,
        "recommend --ratings FILE) or by a few questions (matinee int",
    ),
    ("recommend model --for 7,7,8", 2, "'7' is there twice; give everybody once"),
    ("similar model --user nobody", 4, "fold new users in by their ratings"),
    ("inspect ratings.csv --columns usr=0", 2, "--columns usr=...: 'usr' is not one of"),
    (
        "fit ratings.csv --out new -a mf --set solver=sgd --set implicit_weight=1",
        2,
        "implicit_weight goes with --set solver=als",
    ),
    ("recommend nowhere --user 7", 5, "no model at nowhere"),
    ("recommend . --user 7", 5, "model.json is missing"),
    ("explain model --user 7 --item Aliens", 4, "did you mean 'Alien'"),
    ("explain model --user 7 --item heat", 2, "2 items have the title 'heat'"),
    ("explain model --user 7 --item film", 2, "37 titles have the words 'film'; give an id: "),
    ("predict model --user 7 --item film", 2, "37 titles have the words 'film'; give an id: "),
    ("explain model --user 7 --item 2000", 4, "no item '2000'"),
    ("explain model --user 7 --item 5 --by magic", 2, "factor or history"),
    ("similar model", 2, "either --item or --user"),
    ("similar model --item 5 --user 7", 2, "either --item or --user"),
    ("fit model --out new", 3, "model is a model, not ratings; give the ratings to fit"),
    ("evaluate model", 3, "Its lists come from matinee recommend model --user ID"),
    (
        "explain model --user 7 --item 5 --standing --receipt r.svg",
        2,
        "--receipt goes with reasons",
    ),
    ("inspect nowhere.csv", 3, "no file or folder 'nowhere.csv'"),
    ("inspect ratings.csv --columns user", 2, "user=..,item=..,rating=..,timestamp=.."),
    ("inspect ratings.csv --columns user=nobody", 3, "nobody"),
    ("inspect ratings.csv --scale five", 2, "LOW,HIGH"),
    ("inspect ratings.csv --encoding klingon", 3, "klingon"),
    ("fit ratings.csv", 2, "--out"),
    ("fit ratings.csv --out new --set n_factors=3", 2, "--set goes with --algorithm"),
    ("fit ratings.csv --out new --algorithm nfm", 2, "did you mean 'nmf'"),
    ("fit ratings.csv --out new -a nmf --set n_factor=3", 2, "did you mean 'n_factors'"),
    (
        "fit ratings.csv --out new -a nmf --set n_factors=many",
        2,
        "n_factors of nmf takes a whole number",
    ),
    ("fit ratings.csv --out new -a nmf --set user_reg=low", 2, "user_reg of nmf takes a number"),
    ("fit ratings.csv --out new -a mf --set biased=maybe", 2, "takes true or false"),
    ("fit ratings.csv --out new -a nmf --set n_factors", 2, "NAME=VALUE"),
    ("fit ratings.csv --out new -a nmf --set n_factors=0", 2, "at least 1"),
    ("fit ratings.csv --out new -a popularity --validation-share 0.1", 2, "no epochs"),
    ("fit ratings.csv --out ratings.csv", 1, "not a model folder"),
    ("fit ratings.csv --out .", 1, "not a model folder"),
    ("evaluate", 2, "either DATA, or both --train and --test"),
    ("evaluate --train ratings.csv", 2, "either DATA, or both --train and --test"),
    ("evaluate --train ratings.csv --test ratings.csv --seed 1", 2, "leave out --seed"),
    ("evaluate --train ratings.csv --test ratings.csv", 3, "both the training and the test part"),
    ("evaluate ratings.csv --split by-tim", 2, "did you mean 'by-time'"),
    ("evaluate ratings.csv --split by-time", 3, "have no times; --split random needs none"),
    ("evaluate ratings.csv --split by-time --last 2", 2, "takes no --last"),
    ("evaluate ratings.csv --test-share 2", 2, "it is 2; give a number above 0 and below 1"),
    ("evaluate ratings.csv -n few", 2, "10,20"),
    ("evaluate ratings.csv -n 1000", 2, "from 1 to 40"),
    ("recommend model --ratings a.csv --ratings b.csv", 2, "--ratings is given 2 times"),
    ("recommend model --user 7 -n 3 -n 4", 2, "-n is given 2 times"),
    ("recommend model --features gender=F,gender=M", 2, "'gender' twice"),
    ("explain model --user 7 --user 8 --item 5", 2, "--user is given 2 times"),
    ("fit ratings.csv --out new -a nmf --algorithm mf", 2, "--algorithm is given 2 times"),
    ("fit ratings.csv --out new -a nmf --set n_factors=3 --set n_factors=4", 2, "twice, 3 and 4"),
    ("explain model --user 7 --item 5 --versus 6 -n 5", 2, "-n goes with reasons, --counter"),
    ("explain model --user 7 --item 5 --change =3", 2, "write ITEM=RATING"),
    ("explain model --user 7 --item 5 --change 1", 2, "write ITEM=RATING"),
    ("interview model -n 0", 2, "it is 0; give a whole number of at least 1"),
    ("tune ratings.csv --trials 0", 2, "it is 0; give a whole number of at least 1"),
]


NUMERIC = [  # (command, option) of each option that takes one number
    (name, option)
    for name in COMMANDS
    for option in app.get_command(click.Context(app), name).params
    if isinstance(option.type, click.types.FloatParamType | click.types.IntParamType)
]


@pytest.mark.parametrize(
    ("name", "option"), NUMERIC, ids=[f"{name} {option.opts[0]}" for name, option in NUMERIC]
)
def test_every_number_has_limits_and_its_error_names_value_limit_and_remedy(name, option):
    limits = option.type
    outside = ["much", "nan"]
    outside += [limits.min - 1] if limits.min is not None else []
    outside += [limits.max + 1] if limits.max is not None else []
    for value in outside:
        with pytest.raises(click.BadParameter) as refused:
            limits.convert(str(value), option, None)
        told = refused.value.format_message()
        assert max(option.opts, key=len).lstrip("-") in told
        assert f"it is {value}; give a " in told
        for limit in filter(None, (limits.min, limits.max)):
            assert str(limit) in told
    low = limits.min or 0
    inside = low + 1 if limits.max is None else (low + limits.max) / 2
    inside = int(inside) if isinstance(limits, click.IntRange) else inside
    assert limits.convert(str(inside), option, None) == inside


def test_a_caution_beyond_the_dial_is_refused_with_its_ends_which_are_taken(call, model):
    code, _, err = call("recommend", model, "--user", "7", "--caution", "9999")
    assert code == 2
    safest, boldest = re.search(r"from ([-\d.]+), the safest, to ([-\d.]+), the most", err).groups()
    assert err.startswith("error: --caution 9999.0 is beyond the dial of this model")
    for end in (safest, boldest, "0"):
        assert call("recommend", model, "--user", "7", f"--caution={end}")[0] == 0
    with pytest.raises(BadSetting, match=f"^caution=9999 is beyond .* from {safest}"):
        matinee.load(model).recommend("7", caution=9999)


def test_where_there_is_no_model_the_command_that_makes_one_is_given(call, here, monkeypatch):
    monkeypatch.chdir(here)
    code, _, err = call("recommend", "no model", "--user", "7")
    command = err.partition("make one by ")[2].strip()
    assert (code, command) == (5, "matinee fit DATA --out 'no model'")
    with pytest.raises(BadModel, match=r'make one by matinee\.fit\(ratings\)\.save\("no model"\)'):
        matinee.load("no model")


@pytest.mark.parametrize("data", ["my ratings.csv", "movielens"])
def test_where_data_is_given_for_a_model_the_command_fits_it(
    call, here, tmp_path, monkeypatch, data
):
    monkeypatch.chdir(tmp_path)
    Path("movielens").mkdir()
    for place in ("my ratings.csv", "movielens/ratings.csv"):
        shutil.copy(here / "ratings.csv", place)
    code, _, err = call("recommend", data, "--user", "7")
    assert (code, "model.json" in err) == (5, data == "movielens")
    remedy = err.partition("if it holds ratings, fit them first: ")[2]
    program, *typed = shlex.split(remedy)
    assert (program, call(*typed)[0]) == ("matinee", 0)
    assert call("recommend", "model", "--user", "7")[0] == 0
    with pytest.raises(BadModel, match=rf'matinee\.read_ratings\("{data}"\)\)\.save\("model"\)'):
        matinee.load(data)


@pytest.mark.parametrize("line, code, words", MISTAKES, ids=[line for line, *_ in MISTAKES])
def test_mistakes(call, model, here, monkeypatch, line, code, words):
    monkeypatch.chdir(here)
    found, out, err = call(*line.split())
    assert (found, out) == (code, ""), err
    assert words in err
    assert not (here / "new").exists()


@pytest.fixture
def own_model(model, tmp_path):
    """A copy of the model, which a test may change."""
    return shutil.copytree(model, tmp_path / "own")


IMPOSSIBLE = [  # what no data can make good; DATA and MODEL are not there, so nothing was read
    ("evaluate no.csv --metrics foo", 2, "there is no metric 'foo'"),
    ("cross-validate no.csv --metrics rmse,foo", 2, "there is no metric 'foo'"),
    ("cross-validate no.csv --folds 1", 2, "--folds"),
    ("compare no.csv --metrics foo", 2, "there is no metric 'foo'"),
    ("compare no.csv --algorithms foo", 2, "there is no algorithm 'foo'"),
    ("compare no.csv --record no/runs.jsonl", 1, "there is no folder 'no'"),
    ("tune no.csv --metric rsme", 2, "did you mean 'rmse'?"),
    ("tune no.csv --method foo", 2, "there is no method 'foo'"),
    ("tune no.csv --space foo=1..2", 2, "nmf has no setting 'foo'"),
    ("tune no.csv --record .", 1, ". cannot be written: it is a folder"),
    ("k-curve no.csv --metrics rmse@5", 2, "rmse has no list length"),
    ("k-curve no.csv --rule elbo", 2, "did you mean 'elbow'?"),
    ("k-curve no.csv --algorithm bias", 2, "bias has no n_factors"),
    ("fit no.csv --out file/model", 1, "file is a file and no folder"),
    ("fit no.csv --out /proc/model", 1, "nothing can be put into /proc"),
    ("pack no.csv --out /proc/packed", 1, "nothing can be put into /proc"),
    ("pack no.csv --out file/packed", 1, "file is a file and no folder"),
    ("tune no.csv --record /proc/runs.jsonl", 1, "nothing can be put into /proc"),
    ("recommend no --all --out /proc/lists.csv", 1, "nothing can be put into /proc"),
    ("predict no pairs.csv --out /proc/predictions.csv", 1, "nothing can be put into /proc"),
    ("report no --out /proc/report.html", 1, "nothing can be put into /proc"),
    ("inspect no.csv --html no/page.html", 1, "there is no folder 'no'"),
    ("report no --out no/report.html", 1, "there is no folder 'no'"),
    ("report no --k-curve file", 1, "file is no k-curve"),
]


@pytest.mark.parametrize("line, code, words", IMPOSSIBLE, ids=[line for line, *_ in IMPOSSIBLE])
def test_what_cannot_be_is_refused_before_any_work(call, tmp_path, monkeypatch, line, code, words):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    ended, out, err = call(*line.split())
    assert (ended, out) == (code, "")
    assert words in err
    assert [one.name for one in tmp_path.iterdir()] == ["file"], "and nothing was written"


def test_tastes_are_renamed_in_the_folder(call, own_model):
    code, out, err = call("tastes", own_model, "--rename", "1", "Heist films")
    assert code == 0
    assert "Heist films" in out
    assert "saved in" in err
    _, out, _ = call("tastes", own_model, "--json")
    assert json.loads(out)[1]["name"] == "Heist films"
    code, _, err = call("tastes", own_model, "--rename", "0", "heist FILMS")
    assert code == 2
    assert "taste 1 is already called" in err
    call("tastes", own_model, "--rename", "heist films", "")
    assert "Heist" not in call("tastes", own_model)[1]


def test_the_stability_of_tastes_is_kept(call, own_model, monkeypatch):
    _, out, err = call("tastes", own_model, "--stability", "2")
    assert "stab" in out
    assert "refits 2/2" in err
    for columns in (80, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = call("tastes", own_model)[1].splitlines()
        assert max(map(len, lines)) <= columns
    _, out, _ = call("tastes", own_model, "--json")
    assert all(0 <= taste["stability"] <= 1 for taste in json.loads(out))
    code, _, err = call("tastes", own_model, "--samples")
    assert code == 2
    assert "--stability 5" in err


def test_names_live_on_in_a_new_fit(call, here, own_model, tmp_path):
    call("tastes", own_model, "--rename", "0", "Heist films")
    again = ("fit", here / "ratings.csv", "--algorithm", "nmf", "--set", "n_factors=3")
    _, _, err = call(*again, "--out", tmp_path / "new", "--names-from", own_model)
    assert "Heist films names taste 0" in err
    _, out, _ = call("tastes", tmp_path / "new", "--json")
    assert json.loads(out)[0]["name"] == "Heist films"
    call("tastes", own_model, "--rename", "0", "")
    _, _, err = call(*again, "--out", tmp_path / "newer", "--names-from", own_model)
    assert "no names to carry over" in err


def test_a_model_without_tastes(call, here, tmp_path):
    place = str(tmp_path / "bias")
    assert call("fit", here / "ratings.csv", "-a", "bias", "--out", place)[0] == 0
    code, _, err = call("tastes", place)
    assert code == 2
    assert "models of bias have no tastes" in err


def test_warnings_are_notes(call, here, tmp_path):
    _, _, err = call(
        "fit",
        here / "ratings.csv",
        "--algorithm",
        "nmf",
        "--out",
        tmp_path / "wide",
        "--set",
        "n_factors=70",
        "--set",
        "n_epochs=1",
    )
    assert err.count("note: n_factors is 70") == 1


# The parts.


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_json(call, name):
    code, out, _ = call(name, "--help")
    assert code == 0
    assert "--json" in out
    assert max(map(len, out.splitlines())) <= 100


def test_help_lists_every_command_and_fit_every_algorithm(call):
    _, out, _ = call("--help")
    assert all(f"  {name} " in out for name in COMMANDS)
    assert "..." not in out.split("Commands:")[1], "a line of help was cut"
    _, out, _ = call("fit", "--help")
    assert all(f"  {name} " in out for name in ALGORITHMS)


def test_version(call):
    assert call("--version")[1] == f"matinee {matinee.__version__}\n"


@pytest.mark.parametrize(
    "text, value",
    [
        ("n_factors=7", 7),
        ("reg=0.5", 0.5),
        ("biased=no", False),
        ("solver=sgd", "sgd"),
        ("reg = 2", 2.0),
    ],
)
def test_settings_have_the_type_of_their_field(text: str, value: Any):
    found = make_algorithm("mf", [text]).settings[text.partition("=")[0].strip()]
    assert found == value
    assert type(found) is type(value)


def test_none_where_the_default_is_none():
    assert make_algorithm("mf", ["reg=none"]) == make_algorithm("mf", [])


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_bold_is_for_terminals_that_want_it(monkeypatch):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert bold("best", StringIO()) == "best"
    assert bold("best", Terminal()) != "best"
    monkeypatch.setenv("TERM", "dumb")
    assert bold("best", Terminal()) == "best"
    monkeypatch.delenv("TERM")
    monkeypatch.setenv("NO_COLOR", "1")
    assert bold("best", Terminal()) == "best"


def test_long_titles_give_way_and_columns_stand_under_one_another():
    rows = [
        {"rank": 1, "item_id": "7", "title": "A" * 90, "score": 4.5},
        {"rank": 2, "item_id": "8", "title": "千と千尋の神隠し", "score": 12345.25},
    ]
    lines = ranked_list(rows, "score", columns=80)
    assert len(lines[1]) == 80 - len("item_id") + 1
    assert "…" in lines[1]
    assert lines[1].index("4.50") + 4 == lines[2].index("12,345.25") + 9 + 8, "wide letters"


def test_small_words():
    assert shorten("Heat", 4) == "Heat"
    assert shorten("Heat (1995)", 8) == "Heat (1…"
    assert wrap("  one two three", 9) == "  one two\n  three"
    assert [seconds(s) for s in (0.123, 12.34, 125)] == ["0.12 s", "12.3 s", "2 min 5 s"]


def test_positives_are_kept_in_training_and_test(call):
    code, out, err = call("evaluate", "sample", "-a", "ease", "--positives-from", "4", "--json")
    assert code == 0
    assert "ratings kept as positives: 4 or more" in err
    metrics = json.loads(out)["metrics"]
    assert "rmse" not in metrics
    assert metrics["ndcg@10"] > 0.1


def test_progress_shows_a_total_only_where_there_is_one(capsys):
    with progress("search trial", every=0) as step:
        step(3, 0, "nmf")
    with progress("epoch", every=0) as step:
        step(3, 12, "")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("search trial 3  nmf  (")
    assert lines[1].startswith("epoch 3/12  ")


def test_an_epoch_under_way_and_what_the_last_came_to():
    assert at_epoch(0, None) == "first pass, before epoch 1"
    assert at_epoch(1, None) == "epoch 1"
    assert at_epoch(3, Epoch(2, 5, 0.85123, None)) == "epoch 3, RMSE 0.8512 after 2"
    assert at_epoch(3, Epoch(2, 5, None, None)) == "epoch 3"


def test_an_evaluation_says_that_fit_holds_out_otherwise_and_how_to_do_so(call, here):
    """Both say NDCG@10, so each says of what, and how to get the other."""
    measured = ("evaluate", here / "ratings.csv", "-a", "popularity")
    note = "a fifth of what each user liked is held out, not of all ratings; --split liked does so"
    code, out, err = call(*measured)
    assert code == 0
    assert "Tested on 20 % of all ratings" in " ".join(out.split())
    assert note in " ".join(err.split())
    code, out, err = call(*measured, "--split", "liked")
    assert code == 0
    assert "Tested on 20 % of what each user liked" in " ".join(out.split())
    assert note not in " ".join(err.split())


def test_what_was_liked_alone_measures_lists_beside_popularity_and_no_stars(call, here):
    """Errors on high ratings alone would stand beside those of other splits, and mislead."""
    measured = ("evaluate", here / "ratings.csv", "--split", "liked", "-n", "5,10")
    reason = "Errors of predicted stars are left out"
    code, out, _ = call(*measured, "-a", "bias")
    text = " ".join(out.split())
    assert (code, "rmse" in text, reason in text) == (0, False, True)
    popular = json.loads(call(*measured, "-a", "popularity", "--json")[1])
    own = json.loads(call(*measured, "-a", "bias", "--json")[1])
    ndcg, of_popularity = (one["metrics"]["ndcg@10"] for one in (own, popular))
    assert f"lists: NDCG@10 {ndcg:.3f}, by popularity alone {of_popularity:.3f}" in text
    assert own["popularity"] == {"ndcg@10": of_popularity}
    assert reason not in popular["protocol"], "there are none to leave out"
    _, out, _ = call(*measured, "-a", "bias", "--metrics", "rmse")
    assert ("rmse" in out, "popularity" in out, reason in out) == (True, False, False)


@pytest.mark.parametrize(
    "options, heading",
    [
        ((), "mf choice=(implicit-als lowest=0.15)"),
        (("-a", "bias"), "bias"),
        (("-a", "nmf", "--set", "n_factors=3"), "nmf n_factors=3"),
    ],
)
def test_an_evaluation_is_headed_by_the_algorithm_in_one_line(call, here, options, heading):
    code, out, _ = call("evaluate", here / "ratings.csv", "-n", "5", *options)
    assert (code, out.splitlines()[0]) == (0, heading)
    both = MF(choice=(SLIM(lowest=0.15), "implicit-als"), n_factors=3)
    assert label(both) == "mf choice=(slim lowest=0.15, implicit-als) n_factors=3"
