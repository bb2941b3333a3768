"""The row solve against slow, obvious twins, and its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from matinee.data.rows import Rows
from matinee.kernels import row_solve
from matinee.kernels.cholesky import BLOCK
from matinee.row_solvers import (
    LeastSquares,
    Projection,
    ZeroFilled,
    from_plain,
    to_plain,
)
from matinee.row_solvers.embeddings import Embeddings


def problem(n_rows, n_cols, n_factors, seed, most=20):
    """Rows of random ratings, the empty row first, and the sides they are solved on."""
    rng = np.random.default_rng(seed)
    counts = np.r_[0, rng.integers(1, most, n_rows - 1)]
    indices = np.concatenate([np.sort(rng.choice(n_cols, n, replace=False)) for n in counts])
    indptr = np.r_[0, np.cumsum(counts)].astype(np.int64)
    values = rng.normal(3.5, 1, indptr[-1]).astype(np.float32)
    factors = rng.normal(0, 0.5, (n_cols, n_factors)).astype(np.float32)
    items = Embeddings(factors, rng.normal(0, 0.3, n_cols).astype(np.float32))
    return (
        Rows(indptr, indices.astype(np.int32), values),
        items,
        Embeddings.zeros(n_rows, n_factors),
    )


def slow_row(fold, rated, values, mean, items):
    """The normal equations, written out in float64; non-negative by scipy's Lawson-Hanson."""
    Y = np.c_[items.factors[rated], np.ones(len(rated))].astype(np.float64)
    t = values - mean - items.bias[rated]
    n, k = len(rated), items.n_factors
    penalty = np.r_[np.full(k, fold.reg * n**fold.reg_power), 0.0]
    if fold.bias_reg is None:
        Y[:, -1] = 0.0
        penalty[-1] = 1.0
    else:
        penalty[-1] = fold.bias_reg * n**fold.bias_power
    if not fold.nonnegative:
        return np.linalg.solve(Y.T @ Y + np.diag(penalty), Y.T @ t)
    # A free bias is a difference of two non-negative ones.
    wide = np.vstack([np.c_[Y, -Y[:, -1]], np.c_[np.diag(np.sqrt(penalty)), np.zeros(k + 1)]])
    wide[-1, -1] = -wide[-1, -2]
    x = nnls(wide, np.r_[t, np.zeros(k + 1)], maxiter=10_000)[0]
    return np.r_[x[:k], x[k] - x[k + 1]]


FOLDS = [
    LeastSquares(reg=0.1),
    LeastSquares(reg=2.0, reg_power=0.0),
    LeastSquares(reg=1.3, reg_power=0.5, bias_reg=2.0),
    LeastSquares(reg=0.06, bias_reg=0.06, bias_power=1.0),
    LeastSquares(reg=0.5, reg_power=0.5, bias_reg=3.0, nonnegative=True),
    LeastSquares(reg=0.01, nonnegative=True),
]


@pytest.mark.parametrize("fold", FOLDS, ids=str)
@pytest.mark.parametrize("n_factors", [1, 5, 16])
def test_rows_equal_the_slow_twin(fold, n_factors):
    rated, items, users = problem(30, 200, n_factors, seed=n_factors, most=3 * BLOCK)
    fold.solve(rated, 3.5, items, users)
    assert not users.factors[0].any(), "a row without ratings is left alone"
    for row in range(1, 30):
        expected = slow_row(fold, *rated.row(row), 3.5, items)
        found = np.r_[users.factors[row], users.bias[row]]
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("n_factors", [5, 40])
@pytest.mark.parametrize("fold", [*FOLDS, LeastSquares(reg=0.5, implicit_weight=2.0)], ids=str)
def test_a_popular_row_has_the_same_bits_whoever_sums_it(fold, n_factors, monkeypatch):
    """All rows of more than a block count as popular here; alone, a thread splits none."""
    monkeypatch.setattr(row_solve, "POPULAR", BLOCK)
    monkeypatch.setattr(row_solve, "RANGES_PER_THREAD", 1000)
    rated, items, _ = problem(30, 200, n_factors, seed=1, most=3 * BLOCK)
    items = items._replace(implicit=items.factors[::-1].copy())
    found = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("MATINEE_THREADS", threads)
        found.append(Embeddings.zeros(30, n_factors))
        fold.solve(rated, 3.5, items, found[-1])
    for other in found[1:]:
        assert np.array_equal(found[0].factors, other.factors)
        assert np.array_equal(found[0].bias, other.bias)
    assert found[0].factors[1:].any(axis=1).all()


