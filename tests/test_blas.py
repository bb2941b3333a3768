"""Products and solutions by BLAS, whose bits are those of a row alone."""

import numpy as np
import pytest

from matinee.kernels.blas import row_products, solve_each


@pytest.mark.parametrize("n", [1, 2, 33])
def test_rows_are_solved_as_if_each_were_alone(n):
    rng = np.random.default_rng(n)
    X, Y = rng.normal(size=(80, 40)), rng.normal(size=(n, 40))
    A = X.T @ X + np.eye(40)
    solved = solve_each(A, Y)
    assert np.array_equal(solved, np.concatenate([solve_each(A, row[None]) for row in Y]))
    np.testing.assert_allclose(solved, np.linalg.solve(A, Y.T).T, rtol=1e-9)


def test_rows_are_multiplied_as_if_each_were_alone():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(33, 40)), rng.normal(size=(21, 40))
    found = row_products(X, Y)
    assert np.array_equal(found, np.concatenate([row_products(row[None], Y) for row in X]))
    np.testing.assert_allclose(found, X @ Y.T, rtol=1e-9, atol=1e-12)
