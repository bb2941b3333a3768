"""Another device by JAX: the same models, little padding, and errors in words."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from matinee.algorithms import EASE, MF, NMF, BayesianMF, ImplicitALS
from matinee.cli import run
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting, Face, worded
from matinee.kernels import conjugate_gradients, dense_batches, device_factors, devices
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


def test_lists_of_about_as_many_people_compile_once(ratings):
    model = MF(n_factors=4, n_epochs=1, choice=None).fit(ratings)
    people = model.users.ids[ratings.user_counts > 0].tolist()
    with on_device("cpu"):
        model.recommend(people[:18], 3)
        with compilations() as compiled:
            model.recommend(people[:17], 3)
    assert not compiled


@pytest.mark.parametrize(
    "algorithm",
    [
        MF(n_factors=4, n_epochs=5, choice=None),
        ImplicitALS(n_factors=4, n_epochs=5, reg=0.3, unobserved=0.1),
    ],
    ids=["mf", "implicit-als"],
)
def test_factors_that_do_not_fit_a_device_come_batch_by_batch(algorithm, ratings, monkeypatch):
    monkeypatch.setattr(device_factors, "free_memory", lambda device: 100.0)
    ours = algorithm.fit(ratings).item_factors
    with on_device("cpu"):
        theirs = algorithm.fit(ratings).item_factors
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


@pytest.mark.parametrize("beside", [0, 50])
@pytest.mark.parametrize("of", ["a power law", "one length", "few"])
def test_batches_hold_every_row_in_few_shapes_with_little_padding(of, beside):
    rng = np.random.default_rng(0)
    counts = {
        "a power law": rng.zipf(1.3, 5000).clip(0, 4000) - 1,
        "one length": np.full(70_001, 17),
        "few": np.array([3, 0, 9, 9, 1]),
    }[of]
    batches = list(dense_batches.dense_batches(counts, beside))
    rows = np.concatenate([rows for rows, _ in batches])
    assert np.array_equal(np.unique(rows), np.flatnonzero(counts))
    assert all(counts[rows].max() <= width for rows, width in batches)
    most = max(dense_batches.CELLS, counts.max() + beside)
    assert all(len(rows) * (width + beside) <= most for rows, width in batches)
    cells = sum(len(rows) * width for rows, width in batches)
    assert cells <= 1.3 * counts.sum()
    shapes = {(len(rows), width) for rows, width in batches}
    assert len(shapes) == len({width for _, width in batches}) <= 12


def test_lengths_are_rounded_up_to_four_binary_digits():
    n = np.arange(1, 100_000)
    rounded = dense_batches.rounded_up(n)
    assert dense_batches.rounded_up(np.array([7, 15, 16, 17, 33, 1000])).tolist() == [
        *(7, 15, 16, 18, 36, 1024),
    ]
    assert (rounded >= n).all()
    assert (rounded < 1.125 * n).all()
    assert np.array_equal(dense_batches.rounded_up(rounded), rounded)


@contextmanager
def compilations() -> Iterator[list[str]]:
    """What JAX compiles inside of the block, or takes from its cache: an entry each."""
    import jax

    compiled: list[str] = []
    note = lambda event, seconds, **_: compiled.append(event)  # noqa: E731
    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        yield compiled
    finally:
        jax.monitoring.unregister_event_duration_listener(note)
        compiled[:] = [one for one in compiled if one.endswith("backend_compile_duration")]


@pytest.fixture(scope="module")
def long_tail() -> Ratings:
    """20,000 choices by 600 people of 400 items, who have from 1 to 400 of them."""
    rng = np.random.default_rng(4)
    popular = 1 / np.arange(1, 401) ** 0.8
    chance = np.minimum(1, rng.lognormal(0, 1, 600)[:, None] * popular)
    user, item = np.nonzero(rng.random((600, 400)) < chance)
    names = (IdMap.of(range(n), kind) for n, kind in ((600, "user"), (400, "item")))
    return Ratings.of(*names, user, item, np.ones(len(user)))


@pytest.mark.parametrize(
    "algorithm, most",
    [
        (MF(n_factors=6, n_epochs=2, choice=None), 24),
        (ImplicitALS(n_factors=6, n_epochs=2, reg=0.3, unobserved=0.1), 36),
    ],
    ids=["mf", "implicit-als"],
)
def test_a_fit_compiles_a_dozen_shapes_for_each_side(algorithm, most, long_tail):
    """An epoch has a dozen of each side; implicit-als solves its users exactly in the end."""
    import jax

    jax.clear_caches()
    with on_device("cpu"), compilations() as compiled:
        algorithm.fit(long_tail)
    assert 4 < len(compiled) <= most
    with on_device("cpu"), compilations() as again:
        algorithm.with_settings({"n_epochs": 4}).fit(long_tail)
    assert not again, "neither more epochs nor another fit of these ratings compiles"


FIT_AND_COUNT = """
import jax
events = []
jax.monitoring.register_event_listener(lambda event, **_: events.append(event))
from matinee.algorithms import ImplicitALS
from matinee.kernels.devices import on_device
from matinee.sources.synthetic import checkerboard
with on_device("cpu"):
    ImplicitALS(n_factors=2, n_epochs=1, reg=1.0, unobserved=0.1).fit(checkerboard(20))
for end in ("misses", "hits"):
    print(events.count(f"/jax/compilation_cache/cache_{end}"))
"""


def test_the_next_process_takes_its_code_from_a_cache(tmp_path):
    """In the user's folder, or where JAX was told."""

    def misses_and_hits(**settings: str) -> list[int]:
        unset = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "XDG_"))}
        done = subprocess.run(
            [sys.executable, "-c", FIT_AND_COUNT],
            env={**unset, "XDG_CACHE_HOME": str(tmp_path / "home"), **settings},
            capture_output=True,
            text=True,
            check=True,
        )
        return [int(one) for one in done.stdout.split()]

    misses, hits = misses_and_hits()
    assert misses > 0
    assert hits == 0
    assert list((tmp_path / "home" / "matinee" / "devices").iterdir())
    assert misses_and_hits() == [0, misses]
    misses, hits = misses_and_hits(JAX_COMPILATION_CACHE_DIR=str(tmp_path / "other"))
    assert hits == 0


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


def test_a_device_is_no_setting_and_no_argument_of_a_fit(ratings):
    chosen = 'with matinee.on_device("gpu"): around the fit chooses where it computes'
    with pytest.raises(BadSetting) as error:
        MF(device="gpu")
    assert str(error.value) == f"mf has no setting 'device'; {chosen}"
    with pytest.raises(BadSetting) as error:
        ImplicitALS().fit(ratings, device="gpu")
    assert str(error.value) == f"fit of implicit-als has no argument 'device'; {chosen}"
    for_terminal = worded(error.value, Face.COMMAND_LINE)
    assert for_terminal.endswith("; --device gpu chooses where a command computes")


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
