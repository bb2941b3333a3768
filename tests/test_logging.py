"""What long work logs: a line an epoch, a fold, a trial, and nothing printed."""

import logging
import re

import pytest

import matinee
from matinee import splitting
from matinee.cli import run


@pytest.fixture(scope="module")
def ratings():
    return matinee.checkerboard(40)


def lines_of(caplog) -> list[str]:
    assert all(one.name.startswith("matinee") for one in caplog.records)
    assert all(one.levelno == logging.INFO for one in caplog.records)
    return caplog.messages


@pytest.mark.parametrize(
    "algorithm",
    [
        matinee.MF(n_factors=2, n_epochs=3, choice=None),
        matinee.MF(n_factors=2, n_epochs=3, solver="sgd", choice=None),
        matinee.NMF(n_factors=2, n_epochs=3, choice=None),
        matinee.ImplicitALS(n_factors=2, n_epochs=3, reg=0.1, unobserved=0.1),
        matinee.BPR(n_factors=2, n_epochs=3),
    ],
    ids=lambda one: f"{one.name} {getattr(one, 'solver', '')}",
)
def test_a_fit_logs_each_epoch(ratings, algorithm, caplog, capfd) -> None:
    with caplog.at_level(logging.INFO, "matinee"):
        algorithm.fit(ratings)
    epochs = [line for line in lines_of(caplog) if f" of {algorithm.n_epochs}" in line]
    assert [line.split(",")[0] for line in epochs][-3:] == [
        f"fit: epoch {number} of 3" for number in (1, 2, 3)
    ]
    if algorithm.kind == "rating":
        assert all(re.search(r", training RMSE [\d.]+$", line) for line in epochs[-3:])
    assert capfd.readouterr() == ("", "")


def test_logging_changes_no_bit(ratings, caplog) -> None:
    algorithm = matinee.MF(n_factors=3, n_epochs=3)
    quiet = algorithm.fit(ratings)
    with caplog.at_level(logging.INFO, "matinee"):
        logged = algorithm.fit(ratings)
    assert (quiet.user_factors == logged.user_factors).all()
    assert (quiet.item_factors == logged.item_factors).all()


def test_searches_log_each_step(ratings, caplog) -> None:
    steps: list[tuple[int, int, str]] = []
    with caplog.at_level(logging.INFO, "matinee"):
        matinee.compare(["bias"], ratings, on_step=lambda *step: steps.append(step))
        matinee.tune("bias", ratings, budget=2)
        matinee.cross_validate(["bias"], splitting.k_fold(ratings, 2))
    lines = lines_of(caplog)
    compared = [line for line in lines if line.startswith("compare: ")]
    assert compared == [f"compare: {done} of {total}: {words}" for done, total, words in steps]
    assert sum(line.startswith("tune: ") for line in lines) == 3
    folds = [line for line in lines if line.startswith("cross_validate")]
    assert folds == [f"cross_validate: fold {k} of 2 of bias" for k in (1, 2)]


def test_a_fit_says_what_learns_the_choices(caplog, capsys, tmp_path) -> None:
    """They take longer than the epochs before them, on a terminal in silence otherwise."""
    algorithm = matinee.MF(n_factors=2, n_epochs=1, choice=("slim", "implicit-als"))
    with caplog.at_level(logging.INFO, "matinee"):
        algorithm.fit(matinee.sample())
    without = "without some likes, which measure the lists"
    assert [line for line in lines_of(caplog) if line.startswith("lists: ")] == [
        "lists: 1 of 5: choices by slim, on all ratings",
        "lists: 2 of 5: choices by implicit-als, on all ratings",
        f"lists: 3 of 5: choices by slim, {without}",
        f"lists: 4 of 5: choices by implicit-als, {without}",
        f"lists: 5 of 5: stars by mf, {without}",
    ]
    small = ["--set", "n_factors=2", "--set", "n_epochs=1", "--no-check"]
    assert (
        run(["fit", "sample", "--algorithm", "mf", *small, "--out", str(tmp_path / "model")]) == 0
    )
    said = capsys.readouterr().err
    at = [
        said.index(line)
        for line in (
            "mf epoch 1/1",
            "mf lists 1/3  choices by implicit-als, on all ratings",
            f"mf lists 2/3  choices by implicit-als, {without}",
            f"mf lists 3/3  stars by mf, {without}",
            "fitted mf",
        )
    ]
    assert at == sorted(at)
