"""The quality of one model: right values, sound intervals, and never figures of other data."""

import json
from collections import Counter

import numpy as np
import pytest

import matinee
from matinee.cli import run
from matinee.evaluation.metrics.intervals import IntervalTest
from matinee.evaluation.model_quality import ModelQuality, calibration, measure_quality
from matinee.evaluation.popular_lists import LIST_LENGTH, list_pairs
from matinee.evaluation.recorded import latest_of, recorded_comparisons
from matinee.evaluation.run_log import Record
from matinee.sources.synthetic import checkerboard


@pytest.fixture(scope="module")
def ratings():
    return checkerboard(60)


@pytest.fixture(scope="module")
def model(ratings):
    return matinee.NMF(n_factors=2, n_epochs=20).fit(ratings)


@pytest.fixture(scope="module")
def quality(model, ratings):
    return measure_quality(model, ratings)


def test_the_figures_are_those_of_the_same_algorithm_without_the_held_out_fifth(quality, ratings):
    split = matinee.splitting.random(ratings)
    fitted = matinee.NMF(n_factors=2, n_epochs=20).fit(split.train)
    direct = matinee.evaluate(fitted, split.test)
    assert {row["metric"]: row["value"] for row in quality.metrics} == direct.metrics
    popular = matinee.evaluate(matinee.Popularity().fit(split.train), split.test).metrics
    for row in quality.metrics:
        assert row["popularity"] == popular.get(row["metric"])
    for rows, expected in (
        (quality.by_activity, direct.by_activity),
        (quality.by_popularity, direct.by_popularity),
    ):
        assert [{**row, "intervals": None} for row in rows] == [
            {**row, "intervals": None} for row in expected
        ]


def test_intervals_hold_their_values(quality):
    for row in quality.metrics:
        if row["interval"] is not None:
            low, high = row["interval"]
            assert low <= row["value"] <= high
    for row in [*quality.by_activity, *quality.by_popularity]:
        for name, (low, high) in row["intervals"].items():
            assert low <= row[name] <= high


def test_the_interval_of_a_group_of_everybody_is_that_of_all():
    """Where all users have equally many ratings there is one group, and its interval is known."""
    users, items = np.divmod(np.arange(30 * 20), 20)
    stars = np.random.default_rng(0).integers(1, 6, len(users))
    ratings = matinee.read_ratings((users, items, stars))
    split = matinee.splitting.per_user(ratings)
    from matinee.evaluation.bootstrap import resample
    from matinee.evaluation.evaluate import evaluate_fitted
    from matinee.evaluation.protocol import Plan
    from matinee.kernels.resampling import interval

    plan = Plan.of(split, (), None, ["rmse"], matinee.Bias())
    from dataclasses import replace

    fitted = matinee.Bias().fit(split.train)
    result = evaluate_fitted(
        fitted, matinee.Bias(), split, replace(plan, group_intervals=True), 0.0
    )
    (group,) = result.by_activity
    assert group["intervals"]["rmse"] == pytest.approx(
        interval(resample(result.per_user)["rmse"]), rel=1e-12
    )


def test_a_model_that_knows_the_pattern_is_better_and_one_that_knows_nothing_is_not(quality):
    assert quality.verdict == "better"
    assert quality.judgement.startswith("Its lists are better than those of popularity")
    rows = [dict(row) for row in quality.metrics]
    (ranking,) = [row for row in rows if row["metric"] == "ndcg@10"]
    for difference, verdict in (((-0.2, -0.1), "worse"), ((-0.1, 0.1), "tied")):
        ranking["difference"] = difference
        other = ModelQuality(**{**quality.to_dict(), "metrics": rows})
        assert other.verdict == verdict
    assert (
        "ranks worse than popularity"
        in ModelQuality(
            **{**quality.to_dict(), "metrics": [{**ranking, "difference": (-0.2, -0.1)}]}
        ).judgement
    )


def test_figures_are_headed_by_the_algorithm_in_short_and_say_of_what_they_are(quality):
    heading, *lines = str(quality).split("\n")
    assert heading == "nmf n_factors=2 n_epochs=20"
    assert "on a fifth of all ratings, NDCG@10 is" in quality.judgement
    assert any("Tested on 20 % of all ratings at random" in line for line in lines)
    older = {name: one for name, one in quality.to_dict().items() if name != "label"}
    assert str(ModelQuality(**older)).startswith("NMF("), "as it was saved before"


