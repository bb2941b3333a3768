"""The kernels that solve rows against dense algebra, and what their steps promise."""

import numpy as np
import pytest

from matinee.data.rows import Rows
from matinee.kernels import tiles
from matinee.kernels.conjugate_gradients import NEAR, Positives, improve_rows
from matinee.kernels.factors import CHUNK, squared_errors
from matinee.kernels.jit import kernel
from matinee.kernels.least_squares import BLOCK, penalty_of
from matinee.kernels.rows import add_row_sums
from matinee.kernels.vectors import LANES
from matinee.row_solvers.embeddings import Embeddings

D = 20


def problem(weighted, seed=0):
    """Rows of choices, one of them empty and some longer than a block, in a diagonal basis."""
    rng = np.random.default_rng(seed)
    counts = np.r_[0, 1, 2, 3, 5, 60, BLOCK, BLOCK + 1, 2 * BLOCK + 3]
    indptr = np.r_[0, np.cumsum(counts)]
    indices = np.concatenate([rng.permutation(200)[:n] for n in counts])
    weights = rng.uniform(0.5, 3, len(indices)) if weighted else None
    Y = rng.normal(size=(200, D)) * np.linspace(0.1, 1, D)
    Y = Y @ np.linalg.eigh(Y.T @ Y)[1]
    typical = (Y**2).mean(axis=0)
    penalty = penalty_of(np.full(D, 0.3), np.full(D, 0.5), 60.0, diagonal=60 * typical)
    pull = rng.normal(size=(9, D)) if weighted else None
    targets = rng.uniform(0, 1.5, len(indices)).astype(np.float32)
    positives = Positives.of(Rows(indptr, indices, targets), weights, Y)
    return positives, penalty, pull, typical


def improved(given, n_steps, X):
    """X after so many steps."""
    X = X.copy()
    improve_rows(*given, n_steps, X)
    return X


def system(given, row):
    """A and b of a row, written out."""
    (indptr, indices, weights, targets, Y), penalty, pull, _ = given
    here = slice(indptr[row], indptr[row + 1])
    y, n = Y[indices[here]].astype(np.float64), indptr[row + 1] - indptr[row]
    w = weights[here].astype(np.float64) if weights.size else np.ones(n)
    reg = penalty.diagonal + penalty.reg * (n + penalty.more) ** penalty.power
    b = y.T @ (w * targets[here]) + (0 if pull is None else pull[row])
    return y.T @ (w[:, None] * y) + np.diag(reg), b


