"""Evaluation against a slow twin, and what it counts, refuses and says."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from matinee import splitting
from matinee.algorithms import ALGORITHMS, MF, Bias
from matinee.data.catalog import Catalog, Item
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.display.tables import Table
from matinee.errors import BadModel, BadRatings, BadSetting
from matinee.evaluation import evaluate as evaluation
from matinee.evaluation import ranking_pass
from matinee.evaluation.evaluate import cross_validate, evaluate, fit_and_evaluate
from matinee.evaluation.held_out_users import FoldedIn
from matinee.evaluation.protocol import relevance
from matinee.models import load

STARS = Scale(1, 5)
RANKING = {
    "precision": naive.precision,
    "recall": naive.recall,
    "capped_recall": naive.capped_recall,
    "ndcg": naive.ndcg,
    "map": naive.average_precision,
    "capped_map": naive.capped_average_precision,
    "mrr": naive.reciprocal_rank,
    "hit_rate": naive.hit_rate,
}


@dataclass(frozen=True)
class TableModel:
    """A model that looks its scores up."""

    users: IdMap
    items: IdMap
    seen: Rows
    scores: np.ndarray  # (n_users, n_items)
    scale: Scale = STARS
    kind: str = "rating"

    def score_block(self, users):
        return self.scores[users].astype(np.float32)

    def predict_rows(self, user, item):
        return np.clip(self.scores[user, item], *self.scale).astype(np.float32)


@dataclass(frozen=True)
class Lookup:
    """An algorithm that learns nothing."""

    scores: tuple[tuple[float, ...], ...]

    def fit(self, train):
        return model_of(train, self.scores)


def model_of(train, scores, kind="rating"):
    table = np.array(scores, dtype=np.float64)
    return TableModel(train.users, train.items, train.by_user, table, kind=kind)


def ratings_of(matrix):
    """Ratings from a table, a row a user; 0 is not rated. All rows and columns are known ids."""
    matrix = np.array(matrix)
    users = IdMap.of(range(len(matrix)), "user")
    items = IdMap.of(range(matrix.shape[1]), "item")
    user, item = np.nonzero(matrix)
    return Ratings.of(users, items, user, item, matrix[user, item].astype(float), scale=STARS)


TRAIN = ratings_of([[5, 0, 0, 0, 1], [0, 4, 0, 0, 0], [0, 0, 0, 0, 0]])
TEST = ratings_of([[0, 5, 2, 0, 0], [3, 0, 0, 0, 0], [0, 0, 0, 4, 5]])
SCORES = [[9, 3, 4, 2, 9], [5, 1, 1, 1, 1], [1, 2, 3, 4, 5]]


def test_an_evaluation_by_hand():
    result = evaluate(model_of(TRAIN, SCORES), TEST, ns=(1, 2))
    # User 0 ranks 2, 1, 3 and only 1 is relevant; user 1 has nothing relevant; 2 ranks 4, 3, ...
    assert result.metrics == pytest.approx(
        {
            "rmse": ((2**2 + 2**2 + 2**2 + 0 + 0) / 5) ** 0.5,
            "mae": (2 + 2 + 2) / 5,
            "precision@1": (0 + 1) / 2,
            "precision@2": (1 / 2 + 1) / 2,
            "recall@1": (0 + 1 / 2) / 2,
            "recall@2": (1 + 1) / 2,
            "ndcg@1": (0 + 1) / 2,
            "capped_recall@1": (0 + 1) / 2,
            "capped_recall@2": (1 + 1) / 2,
            "ndcg@2": (1 / np.log2(3) + 1) / 2,
            "graded_ndcg@1": (1 / 4 + 1) / 2,  # user 0: item 2 is worth 1 and 1 is worth 4
            "graded_ndcg@2": ((1 + 4 / np.log2(3)) / (4 + 1 / np.log2(3)) + 1) / 2,
            "map@1": (0 + 1 / 2) / 2,
            "map@2": (1 / 2 + 1) / 2,
            "capped_map@1": (0 + 1) / 2,
            "capped_map@2": (1 / 2 + 1) / 2,
            "mrr@1": (0 + 1) / 2,
            "mrr@2": (1 / 2 + 1) / 2,
            "auc": (1 / 2 + 1) / 2,
            "hit_rate@1": (0 + 1) / 2,
            "hit_rate@2": 1,
            "coverage@1": 2 / 5,
            "coverage@2": 4 / 5,
            "gini@1": 2 * (4 + 5) / (5 * 2) - 6 / 5,  # items 2 and 4 once each
            "gini@2": 2 * (2 + 3 + 4 + 5) / (5 * 4) - 6 / 5,  # all but item 0 once each
            "shown_popularity@1": (1 / 2 + 1 / 2) / 2,  # of two users; nobody rated item 2
            "shown_popularity@2": 1 / 2,
            "novelty@1": 1,
            "novelty@2": 1,
        }
    )
    assert (result.users_measured, result.users_skipped) == (2, 1)
    assert (result.test_ratings, result.cold_ratings, result.unknown_ratings) == (5, 3, 0)
    assert result.relevant_from == 4


@st.composite
def cases(draw):
    """A table of ratings, which of them are for training, and scores with ties and NaN."""
    shape = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    size = shape[0] * shape[1]

    def table(values):
        return np.array(draw(st.lists(values, min_size=size, max_size=size))).reshape(shape)

    scores = table(st.sampled_from([1.0, 2.0, 2.5, np.nan]))
    return table(st.integers(0, 5)), table(st.booleans()), scores


@given(cases(), st.integers(1, 2))
@settings(max_examples=60)
def test_evaluation_is_the_mean_of_the_slow_metrics(case, n):
    matrix, for_training, scores = case
    trained, tested = matrix * for_training, matrix * ~for_training
    relevant = [set(np.flatnonzero(row >= 4)) for row in tested]
    if not any(relevant) or not trained.any():
        return
    model = model_of(ratings_of(trained), scores, kind="preference")
    result = evaluate(model, ratings_of(tested), ns=(n,), relevant_from=4)
    seen = [np.flatnonzero(row) for row in trained]
    measured = [user for user, items in enumerate(relevant) if items]
    for name, metric in RANKING.items():
        values = [
            naive.mean_over_ties(metric, scores[user], seen[user], relevant[user], n)
            for user in measured
        ]
        assert result.metrics[f"{name}@{n}"] == pytest.approx(np.mean(values), abs=1e-12)
    shown = {item for user in measured for item in naive.top_n(scores[user], seen[user], n)}
    assert result.metrics[f"coverage@{n}"] == len(shown - {-1}) / len(scores[0])
    assert "rmse" not in result.metrics


@pytest.fixture(scope="module")
def many():
    """200 people, 60 items, 3,000 ratings, and random scores with ties."""
    rng = np.random.default_rng(8)
    stars = rng.integers(1, 6, (200, 60)) * (rng.random((200, 60)) < 0.25)
    items = {str(one): Item(f"Item {one}", genres=("ABC"[one % 3],)) for one in range(60)}
    ratings = ratings_of(stars).with_catalog(Catalog(items))
    return splitting.random(ratings), rng.integers(0, 20, stars.shape)


def test_blocks_and_threads_change_nothing(many, monkeypatch):
    split, scores = many
    model = model_of(split.train, scores)
    expected = evaluate(model, split.test, ns=(3, 10)).metrics
    monkeypatch.setenv("MATINEE_THREADS", "3")
    monkeypatch.setattr(ranking_pass, "BLOCK_SCORES", 7 * 60 + 1)
    monkeypatch.setattr(evaluation, "BLOCK_PAIRS", 11)
    assert evaluate(model, split.test, ns=(3, 10)).metrics == expected


def test_blocks_are_bounded_and_scored_once(many, monkeypatch):
    split, scores = many
    model = model_of(split.train, scores)
    sizes = []

    @dataclass(frozen=True)
    class Watched(TableModel):
        def score_block(self, users):
            sizes.append(len(users))
            return super().score_block(users)

    monkeypatch.setattr(ranking_pass, "BLOCK_SCORES", 10 * 60)
    watched = Watched(model.users, model.items, model.seen, model.scores)
    result = evaluate(watched, split.test, ns=(1, 5, 10))
    assert max(sizes) == 10
    assert sum(sizes) == result.users_measured


def test_the_threshold_follows_the_scale_and_can_be_given():
    assert evaluate(model_of(TRAIN, SCORES), TEST, ns=(1,)).relevant_from == 4
    half_stars = replace(model_of(TRAIN, SCORES), scale=Scale(0.5, 5))
    assert evaluate(half_stars, TEST, ns=(1,)).relevant_from == 4
    all_relevant = evaluate(model_of(TRAIN, SCORES), TEST, ns=(1,), relevant_from=1)
    assert (all_relevant.users_measured, all_relevant.users_skipped) == (3, 0)


@pytest.mark.parametrize(
    "scale, given, least",
    [
        (Scale(0.5, 5), [0.5, 5], 4),  # 3.875
        (Scale(0.5, 4), [0.5, 4], 3.5),  # 3.125
        (Scale(1, 4), [1, 4], 4),  # 3.25
        (Scale(1, 5), [1, 5], 4),
        (Scale(0, 4.1), [0, 3.5], 3.5),
        (Scale(-10, 10), [-9.95, 7.3], 5),  # any number can be given
        (Scale(0.5, 5), [], 3.875),  # nobody knows what can be given
    ],
)
def test_the_threshold_is_the_least_relevant_rating_that_can_be_given(scale, given, least):
    assert relevance(None, scale, np.array(given, np.float32)) == least
    assert relevance(2.3, scale, np.array(given, np.float32)) == 2.3


def test_other_ids_are_renumbered_and_unknown_ones_counted():
    users, items = IdMap.of(["2", "9"], "user"), IdMap.of(["4", "x", "3"], "item")
    numbers = users.rows(["2", "2", "2", "9"]), items.rows(["4", "3", "x", "4"])
    test = Ratings.of(users, items, *numbers, np.array([5, 4, 5, 5]), scale=STARS)
    result = evaluate(model_of(TRAIN, SCORES), test, ns=(2,))
    assert (result.test_ratings, result.unknown_ratings) == (2, 2)
    assert result.metrics["rmse"] == 0
    assert result.metrics["recall@2"] == 1
    assert "2 more test ratings left out" in str(result)


def test_results_can_be_read_and_stored():
    split = splitting.Split(TRAIN, TEST, "a split by hand")
    result = fit_and_evaluate(Lookup(tuple(map(tuple, SCORES))), split, ns=(2,))
    plain = json.loads(json.dumps(result.to_dict()))
    assert plain["metrics"] == result.metrics
    assert plain["fit_seconds"] >= 0
    assert result.algorithm.startswith("Lookup(scores=")
    assert result.protocol.startswith("Tested on a split by hand. Predictions are clipped to 1..5.")
    lines = str(result).splitlines()
    assert "rmse                1.5492" in lines
    assert "precision@2         0.7500" in lines
    assert "2 users measured, 1 skipped (no test item rated 4 or more)" in lines


def test_only_rating_metrics_when_no_list_is_asked_for():
    result = evaluate(model_of(TRAIN, SCORES), TEST, ns=())
    assert list(result.metrics) == ["rmse", "mae"]
    assert "Lists" not in result.protocol


def test_metrics_can_be_chosen():
    model = model_of(TRAIN, SCORES)
    everything = evaluate(model, TEST, ns=(1, 2)).metrics
    chosen = evaluate(model, TEST, ns=(2,), metrics=("ndcg", "rmse", "recall@1", "auc")).metrics
    assert list(chosen) == ["ndcg@2", "rmse", "recall@1", "auc"]
    assert chosen == {name: everything[name] for name in chosen}


def test_nan_scores_rank_last_and_are_counted():
    scores = np.array(SCORES, float)
    scores[2, :2] = np.nan
    result = evaluate(model_of(TRAIN, scores, kind="preference"), TEST, ns=(2,))
    assert result.nan_scores == 2
    assert "2 scores NaN, which rank last" in str(result)


def test_results_say_where_they_are_from(many):
    split, scores = many
    result = fit_and_evaluate(Lookup(tuple(map(tuple, scores.tolist()))), split, ns=(2,))
    plain = json.loads(json.dumps(result.to_dict()))
    assert plain["origin"]["split"] == "random"
    assert plain["origin"]["seed"] == 0
    assert plain["origin"]["fingerprints"]["test"] == split.test.fingerprint
    assert set(plain["origin"]["versions"]) >= {"matinee", "numpy", "python"}


def test_groups_of_users_and_items_make_up_the_whole(many):
    split, scores = many
    result = evaluate(model_of(split.train, scores), split.test, ns=(5,))
    for rows in (result.by_activity, result.by_popularity):
        assert len(rows) == 3
        assert all(0 <= row["found@5"] <= 1 and row["rmse"] > 0 for row in rows)
    table = result.groups()
    assert len(table) == 6
    assert table.group[0].startswith("users with 1..")
    assert table.group[3].startswith("items with 1..")
    members = sum(row["members"] for row in result.by_activity)
    assert members == len(np.unique(split.test.user))


# Genres.


def with_genres(ratings):
    genres = [("a",), ("a",), ("b",), ("a", "b"), ()]
    return ratings.with_catalog(
        Catalog({str(i): Item(str(i), genres=of) for i, of in enumerate(genres)})
    )


def test_genres_of_lists_by_hand():
    result = evaluate(model_of(TRAIN, SCORES), with_genres(TEST), ns=(2,))
    # User 0 is shown 2 (b) and 1 (a), liked 0 (a); user 2 is shown 4 (none) and 3 (a, b).
    assert result.metrics["diversity@2"] == 1  # user 2 has one film with genres: not counted
    assert result.metrics["genre_calibration@2"] == pytest.approx(np.log(1 / (0.99 / 2 + 0.01)))
    with pytest.raises(BadSetting, match="diversity@2 needs the genres of items"):
        evaluate(model_of(TRAIN, SCORES), TEST, ns=(2,), metrics=["diversity"])


def test_choices_have_no_grades():
    users, items = np.divmod(np.arange(60), 6)
    choices = Ratings.of(
        IdMap.of(range(10), "user"), IdMap.of(range(6), "item"), users, items, np.ones(60)
    )
    split = splitting.per_user(choices)
    result = fit_and_evaluate(ALGORITHMS["popularity"](), split, ns=(2,))
    assert "graded_ndcg@2" not in result.metrics
    assert "ndcg@2" in result.metrics
    words = r"graded_ndcg@2 is about how much .* every rating is 1; ask for ndcg@2"
    for measure in (
        lambda: fit_and_evaluate(Bias(), split, (), metrics=["graded_ndcg@2"]),
        lambda: evaluate(Bias().fit(split.train), split.test, (), metrics=["graded_ndcg@2"]),
    ):
        with pytest.raises(BadSetting, match=words):
            measure()


# Intervals.


@dataclass(frozen=True)
class Unsure(TableModel):
    """A table model that is ``level`` stars unsure."""

    def interval(self, users, items, level):
        predicted = self.scores[self.users.rows([users])[0], self.items.rows(items)]
        return Table({"low": predicted - level, "high": predicted + level})


def test_intervals_of_a_model_are_measured():
    plain = model_of(TRAIN, [[9, 4, 2, 2, 9], [3.7, 1, 1, 1, 1], [1, 2, 3, 9, 9]])
    model = Unsure(plain.users, plain.items, plain.seen, plain.scores)
    result = evaluate(model, TEST, ns=(), metrics=("interval_gap", "interval_width"))
    inside = {0.5: 1 / 3, 0.8: 2 / 3, 0.9: 2 / 3, 0.95: 2 / 3}  # user 2 has no training rating
    gap = np.mean([abs(share - level) for level, share in inside.items()])
    assert result.metrics == pytest.approx({"interval_gap": gap, "interval_width": 1.8})


# Strong generalisation.


def test_held_out_users_are_folded_in():
    split = splitting.strong(ratings_of(naive_table()), test_share=0.4, seed=3)
    model = MF(n_factors=2, n_epochs=4).fit(split.train)
    result = evaluate(model, split.test, ns=(2,), history=split.history)
    assert "folded in from their history" in result.protocol
    user = int(split.test.user[0])
    name = split.test.users.ids[user]
    person = model.fold_in(split.history.history(name))
    items, _ = split.test.by_user.row(user)
    folded = FoldedIn.of(model, split.history)
    predicted = folded.predict_rows(np.full(len(items), user), items)
    np.testing.assert_array_equal(
        predicted, model.predict(person, split.test.items.ids[items]).rating
    )
    assert result.cold_ratings == 0


def naive_table():
    rng = np.random.default_rng(1)
    return rng.integers(1, 6, (30, 20)) * (rng.random((30, 20)) < 0.6)


def test_histories_need_a_model_that_folds_in():
    with pytest.raises(BadSetting, match="cannot fold people in"):
        evaluate(model_of(TRAIN, SCORES), TEST, ns=(1,), history=TRAIN)


# Cross-validation.


def test_cross_validation_has_a_table_of_folds(many):
    split, scores = many
    heard = []
    result = cross_validate(
        Lookup(tuple(map(tuple, scores.tolist()))),
        split.train,
        folds=3,
        ns=(5,),
        on_fold=lambda k, fold: heard.append((k, fold.metrics["rmse"])),
    )
    table = result.table
    assert list(table.columns) == ["metric", "fold_1", "fold_2", "fold_3", "mean", "std"]
    errors = [fold.metrics["rmse"] for fold in result.folds]
    assert heard == list(enumerate(errors, start=1))
    assert list(table[0]) == ["rmse", *errors, np.mean(errors), np.std(errors, ddof=1)]
    assert table.metric[-2:] == ("fit_seconds", "test_seconds")
    assert json.loads(json.dumps(result.to_dict()))["metrics"]["rmse"] == table.mean[0]
    assert f"{np.mean(errors):.4f}" in str(result).splitlines()[2]


@pytest.mark.filterwarnings("ignore:n_factors is")
@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_can_be_measured(name, many, monkeypatch):
    monkeypatch.setattr(evaluation, "INTERVAL_USERS", 5)
    split, _ = many
    result = fit_and_evaluate(ALGORITHMS[name](), split, ns=(5,))
    assert np.isfinite(list(result.metrics.values())).all()
    assert "precision@5" in result.metrics


def test_biases_find_what_everybody_likes():
    """Everybody gives items 0..9 five stars and 10..19 one."""
    stars = np.where(np.arange(20) < 10, 5, 1) * np.ones((50, 1), dtype=int)
    metrics = cross_validate(Bias(choice=None), ratings_of(stars), folds=2, ns=(1,)).to_dict()[
        "metrics"
    ]
    assert metrics["ndcg@1"] == 1
    assert metrics["rmse"] < 0.8


# Refusals.


def test_a_model_is_not_measured_on_what_it_learned():
    with pytest.raises(BadRatings, match="trained on the rating of item '0' by user '0'"):
        evaluate(model_of(TRAIN, SCORES), TRAIN, ns=(1,))


@pytest.mark.parametrize("n", [0, -3, 6])
def test_impossible_lengths_are_refused_before_the_fit(n):
    class Never:
        def fit(self, train):
            raise AssertionError("fitted")

    with pytest.raises(BadSetting, match=f"length is {n}; with 5 items it must be from 1 to 5"):
        fit_and_evaluate(Never(), splitting.Split(TRAIN, TEST, "by hand"), ns=(1, n))


def test_a_test_part_without_relevant_items_is_refused():
    with pytest.raises(BadRatings, match=r"no test rating is 5.5 or more \(the highest is 5\)"):
        evaluate(model_of(TRAIN, SCORES), TEST, ns=(1,), relevant_from=5.5)


def test_a_foreign_test_part_is_refused():
    users, items = IdMap.of(["zoe"], "user"), IdMap.of(["0"], "item")
    test = Ratings.of(users, items, np.array([0]), np.array([0]), np.array([5.0]))
    with pytest.raises(BadRatings, match="knows no user and item of the 1 test ratings"):
        evaluate(model_of(TRAIN, SCORES), test, ns=(1,))


@pytest.mark.parametrize(
    "metrics, words",
    [
        (["ndgc"], "no metric 'ndgc'; did you mean 'ndcg'"),
        (["rmse@3"], "rmse has no list length"),
        (["ndcg@x"], "'ndcg@x' is not a metric; write ndcg@10"),
        (["ndcg@6"], "length is 6; with 5 items it must be from 1 to 5"),
        ([], "nothing is asked for"),
        (["interval_gap"], "gives no intervals"),
    ],
)
def test_metrics_that_cannot_be_measured_are_refused(metrics, words):
    with pytest.raises(BadSetting, match=words):
        evaluate(model_of(TRAIN, SCORES), TEST, ns=(1,), metrics=metrics)


def test_paths_are_no_models_and_no_ratings():
    with pytest.raises(BadModel, match="not the path 'model'; load it first"):
        evaluate("model", TEST)
    with pytest.raises(BadRatings, match="evaluate takes Ratings, not int; read them first"):
        evaluate(model_of(TRAIN, SCORES), 3)
    with pytest.raises(BadModel, match="load takes the path of a model's folder, not 3"):
        load(3)


def test_errors_of_preferences_are_refused():
    with pytest.raises(BadSetting, match="rmse is about predicted ratings"):
        evaluate(model_of(TRAIN, SCORES, kind="preference"), TEST, ns=(), metrics=["rmse"])


def test_preferences_need_lists():
    with pytest.raises(BadSetting, match="only ranking metrics"):
        evaluate(model_of(TRAIN, SCORES, kind="preference"), TEST, ns=())
