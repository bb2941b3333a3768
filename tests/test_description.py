"""What is said about ratings, against numbers known by eye or published."""

import json

import numpy as np
import pytest

import matinee
from matinee.data.describe import ranges_in_words
from matinee.data.ratings import Ratings
from matinee.display.text import bar, figure


def test_known_by_eye() -> None:
    users = ["a", "a", "a", "b", "b", "c"]
    items = ["x", "y", "z", "x", "y", "x"]
    times = [86_400, 0, 2 * 86_400, 86_400, 86_400, 86_400]
    told = matinee.read_ratings((users, items, [5, 4, 4, 3, 4, 1], times)).describe()
    assert (told.n_users, told.n_items, told.n_ratings) == (3, 3, 6)
    assert told.sparsity == pytest.approx(1 / 3)
    assert told.mean == pytest.approx(3.5)
    assert told.distribution == {1.0: 1, 3.0: 1, 4.0: 3, 5.0: 1}
    assert told.per_user == (1, 1.5, 2, 2.5, 2.98, 3)
    assert (told.first_time, told.last_time, told.n_without_time) == (86_400, 172_800, 1)
    text = str(told)
    assert "time         1970-01-02 to 1970-01-03, 1 unknown" in text
    assert "sparsity     33.33 % of the cells are empty" in text
    assert "4  3   50.0 %  " + "█" * 40 in text
    assert "1  1   16.7 %  " + "█" * 13 + "▍" in text


def test_no_times_and_plain_values() -> None:
    told = matinee.checkerboard(4, density=1.0).describe()
    assert told.first_time is None
    assert "time         unknown" in str(told)
    plain = json.loads(json.dumps(told.to_dict()))
    assert plain["distribution"] == {"1": 8, "5": 8}
    assert plain["per_user"]["max"] == 4
    assert plain["fingerprint"] == told.fingerprint


def test_only_what_is_rated_counts() -> None:
    whole = matinee.uniform(10, 100, 5, seed=0)
    part = whole.subset(whole.user < 4).describe()
    assert (part.n_users, part.per_user.min, part.per_item.min) == (4, 5, 1)


def test_many_values_are_grouped() -> None:
    told = matinee.planted(50, 40, 2).describe()
    assert len(told.distribution) > 20
    assert len(told.grouped()) == 10
    assert sum(told.grouped().values()) == told.n_ratings


@pytest.mark.parametrize("lowest", [0, 1])
def test_counts_are_grouped_by_their_size(lowest: int) -> None:
    """As many from 1 to 10 as from 1,000 to 10,000: bars of about one length."""
    counts = np.r_[lowest, np.round(np.geomspace(1, 100_000, 2_000))]
    told = matinee.read_ratings((np.arange(len(counts)), ["i"] * len(counts), counts)).describe()
    assert told.signal.kind == "counts"
    groups = told.grouped()
    assert len(groups) == 10
    assert sum(groups.values()) == told.n_ratings
    assert max(groups.values()) < 1.5 * min(groups.values())
    assert next(iter(groups)) == f"{lowest}–2"
    assert list(groups)[-1] == "31,623–100,000"


@pytest.mark.parametrize(
    ("edges", "whole", "called"),
    [
        ([1, 2, 4, 8, 2130], True, ["1", "2–3", "4–7", "8–2,130"]),
        ([1, 10.9, 20.8, 30], True, ["1–10", "11–20", "21–30"]),
        ([0, 1, 2], False, ["0–1", "1–2"]),
        ([0.5, 1.25, 2130.4, 1.5e6], False, ["0.5–1.25", "1.25–2,130", "2,130–1,500,000"]),
        ([-10, -5, 10], True, ["-10 to -6", "-5 to 10"]),
    ],
)
def test_ranges_are_said_without_exponents_and_whole_ones_do_not_overlap(edges, whole, called):
    assert ranges_in_words(np.array(edges, float), whole) == called


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.5, "0.5"),
        (1e6, "1,000,000"),
        (2130.0, "2,130"),
        (0, "0"),
        (-9.95, "-9.95"),
        (1e-7, "0.0000001"),
    ],
)
def test_figures_have_no_exponent(value, said):
    assert figure(value) == said


def test_one_rating() -> None:
    told = matinee.read_ratings((["u"], ["i"], [4.1])).describe()
    assert (told.sparsity, told.distribution) == (0, {4.1: 1})
    assert "4.1  1  100.0 %" in str(told)


@pytest.mark.parametrize("share, drawn", [(0, ""), (1, "█" * 40), (0.5, "█" * 20), (1 / 320, "▏")])
def test_bars(share: float, drawn: str) -> None:
    assert bar(share) == drawn


def test_ml_1m(ratings_1m: Ratings) -> None:
    told = ratings_1m.describe()
    assert list(told.distribution.values()) == [56174, 107557, 261197, 348971, 226310]
    assert f"{told.sparsity:.2%}" == "95.53%"
    assert (told.per_user.min, told.per_user.max) == (20, 2314)  # at least 20, says its README
    assert told.n_without_time == np.count_nonzero(ratings_1m.timestamp == 0)
