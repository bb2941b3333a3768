"""Another device by JAX: the same models, little padding, and errors in words."""

import sys

import numpy as np
import pytest

from matinee.algorithms import EASE, MF, NMF, BayesianMF, ImplicitALS
from matinee.cli import run
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting
from matinee.kernels import conjugate_gradients, dense_batches, device_rows, devices, inverse
from matinee.kernels.devices import on_device


@pytest.fixture(scope="module")
def ratings() -> Ratings:
    """Stars of three planted factors by 40 users of 24 items, with a long tail."""
    rng = np.random.default_rng(2)
    liking = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 24))
    user, item = np.nonzero(rng.random((40, 24)) < np.linspace(0.8, 0.2, 24))
    stars = np.clip(np.round(3 + liking[user, item]), 1, 5)
    names = (IdMap.of(range(n), kind) for n, kind in ((40, "user"), (24, "item")))
    return Ratings.of(*names, user, item, stars)


@pytest.mark.parametrize(
    "algorithm",
    [
        ImplicitALS(n_factors=5, n_epochs=4, reg=0.3, unobserved=0.1),
        ImplicitALS(n_factors=5, n_epochs=4, reg=0.3, unobserved=0.1, by_rating=0.5, lowest=0.2),
        ImplicitALS(n_factors=5, n_epochs=4, reg=0.3, unobserved=0.1, n_steps=0),
        EASE(reg=20.0),
        MF(n_factors=4, n_epochs=5, choice=None),
        MF(n_factors=4, n_epochs=5, choice=None, implicit_weight=0.0, reg=0.1),
        NMF(n_factors=4, n_epochs=10, choice=None),
        BayesianMF(n_factors=3, n_epochs=20, burn_in=5, n_samples=5, choice=None),
    ],
    ids=["implicit-als", "weighted", "exact", "ease", "mf", "mf:plain", "nmf", "bayesian-mf"],
)
def test_a_model_is_the_same_on_a_device(algorithm, ratings, monkeypatch):
    everyone = np.arange(ratings.n_users)
    ours = algorithm.fit(ratings).score_block(everyone)
    calls = []
    asked = devices.accelerator
    monkeypatch.setenv("MATINEE_DEVICE", "cpu")
    for module in ("conjugate_gradients", "gibbs", "inverse", "row_solve"):
        target = f"matinee.kernels.{module}.accelerator"
        monkeypatch.setattr(target, lambda: calls.append(asked()) or calls[-1])
    theirs = algorithm.fit(ratings).score_block(everyone)
    assert calls, "a kernel asks for the device"
    assert all(one is not None for one in calls)
    assert np.linalg.norm(theirs - ours) < 1e-3 * np.linalg.norm(ours)


@pytest.mark.parametrize("n_steps", [0, 3])
def test_people_with_few_ratings_are_the_same_on_a_device(n_steps, ratings):
    """Whom our kernels solve in as many unknowns as they have ratings, in a basis of its own."""
    model = ImplicitALS(n_factors=16, n_epochs=3, n_steps=n_steps).fit(ratings)
    histories = [dict.fromkeys(model.items.ids[:n].tolist(), 5.0) for n in (1, 2, 3, 8)]
    ours = [model.fold_in(one).embeddings.factors for one in histories]
    with on_device("cpu"):
        theirs = [model.fold_in(one).embeddings.factors for one in histories]
    assert np.allclose(theirs, ours, atol=1e-3 * np.abs(ours).max())


def test_lists_are_the_same_on_a_device(ratings):
    model = MF(n_factors=4, n_epochs=5, choice=None).fit(ratings)
    people = model.users.ids[ratings.user_counts > 0].tolist()
    ours = model.recommend(people, 8, items=model.items.ids[:20])
    with on_device("cpu"):
        theirs = model.recommend(people, 8, items=model.items.ids[:20])
    assert theirs.item_id == ours.item_id
    assert theirs.score == pytest.approx(ours.score, abs=1e-5)
    assert len(model.recommend(people[0], 24).item_id) == 24 - len(model.rated(people[0]))
    with on_device("cpu"):
        short = model.recommend(people[0], 24)
    assert short.item_id == model.recommend(people[0], 24).item_id


def test_factors_that_do_not_fit_a_device_come_batch_by_batch(ratings, monkeypatch):
    whole = MF(n_factors=4, n_epochs=5, choice=None)
    monkeypatch.setattr(device_rows, "free_memory", lambda device: 100.0)
    ours = whole.fit(ratings).item_factors
    with on_device("cpu"):
        theirs = whole.fit(ratings).item_factors
    assert np.linalg.norm(theirs - ours) < 1e-3 * np.linalg.norm(ours)


def test_a_block_on_a_device_ends_with_it(monkeypatch):
    monkeypatch.delenv("MATINEE_DEVICE", raising=False)
    with on_device("cpu"):
        assert devices.accelerator().platform == "cpu"
    assert devices.accelerator() is None
    refused = pytest.raises(BadSetting, match='unknown device: device="npu"; it must be one of')
    with refused, on_device("npu"):
        pass
    assert devices.accelerator() is None


def test_batches_hold_every_row_once_with_little_padding():
    counts = np.random.default_rng(0).zipf(1.3, 5000).clip(0, 4000) - 1
    batches = list(dense_batches.dense_batches(counts))
    rows = np.concatenate([rows for rows, _ in batches])
    assert np.array_equal(np.sort(rows), np.flatnonzero(counts))
    cells = sum(len(rows) * width for rows, width in batches)
    assert all(counts[rows].max() <= width for rows, width in batches)
    assert all(len(rows) * width <= dense_batches.CELLS for rows, width in batches)
    assert cells <= 1.3 * counts.sum()


@pytest.mark.parametrize(
    "name, words",
    [
        ("tpu-7", r"unknown device: MATINEE_DEVICE=tpu-7; it must be one of auto, cpu, gpu"),
        ("gpu", r"MATINEE_DEVICE=gpu: JAX finds no GPU here; leave the device out"),
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
        BadSetting, match=r"a matrix of 40 rows needs 0\.0 GB.*leave the device out"
    ):
        inverse._invert_on(Small(), A)
    assert np.array_equal(A, np.eye(40))
    devices.check_memory(Small(), 1000, "this")


def test_the_command_line_takes_a_device(ratings, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ratings.to_pandas().to_csv("stars.csv", index=False)
    devices_of_fits = []
    real = conjugate_gradients.accelerator
    note = lambda: devices_of_fits.append(real()) or devices_of_fits[-1]  # noqa: E731
    monkeypatch.setattr(conjugate_gradients, "accelerator", note)
    few = ["--set", "n_factors=2", "--set", "n_epochs=1", "--set", "reg=1", "--set", "unobserved=1"]
    fit = ["fit", "stars.csv", "-a", "implicit-als", *few, "--no-check", "--out", "model"]
    assert run([*fit, "--device", "cpu"]) == 0
    assert {one.platform for one in devices_of_fits} == {"cpu"}
    assert devices.accelerator() is None
    spark = [*fit, "--engine", "spark", "--device", "cpu"]
    assert run(spark) == 2
    assert "--device goes with --engine local" in capsys.readouterr().err
