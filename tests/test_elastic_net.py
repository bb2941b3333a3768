"""Sparse regressions against coordinate descent in plain loops, and their optimality conditions."""

import numpy as np
import pytest
from scipy.sparse import csr_array

import naive
from matinee.kernels.elastic_net import sparse_regressions
from matinee.kernels.sparse import Sparse
from test_contract import ratings_of

X = (ratings_of().csr().toarray() > 0).astype(float)
GRAM = X.T @ X


def regressions(l1, l2, tolerance=1e-14):
    """The weights as a table: column j holds those of x_j."""
    rows = sparse_regressions(Sparse(*sparse(GRAM)), l1, l2, tolerance)
    W = np.zeros_like(GRAM)
    for j in range(len(W)):
        span = slice(rows.indptr[j], rows.indptr[j + 1])
        assert (np.diff(rows.values[span]) <= 0).all(), "heaviest first"
        W[rows.indices[span], j] = rows.values[span]
    return W


@pytest.mark.parametrize("l1", [0.5, 3.0])
def test_sparse_regressions_equal_the_slow_twin(l1):
    l2 = 1.0 + 0.5 * GRAM.diagonal()
    np.testing.assert_allclose(
        regressions(l1, l2), naive.sparse_regressions(GRAM, l1, l2), atol=1e-5
    )


def test_weights_meet_the_conditions_of_the_minimum():
    """The gradient is 0 where a weight is above 0, and not below 0 where it is 0."""
    l2 = np.full(len(GRAM), 5.0)
    W = regressions(1.0, l2)
    gradient = GRAM @ W - GRAM + 1.0 + l2[:, None] * W
    free = ~np.eye(len(W), dtype=bool)
    assert (W >= 0).all()
    assert not W.diagonal().any()
    assert np.abs(gradient[free & (W > 0)]).max() < 1e-3
    assert gradient[free & (W == 0)].min() > -1e-3


def test_more_columns_than_enter_at_first():
    rng = np.random.default_rng(0)
    wide = (rng.random((400, 150)) < 0.3).astype(float)
    gram, l2 = wide.T @ wide, np.full(150, 2.0)
    rows = sparse_regressions(Sparse(*sparse(gram)), 0.5, l2, 1e-14)
    W = np.zeros_like(gram)
    W[rows.indices, np.repeat(np.arange(150), np.diff(rows.indptr))] = rows.values
    np.testing.assert_allclose(W, naive.sparse_regressions(gram, 0.5, l2), atol=1e-5)


def sparse(gram):
    rows = csr_array(gram)
    return rows.indptr, rows.indices, rows.data


@pytest.mark.parametrize("threads", ["2", "5"])
def test_the_number_of_threads_changes_no_bit(threads, monkeypatch):
    l2 = np.full(len(GRAM), 5.0)
    monkeypatch.setenv("MATINEE_THREADS", "1")
    alone = regressions(1.0, l2)
    monkeypatch.setenv("MATINEE_THREADS", threads)
    assert np.array_equal(regressions(1.0, l2), alone)