@pytest.mark.parametrize("fold", FOLDS, ids=str)
def test_parts_give_the_solution_back(fold):
    rated, items, users = problem(12, 60, 4, seed=3)
    fold.solve(rated, 3.5, items, users)
    for row in range(1, 12):
        here, values = rated.row(row)
        for target in (0, 59):
            t = values - 3.5 - items.bias[here]
            told = fold.parts(Rows.single(here, t), items, np.array([target]), users.row(row)).sum()
            factors = users.factors[row].astype(float)
            scored = users.bias[row] + factors @ items.factors[target]
            assert told == pytest.approx(scored, abs=1e-4)


@given(seed=st.integers(0, 10_000), n_factors=st.integers(1, 12), reg=st.floats(1e-3, 10))
@settings(max_examples=40)
def test_the_non_negative_solution_meets_its_optimality_conditions(seed, n_factors, reg):
    """x >= 0, slope >= 0 where x = 0, slope = 0 where x > 0 (Karush, Kuhn and Tucker)."""
    rated, items, users = problem(3, 40, n_factors, seed)
    fold = LeastSquares(reg=reg, reg_power=0.0, nonnegative=True)
    fold.solve(rated, 3.5, items, users)
    for row in (1, 2):
        here, values = rated.row(row)
        Y, x = items.factors[here].astype(float), users.factors[row].astype(float)
        residual = values - 3.5 - items.bias[here] - Y @ x
        slope = -Y.T @ residual + reg * x
        assert (x >= 0).all()
        tiny = 1e-3 * (1 + np.abs(Y.T @ residual).max())
        assert (slope[x == 0] >= -tiny).all()
        assert (np.abs(slope[x > 0]) <= tiny).all()


def test_sweeps_never_raise_the_objective():
    rated, items, users = problem(10, 60, 6, seed=1)
    fold = LeastSquares(reg=0.2, nonnegative=True, sweeps=1)

    def objective():
        total = 0.0
        for row in range(10):
            here, values = rated.row(row)
            error = values - 3.5 - items.bias[here] - items.factors[here] @ users.factors[row]
            total += (error**2).sum() + 0.2 * len(here) * (users.factors[row] ** 2).sum()
        return total

    before = objective()
    for _ in range(6):
        fold.solve(rated, 3.5, items, users)
        assert objective() <= before * (1 + 1e-6)
        before = objective()


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("row_mean", ["none", "observed", "all"])
def test_projection_parts_give_the_projection_back(dense, row_mean):
    rated, items, users = problem(12, 60, 4, seed=3)
    fold = Projection(row_mean=row_mean, dense=dense, damping=2.0)
    fold.solve(rated, 3.5, items, users)
    here, values = rated.row(5)
    t = values - 3.5 - items.bias[here]
    told = fold.parts(Rows.single(here, t), items, np.array([7]), users.row(5)).sum()
    scored = users.bias[5] + users.factors[5].astype(float) @ items.factors[7]
    assert told == pytest.approx(scored, abs=1e-5)


def test_a_zero_filled_row_is_the_dense_non_negative_solution():
    rated, items, users = problem(6, 30, 4, seed=2)
    items = Embeddings(np.abs(items.factors), np.zeros(30, np.float32))
    ZeroFilled().solve(rated, 0.0, items, users)
    for row in range(1, 6):
        here, values = rated.row(row)
        dense = np.zeros(30)
        dense[here] = values
        expected = nnls(items.factors.astype(float), dense)[0]
        np.testing.assert_allclose(users.factors[row], expected, atol=1e-4)


@pytest.mark.parametrize("fold", [*FOLDS, Projection("all", True, 1.5), ZeroFilled()], ids=str)
def test_plain_data_and_back(fold):
    assert from_plain(to_plain(fold)) == fold
