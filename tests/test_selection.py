"""Choosing settings and sizes: rules by hand, planted ranks found, nothing leaks or is lost."""

import json
import sys
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
import pytest

import matinee
from matinee import splitting
from matinee.algorithms import (
    ALGORITHMS,
    EASE,
    MF,
    NMF,
    Algorithm,
    Bias,
    Hybrid,
    Popularity,
    SlopeOne,
    TruncatedSVD,
)
from matinee.algorithms.hyperparameters import hyperparameter_of, setting
from matinee.algorithms.search_space import Choice, Real, Space, Whole
from matinee.errors import BadSetting, MatineeError
from matinee.evaluation.evaluate import fit_and_evaluate
from matinee.evaluation.run_log import Record
from matinee.sources.synthetic import planted
from matinee.tuning import k_curve as k_curve_module
from matinee.tuning import tune as tuning
from matinee.tuning.k_curve import k_curve
from matinee.tuning.rules import RULES, elbow, minimum, one_standard_error
from matinee.tuning.search import Grid, Pruning, RandomSearch, Trial
from matinee.tuning.spectrum import hints, scaled, shuffle
from matinee.tuning.stability import agreement
from matinee.tuning.tune import tune
from test_contract import ratings_of

# Settings under which the factors of ``planted`` can be found exactly.
FREE = MF(n_epochs=20, reg=0.05, bias_reg=0.05, implicit_weight=0)
SMALL: Space = {"n_factors": Whole(1, 6), "reg": Real(0.02, 2, log=True)}


@pytest.fixture(scope="module")
def ratings():
    return planted(120, 60, 3, density=0.3, noise=0.3, seed=1)


@pytest.fixture(scope="module")
def tuned(ratings):
    return tune(MF(n_epochs=5), ratings, space=SMALL, budget=8)


@dataclass(frozen=True, kw_only=True)
class Fragile(Algorithm):
    """It fails for some settings."""

    name: ClassVar[str] = "fragile"
    damping: float = setting(5.0, "how much it takes", above=0, search=Real(1, 9))

    def fit(self, train, validation=None, on_epoch=None):
        if self.damping != 5:
            raise OverflowError("too much of it")
        return Bias(user_damping=self.damping).fit(train)


# Dimensions of a space.


@pytest.mark.parametrize(
    "dimension", [Real(-1, 3), Real(0.01, 10, log=True), Whole(2, 9), Whole(1, 200, log=True)]
)
def test_draws_lie_in_the_range_and_fill_it(dimension):
    rng = np.random.default_rng(0)
    drawn = [dimension.draw(rng) for _ in range(400)]
    low, high = dimension.ends()
    assert low <= min(drawn) < max(drawn) <= high
    assert {dimension.edge(value) for value in drawn} == {"lower", None, "upper"}


def test_a_range_by_factors_is_even_in_factors():
    assert Real(0.01, 100, log=True).grid(5) == [0.01, 0.1, 1, 10, 100]
    assert Whole(1, 8, log=True).grid(4) == [1, 2, 4, 8]
    assert Real(0, 1).grid(3) == [0, 0.5, 1]
    assert Choice("a", "b").grid(9) == ["a", "b"]
    assert Choice("a", "b").edge("a") is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Real(2, 1),
        lambda: Real(0, 1, log=True),
        lambda: Real(0, float("inf")),
        lambda: Whole(1, 2.5),
        lambda: Whole(3, 3),
        lambda: Choice(),
        lambda: Choice(1, 1),
    ],
)
def test_impossible_dimensions_are_refused(make):
    with pytest.raises(BadSetting):
        make()


def test_every_stated_space_fits_its_algorithm():
    """And those without one are few, and known."""
    for kind in ALGORITHMS.values():
        if kind.space:
            assert tuning.checked_space(kind(), None) == dict(kind.space)
            usual = kind().settings
            learned = {one.name for one in fields(kind) if hyperparameter_of(one).learned}
            assert all(usual[name] is not None for name in kind.space if name not in learned)
    assert {name for name, kind in ALGORITHMS.items() if not kind.space} <= WITHOUT_SPACE


@pytest.mark.parametrize("kind", ALGORITHMS.values(), ids=ALGORITHMS)
def test_every_setting_states_its_meaning_and_help_shows_it(kind):
    for one in fields(kind):
        stated = hyperparameter_of(one)
        assert stated.meaning
        line = f"    {one.name} (default {stated.default_in_words}): {stated.meaning}"
        assert line in kind.__doc__


