"""The contracts of the metrics: by hand, at chance level, against slow twins and scikit-learn."""

from math import comb, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    mean_absolute_error,
    ndcg_score,
    roc_auc_score,
    root_mean_squared_error,
)

import naive
from matinee.errors import MatineeError
from matinee.evaluation.metrics import METRICS
from matinee.evaluation.metrics.beyond import (
    ItemFacts,
    Lists,
    coverage,
    diversity,
    genre_calibration,
    gini,
    novelty,
    shown_popularity,
)
from matinee.evaluation.metrics.breakdown import group_by_count, means_by_group
from matinee.evaluation.metrics.intervals import LEVELS, IntervalTest, interval_gap, interval_width
from matinee.evaluation.metrics.ranking import (
    RankedTest,
    auc,
    average_precision,
    capped_recall,
    graded_ndcg,
    hit_rate,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
)
from matinee.evaluation.metrics.rating import mae, rmse

NAN = np.nan
SCORES = st.sampled_from([0.0, 1.0, 2.0, NAN])
TWINS = {
    precision: naive.precision,
    recall: naive.recall,
    capped_recall: naive.capped_recall,
    ndcg: naive.ndcg,
    average_precision: naive.average_precision,
    reciprocal_rank: naive.reciprocal_rank,
    hit_rate: naive.hit_rate,
}


def ranked_test(*users):
    """What the evaluator finds for users given as (scores, seen items, relevant items)."""
    stands = [naive.stand(scores, seen, item) for scores, seen, items in users for item in items]
    indptr = np.cumsum([0, *(len(items) for _, _, items in users)])
    candidates = [len(naive.candidates(len(scores), seen)) for scores, seen, _ in users]
    better, tied = np.array(stands, np.int32).T
    return RankedTest(indptr, better, tied, np.array(candidates, np.int32))


@st.composite
def users(draw, max_items=6):
    """Few items with few different scores, so that they tie; every user has a relevant item."""
    n_items = draw(st.integers(1, max_items))
    values = draw(st.lists(SCORES, min_size=n_items, max_size=n_items))
    items = draw(st.permutations(range(n_items)))
    n_relevant = draw(st.integers(1, n_items))
    n_seen = draw(st.integers(0, n_items - n_relevant))
    relevant, seen = items[:n_relevant], items[n_relevant : n_relevant + n_seen]
    return values, sorted(seen), sorted(relevant)


# By hand.


def test_rating_errors_by_hand():
    actual, predicted = np.array([4, 2, 5], np.float32), np.array([3.0, 2.0, 3.0])
    assert rmse(actual, predicted) == pytest.approx((5 / 3) ** 0.5)
    assert mae(actual, predicted) == pytest.approx(1.0)


def test_a_list_without_ties_by_hand():
    # Item 1 is seen; the order of the others is 0, 2, 4, 3 and 2 and 3 are relevant.
    test = ranked_test(([9.0, 8.0, 7.0, 1.0, 3.0], [1], [2, 3]))
    assert test.candidates.tolist() == [4]
    assert precision(test, 2) == pytest.approx([1 / 2])
    assert recall(test, 2) == pytest.approx([1 / 2])
    assert hit_rate(test, 1) == pytest.approx([0])
    assert hit_rate(test, 2) == pytest.approx([1])
    assert ndcg(test, 2) == pytest.approx([(1 / log2(3)) / (1 + 1 / log2(3))])
    assert ndcg(test, 4) == pytest.approx([(1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3))])


def test_a_tie_across_the_end_of_the_list_by_hand():
    # One item is better, then three tie for places 2, 3, 4; two of the three are relevant.
    test = ranked_test(([5.0, 1.0, 1.0, 1.0, 0.0], [], [1, 2]))
    assert precision(test, 2) == pytest.approx([(2 / 3) / 2])
    assert recall(test, 2) == pytest.approx([1 / 3])
    assert hit_rate(test, 2) == pytest.approx([2 / 3])
    assert ndcg(test, 2) == pytest.approx([2 / 3 / log2(3) / (1 + 1 / log2(3))])


def test_nan_ranks_last_by_hand():
    test = ranked_test(([NAN, 0.0, -np.inf, NAN], [], [0, 2]))
    assert test.better.tolist() == [2, 1]
    assert test.tied.tolist() == [2, 1]
    assert recall(test, 3) == pytest.approx([3 / 4])


def test_each_user_has_a_value():
    test = ranked_test(([3.0, 2.0, 1.0], [], [0]), ([3.0, 2.0, 1.0], [0], [1, 2]))
    assert precision(test, 1).tolist() == [1, 1]
    assert recall(test, 1).tolist() == [1, 0.5]
    assert hit_rate(test, 1).tolist() == [1, 1]


