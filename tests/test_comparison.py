"""Comparisons: what stands in the table, what is marked, what is kept, and how sure it is."""

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import matinee
from matinee import splitting
from matinee.algorithms import ALGORITHMS, MF, Algorithm, Bias
from matinee.data.catalog import Catalog, Item
from matinee.errors import BadRatings, BadSetting, MatineeError
from matinee.evaluation import compare as comparison
from matinee.evaluation.bootstrap import resample, tied
from matinee.evaluation.compare import compare
from matinee.evaluation.evaluate import evaluate
from matinee.evaluation.results import UserScores
from matinee.evaluation.run_log import Record, Series, key_of
from matinee.kernels.resampling import interval
from matinee.sources.synthetic import planted
from matinee.storage.serialization import learned_arrays

QUICK = MF(n_factors=3, n_epochs=4)


@pytest.fixture(scope="module")
def ratings():
    return planted(120, 60, 3, density=0.3, noise=0.3, seed=1)


@dataclass(frozen=True, kw_only=True)
class Failing(Algorithm):
    """It cannot be fitted."""

    name: ClassVar[str] = "failing"

    def fit(self, train, validation=None, on_epoch=None):
        raise ZeroDivisionError("nothing to divide by")


@dataclass(frozen=True, kw_only=True)
class Interrupting(Algorithm):
    """Somebody presses Ctrl-C while it is fitted."""

    name: ClassVar[str] = "interrupting"

    def fit(self, train, validation=None, on_epoch=None):
        raise KeyboardInterrupt


# The bootstrap.


def scores_of(values, weights=None, roots=()):
    values = np.array(values, float)
    weights = np.ones(len(values)) if weights is None else np.array(weights, float)
    return UserScores({"it": values}, {"it": weights}, frozenset(roots))


def test_an_interval_is_that_of_the_mean():
    values = np.random.default_rng(0).normal(3, 2, 400)
    low, high = interval(resample(scores_of(values))["it"])
    error = 1.96 * values.std() / 400**0.5
    assert low == pytest.approx(values.mean() - error, abs=0.25 * error)
    assert high == pytest.approx(values.mean() + error, abs=0.25 * error)


def test_resampling_draws_users_and_not_ratings():
    # One user has a hundred ratings with error 2, another one rating without: 0, 2 or the mix.
    found = resample(scores_of([400, 0], [100, 1], roots=["it"]), draws=100)["it"]
    assert set(np.round(found, 4)) == {0, 2, round((400 / 101) ** 0.5, 4)}


def test_equal_users_leave_no_doubt():
    assert interval(resample(scores_of([0.5] * 20))["it"]) == (0.5, 0.5)


def test_a_paired_difference_can_be_sure_where_intervals_overlap():
    one = np.random.default_rng(0).normal(0, 1, 200)
    better = one + 0.05  # always a little
    a, b = (resample(scores_of(values))["it"] for values in (one, better))
    assert interval(a)[1] > interval(b)[0]
    assert not tied(a, b)
    assert tied(a, resample(scores_of(one[::-1]))["it"])


def test_resamples_depend_on_the_seed_alone(monkeypatch):
    scores = scores_of(np.arange(50.0))
    expected = resample(scores, draws=20)["it"]
    monkeypatch.setattr("matinee.kernels.resampling.BLOCK_COUNTS", 51)
    assert resample(scores, draws=20)["it"].tolist() == expected.tolist()
    assert resample(scores, draws=20, seed=1)["it"].tolist() != expected.tolist()


# The table.


@pytest.fixture(scope="module")
def compared(ratings):
    return compare([QUICK, "mf", "bias"], ratings, ns=(5,), metrics=("rmse", "ndcg", "coverage"))


def test_baselines_stand_in_every_table(compared, ratings):
    table = compared.table
    assert list(table.algorithm) == ["popularity", "bias", "mf n_factors=3 n_epochs=4", "mf"]
    assert list(table.columns)[1:4] == ["rmse", "ndcg@5", "coverage@5"]
    assert table.rmse[0] is None  # popularity has no stars
    assert all(seconds > 0 for seconds in table.fit_seconds)
    biases, average = (120 + 60) * 4, 4
    calibration = (4 + 99 + 1 + 1) * 8  # of intervals: see confidence.py
    part = Bias().fit(splitting.random(ratings).train).choice.model
    choice = sum(one.nbytes for one in learned_arrays(part).values())
    assert table.model_mb[1] == pytest.approx((biases + average + calibration + choice) / 1e6)


