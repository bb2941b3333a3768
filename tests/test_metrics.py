"""The contracts of the metrics: by hand, at chance level, against slow twins and scikit-learn."""

from math import comb, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, ndcg_score, root_mean_squared_error

import naive
from matinee.errors import MatineeError
from matinee.metrics import METRICS
from matinee.metrics.ranking import RankedTest, coverage, hit_rate, ndcg, precision, recall
from matinee.metrics.rating import mae, rmse

NAN = np.nan
SCORES = st.sampled_from([0.0, 1.0, 2.0, NAN])
TWINS = {
    precision: naive.precision,
    recall: naive.recall,
    ndcg: naive.ndcg,
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


def test_coverage_by_hand():
    best_place = np.array([1, 3, 11, 2, 11])  # lists of 10: items 2 and 4 are in none
    assert [coverage(best_place, n) for n in (1, 2, 3, 10)] == [0.2, 0.4, 0.6, 0.6]


# Ties.


@given(users(), st.integers(1, 7))
def test_ties_count_at_their_mean_over_all_orders(user, n):
    scores, seen, relevant = user
    for metric, twin in TWINS.items():
        expected = naive.mean_over_ties(twin, scores, seen, set(relevant), n)
        assert metric(ranked_test(user), n)[0] == pytest.approx(expected, abs=1e-12)


@given(st.integers(1, 30), st.integers(1, 60), st.integers(1, 40), st.sampled_from([0.0, NAN]))
def test_a_constant_scorer_gets_exactly_chance(n_relevant, n_others, n, score):
    n_candidates = n_relevant + n_others
    test = ranked_test(([score] * n_candidates, [], range(n_relevant)))
    shown = min(n, n_candidates)
    missed = comb(n_others, shown) / comb(n_candidates, shown)
    assert precision(test, n)[0] == pytest.approx(n_relevant / n_candidates * shown / n, rel=1e-12)
    assert recall(test, n)[0] == pytest.approx(shown / n_candidates, rel=1e-12)
    assert hit_rate(test, n)[0] == pytest.approx(1 - missed, rel=1e-12)


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
    for name, metric in METRICS.items():
        assert metric.compute.__name__ == name
        assert len(metric.compute.__doc__) > 100
        assert metric.higher_is_better == (metric.source != "ratings")
