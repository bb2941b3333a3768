"""Predictions and lists made elsewhere: as ours where these are ours, and as trec_eval says."""

import numpy as np
import pytest

import matinee
from matinee import splitting
from matinee.algorithms import EASE, MF, Popularity
from matinee.errors import BadRatings, BadSetting
from matinee.evaluation.judged import evaluate_lists, evaluate_predictions

pandas = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def split(ml_100k):
    return splitting.random(matinee.read_ratings(ml_100k))


@pytest.fixture(scope="module")
def model(split):
    return EASE().fit(split.train)


@pytest.fixture(scope="module")
def lists(model):
    return model.recommend_all(50).to_pandas()


def test_our_own_lists_measure_as_the_model_does(model, split, lists) -> None:
    """In every order of rows, by score and by rank."""
    own = matinee.evaluate(model, split.test, (5, 10)).metrics
    shuffled = lists.sample(frac=1, random_state=0)
    for frame in (shuffled.drop(columns="rank"), shuffled.drop(columns="score")):
        found = evaluate_lists(frame, split.test, (5, 10))
        for name, value in found.metrics.items():
            assert value == pytest.approx(own[name], abs=1e-9), name


def judgements(test) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    for row in test:
        if row.rating >= 4:
            judged.setdefault(row.user_id, {})[row.item_id] = 1
    return judged


def runs_of(lists) -> dict[str, dict[str, float]]:
    runs: dict[str, dict[str, float]] = {}
    for row in lists.itertuples():
        runs.setdefault(row.user_id, {})[row.item_id] = -float(row.rank)
    return runs


def test_lists_measure_as_trec_eval_says(split, lists) -> None:
    """pytrec_eval wraps trec_eval itself; users without relevant items are in neither."""
    pytrec_eval = pytest.importorskip("pytrec_eval")
    judged, runs = judgements(split.test), runs_of(lists)
    measures = {"P_10", "recall_10", "ndcg_cut_10", "success_10", "recip_rank", "map_cut_10"}
    scores = pytrec_eval.RelevanceEvaluator(judged, measures).evaluate(
        {user: runs.get(user, {"none": 0.0}) for user in judged}
    )
    theirs = {name: np.mean([one[name] for one in scores.values()]) for name in measures}
    found = evaluate_lists(lists, split.test, (10, 50))
    assert found.users_measured == len(judged)
    ours = found.metrics
    assert theirs["P_10"] == pytest.approx(ours["precision@10"], abs=1e-9)
    assert theirs["recall_10"] == pytest.approx(ours["recall@10"], abs=1e-9)
    assert theirs["ndcg_cut_10"] == pytest.approx(ours["ndcg@10"], abs=1e-6)
    assert theirs["success_10"] == pytest.approx(ours["hit_rate@10"], abs=1e-9)
    assert theirs["recip_rank"] == pytest.approx(ours["mrr@50"], abs=1e-9)
    assert theirs["map_cut_10"] == pytest.approx(ours["map@10"], abs=1e-9)
    assert ours["capped_map@10"] > ours["map@10"]  # two definitions, two names


@pytest.mark.filterwarnings("ignore::numba.core.errors.NumbaTypeSafetyWarning")
def test_lists_measure_as_ranx_says(split, lists) -> None:
    ranx = pytest.importorskip("ranx")
    judged, runs = judgements(split.test), runs_of(lists)
    measures = ["precision@10", "recall@10", "ndcg@10", "map@10", "hit_rate@10", "mrr@50"]
    run = ranx.Run({user: runs.get(user, {"none": 0.0}) for user in judged})
    theirs = ranx.evaluate(ranx.Qrels(judged), run, measures)
    ours = evaluate_lists(lists, split.test, (10, 50)).metrics
    assert theirs == pytest.approx({name: ours[name] for name in measures}, abs=1e-6)


def test_equal_scores_count_at_their_expectation() -> None:
    rows = (["a", "a"], ["x", "y"], [5.0, 1.0])
    test = matinee.read_ratings(rows)
    frame = {"user": ["a", "a"], "item": ["x", "z"], "score": [1.0, 1.0]}
    assert evaluate_lists(frame, test, (1,)).metrics["precision@1"] == pytest.approx(0.5)
    frame["score"] = [2.0, 1.0]
    assert evaluate_lists(frame, test, (1,)).metrics["precision@1"] == 1


def test_a_user_without_a_list_counts_nothing() -> None:
    test = matinee.read_ratings((["a", "b"], ["x", "x"], [5.0, 5.0]))
    frame = {"user": ["a", "stranger"], "item": ["x", "x"], "rank": [1, 1]}
    assert evaluate_lists(frame, test, (1,)).metrics["recall@1"] == pytest.approx(0.5)


def test_predictions_measure_as_the_model_does(split) -> None:
    model = MF(n_factors=4, n_epochs=2, choice=None).fit(split.train)
    own = matinee.evaluate(model, split.test, ()).metrics
    predictions = model.predict(split.test)
    assert evaluate_predictions(predictions).metrics == pytest.approx(own)
    frame = predictions.to_pandas().rename(columns={"rating": "est", "actual": "r_ui"})
    assert evaluate_predictions(frame).metrics == pytest.approx(own)  # Surprise's names
    frame = frame.rename(columns={"est": "prediction", "r_ui": "rating"})
    assert evaluate_predictions(frame).metrics == pytest.approx(own)  # LensKit's


def test_what_cannot_be_measured_is_refused_in_words(split, lists) -> None:
    with pytest.raises(BadRatings, match="holds the ratings given"):
        evaluate_predictions({"user": ["a"], "score": [1.0]})
    with pytest.raises(BadRatings, match="holds the predictions"):
        evaluate_predictions({"user": ["a"], "rating": [1.0]})
    with pytest.raises(BadRatings, match="'est' must hold finite numbers"):
        evaluate_predictions({"actual": [1.0], "est": [np.nan]})
    with pytest.raises(BadRatings, match="different lengths"):
        evaluate_predictions({"actual": [1.0], "est": [1.0, 2.0]})
    with pytest.raises(BadRatings, match="cannot be read from int"):
        evaluate_predictions(3)
    with pytest.raises(BadRatings, match="columns of users and items, not a, rank"):
        evaluate_lists({"a": [1], "rank": [1]}, split.test)
    with pytest.raises(BadRatings, match="holds the ranks or scores"):
        evaluate_lists({"user": ["1"], "item": ["1"]}, split.test)
    with pytest.raises(BadRatings, match="the list of user '1' holds item '3' twice"):
        evaluate_lists({"user": [1, 1], "item": [3, 3], "rank": [1, 2]}, split.test)
    with pytest.raises(BadSetting, match="a list length is 0"):
        evaluate_lists(lists, split.test, (0,))
    with pytest.raises(BadRatings, match="evaluate_lists takes Ratings"):
        evaluate_lists(lists, "test.csv")


def test_popularity_is_the_same_for_all(split) -> None:
    model = Popularity().fit(split.train)
    found = evaluate_lists(model.recommend_all(10), split.test)
    own = matinee.evaluate(model, split.test).metrics
    assert found.metrics["recall@10"] == pytest.approx(
        own["recall@10"], abs=2e-3
    )  # ties at the end
