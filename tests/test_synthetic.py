"""Made-up ratings: the tutorial's golden numbers, planted factors, the checkerboard."""

import numpy as np
import pytest

import matinee
from matinee.errors import BadSetting


def test_uniform_is_the_tutorials_generator() -> None:
    ratings = matinee.uniform(1000, 1000, 25, seed=42)
    counts = np.bincount(ratings.rating.astype(int))
    assert counts.tolist() == [0, 4939, 4985, 4947, 5052, 5077]
    assert f"{ratings.describe().sparsity:.2%}" == "97.50%"
    assert ratings.csr().shape == (1000, 1000)
    assert (ratings.users.ids[0], ratings.users.ids[999]) == ("0", "999")


def test_uniform_draws_values_after_the_items_of_each_user() -> None:
    state = np.random.RandomState(7)
    ratings = matinee.uniform(5, 9, 3, seed=7)
    for user in range(5):
        items = state.choice(9, 3, replace=False)
        values = [state.randint(1, 6) for _ in items]  # one by one is the same stream
        expected = dict(zip(map(str, items), map(float, values), strict=True))
        assert ratings.history(user) == expected


def test_uniform_is_seeded_and_keeps_unrated_items() -> None:
    one, same, other = (matinee.uniform(3, 50, 2, seed=seed) for seed in (1, 1, 2))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert (one.n_items, one.describe().n_items) == (50, len(np.unique(one.item)))
    with pytest.raises(BadSetting, match="ratings_per_user=51"):
        matinee.uniform(3, 50, 51)


def test_planted_has_the_planted_rank() -> None:
    full = matinee.planted(30, 20, 3, density=1.0, noise=0.0).csr().toarray()
    singular = np.linalg.svd(full, compute_uv=False)
    assert singular[3] < 1e-5 * singular[0] < singular[2]
    assert full.min() >= 0
    assert full.mean() == pytest.approx(3, abs=0.7)


def test_planted_density_and_noise() -> None:
    quiet = matinee.planted(200, 100, 2, density=0.2, noise=0.0, seed=3)
    loud = matinee.planted(200, 100, 2, density=0.2, noise=0.5, seed=3)
    assert len(quiet) == 200 * 20
    assert np.std(loud.rating - quiet.rating) == pytest.approx(0.5, rel=0.05)
    with pytest.raises(BadSetting, match="density=0"):
        matinee.planted(2, 2, 1, density=0)


def test_checkerboard() -> None:
    board = matinee.checkerboard(20)
    alike = board.user % 2 == board.item % 2
    assert set(board.rating[alike]) == {5.0}
    assert set(board.rating[~alike]) == {1.0}
    assert 120 < len(board) < 280
    assert len(matinee.checkerboard(4, density=1.0)) == 16
    assert (matinee.checkerboard(6, density=0.01).by_user.counts > 0).all()
