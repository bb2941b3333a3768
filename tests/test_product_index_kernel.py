"""The index of large catalogues: its lists are those of scoring everything."""

import numpy as np
import pytest

import naive
from matinee.algorithms import MF
from matinee.kernels import product_index as indexes
from matinee.kernels.product_index import BLOCK, HEAD, top_by_index
from matinee.lists.retrieval import ProductScorer, best_items
from matinee.models import factor
from matinee.row_solvers.embeddings import Embeddings
from matinee.sources.synthetic import uniform

K, N = 24, 40 * BLOCK + 7


def catalogue(seed=0, n=N, k=K, fall=1.0):
    """Items some of which are alike, so that their scores tie, with small whole numbers."""
    rng = np.random.default_rng(seed)
    spread = 8.0 * np.arange(1, k + 1) ** -fall * rng.gamma(1.0, 1.0, (n, 1))
    factors = np.round(rng.normal(size=(n, k)) * spread).astype(np.float32)
    bias = np.round(rng.normal(size=n)).astype(np.float32)
    alike = rng.integers(0, n, (2, n // 4))
    factors[alike[0]], bias[alike[0]] = factors[alike[1]], bias[alike[1]]
    return Embeddings(factors, bias)


def people(n=6, k=K, seed=1):
    rng = np.random.default_rng(seed)
    factors = np.round(rng.normal(size=(n, k)) * 3).astype(np.float32)
    return Embeddings(factors, np.zeros(n, np.float32))


@pytest.mark.parametrize("n", [1, 10, 100])
def test_lists_of_an_index_are_those_of_scoring_all(n):
    """Scores of whole numbers are exact, so ties are ties for both."""
    items, everyone = catalogue(), people()
    index = indexes.product_index(items)
    scores = 2.0 + everyone.factors @ items.factors.T + items.bias
    for row, expected in enumerate(scores):
        favourites = np.sort(np.argsort(-expected)[:20:2]).astype(np.int32)
        places, best = top_by_index(index, 2.0, everyone.row(row), items, favourites, n)
        assert places.tolist() == naive.top_n(expected, favourites.tolist(), n)
        np.testing.assert_array_equal(best, expected[places])


def test_bounds_lose_nothing_by_rounding():
    """Lists are those, to the bit, of bounds so high that everything is scored."""
    rng = np.random.default_rng(2)
    factors = (rng.normal(size=(N, K)) / np.arange(1, K + 1)).astype(np.float32)
    items = Embeddings(factors, rng.normal(0, 0.1, N).astype(np.float32))
    everyone = Embeddings(rng.normal(size=(20, K)).astype(np.float32), np.zeros(20, np.float32))
    index = indexes.product_index(items)
    endless = np.full_like(index.rest, 1e9), np.full_like(index.longest, 1e9)
    scored = index._replace(rest=endless[0], longest=endless[1])
    nobody = np.empty(0, np.int32)
    for row in range(20):
        lists = [
            top_by_index(one, 3.0, everyone.row(row), items, nobody, 25) for one in (index, scored)
        ]
        for ours, theirs in zip(*lists, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_an_index_gives_the_same_lists_at_any_number_of_threads(monkeypatch):
    items, everyone = catalogue(3), people(seed=4)
    index = indexes.product_index(items)
    lists = []
    for threads in ("1", "3"):
        monkeypatch.setenv("MATINEE_THREADS", threads)
        lists.append(top_by_index(index, 0.0, everyone.row(0), items, np.empty(0, np.int32), 50))
    for ours, theirs in zip(*lists, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_list_ends_where_nothing_is_left():
    items = catalogue(n=BLOCK + 3)
    index = indexes.product_index(items)
    banned = np.arange(2, BLOCK + 3, dtype=np.int32)
    places, best = top_by_index(index, 0.0, people().row(0), items, banned, 5)
    assert sorted(places[:2].tolist()) == [0, 1]
    assert places[2:].tolist() == [-1, -1, -1]
    assert np.isnan(best[2:]).all()


def test_no_index_is_made_where_it_would_not_help():
    assert indexes.product_index(catalogue(k=HEAD)) is None
    flat = np.random.default_rng(0).normal(size=(N, 64)).astype(np.float32)
    assert indexes.product_index(Embeddings(flat, np.zeros(N, np.float32))) is None
    items = catalogue()
    items.factors[5, 3] = np.nan
    assert indexes.product_index(items) is None


def test_an_index_serves_a_few_people_at_a_time():
    items, everyone = catalogue(5), people(20, seed=6)
    index = indexes.product_index(items)
    scorer = ProductScorer(1.0, lambda rows: everyone.take(np.array(rows)), items, index)
    assert scorer.index_for(1, 10) is index
    assert scorer.index_for(20, 10) is scorer.index_for(1, 1000) is None
    all_items = np.arange(N, dtype=np.int32)
    together = best_items(scorer, list(range(20)), all_items, 10, None, N)
    for row in range(0, 20, 2):
        few = best_items(scorer, [row, row + 1], all_items, 10, None, N)
        for ours, theirs in zip(few, together, strict=True):
            np.testing.assert_array_equal(ours, theirs[row : row + 2])


def test_a_model_looks_up_what_it_has_indexed(monkeypatch):
    model = MF(n_factors=HEAD + 4, choice=None).fit(uniform(40, 400, 12))
    person, some = model.users.ids[3], model.items.ids[:50].tolist()
    lists = [model.recommend(person, 5), model.recommend(person, 5, items=some)]
    model.index_items()
    assert "item_index" not in vars(model)  # 400 items are scored as fast
    monkeypatch.setattr(factor, "INDEXED_FROM", 400)
    monkeypatch.setattr(indexes, "LEAST_HEAD", 0.0)
    model.index_items()
    assert model.scorer(np.arange(400)).index is model.item_index is not None
    for before, after in zip(
        lists, (model.recommend(person, 5), model.recommend(person, 5, items=some)), strict=True
    ):
        assert before.item_id == after.item_id
        assert after.score == pytest.approx(before.score, abs=1e-6)
