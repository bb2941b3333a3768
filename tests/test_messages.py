"""What the library says of arguments that cannot be: the value, the limit, and what to do."""

import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import matinee
from matinee.algorithms import ALGORITHMS, Bias
from matinee.charts.ratings import long_tail
from matinee.data.ratings import Ratings
from matinee.errors import BadModel, BadRatings, BadSetting, UnknownId
from matinee.evaluation.judged import evaluate_lists, evaluate_predictions
from matinee.splitting import SPLITS, k_fold


@pytest.fixture(scope="module")
def ratings() -> Ratings:
    rows = [(user, item, 1 + (user * item) % 5) for user in range(12) for item in range(12)]
    return matinee.read_ratings(rows)


@pytest.mark.parametrize("metrics", ["rmse", ["rmse"], iter(["rmse"])])
def test_one_metric_may_be_given_as_text(ratings: Ratings, metrics: str | list[str]) -> None:
    result = matinee.cross_validate("bias", ratings, folds=2, metrics=metrics)
    assert [list(fold.metrics) for fold in result.folds] == [["rmse"], ["rmse"]]


def test_a_metric_as_text_is_measured_as_a_list_of_one(ratings: Ratings) -> None:
    split = matinee.splitting.random(ratings, 0.25)
    model = Bias().fit(split.train)
    one, listed = (matinee.evaluate(model, split.test, metrics=m) for m in ("rmse", ["rmse"]))
    assert one.metrics == listed.metrics
    assert matinee.compare(["bias"], split, metrics="rmse").metrics == ("rmse",)


WHOLE: dict[str, tuple[Callable[[Ratings], object], str]] = {
    "budget": (lambda r: matinee.tune("bias", r, budget="x"), "budget is 'x'"),
    "folds": (lambda r: matinee.cross_validate("bias", r, folds="2"), "folds is '2'"),
    "folds of tune": (lambda r: matinee.tune("bias", r, folds=1.5), "folds is 1.5"),
    "length": (lambda r: matinee.cross_validate("bias", r, ns=["5"]), "a list length is '5'"),
    "last": (lambda r: matinee.splitting.leave_last(r, n=True), "n is True"),
    "head": (lambda r: r.head("x"), "n is 'x'"),
}


@pytest.mark.parametrize("case", WHOLE)
def test_a_count_that_is_no_whole_number_is_refused_by_name(ratings: Ratings, case: str) -> None:
    act, words = WHOLE[case]
    with pytest.raises(BadSetting) as caught:
        act(ratings)
    assert str(caught.value) == f"{words}; it must be a whole number"


def test_an_unfitted_algorithm_is_refused_with_the_call_that_fits_it(ratings: Ratings) -> None:
    with pytest.raises(BadModel, match=r"algorithm Bias.* is not fitted; give algorithm\.fit"):
        matinee.evaluate(Bias(), ratings)


def test_one_split_is_refused_with_what_takes_one(ratings: Ratings) -> None:
    split = matinee.splitting.random(ratings, 0.25)
    with pytest.raises(BadSetting, match=r"two splits or more, not one.*compare\(\[algorithm\]"):
        matinee.cross_validate("bias", split)
    assert matinee.compare([Bias()], split, metrics=["rmse"]).entries  # the remedy


def test_a_chart_needs_the_folder_it_is_saved_in(ratings: Ratings, tmp_path: Path) -> None:
    chart = long_tail(ratings)
    with pytest.raises(BadSetting, match=r"there is no folder .*nodir to write x\.svg to"):
        chart.save(tmp_path / "nodir" / "x.svg")
    assert chart.save(tmp_path / "x.svg").exists()


