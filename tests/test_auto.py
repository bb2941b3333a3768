"""The search over algorithms and settings: halving, blends, records and honest estimates."""

import json
from dataclasses import asdict
from itertools import islice

import numpy as np
import pytest

from matinee.algorithms import ALGORITHMS, MF, default_algorithm
from matinee.cli import run
from matinee.errors import BadSetting
from matinee.evaluation.evaluate import evaluate
from matinee.evaluation.list_check import relevant_from
from matinee.models import load
from matinee.sources.synthetic import checkerboard, uniform
from matinee.splitting import random
from matinee.tuning import auto as module
from matinee.tuning.auto import (
    EXCLUDED,
    SHARES,
    AutoTrial,
    SuccessiveHalving,
    algorithm_of,
    auto,
    ranked,
)

QUICK = {name: ALGORITHMS[name] for name in ("popularity", "bias", "ease")}


@pytest.fixture
def quick(monkeypatch):
    """A registry of three, and six candidates a bracket."""
    monkeypatch.setattr(module, "ALGORITHMS", QUICK)
    monkeypatch.setattr(module, "CANDIDATES", 6)
    return checkerboard(90, density=0.5)


def values_of(trials):
    return [(one.number, one.algorithm, one.settings, one.share, one.value) for one in trials]


def test_a_third_goes_on_to_the_next_rung(quick):
    search = SuccessiveHalving.of(quick, "ndcg@10", 0, relevant_from(quick))
    done = []
    for number, candidate, share in islice(search.proposals(done), 9):
        settings = candidate.non_default_settings
        done.append(AutoTrial(number, candidate.name, settings, share, number / 10, 0.0))
    assert [one.share for one in done] == [SHARES[0]] * 6 + [SHARES[1]] * 2 + [SHARES[2]]
    assert done[0].algorithm == default_algorithm(quick).name
    assert [one.algorithm for one in done[1:4]] == list(QUICK)
    assert [algorithm_of(one) for one in done[6:8]] == [algorithm_of(done[n]) for n in (5, 4)]
    assert algorithm_of(done[8]) == algorithm_of(done[7])


def test_a_search_begins_with_the_default_and_keeps_its_choices():
    stars = uniform(200, 50, 10)
    search = SuccessiveHalving.of(stars, "ndcg@10", 0, relevant_from(stars))
    (number, candidate, share), *_ = islice(search.proposals([]), 1)
    assert candidate == default_algorithm(stars) == MF(choice=candidate.choice)
    trial = search.trial(number, candidate, share)
    assert algorithm_of(AutoTrial(**json.loads(json.dumps(asdict(trial))))) == candidate


def test_failed_trials_are_last_and_lower_errors_first():
    values = [(1 / 3, 0.1), (1.0, 0.5), (1.0, 0.4), (1.0, None)]
    trials = [AutoTrial(n, "bias", {}, *value, 0.0) for n, value in enumerate(values)]
    assert [one.number for one in ranked(trials, higher=True)] == [1, 2, 0]
    assert [one.number for one in ranked(trials, higher=False)] == [2, 1, 0]


def test_the_estimate_is_of_the_winner_on_unseen_ratings(quick):
    found = auto(quick, trials=9, minutes=60)
    assert len(found.trials) == 9
    outer = random(quick, seed=0)
    model = found.algorithm.fit(outer.train)
    again = evaluate(model, outer.test, (), found.test.relevant_from, ["ndcg@10"])
    assert found.test.metrics == again.metrics
    assert found.model.data_fingerprint == quick.fingerprint
    assert "which the search never saw" in str(found)
    assert json.loads(json.dumps(found.to_dict()))["test"] == found.test.metrics["ndcg@10"]


def test_a_resumed_search_ends_as_one_without_a_break(quick, tmp_path):
    whole = auto(quick, trials=9, minutes=60)
    record = tmp_path / "runs.jsonl"
    auto(quick, trials=4, minutes=60, record=record)
    resumed = auto(quick, trials=9, minutes=60, record=record, resume=True)
    assert values_of(resumed.trials) == values_of(whole.trials)
    assert resumed.algorithm == whole.algorithm
    assert len(record.read_text().splitlines()) == 9


def test_an_interruption_ends_with_what_was_found(quick):
    def on_step(done, total, words):
        if done == 3:
            raise KeyboardInterrupt

    found = auto(quick, minutes=60, on_step=on_step)
    assert len(found.trials) == 3
    assert found.algorithm.name in {one.algorithm for one in found.trials} | {"blend"}


def test_errors_are_searched_among_those_that_predict_stars():
    ratings = uniform(60, 40, 10)
    search = SuccessiveHalving.of(ratings, "rmse", 0, relevant_from(ratings))
    assert {one.kind for one in search.candidates(0)} == {"rating"}
    assert not {one.name for one in search.candidates(0)} & {"ease", "popularity", *EXCLUDED}
    assert search.candidates(1) == search.candidates(1) != search.candidates(2)


def test_what_cannot_be_best_is_refused():
    ratings = uniform(60, 40, 10)
    with pytest.raises(BadSetting, match="no metric 'speed'"):
        auto(ratings, metric="speed")
    search = SuccessiveHalving.of(ratings, "ndcg@10", 0, 4.0)
    failed = [AutoTrial(0, "bias", {}, 1.0, None, 0.0, "Diverged: it did")]
    with pytest.raises(BadSetting, match="no trial of 1 could be measured: Diverged: it did"):
        search.winner(failed)
    assert np.isfinite(search.value(ALGORITHMS["bias"](), 1.0))


@pytest.mark.parametrize(
    "options, message",
    [
        (["--set", "reg=1"], "leave out --set"),
        (["--validation-share", "0.1"], "leave out --validation-share"),
        (["--engine", "spark"], "leave out --engine"),
    ],
)
def test_a_search_takes_no_options_of_one_fit(options, message, capsys):
    how = ["fit", "sample", "--algorithm", "auto", "--out", "model"]
    assert run([*how, *options]) == 2
    assert message in capsys.readouterr().err


def test_fit_searches_and_keeps_the_winner(quick, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    users, items = quick.users.ids[quick.user], quick.items.ids[quick.item]
    rows = zip(users, items, quick.rating.tolist(), strict=True)
    text = "".join(f"{user},{item},{rating}\n" for user, item, rating in rows)
    (tmp_path / "ratings.csv").write_text(f"user_id,item_id,rating\n{text}")
    how = ["fit", "ratings.csv", "-a", "auto", "--minutes", "1e-9", "--no-check"]
    assert run([*how, "--out", "model", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "test ndcg@10, measured once" in err
    assert load("model").algorithm == json.loads(out)["algorithm"]
    assert len((tmp_path / "matinee-runs.jsonl").read_text().splitlines()) == 1