def test_the_other_ranking_metrics_by_hand():
    # The order is 0, 2, 4, 3; 2 and 3 are relevant: at places 2 and 4.
    test = ranked_test(([9.0, 8.0, 7.0, 1.0, 3.0], [1], [2, 3]))
    assert capped_recall(test, 1) == pytest.approx([0])
    assert capped_recall(test, 3) == pytest.approx([1 / 2])
    assert average_precision(test, 3) == pytest.approx([(1 / 2) / 2])
    assert average_precision(test, 4) == pytest.approx([(1 / 2 + 2 / 4) / 2])
    assert reciprocal_rank(test, 4) == pytest.approx([1 / 2])
    assert reciprocal_rank(test, 1) == pytest.approx([0])
    assert auc(test) == pytest.approx([1 / 4])  # of 4 pairs only (2, 4) is in order


def test_the_other_ranking_metrics_in_a_tie_by_hand():
    # One item is better, then three tie for places 2, 3, 4; two of the three are relevant.
    test = ranked_test(([5.0, 1.0, 1.0, 1.0, 0.0], [], [1, 2]))
    # The relevant ones take places 2 and 3, 2 and 4, or 3 and 4, each with chance 1/3.
    assert reciprocal_rank(test, 5) == pytest.approx([(1 / 2 + 1 / 2 + 1 / 3) / 3])
    found = [1 / 2 + 2 / 3, 1 / 2 + 2 / 4, 1 / 3 + 2 / 4]
    assert average_precision(test, 5) == pytest.approx([sum(found) / 3 / 2])
    assert auc(test) == pytest.approx([(0 + 1 / 2 + 1) / 3])  # before 0, 3 and 4


def test_graded_ndcg_by_hand():
    # Places 1, 2, 3 are items 2, 0, 1, worth 1, 4 and nothing.
    stands = [naive.stand([2.0, 1.0, 3.0], [], item) for item in (0, 2)]
    better, tied = np.array(stands, np.int32).T
    test = RankedTest(np.array([0, 2]), better, tied, np.array([3]), np.array([4.0, 1.0]))
    ideal = 4 + 1 / log2(3)
    assert graded_ndcg(test, 2) == pytest.approx([(1 + 4 / log2(3)) / ideal])
    assert graded_ndcg(test, 1) == pytest.approx([1 / 4])
    worthless = RankedTest(np.array([0, 2]), better, tied, np.array([3]), np.zeros(2))
    assert np.isnan(graded_ndcg(worthless, 2)).all()


# Lists, by hand.

GENRES = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]], dtype=bool)
FACTS = ItemFacts.of(np.array([8, 4, 2, 0, 1]), 8, GENRES)


def lists(*items, liked=None):
    return Lists(np.array(items), FACTS, None if liked is None else np.array(liked))


def test_what_is_shown_by_hand():
    assert coverage(np.array([2, 0, 1, 0])) == 1 / 2
    assert gini(np.array([1, 1, 1])) == 0
    assert gini(np.array([0, 0, 4])) == pytest.approx(2 / 3)
    assert gini(np.zeros(3)) == 0


def test_novelty_and_popularity_by_hand():
    shown = lists([0, 1, 2], [2, -1, -1], [-1, -1, -1])
    assert novelty(shown, 3)[:2].tolist() == [(0 + 1 + 2) / 3, 2]
    assert novelty(shown, 2)[:2].tolist() == [1 / 2, 2]
    assert shown_popularity(shown, 3)[:2] == pytest.approx([(1 + 1 / 2 + 1 / 4) / 3, 1 / 4])
    assert np.isnan(novelty(shown, 3)[2])  # shown nothing
    assert novelty(lists([3]), 1).tolist() == [3]  # rated by nobody counts as by one of 8


def test_diversity_by_hand():
    # 0 and 1 are alike, 2 is of another genre, 3 half of each, 4 of none.
    assert diversity(lists([0, 1, 2, 4]), 2) == pytest.approx([0])
    assert diversity(lists([0, 1, 2, 4]), 3) == pytest.approx([2 / 3])
    assert diversity(lists([0, 1, 2, 4]), 4) == pytest.approx([2 / 3])
    assert diversity(lists([0, 3]), 2) == pytest.approx([1 - 0.5**0.5])
    assert np.isnan(diversity(lists([0, 4], [2, -1]), 2)).all()


