"""Another device by JAX: the same models, little padding, and errors in words."""

import sys

import numpy as np
import pytest

from matinee.algorithms import EASE, ImplicitALS
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting
from matinee.kernels import devices


@pytest.fixture(scope="module")
def ratings() -> Ratings:
    """Stars of three planted factors by 90 users of 50 items, with a long tail."""
    rng = np.random.default_rng(2)
    liking = rng.normal(size=(90, 3)) @ rng.normal(size=(3, 50))
    user, item = np.nonzero(rng.random((90, 50)) < np.linspace(0.6, 0.1, 50))
    stars = np.clip(np.round(3 + liking[user, item]), 1, 5)
    names = (IdMap.of(range(n), kind) for n, kind in ((90, "user"), (50, "item")))
    return Ratings.of(*names, user, item, stars)


@pytest.mark.parametrize(
    "algorithm",
    [
        ImplicitALS(n_factors=5, n_epochs=4, reg=0.3, unobserved=0.1),
        ImplicitALS(n_factors=5, n_epochs=4, reg=0.3, unobserved=0.1, by_rating=0.5, lowest=0.2),
        EASE(reg=20.0),
    ],
    ids=["implicit-als", "implicit-als:weighted", "ease"],
)
def test_a_model_is_the_same_on_a_device(algorithm, ratings, monkeypatch):
    everyone = np.arange(ratings.n_users)
    ours = algorithm.fit(ratings).score_block(everyone)
    calls = []
    asked = devices.accelerator
    monkeypatch.setenv("MATINEE_DEVICE", "cpu")
    for module in ("conjugate_gradients", "inverse"):
        target = f"matinee.kernels.{module}.accelerator"
        monkeypatch.setattr(target, lambda: calls.append(asked()) or calls[-1])
    theirs = algorithm.fit(ratings).score_block(everyone)
    assert calls, "a kernel asks for the device"
    assert all(one is not None for one in calls)
    assert np.linalg.norm(theirs - ours) < 1e-3 * np.linalg.norm(ours)


def test_batches_hold_every_row_once_with_little_padding():
    counts = np.random.default_rng(0).zipf(1.3, 5000).clip(0, 4000) - 1
    batches = list(devices.dense_batches(counts))
    rows = np.concatenate([rows for rows, _ in batches])
    assert np.array_equal(np.sort(rows), np.flatnonzero(counts))
    cells = sum(len(rows) * width for rows, width in batches)
    assert all(counts[rows].max() <= width for rows, width in batches)
    assert all(len(rows) * width <= devices.CELLS for rows, width in batches)
    assert cells <= 1.3 * counts.sum()


@pytest.mark.parametrize(
    "name, words",
    [
        ("tpu-7", r"MATINEE_DEVICE is 'tpu-7'; it must be one of auto, cpu, gpu"),
        ("gpu", r"JAX finds none here; leave it out, or install JAX for the GPU"),
    ],
)
def test_a_device_that_is_not_there_is_refused(name, words, ratings, monkeypatch):
    import jax

    monkeypatch.setenv("MATINEE_DEVICE", name)

    def none(backend):
        raise RuntimeError(backend)

    monkeypatch.setattr(jax, "local_devices", none)
    with pytest.raises(BadSetting, match=words):
        EASE().fit(ratings)


def test_auto_without_a_gpu_is_our_own_kernels(monkeypatch):
    import jax

    def none(backend):
        raise RuntimeError(backend)

    monkeypatch.setattr(jax, "local_devices", none)
    monkeypatch.setenv("MATINEE_DEVICE", "auto")
    assert devices.accelerator() is None
    monkeypatch.delenv("MATINEE_DEVICE")
    assert devices.accelerator() is None


def test_without_jax_a_device_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    monkeypatch.setenv("MATINEE_DEVICE", "gpu")
    with pytest.raises(BadSetting, match=r'pip install "matinee\[accelerated\]"'):
        devices.accelerator()
    monkeypatch.setenv("MATINEE_DEVICE", "auto")
    assert devices.accelerator() is None


class Small:
    """A device with a thousand bytes."""

    def memory_stats(self) -> dict[str, int]:
        return {"bytes_limit": 1000}


def test_too_little_memory_is_said_before_anything_is_computed():
    A = np.eye(40)
    with pytest.raises(
        BadSetting, match=r"a matrix of 40 rows needs 0\.0 GB.*unset MATINEE_DEVICE"
    ):
        devices.invert_on(Small(), A)
    assert np.array_equal(A, np.eye(40))
    devices.check_memory(Small(), 1000, "this")