def test_values_are_those_of_evaluate(compared, ratings):
    split = splitting.random(ratings)
    expected = evaluate(QUICK.fit(split.train), split.test, (5,)).metrics
    entry = compared.entries[2]
    assert entry.metrics == {name: expected[name] for name in ("rmse", "ndcg@5", "coverage@5")}
    low, high = entry.intervals["rmse"]
    assert low < entry.metrics["rmse"] < high
    assert "coverage@5" not in entry.intervals


def test_the_best_is_marked_and_so_is_what_may_be_as_good(compared):
    marks = {
        name: [compared.mark(one, name) for one in compared.entries] for name in compared.names
    }
    assert marks["rmse"][0] == ""
    assert marks["rmse"].count("best") == 1
    assert compared.best("rmse").metrics["rmse"] == min(compared.table.rmse[1:])
    best = max(one.metrics["ndcg@5"] for one in compared.entries)
    assert compared.best("ndcg@5").metrics["ndcg@5"] == best


def test_the_same_twice_is_tied(ratings):
    twins = [
        MF(n_factors=3, n_epochs=4, implicit_weight=0, implicit_reg=unused) for unused in (1, 2)
    ]
    found = compare(twins, ratings, metrics=["rmse"])
    assert sorted(found.mark(one, "rmse") for one in found.entries) == ["", "", "best", "tied"]


def test_a_comparison_prints_and_is_plain_data(compared):
    text = str(compared)
    assert text.splitlines()[0].split()[:2] == ["rmse", "ndcg@5"]
    assert "★" in text
    assert "20 % of all ratings at random (seed 0)" in text
    plain = json.loads(json.dumps(compared.to_dict()))
    assert plain["origin"]["seed"] == 0
    rmse = plain["algorithms"][1]["metrics"]["rmse"]
    assert rmse["low"] < rmse["value"] < rmse["high"]
    assert "resampled" not in plain["algorithms"][0]
    html = compared._repr_html_()
    assert html.count("<tr>") == 5
    assert html.count("<b>") == 3  # one for each metric


def test_on_likes_alone_the_usual_metrics_are_of_lists_and_it_says_why(ratings):
    """Errors of what was liked alone would stand beside those of other splits."""
    split = matinee.splitting.liked(ratings)
    why = "Errors of predicted stars are left out"
    of_lists = compare([], split)
    assert "rmse" not in of_lists.names
    assert "ndcg@10" in of_lists.names
    assert why in str(of_lists)
    assert why not in str(compare([], ratings))
    asked = compare([], split, metrics=["rmse", "ndcg"])
    assert asked.names == ["rmse", "ndcg@10"]
    assert why not in str(asked)


def test_all_registered_algorithms_where_none_is_named():
    assert [one.name for one in comparison.choose(None)] == list(ALGORITHMS)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_says_beforehand_what_its_scores_are(name):
    model = comparison.tried(ALGORITHMS[name]())
    assert model is not None
    assert model.kind == ALGORITHMS[name]().kind


def test_given_splits_are_used(ratings):
    split = splitting.leave_last(ratings, 2)
    found = compare([], split, metrics=["ndcg"], ns=(3,))
    assert found.split == split.description
    assert found.origin["split"] == "leave-last"
    assert len(found.entries) == 2


def test_steps_are_told_with_the_time_left(ratings):
    heard = []
    compare([QUICK], ratings, metrics=["rmse"], on_step=lambda *step: heard.append(step))
    assert [step[:2] for step in heard] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert heard[0][2] == "popularity"
    assert "left" in heard[1][2]
    assert heard[3][2] == "done"


# What goes wrong.