def test_positions_of_ratings_are_whole_numbers_within_their_number(ratings: Ratings) -> None:
    with pytest.raises(
        IndexError, match=r"position 1000000000 is beyond the 144 ratings.*-144 to 143"
    ):
        ratings[10**9]
    for at in ("x", [0.5]):
        with pytest.raises(BadRatings, match=r"is no position of a rating; give a whole number"):
            ratings[at]
    with pytest.raises(BadSetting, match="n is -1; it must be 0 or more"):
        ratings.head(-1)
    assert len(ratings.head(0)) == 0


LISTS: dict[str, tuple[dict[str, list[object]], str]] = {
    "users": ({"user": ["no", "yes"], "item": [1, 2], "rank": [1, 1]}, "no user .* such as 'no'"),
    "numbers": ({"user": [77, 78], "item": [1, 2], "rank": [1, 1]}, "no user .* such as '77'"),
    "items": ({"user": [1, 1], "item": ["no", "yes"], "rank": [1, 2]}, "no item .* such as 'no'"),
    "from 0": ({"user": [1, 1], "item": [1, 2], "rank": [1, 0]}, "user 1 has the rank 0; .* add 1"),
    "equal": (
        {"user": [1, 2, 2], "item": [1, 1, 2], "rank": [1, 1, 1]},
        "list of user 2 are 1;",
    ),
}


@pytest.mark.parametrize("case", LISTS)
def test_lists_that_can_measure_nothing_are_refused(ratings: Ratings, case: str) -> None:
    frame, words = LISTS[case]
    with pytest.raises(BadRatings, match=words):
        evaluate_lists(frame, ratings)


def test_a_prediction_that_is_no_number_is_refused_with_its_row() -> None:
    with pytest.raises(BadRatings, match="'est' must hold finite numbers, but row 2 is nan; corr"):
        evaluate_predictions({"actual": [1.0, 2.0], "est": [1.0, float("nan")]})