@pytest.mark.parametrize("weighted", [False, True])
def test_many_steps_give_the_dense_solution(weighted):
    given = problem(weighted)
    before = np.full((9, D), 0.3, np.float32)
    found = improved(given, 25, before)
    assert np.array_equal(found[0], before[0]), "a row without ratings is left"
    for row in range(1, 9):
        np.testing.assert_allclose(found[row], np.linalg.solve(*system(given, row)), atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_each_step_lowers_the_objective(weighted):
    given = problem(weighted)
    start = np.random.default_rng(1).normal(size=(9, D)).astype(np.float32)
    steps = [improved(given, n_steps, start).astype(np.float64) for n_steps in range(6)]
    for row in range(1, 9):
        A, b = system(given, row)
        values = np.array([x[row] @ A @ x[row] - 2 * b @ x[row] for x in steps])
        assert (np.diff(values) <= 1e-6 * np.abs(values[-1])).all()
        assert values[3] - values[5] <= 0.01 * (values[0] - values[5]), "three steps are enough"


def test_a_solution_is_left_as_it_is():
    given = problem(weighted=True)
    solved = improved(given, 25, np.zeros((9, D), np.float32))
    np.testing.assert_allclose(improved(given, 3, solved), solved, atol=1e-6)
    nothing = given[0]._replace(targets=np.zeros_like(given[0].targets)), given[1], None, given[3]
    assert not improved(nothing, 3, np.zeros_like(solved)).any()


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_too_long_for_the_cache_take_the_same_steps(weighted):
    """With so many factors, 0 for all items, that 32 rows of Y fill the cache."""
    given, more = problem(weighted), NEAR // (4 * 32) - D
    positives, penalty, pull, typical = given
    widened = (
        positives._replace(Y=np.pad(positives.Y, ((0, 0), (0, more)))),
        penalty_of(
            np.full(D + more, 0.3),
            np.full(D + more, 0.5),
            60.0,
            diagonal=np.pad(penalty.diagonal, (0, more)),
        ),
        None if pull is None else np.pad(pull, ((0, 0), (0, more))),
        np.pad(typical, (0, more)),
    )
    assert np.diff(positives.indptr).max() > 32
    found = improved(widened, 3, np.zeros((9, D + more), np.float32))
    np.testing.assert_allclose(
        found[:, :D], improved(given, 3, np.zeros((9, D), np.float32)), atol=1e-6
    )
    assert not found[:, D:].any()


def test_threads_change_no_bit(monkeypatch):
    given, start = problem(weighted=True), np.zeros((9, D), np.float32)
    found = {}
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("MATINEE_THREADS", threads)
        found[threads] = improved(given, 3, start)
    assert np.array_equal(found["1"], found["2"])
    assert np.array_equal(found["1"], found["4"])


def test_rows_of_whole_vectors_mix_like_plain_ones():
    rng = np.random.default_rng(0)
    P, Q = (rng.normal(size=(3, 2 * LANES)).astype(np.float32) for _ in range(2))
    p, q = P[2].astype(np.float64), Q[1].astype(np.float64)
    assert step_between(P, 2, Q, 1, np.float32(0.25)) == pytest.approx(p @ q, rel=1e-5)
    np.testing.assert_allclose(P[2], 0.5 * p + 0.25 * q, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(Q[1], 0.75 * q + 0.25 * p, rtol=1e-5, atol=1e-6)


@kernel
def step_between(P, u, Q, i, step):
    """The product of two rows, which are fetched, multiplied, and mixed."""
    tiles.fetch_row(P, u)
    dot = tiles.dot_rows(P, u, Q, i)
    tiles.mix_rows(P, u, np.float32(0.5), Q, i, np.float32(0.75), step)
    return dot


@pytest.mark.parametrize("k", [1, 7, 8, 9, 16, 50, 64, 65, 130])
def test_listed_rows_are_added_one_after_the_other(k):
    """To the bit, whatever the width: so that they can come in parts."""
    rng = np.random.default_rng(k)
    lists = [rng.integers(0, 30, n) for n in (0, 1, 2, 40)]
    Z, S = rng.normal(size=(30, k)).astype(np.float32), rng.normal(size=(4, k))
    expected = S.copy()
    for row, listed in zip(expected, lists, strict=True):
        for place in listed:
            row += Z[place]
    indptr, indices = np.cumsum([0, *map(len, lists)]), np.concatenate(lists)
    add_row_sums(S, Rows(indptr, indices, np.empty(0)), Z)
    assert np.array_equal(S, expected)


def test_squared_errors_are_those_of_the_clipped_scores():
    rng = np.random.default_rng(0)
    n = CHUNK + 5
    user, item = (rng.integers(0, 7, n).astype(np.int32) for _ in range(2))
    P, Q = (rng.normal(size=(7, 3)).astype(np.float32) for _ in range(2))
    b, c = (rng.normal(size=7).astype(np.float32) for _ in range(2))
    rating = rng.normal(size=n).astype(np.float32)
    scores = 0.5 + b[user] + c[item] + (P.astype(float)[user] * Q[item]).sum(axis=1)
    for scale in ((-np.inf, np.inf), (-1.0, 1.0)):
        given = 0.5, Embeddings(P, b), Embeddings(Q, c), (user, item, rating), scale
        sums = squared_errors(*given)
        expected = (rating - scores.clip(*scale)) ** 2
        np.testing.assert_allclose(sums, [expected[:CHUNK].sum(), expected[CHUNK:].sum()], 1e-4)
    b[3] = np.nan
    assert np.isnan(squared_errors(*given)[0])