def test_genre_calibration_by_hand():
    even = [0.5, 0.5, 0]
    assert genre_calibration(lists([0, 2], liked=[even]), 2) == pytest.approx([0])
    assert genre_calibration(lists([3, 4], liked=[even]), 2) == pytest.approx([0])
    only_first = 0.5 * np.log(0.5 / (0.99 + 0.005)) + 0.5 * np.log(0.5 / 0.005)
    assert genre_calibration(lists([0, 1], liked=[even]), 2) == pytest.approx([only_first])
    assert np.isnan(genre_calibration(lists([0], [4], liked=[[0, 0, 0], even]), 1)).all()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_gini_is_half_the_relative_mean_difference(times):
    assert gini(np.array(times)) == pytest.approx(naive.gini(times), abs=1e-12)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5, unique=True), st.integers(1, 5))
def test_diversity_is_that_of_all_pairs(items, n):
    expected = naive.diversity([GENRES[item] for item in items[:n]])
    assert diversity(lists(items), n)[0] == pytest.approx(expected, nan_ok=True)


# Intervals, and groups.


def test_intervals_by_hand():
    actual = np.array([1.0, 2.0, 3.0, 4.0])
    inside_two = (np.array([1, 2, 9, 9.0]), np.array([1, 3, 9, 10.0]))
    test = IntervalTest(actual, dict.fromkeys(LEVELS, inside_two))
    assert interval_gap(test) == pytest.approx((0 + 0.3 + 0.4 + 0.45) / 4)
    assert interval_width(test) == pytest.approx((0 + 1 + 0 + 1) / 4)


def test_groups_by_hand():
    group, names = group_by_count(np.array([0, 1, 1, 2, 5, 9, 9]))
    assert names == ["0", "1", "2..8", "9"]
    assert group.tolist() == [0, 1, 1, 2, 2, 3, 3]
    values = {"rmse": (np.array([0, 3, 4]), np.array([4.0, 9, 1])), "mae": (np.array([1]), [2.0])}
    rows = means_by_group("users", group, names, values, frozenset({"rmse"}))
    assert [row["group"] for row in rows] == [f"users with {n} training ratings" for n in names[:3]]
    assert [row["members"] for row in rows] == [1, 1, 2]
    assert [row["rmse"] for row in rows] == [2, None, 5**0.5]
    assert [row["mae"] for row in rows] == [None, 2, None]


@pytest.mark.parametrize("counts", [[0, 0], [3], [5, 5, 5], [0, 1]])
def test_groups_of_odd_data(counts):
    group, names = group_by_count(np.array(counts))
    assert len(group) == len(counts)
    assert group.max() < len(names)


# Ties.


@given(users(), st.integers(1, 7))
def test_ties_count_at_their_mean_over_all_orders(user, n):
    scores, seen, relevant = user
    for metric, twin in TWINS.items():
        expected = naive.mean_over_ties(twin, scores, seen, set(relevant), n)
        assert metric(ranked_test(user), n)[0] == pytest.approx(expected, abs=1e-12)


@given(users())
def test_auc_counts_tied_pairs_half(user):
    scores, seen, relevant = user
    expected = naive.mean_over_ties(naive.auc, scores, seen, set(relevant), 1)
    assert auc(ranked_test(user))[0] == pytest.approx(expected, abs=1e-12)


@given(users(), st.integers(1, 7), st.data())
def test_graded_ndcg_is_the_mean_over_all_orders(user, n, data):
    scores, seen, judged = user
    gain = {item: float(data.draw(st.integers(0, 3))) for item in judged}
    plain = ranked_test(user)
    test = RankedTest(
        plain.indptr, plain.better, plain.tied, plain.candidates, np.array(list(gain.values()))
    )
    expected = naive.mean_over_ties(naive.graded_ndcg, scores, seen, gain, n)
    assert graded_ndcg(test, n)[0] == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(st.integers(1, 30), st.integers(1, 60), st.integers(1, 40), st.sampled_from([0.0, NAN]))
def test_a_constant_scorer_gets_exactly_chance(n_relevant, n_others, n, score):
    n_candidates = n_relevant + n_others
    test = ranked_test(([score] * n_candidates, [], range(n_relevant)))
    shown = min(n, n_candidates)
    missed = comb(n_others, shown) / comb(n_candidates, shown)
    assert precision(test, n)[0] == pytest.approx(n_relevant / n_candidates * shown / n, rel=1e-12)
    assert recall(test, n)[0] == pytest.approx(shown / n_candidates, rel=1e-12)
    assert hit_rate(test, n)[0] == pytest.approx(1 - missed, rel=1e-12)
    assert auc(test)[0] == pytest.approx(1 / 2)


# Laws.


