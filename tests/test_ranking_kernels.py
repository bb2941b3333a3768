"""The ranking kernels against their slow twins, with ties, NaN, infinities and banned items."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from matinee.kernels.ranking import GLANCE, ItemSets, rank_intervals, top_n

INF, NAN = np.inf, np.nan
SCORES = st.sampled_from([-INF, -1.0, -0.0, 0.0, 0.5, 1.0, INF, NAN])  # few, so that they tie


@st.composite
def blocks(draw):
    """Rows of scores and the banned items of each row."""
    n_items = draw(st.integers(1, 12))
    rows = draw(st.lists(st.lists(SCORES, min_size=n_items, max_size=n_items), max_size=4))
    banned = [sorted(draw(st.sets(st.integers(0, n_items - 1)))) for _ in rows]
    return np.array(rows, np.float32).reshape(len(rows), n_items), banned


def as_rows(lists):
    """Lists of item numbers as the drivers take them."""
    indptr = np.cumsum([0, *map(len, lists)], dtype=np.int64)
    items = np.array([item for one in lists for item in one], np.int32)
    return ItemSets(indptr, items)


def best(scores, banned, n):
    return top_n(scores, as_rows(banned), n)


def stand(scores, banned, asked):
    better, tied = rank_intervals(scores, as_rows(banned), as_rows(asked))
    return list(zip(better.tolist(), tied.tolist(), strict=True))


def test_best_items_by_hand():
    scores = np.array([[3, 5, NAN, 5, 4, -INF]], np.float32)
    items, kept = best(scores, [[4]], 6)
    assert items.tolist() == [[1, 3, 0, 5, 2, -1]]
    np.testing.assert_array_equal(kept, np.array([[5, 5, 3, -INF, NAN, NAN]], np.float32))


def test_stand_by_hand():
    scores = np.array([[3, 5, NAN, 5, 4, NAN, 5]], np.float32)
    asked = [[0, 1, 2, 3, 5]]
    assert stand(scores, [[4, 6]], asked) == [(2, 1), (0, 2), (3, 2), (0, 2), (3, 2)]


@given(blocks(), st.integers(1, 14))
@settings(max_examples=150)
def test_best_items_are_those_of_sorting(block, n):
    scores, banned = block
    items, kept = best(scores, banned, n)
    for row, out in enumerate(items.tolist()):
        assert out == naive.top_n(scores[row], banned[row], n)
        shown = [item for item in out if item >= 0]
        np.testing.assert_array_equal(kept[row, : len(shown)], scores[row, shown])
        assert np.isnan(kept[row, len(shown) :]).all()


@pytest.mark.parametrize("n", [1, 10, 300])
def test_best_items_among_many(n):
    """More items than are glanced at once, with ties, NaN and banned items between the best."""
    rng = np.random.default_rng(n)
    scores = np.round(rng.normal(size=(6, 4 * GLANCE + 7)), 1).astype(np.float32)
    scores[rng.random(scores.shape) < 0.1] = NAN
    scores[4], scores[5] = NAN, np.sort(scores[5])
    banned = [np.flatnonzero(rng.random(scores.shape[1]) < 0.3).tolist() for _ in scores]
    items, _ = best(scores, banned, n)
    for row, out in enumerate(items.tolist()):
        assert out == naive.top_n(scores[row], banned[row], n)


@given(blocks())
@settings(max_examples=150)
def test_stand_is_that_of_sorting(block):
    scores, banned = block
    asked = [naive.candidates(scores.shape[1], row) for row in banned]
    expected = [
        naive.stand(scores[row], banned[row], item)
        for row, items in enumerate(asked)
        for item in items
    ]
    assert stand(scores, banned, asked) == expected


@pytest.mark.parametrize("threads", ["1", "3"])
def test_large_blocks_on_several_threads(threads, monkeypatch):
    monkeypatch.setenv("MATINEE_THREADS", threads)
    rng = np.random.default_rng(5)
    scores = rng.integers(0, 400, (60, 1000)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.02] = NAN
    banned = [sorted(rng.choice(1000, rng.integers(0, 300), replace=False)) for _ in scores]
    asked = [naive.candidates(1000, row)[::97] for row in banned]
    assert best(scores, banned, 25)[0].tolist() == [
        naive.top_n(row, no, 25) for row, no in zip(scores, banned, strict=True)
    ]
    order = [naive.ranked(row, no) for row, no in zip(scores, banned, strict=True)]
    places = [order[row].index(item) for row, items in enumerate(asked) for item in items]
    for place, (better, tied) in zip(places, stand(scores, banned, asked), strict=True):
        assert better <= place < better + tied