def test_a_failure_is_an_entry_and_the_others_go_on(ratings):
    found = compare([Failing(), QUICK], ratings, metrics=["rmse"])
    assert found.entries[2].failed == "ZeroDivisionError: nothing to divide by"
    assert "rmse" in found.entries[3].metrics
    assert "failing failed: ZeroDivisionError" in str(found)


def test_an_interrupted_comparison_keeps_what_it_has(ratings, tmp_path):
    record = tmp_path / "runs.jsonl"
    found = compare([Interrupting(), QUICK], ratings, metrics=["rmse"], record=record)
    assert [one.name for one in found.entries] == ["popularity", "bias"]
    assert found.unfinished == ("interrupting", "mf n_factors=3 n_epochs=4")
    assert "interrupted before: interrupting" in str(found)
    assert len(list(Record(record).runs())) == 2


def test_a_recorded_comparison_is_taken_up_again(ratings, tmp_path, monkeypatch):
    record = tmp_path / "runs.jsonl"
    first = compare([QUICK], ratings, metrics=["rmse"], record=record)
    monkeypatch.setattr(comparison, "_run", lambda *_: pytest.fail("run again"))
    again = compare([QUICK], ratings, metrics=["rmse"], record=record, resume=True)
    assert again.table == first.table
    assert [again.mark(one, "rmse") for one in again.entries] == [
        first.mark(one, "rmse") for one in first.entries
    ]


def test_other_data_or_metrics_are_run_anew(ratings, tmp_path):
    record = tmp_path / "runs.jsonl"
    compare([], ratings, metrics=["rmse"], record=record)
    compare([], ratings, metrics=["mae"], record=record, resume=True)
    compare([], ratings, metrics=["rmse"], seed=1, record=record, resume=True)
    assert len(list(Record(record).runs())) == 6


@pytest.mark.parametrize(
    "wrong, error, words",
    [
        ({"algorithms": ["nfm"]}, BadSetting, "no algorithm 'nfm'; did you mean 'nmf'"),
        ({"metrics": ["rsme"]}, BadSetting, "no metric 'rsme'"),
        ({"ns": (61,)}, BadSetting, "61; with 60 items it must be"),
        ({"relevant_from": 99}, BadRatings, "no test rating is 99 or more"),
        ({"metrics": ["diversity"]}, BadSetting, "diversity@10 needs the genres"),
        ({"record": "no/such/folder/runs.jsonl"}, MatineeError, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_work(ratings, wrong, error, words, monkeypatch):
    monkeypatch.setattr(comparison, "_run", lambda *_: pytest.fail("work was done"))
    with pytest.raises(error, match=words):
        compare(wrong.pop("algorithms", []), ratings, **wrong)


def test_genres_come_from_the_catalog(ratings):
    genres = {str(i): Item(str(i), genres=("ab"[i % 2],)) for i in range(60)}
    found = compare([], ratings.with_catalog(Catalog(genres)), metrics=["diversity"])
    assert all(0 <= one.metrics["diversity@10"] <= 1 for one in found.entries)


# Records.


def test_a_record_is_a_json_object_a_line(tmp_path):
    record = Record.at(tmp_path / "runs.jsonl")
    first, second = (Series(record, "test", key) for key in "ab")
    first.append(value=1)
    second.append(value=2)
    lines = record.path.read_text().splitlines()
    assert [json.loads(line)["value"] for line in lines] == [1, 2]
    (run,) = second.past()
    assert run["value"] == 2
    assert Series(record, "other", "b").past() == []
    assert Series(Record.at(record.path, resume=False), "test", "b").past() == []


def test_a_line_cut_short_is_passed_over(tmp_path):
    record = Record.at(tmp_path / "runs.jsonl")
    record.append({"what": "test", "key": "a"})
    with record.path.open("a") as file:
        file.write('{"what": "te')
    assert len(list(record.runs())) == 1
    record.append({"what": "test", "key": "b"})
    assert [run["key"] for run in record.runs()] == ["a", "b"]


def test_keys_are_equal_for_equal_facts():
    assert key_of({"a": 1, "b": 2}, "x") == key_of({"b": 2, "a": 1}, "x")
    assert key_of({"a": 1}) != key_of({"a": 2})


def test_it_is_public():
    assert matinee.compare is compare