def test_defaults_that_follow_are_shown_with_their_condition():
    by_name = {one.name: hyperparameter_of(one) for one in fields(MF)}
    assert by_name["n_epochs"].default_in_words == "12 (30 with solver=sgd)"
    assert MF(solver="sgd").n_epochs == 30
    assert MF(reg=3).item_reg == 3


# Searches.


def test_a_grid_takes_as_many_points_as_the_budget_allows():
    space = {"n_factors": Whole(1, 9), "solver": Choice("als", "sgd")}
    points = Grid.of(space, 7, 0, False).points
    assert points == [{"n_factors": n, "solver": s} for n in (1, 5, 9) for s in ("als", "sgd")]
    with pytest.raises(BadSetting, match="at least 4 points, more than the 3 trials left"):
        Grid.of(space, 3, 0, False)


def test_a_grid_of_names_alone_ends():
    assert len(Grid.of({"solver": Choice("als", "sgd")}, 50, 0, False).points) == 2


def test_random_search_depends_on_seed_and_number_and_does_not_repeat():
    space = {"n_factors": Whole(1, 3)}
    search = RandomSearch.of(space, 9, seed=4, higher=False)
    assert search.propose(5) == search.propose(5)
    found = []
    for number in range(1, 9):
        settings = search.propose(number)
        if settings is None:
            break
        found.append(settings["n_factors"])
        search.learn(Trial(number, settings, "done", 1.0))
    assert sorted(found) == [1, 2, 3]


def test_what_is_worse_than_half_is_given_up():
    pruning = Pruning()
    for number, last in enumerate([3, 2, 7, 4]):
        pruning.learn(Trial(number, {}, "done", last, (9, 8, 8, 8, last)))
    assert not pruning.hopeless(1, 99)  # too early to say
    assert not pruning.hopeless(4, 99)
    assert pruning.hopeless(5, 3.6)  # the median is 3.5
    assert not pruning.hopeless(1, 5)
    assert not pruning.hopeless(5, 3.4)
    assert not pruning.hopeless(6, 3.6)  # it was better before


# Tuning.


def test_the_winner_is_the_best_of_the_trials(tuned):
    values = [trial.value for trial in tuned.trials if trial.state == "done"]
    assert tuned.best.value == min(values)
    assert tuned.trials[0].settings == {"n_factors": 50, "reg": None}  # learned
    assert tuned.best.value < tuned.usual.value
    for name, value in tuned.best.settings.items():
        assert tuned.algorithm.settings[name] == value


def test_the_winner_is_measured_on_the_test_part_once(tuned, ratings):
    split = splitting.random(ratings)
    expected = fit_and_evaluate(tuned.algorithm, split, (), metrics=["rmse"])
    assert tuned.test.metrics == expected.metrics
    low, high = tuned.test_interval
    assert low < tuned.test.metrics["rmse"] < high
    assert tuned.test.origin["split"] == "random"


def test_the_test_part_is_never_seen(ratings, monkeypatch):
    """Other test ratings of the same pairs change nothing but the last figure."""
    split = splitting.random(ratings)
    from dataclasses import replace

    other = replace(split.test, rating=split.test.rating[::-1].copy())
    changed = splitting.Split(split.train, other, split.description)
    one, two = (tune(MF(n_epochs=4), of, space=SMALL, budget=4) for of in (split, changed))
    assert [t.value for t in one.trials] == [t.value for t in two.trials]
    assert one.algorithm == two.algorithm
    assert one.test.metrics != two.test.metrics


def test_settings_that_are_given_stay_as_they_are(tuned):
    assert tuned.algorithm.n_epochs <= 5
    base = MF(solver="sgd", n_factors=7)
    assert base.non_default_settings == {"solver": "sgd", "n_factors": 7}
    assert MF(reg=2).non_default_settings == {"reg": 2}
    assert set(tuning.checked_space(base, None)) == {"reg", "bias_reg"}  # of those it can take
    assert base.with_settings({"reg": 0.5}).user_reg == 0.5


def test_a_best_setting_outside_the_range_is_no_end_of_it():
    note = tuning._edge_note("n_factors", Whole(4, 10), 30)
    assert note == ("n_factors is best as it was, 30, outside the range searched, 4..10: widen it")
    assert tuning._edge_note("n_factors", Whole(4, 10), 7) is None


def test_an_optimum_at_the_edge_is_reported(ratings):
    space = {"n_factors": Choice(3), "reg": Real(1.15, 3000, log=True)}
    found = tune(MF(n_epochs=4, reg=1.15), ratings, space=space, budget=4)
    assert found.edges == ("reg is best at the lower end of its range, 1.15: widen it",)