def test_popularity_is_tied_with_itself(ratings):
    assert measure_quality(matinee.Popularity().fit(ratings)).verdict == "tied"


def test_calibration_counts_what_is_inside():
    actual = np.array([1.0, 2.0, 3.0, 4.0])
    inside_three = (np.zeros(4), np.array([3.0, 3.0, 3.0, 3.0]))
    everything = (np.zeros(4), np.full(4, 5.0))
    test = IntervalTest(actual, {0.5: inside_three, 0.9: everything}, np.array([0, 0, 1, 1]))
    half, most = calibration(test)
    assert (half["level"], half["share"]) == (0.5, 0.75)
    assert half["interval"] == [0.5, 1.0], "one user has half of theirs inside, the other all"
    assert (most["level"], most["share"], most["interval"]) == (0.9, 1.0, [1.0, 1.0])


def test_it_is_saved_with_the_model_and_gone_after_other_data(quality, model, tmp_path):
    saved = matinee.load(quality.saved_with(model).save(tmp_path / "model"))
    assert ModelQuality.of_facts(saved).to_dict() == json.loads(json.dumps(quality.to_dict()))
    assert ModelQuality.of_facts(model) is None
    other = matinee.NMF(n_factors=2, n_epochs=2).fit(checkerboard(40))
    assert ModelQuality.of_facts(quality.saved_with(other)) is None, "figures of other data"


def test_the_command_saves_what_it_prints(model, tmp_path, capsys):
    place = model.save(tmp_path / "model")
    assert run(["measure", str(place), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert ModelQuality.of_facts(matinee.load(place)).to_dict() == printed
    assert run(["measure", str(place)]) == 0
    assert "Its lists are better than those of popularity" in capsys.readouterr().out


def test_the_command_measures_tastes_too_where_it_is_asked_to(model, tmp_path, capsys):
    place = model.save(tmp_path / "model")
    assert run(["measure", str(place), "--samples"]) != 0
    assert "--stability 5" in capsys.readouterr().err
    assert run(["measure", str(place), "--stability", "2", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    saved = matinee.load(place)
    tastes = [(one.name, one.stability) for one in saved.tastes()]
    assert [(one["name"], one["stability"]) for one in printed.pop("tastes")] == tastes
    assert all(0 <= stability <= 1 for _, stability in tastes)
    assert (
        matinee.taste_stability(model, n_refits=2).tastes().to_dicts() == saved.tastes().to_dicts()
    )
    assert ModelQuality.of_facts(saved).to_dict() == printed
    assert run(["measure", str(place), "--stability", "2"]) == 0
    found = sum(stability >= 0.5 for _, stability in tastes)
    assert f"2 refits found {found} of {len(tastes)} tastes again" in capsys.readouterr().out


# Lists.


def test_lists_of_popularity_are_the_most_rated_that_the_user_has_not(ratings):
    model = matinee.Popularity().fit(ratings)
    counts = Counter(ratings.items.ids[ratings.item].tolist())
    for pair in list_pairs(model, [0, 7]):
        rated = set(ratings.history(pair.user_id))
        assert pair.n_rated == len(rated)
        assert not rated & set(pair.popular)
        left = sorted((counts[one] for one in counts if one not in rated), reverse=True)
        assert [counts[one] for one in pair.popular] == left[:LIST_LENGTH]
        assert pair.shared == len(set(pair.items) & set(pair.popular))


# Records of other data.


def test_a_comparison_is_own_by_the_fingerprint_of_its_data_alone(ratings, tmp_path):
    others = checkerboard(40)
    record = tmp_path / "runs.jsonl"
    for data in (ratings, others):
        matinee.compare(["bias"], data, metrics=["rmse"], record=record)
    comparisons = recorded_comparisons(Record.of(record))
    assert [one.data_fingerprint for one in comparisons] == [
        ratings.fingerprint,
        others.fingerprint,
    ]
    assert latest_of(comparisons, ratings.fingerprint) is comparisons[0]
    assert latest_of(comparisons, checkerboard(30).fingerprint) is None
    split = matinee.splitting.random(ratings)
    assert comparisons[0].is_of(split.train.fingerprint), "a model of the training part"
    assert not comparisons[0].is_of(split.test.fingerprint)