WEIGHTS = {
    "no number": (
        ["x", *"11111111"],
        "sample_weight[0] is 'x', of the rating of item '0' by user '0'",
    ),
    "missing": ([1, 1, None, *"111111"], "sample_weight[2] is None"),
    "beyond float32": ([1.0, 1e300, *[1.0] * 7], "sample_weight[1] is 1e+300"),
    "below float32": ([1e-60, *[1.0] * 8], "sample_weight[0] is 1e-60"),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_a_weight_that_cannot_be_is_shown_as_it_was_given(case: str) -> None:
    weights, words = WEIGHTS[case]
    nine = matinee.read_ratings([(user, item, 4) for user in range(3) for item in range(3)])
    with pytest.raises(BadRatings) as caught:
        nine.with_sample_weight(weights)
    assert str(caught.value).startswith(words)
    assert "a weight is a number from 1e-38 to 3e38" in str(caught.value)


def test_weights_of_a_history_go_by_item(ratings: Ratings) -> None:
    model = Bias().fit(ratings)
    with pytest.raises(BadRatings, match=r"is \{item id: weight\}, such as .* not list"):
        model.fold_in({"1": 4}, sample_weight=[2])  # type: ignore[arg-type]
    with pytest.raises(BadRatings, match=r"the weight of item '1' is 1e\+300; a weight is"):
        model.fold_in({"1": 4}, sample_weight={"1": 1e300})


POSITIONS = {
    "beyond": (
        [0, 144],
        IndexError,
        "position 144 is beyond the 144 ratings; give one from -144 to",
    ),
    "short mask": ([True], IndexError, "the mask has 1 value; 144 ratings take one each"),
    "two axes": ([[1]], BadRatings, "[[1]] is no position of a rating"),
    "empty": ([], BadRatings, "there are no ratings here; at least one is needed"),
}


@pytest.mark.parametrize("case", POSITIONS)
def test_positions_that_are_none_are_refused(ratings: Ratings, case: str) -> None:
    at, error, words = POSITIONS[case]
    with pytest.raises(error) as caught:
        ratings[at]
    assert str(caught.value).startswith(words)


FITS: dict[str, tuple[dict[str, object], type[Exception], str]] = {
    "weights": ({"sample_weight": [1]}, BadSetting, "weights go with the ratings: ratings.with_s"),
    "misspelt": ({"on_epoc": print}, BadSetting, "did you mean 'on_epoch'?"),
    "callback": ({"on_epoch": 3}, BadSetting, "on_epoch is 3; it must be a function of one Epoch"),
    "validation": ({"validation": [1]}, BadRatings, "validation of fit takes Ratings, not list"),
}


@pytest.mark.parametrize("case", FITS)
@pytest.mark.parametrize("name", ["mf", "ease", "item-knn"])
def test_every_fit_says_what_it_cannot_take(ratings: Ratings, name: str, case: str) -> None:
    arguments, error, words = FITS[case]
    with pytest.raises(error) as caught:
        matinee.ALGORITHMS[name]().fit(ratings, **arguments)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_an_empty_list_of_algorithms_is_refused(ratings: Ratings) -> None:
    with pytest.raises(BadSetting, match="the list of algorithms is empty; name one or more"):
        matinee.cross_validate([], ratings)


def test_a_public_name_that_is_nearly_right_is_offered() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'splits'; did you mean .*'splitting'"):
        matinee.splits  # noqa: B018


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_ratings_and_settings_are_finite(bad: float) -> None:
    users, items = (matinee.IdMap.of(["a", "b"], kind) for kind in ("user", "item"))
    rows = np.array([0, 1])
    with pytest.raises(BadRatings, match=f"the rating of item 'b' by user 'b' is {bad}; a rating"):
        Ratings.of(users, items, rows, rows, np.array([1.0, bad]))
    with pytest.raises(BadSetting, match=f"beta is {bad}; it must be a finite number"):
        matinee.MultVAE(beta=bad)


def test_an_argument_that_no_list_takes_is_refused_by_name(ratings: Ratings) -> None:
    with pytest.raises(
        BadSetting, match="there is no argument of a list 'wear'; did you mean 'where'"
    ):
        Bias().fit(ratings).recommend("1", wear={"genre": "Horror"})  # type: ignore[call-arg]


def test_a_history_by_titles_is_told_the_ids() -> None:
    model = Bias().fit(matinee.sample())
    with pytest.raises(UnknownId, match="that is the title of item 'alien-1979'"):
        model.fold_in({"Alien (1979)": 5})


PUBLIC = [getattr(matinee, name) for name in matinee.__all__]
FUNCTIONS = [*filter(inspect.isfunction, PUBLIC), *SPLITS.values(), k_fold]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.__name__)
def test_an_argument_of_another_library_is_refused_with_those_that_there_are(
    function: Callable[..., object],
) -> None:
    there = ", ".join([*inspect.signature(function).parameters][:2])
    words = f"{function.__name__} has no argument 'random_state'.* [iI]t has {there}"
    with pytest.raises(BadSetting, match=words):
        function(random_state=0)


def test_a_warning_points_to_the_call_of_a_public_function() -> None:
    with pytest.warns(UserWarning, match="too few") as caught:
        matinee.fit(matinee.read_ratings([("a", "x", 1), ("b", "y", 2)]), "popularity")
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("name", ["mf", "nmf", "implicit-als", "bayesian-mf"])
def test_factors_beyond_the_memory_of_the_machine_are_refused_with_a_number_that_fits(
    ratings: Ratings, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = ALGORITHMS[name]
    words = (
        rf"{name} with n_factors=1,000,000 needs at least 8,000\.1 GB of memory.*n_factors=12 fits"
    )
    with pytest.raises(BadSetting, match=words):
        kind(n_factors=10**6).fit(ratings)
    monkeypatch.setattr("matinee.algorithms.host_memory.machine_memory", lambda: 1000)
    with pytest.raises(BadSetting, match=r"needs at least 1\.8 kB .*; n_factors=2 fits"):
        kind(n_factors=10).fit(ratings)
    kind(n_factors=2).check_train(ratings)