def test_lists_can_be_tuned_for(ratings):
    found = tune(EASE, ratings, metric="ndcg@5", budget=4, relevant_from=3)
    assert found.higher_is_better
    assert found.best.value == max(trial.value for trial in found.trials)
    assert "ndcg@5" in found.test.metrics


def test_epochs_that_are_not_its_own_setting_stay_as_they_are():
    """A hybrid stops at the best epoch of its base, and has no number of epochs to set."""
    found = tune(Hybrid(of=MF(n_factors=4, n_epochs=6)), ratings_of(), budget=3)
    assert found.best.best_epoch is not None
    assert found.algorithm.base == MF(n_factors=4, n_epochs=6)


@pytest.mark.parametrize("folds", [1, 2])
def test_a_trial_that_searches_epochs_is_of_exactly_its_settings(ratings, folds):
    """Its figure is that of a fit of so many epochs, also of those beyond the best one."""
    base = MF(n_factors=8, reg=0.01, bias_reg=0.01, choice=None)
    found = tune(base, ratings, space={"n_epochs": [2, 25]}, method="grid", folds=folds)
    inner = tuning._validation_splits(splitting.random(ratings).train, folds, seed=0)
    for trial in found.trials[1:]:
        fits = [
            fit_and_evaluate(base.with_settings(trial.settings), split, (), metrics=["rmse"])
            for split in inner
        ]
        assert trial.value == pytest.approx(np.mean([one.metrics["rmse"] for one in fits]))
        assert trial.best_epoch is None
    few, many = (trial.value for trial in found.trials[1:])
    assert few < many, "the longer fit is past its best epoch, so stopping would have shown"
    assert found.algorithm == base.with_settings(found.best.settings)


def test_a_trial_that_fails_is_kept_and_the_search_goes_on(ratings):
    found = tune(Fragile(), ratings, budget=4)
    assert [trial.state for trial in found.trials] == ["done", "failed", "failed", "failed"]
    assert found.trials[1].reason == "OverflowError: too much of it"
    assert found.best is found.usual
    assert "3 failed" in str(found)


def test_the_same_seed_gives_the_same_search(tuned, ratings):
    again = tune(MF(n_epochs=5), ratings, space=SMALL, budget=8)
    assert [(t.settings, t.value) for t in again.trials] == [
        (t.settings, t.value) for t in tuned.trials
    ]


def test_a_search_is_recorded_and_taken_up_again(ratings, tmp_path, monkeypatch):
    record = tmp_path / "runs.jsonl"
    settings = {"space": SMALL, "record": record, "budget": 3}
    first = tune(MF(n_epochs=4), ratings, **settings)
    runs = list(Record(record).runs())
    assert [run["trial"]["number"] for run in runs] == [0, 1, 2]
    fits = []
    whole = tuning._Run.trial
    monkeypatch.setattr(tuning._Run, "trial", lambda run, n, s: fits.append(n) or whole(run, n, s))
    again = tune(MF(n_epochs=4), ratings, **(settings | {"budget": 5}), resume=True)
    assert fits == [3, 4]
    assert [t.value for t in again.trials[:3]] == [t.value for t in first.trials]


def test_no_trial_begins_after_the_time(ratings):
    assert len(tune(MF(n_epochs=3), ratings, space=SMALL, seconds=0).trials) == 1


def test_trials_over_folds_are_judged_by_their_mean(ratings, tmp_path):
    record = tmp_path / "r.jsonl"
    space = {"user_damping": Real(0.5, 20, log=True)}
    wanted = {"space": space, "budget": 2, "folds": 3, "seed": 1, "record": record}
    tuning = tune("bias", ratings, **wanted)
    split = splitting.random(ratings, seed=1)
    for trial in tuning.trials:
        algorithm = Bias(**trial.settings)
        folds = splitting.k_fold(split.train, 3, seed=1)
        values = [fit_and_evaluate(algorithm, one, (), metrics=["rmse"]).metrics for one in folds]
        assert trial.fold_values == pytest.approx([one["rmse"] for one in values], abs=2e-3)
        assert trial.value == pytest.approx(np.mean(trial.fold_values))
    spread = [np.std(trial.fold_values, ddof=1) for trial in tuning.trials]
    assert tuning.table.value_std == pytest.approx(spread)
    again = tune("bias", ratings, **wanted, resume=True)
    assert again.trials == tuning.trials
    with pytest.raises(BadSetting, match="folds is 0"):
        tune("bias", ratings, folds=0)