@given(st.lists(users(max_items=9), min_size=1, max_size=4), st.integers(1, 9))
def test_every_metric_is_a_share_and_longer_lists_find_more(some_users, n):
    test = ranked_test(*some_users)
    for metric in TWINS:
        assert (metric(test, n) >= 0).all()
        assert (metric(test, n) <= 1 + 1e-12).all()
    for metric in (recall, hit_rate):
        assert (metric(test, n + 1) >= metric(test, n) - 1e-12).all()
    assert precision(test, n) * n == pytest.approx(recall(test, n) * test.relevant)
    assert (hit_rate(test, n) <= precision(test, n) * n + 1e-12).all()


@given(st.lists(users(), min_size=1, max_size=4), st.integers(1, 6))
def test_users_do_not_touch_each_other(some_users, n):
    for metric in TWINS:
        alone = [metric(ranked_test(user), n)[0] for user in some_users]
        assert metric(ranked_test(*some_users), n).tolist() == pytest.approx(alone)


@given(st.integers(1, 6), st.integers(0, 6), st.integers(1, 8))
def test_the_ideal_order_scores_one(n_relevant, n_others, n):
    scores = np.arange(n_relevant + n_others, 0, -1.0)
    test = ranked_test((scores, [], range(n_relevant)))
    assert ndcg(test, n)[0] == pytest.approx(1)
    assert hit_rate(test, n)[0] == 1
    assert recall(test, n)[0] == pytest.approx(min(n, n_relevant) / n_relevant)


# scikit-learn.


@given(st.lists(st.floats(1, 5), min_size=1, max_size=20), st.randoms())
def test_rating_errors_agree_with_scikit_learn(actual, random):
    predicted = [random.uniform(1, 5) for _ in actual]
    given_actual, given_predicted = np.array(actual), np.array(predicted)
    assert rmse(given_actual, given_predicted) == pytest.approx(
        root_mean_squared_error(actual, predicted)
    )
    assert mae(given_actual, given_predicted) == pytest.approx(
        mean_absolute_error(actual, predicted)
    )


@pytest.mark.parametrize("n_scores", [10**6, 4])  # hardly ever tied, mostly tied
def test_ndcg_agrees_with_scikit_learn(n_scores):
    rng = np.random.default_rng(3)
    for _ in range(50):
        scores = rng.integers(0, n_scores, 30).astype(float)
        relevant = rng.choice(30, rng.integers(1, 12), replace=False)
        truth = np.isin(np.arange(30), relevant)
        for n in (1, 5, 20):
            expected = ndcg_score([truth], [scores], k=n)
            assert ndcg(ranked_test((scores, [], relevant)), n)[0] == pytest.approx(expected)


@pytest.mark.parametrize("n_scores", [10**6, 4])
def test_graded_ndcg_and_auc_agree_with_scikit_learn(n_scores):
    rng = np.random.default_rng(4)
    for _ in range(50):
        scores = rng.integers(0, n_scores, 30).astype(float)
        gain = rng.integers(0, 5, 30).astype(float) * (rng.random(30) < 0.5)
        gain[0] = 3
        judged = np.flatnonzero(gain)
        test = ranked_test((scores, [], judged))
        graded = RankedTest(test.indptr, test.better, test.tied, test.candidates, gain[judged])
        assert auc(test)[0] == pytest.approx(roc_auc_score(gain > 0, scores))
        for n in (1, 5, 20):
            expected = ndcg_score([gain], [scores], k=n)
            assert graded_ndcg(graded, n)[0] == pytest.approx(expected)


# Refusals, and the registry.


@pytest.mark.parametrize("metric", [rmse, mae])
@pytest.mark.parametrize("actual, predicted", [([], []), ([1.0, 2.0], [1.0])])
def test_nothing_to_compare_is_refused(metric, actual, predicted):
    with pytest.raises(MatineeError, match=f"{len(actual)} ratings cannot be compared"):
        metric(np.array(actual), np.array(predicted))


def test_a_user_without_relevant_items_is_refused():
    with pytest.raises(MatineeError, match="user 1 has no relevant"):
        RankedTest(np.array([0, 1, 1]), np.array([0]), np.array([1]), np.array([5, 5]))


def test_each_metric_says_how_it_is_computed():
    names = {metric.compute.__name__ for metric in METRICS.values()}
    assert len(names) == len(METRICS)
    for metric in METRICS.values():
        assert len(metric.compute.__doc__) > 100
        assert (metric.parts is not None) == (metric.source == "ratings")


def test_rating_metrics_are_means_of_their_parts():
    actual, predicted = np.array([1.0, 4, 2]), np.array([2.0, 2, 2])
    for metric in METRICS.values():
        if metric.parts is not None:
            mean = metric.parts(actual, predicted).mean()
            assert metric.compute(actual, predicted) == (mean**0.5 if metric.root else mean)