def test_a_tuning_prints_and_is_plain_data(tuned):
    text = str(tuned)
    assert text.splitlines()[0].split() == ["trial", "n_factors", "reg", "rmse"]
    assert "8 trials in" in text
    assert "test rmse, measured once" in text
    plain = json.loads(json.dumps(tuned.to_dict()))
    assert plain["test"] == tuned.test.metrics["rmse"]
    assert plain["arguments"][:2] == ["--algorithm", "mf"]
    assert f"n_factors={tuned.algorithm.n_factors}" in plain["arguments"]


def test_optuna_searches_too(ratings):
    pytest.importorskip("optuna")
    found = tune(MF(n_epochs=4), ratings, space=SMALL, budget=6, method="optuna")
    assert len(found.trials) == 6
    assert found.best.value <= found.usual.value
    again = tune(MF(n_epochs=4), ratings, space=SMALL, budget=6, method="optuna")
    assert [t.settings for t in again.trials] == [t.settings for t in found.trials]


def test_optuna_is_asked_for_in_words_where_it_is_missing(ratings, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(BadSetting, match=r"pip install \"matinee\[tune\]\""):
        tune(MF, ratings, method="optuna")


@pytest.mark.parametrize(
    "algorithm, wrong, words",
    [
        (MF, {"space": {"n_facters": Whole(1, 2)}}, "no setting 'n_facters'; did you mean"),
        (MF, {"space": {"n_factors": Whole(0, 2)}}, "space of n_factors is impossible"),
        (MF, {"space": {"solver": Choice("als", "adam")}}, "solver is 'adam'"),
        (MF, {"metric": "rsme"}, "no metric 'rsme'"),
        (MF, {"metric": "ndcg@61"}, "length is 61"),
        (MF, {"metric": "shown_popularity@5"}, "neither end of shown_popularity@5 is better"),
        (SlopeOne, {"metric": "interval_gap"}, "gives no intervals"),
        (MF, {"metric": "diversity@5"}, "needs the genres"),
        (EASE, {}, "rmse is about predicted ratings, but the scores of ease only rank"),
        (MF, {"budget": 0}, "budget is 0"),
        (MF, {"method": "magic"}, "no method 'magic'"),
        (Popularity, {"metric": "ndcg@5"}, "popularity has no settings"),
        ("nfm", {}, "no algorithm 'nfm'"),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_any_work(
    ratings, algorithm, wrong, words, monkeypatch
):
    monkeypatch.setattr(tuning._Run, "trial", lambda *_: pytest.fail("work was done"))
    with pytest.raises(BadSetting, match=words):
        tune(algorithm, ratings, **wrong)


def test_a_record_that_cannot_be_written_is_refused(ratings):
    with pytest.raises(MatineeError, match="cannot be written"):
        tune(MF, ratings, record="no/such/folder/runs.jsonl")


def test_an_algorithm_without_a_space_asks_for_one(ratings):
    @dataclass(frozen=True, kw_only=True)
    class Spaceless(Fragile):
        damping: float = setting(5.0, "how much it takes")

    with pytest.raises(BadSetting, match="states no search space; give one"):
        tune(Spaceless(), ratings)


# The rules, by hand.


CURVE = (
    [2, 4, 6, 8, 10],
    np.array([1.0, 0.5, 0.42, 0.40, 0.41]),
    np.array([0.1, 0.1, 0.1, 0.03, 0.1]),
)


def test_the_rules_by_hand():
    assert minimum(*CURVE) == 8
    assert one_standard_error(*CURVE) == 6  # 0.42 is within 0.03 of 0.40, 0.5 is not
    assert elbow(*CURVE) == 4  # 1 - 1/3 - 1/6 is the largest distance


def test_the_rules_of_odd_curves():
    for choose in RULES.values():
        assert choose([7], np.array([1.0]), np.array([0.0])) == 7
        assert choose([1, 2], np.array([1.0, 1.0]), np.array([0.0, 0.0])) == 1
        assert choose([1, 2, 3], np.array([1.0, 2, 3]), np.zeros(3)) == 1


# The curve.


@pytest.mark.parametrize("rank", [3, 5, 10])
def test_the_planted_rank_is_found(rank):
    ratings = planted(240, 160, rank, density=0.35, noise=0.1, seed=rank)
    sizes = [rank - 2, rank - 1, rank, rank + 1, rank + 3]
    found = k_curve(FREE, ratings, factors=sizes, metrics=["rmse"], folds=2)
    assert found.chosen == rank
    assert found.choices["minimum"] == rank
    assert hints(ratings, 20).parallel_analysis == rank


@pytest.fixture(scope="module")
def curve(ratings):
    return k_curve(NMF(n_epochs=6), ratings, factors=[2, 3, 5], folds=3, n_seeds=2, relevant_from=3)


def test_a_curve_has_all_that_is_asked(curve, ratings):
    assert [point.n_factors for point in curve.points] == [2, 3, 5]
    for point in curve.points:
        assert set(point.metrics) == set(point.errors) == {"rmse", "ndcg@10"}
        assert 0 < point.train_rmse < point.metrics["rmse"]
        assert 0 < point.stability <= 1
        assert point.fit_seconds > 0
    one, _, three = curve.points
    assert three.model_mb > one.model_mb
    errors = [
        fit_and_evaluate(NMF(n_epochs=6, n_factors=2), split, (), metrics=["rmse"]).metrics["rmse"]
        for split in splitting.k_fold(ratings, 3)
    ]
    assert one.metrics["rmse"] == pytest.approx(np.mean(errors))
    assert one.errors["rmse"] == pytest.approx(np.std(errors, ddof=1) / 3**0.5)


def test_a_curve_prints_and_is_plain_data(curve):
    text = str(curve)
    assert text.splitlines()[0].split() == [
        "n_factors",
        "rmse",
        "ndcg@10",
        "train",
        "rmse",
        "fit",
        "s",
        "MB",
        "stability",
    ]
    assert f"chosen by rmse over 3 folds: {curve.chosen} (one-se)" in text
    assert text.count("●") == 3
    plain = json.loads(json.dumps(curve.to_dict()))
    assert plain["chosen"] == curve.chosen
    assert [point["n_factors"] for point in plain["points"]] == [2, 3, 5]
    assert set(plain["choices"]) == {"one-se", "minimum", "elbow"}


def test_a_ranking_can_choose(ratings):
    found = k_curve(
        MF(n_epochs=4),
        ratings,
        factors=[1, 3],
        metrics=["ndcg@5"],
        folds=2,
        rule="minimum",
        relevant_from=3,
    )
    assert found.higher_is_better
    best = max(found.points, key=lambda point: point.metrics["ndcg@5"])
    assert found.chosen == best.n_factors
    assert found.points[0].stability is None


def test_truncated_svd_has_hints_and_variance(ratings):
    found = k_curve(TruncatedSVD, ratings, factors=[1, 2, 4], metrics=["rmse"], folds=2)
    assert len(found.variance_explained) == 4
    assert (np.diff(found.variance_explained) >= 0).all()
    assert found.hints.gavish_donoho >= 0
    assert "hints only" in str(found)
    assert "of the variance" in str(found)


def test_shuffling_keeps_the_values_of_each_item(ratings):
    values = np.arange(len(ratings), dtype=float)
    mixed = shuffle(ratings, values, (0, 1))
    assert mixed.tolist() != values.tolist()
    for item in range(5):
        here = ratings.item == item
        assert sorted(mixed[here]) == sorted(values[here])
    assert scaled(ratings, values).shape == (120, 60)


def test_stability_by_hand():
    Q = np.array([[1, 0], [0, 1], [0, 1]], float)
    assert agreement([Q, 3 * Q[:, ::-1]]) == pytest.approx(1)
    other = np.array([[1, 0], [0, 1], [0, 0]], float)
    assert agreement([Q, other]) == pytest.approx((1 + 0.5**0.5) / 2)
    assert agreement([Q, -Q]) == pytest.approx(1), "the other end of the same taste"
    assert agreement([None, Q]) is None


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"algorithm": Bias}, "bias has no n_factors"),
        ({"factors": []}, "factors is empty"),
        ({"factors": [0, 3]}, "n_factors is 0"),
        ({"rule": "knee"}, "no rule 'knee'"),
        ({"folds": 1}, "folds is 1"),
        ({"metrics": ["shown_popularity@5"]}, "neither end"),
        ({"metrics": ["nope"]}, "no metric 'nope'"),
    ],
)
def test_impossible_curves_are_refused_before_any_work(ratings, wrong, words, monkeypatch):
    monkeypatch.setattr(k_curve_module._Validation, "fit", lambda *_: pytest.fail("work was done"))
    settings = {"factors": [2, 3]} | wrong
    with pytest.raises(BadSetting, match=words):
        k_curve(settings.pop("algorithm", MF), ratings, **settings)


def test_they_are_public():
    assert matinee.tune is tune
    assert matinee.k_curve is k_curve


WITHOUT_SPACE = {"popularity", "blend", "content"}
