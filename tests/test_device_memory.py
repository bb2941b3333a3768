"""What a fit needs of a device's memory: said before it begins, with what would fit."""

import re
from collections.abc import Callable

import jax
import numpy as np
import pytest

from matinee.algorithms import (
    ALGORITHMS,
    BPR,
    EASE,
    MF,
    NMF,
    BayesianMF,
    Blend,
    ImplicitALS,
    MultVAE,
    NeuralMF,
    device_memory,
)
from matinee.algorithms.device_memory import row_solve_memory
from matinee.display.text import memory
from matinee.errors import BadSetting, Face, Setting, worded
from matinee.kernels import (
    conjugate_gradients,
    device_factors,
    device_rows,
    device_steps,
    devices,
    inverse,
)
from matinee.kernels.dense_batches import CELLS
from matinee.kernels.devices import on_device
from matinee.sources.synthetic import checkerboard
from matinee.training import autoencoder, neural_mf
from matinee.training.gradient_framework import _step_of

RATINGS = checkerboard(40)
PLACES = devices, device_factors, device_memory


@pytest.fixture
def with_free(monkeypatch) -> Callable[[float], None]:
    """Sets how much memory of the device is free."""

    def free(n_bytes: float) -> None:
        for module in PLACES:
            monkeypatch.setattr(module, "free_memory", lambda device: n_bytes)

    return free


FITS = [
    MF(n_factors=12, n_epochs=1, choice=None),
    NMF(n_factors=12, n_epochs=1, choice=None),
    BayesianMF(n_factors=12, n_epochs=12, n_samples=2, choice=None),
    ImplicitALS(n_factors=12, n_epochs=1, reg=1.0, unobserved=0.1),
    BPR(n_factors=12, n_epochs=1),
    MultVAE(n_factors=12, n_hidden=10, n_epochs=1, batch_size=10),
    NeuralMF(n_factors=12, n_hidden=10, n_epochs=1),
    NeuralMF(n_factors=12, n_hidden=10, n_epochs=1, feedback="rating", choice=None),
]


@pytest.mark.parametrize("algorithm", FITS, ids=lambda one: one.name)
@pytest.mark.filterwarnings("ignore")
def test_too_little_memory_is_said_before_a_fit_with_the_factors_that_fit(algorithm, with_free):
    """Enough for seven factors is not for twelve; the remedy is seven, and it works."""
    lower = algorithm.with_settings({"n_factors": 7})
    free = lower.device_memory(RATINGS)
    with_free(free)
    begun = []
    with on_device("cpu"), pytest.raises(BadSetting) as error:
        algorithm.fit(RATINGS, on_epoch=begun.append)
    needed = algorithm.device_memory(RATINGS)
    assert not begun
    assert str(error.value).startswith(
        f"a fit of {algorithm.name} needs {memory(needed)} of the device's memory, and "
        f"{memory(free)} are free; n_factors=7 fits, or "
    )
    (setting, elsewhere) = error.value.remedies
    assert setting == Setting("n_factors", 7)
    assert "--device" in elsewhere.worded(Face.COMMAND_LINE)
    with on_device("cpu"):
        lower.fit(RATINGS, on_epoch=begun.append)
        assert begun
        with pytest.raises(BadSetting):
            algorithm.with_settings({"n_factors": 8}).fit(RATINGS)


def test_where_no_factor_fits_the_device_is_to_be_left_out(with_free):
    with_free(1000.0)
    words = (
        "a fit of mf needs 40.9 MB of the device's memory, and 1.0 kB are free; {} to compute in "
        "the memory of the machine"
    )
    with on_device("cpu"), pytest.raises(BadSetting) as error:
        FITS[0].fit(RATINGS)
    assert str(error.value) == words.format("leave the device out")
    for_terminal = worded(error.value, Face.COMMAND_LINE)
    assert for_terminal == words.format("leave --device and MATINEE_DEVICE out")
    assert FITS[0].fit(RATINGS).n_factors == 12


def test_ease_has_nothing_smaller(with_free):
    with_free(50_000.0)
    with (
        on_device("cpu"),
        pytest.raises(BadSetting, match=r"ease needs 64\.0 kB of .*; leave the device out"),
    ):
        EASE(reg=1.0).fit(RATINGS)


def test_parts_of_a_blend_are_asked_before_the_first_is_fitted(with_free):
    parts = MF(n_factors=2, choice=None), MF(n_factors=30, choice=None)
    with_free(parts[0].device_memory(RATINGS))
    begun = []
    with on_device("cpu"), pytest.raises(BadSetting, match="of mf needs"):
        Blend(of=parts, choice=None).fit(RATINGS, on_epoch=begun.append)
    assert not begun


def test_gradient_steps_need_no_device(with_free):
    with_free(0.0)
    with on_device("cpu"):
        MF(n_factors=12, n_epochs=1, choice=None, solver="sgd").fit(RATINGS)


@pytest.mark.parametrize("setting, value", [("n_hidden", 3), ("batch_size", 2)])
def test_a_network_is_told_the_first_setting_that_suffices(setting, value, with_free):
    """Where one factor is still too many: fewer hidden units, or else a smaller batch."""
    least = {"n_factors": 1, "n_hidden": 1} if setting == "batch_size" else {"n_factors": 1}
    network = MultVAE(n_hidden=200, n_epochs=1, batch_size=20).with_settings(least)
    lower = network.with_settings({setting: value})
    with_free(lower.device_memory(RATINGS))
    with pytest.raises(BadSetting, match=rf"{setting}={value} fits, or with .*on_device"):
        network.fit(RATINGS)
    lower.fit(RATINGS)


def test_what_learns_choices_is_asked_before_the_stars_are_fitted(with_free):
    stars = MF(n_factors=2, choice=ImplicitALS(n_factors=60, reg=1.0, unobserved=0.1))
    with_free(stars.device_memory(RATINGS))
    begun = []
    with (
        on_device("cpu"),
        pytest.raises(BadSetting, match=r"of implicit-als needs .*; leave the device out"),
    ):
        stars.fit(RATINGS, on_epoch=begun.append)
    assert not begun


OF_BIASES = row_solve_memory(RATINGS, 1)  # a few megabytes, which kernels alone ask for
OF_OTHERS = {"hybrid", "content", "blend"}  # which say themselves what they need
SMALL = {one.name: one for one in FITS}


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - OF_OTHERS))
@pytest.mark.filterwarnings("ignore")
def test_kernels_need_no_more_than_the_fit_said(name, monkeypatch):
    asked = [0]
    for module in (device_rows, conjugate_gradients, inverse):
        monkeypatch.setattr(module, "check_memory", lambda device, n, *_: asked.append(n))
    algorithm = SMALL.get(name) or ALGORITHMS[name]()
    if "choice" in algorithm.settings:
        algorithm = algorithm.with_settings({"choice": None})
    with on_device("cpu"):
        algorithm.fit(RATINGS)
    assert max(asked) <= max(OF_BIASES, algorithm.device_memory(RATINGS))
    if algorithm.extra is None and algorithm.device_memory(RATINGS):
        assert max(asked) > 0


# What is estimated is no less than what the compiler allots.


def shaped(*shape: int, dtype: type = np.float32) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, dtype)


def allotted(compiled: object, resident: int = 0) -> int:
    """Bytes of arguments, results and what is in between, without those that stay anyway."""
    stats = compiled.memory_analysis()
    given = stats.argument_size_in_bytes + stats.output_size_in_bytes - stats.alias_size_in_bytes
    return int(given + stats.temp_size_in_bytes - resident)


@pytest.mark.parametrize("resident", [True, False])
@pytest.mark.parametrize("width, d", [(1, 8), (100, 51), (600_000, 16)])
def test_a_batch_takes_no_more_than_is_estimated(width, d, resident):
    def factors_of(n: int) -> tuple[object, object]:
        if resident:
            return shaped(1000, d), shaped(n, width, dtype=np.int32)
        return shaped(n, width, d), None

    stays = 4 * 1000 * d if resident else 0
    n = max(1, CELLS // (width + d))
    rows, row = shaped(n, width), shaped(n, d)
    batch = *factors_of(n), rows, rows, row, shaped(n), shaped(2, d, d), row
    solve, swept = device_rows._solutions()
    for function, arguments in (
        (solve, batch),
        (swept, (2, *batch, shaped(d), row)),
        (device_rows._draws(), (*batch, row)),
    ):
        compiled = function.lower(*arguments).compile()
        assert allotted(compiled, stays) <= device_rows.batch_memory(width, d)

    n = max(1, CELLS // (width + device_steps.VECTORS))
    rows, row = shaped(n, width), shaped(n, d)
    steps = device_steps._compiled().lower(3, *factors_of(n), rows, rows, row, row, row, row)
    assert allotted(steps.compile(), stays) <= device_steps.steps_memory(width, d)


@pytest.mark.parametrize("n_items, hidden, factors, batch", [(3000, 60, 20, 100), (50, 90, 30, 9)])
def test_a_step_of_the_autoencoder_takes_no_more_than_is_estimated(n_items, hidden, factors, batch):
    shape = autoencoder.Shape(hidden, factors, 0.5, 0.01)
    start = autoencoder.initial_parameters(n_items, shape, np.random.default_rng(0))
    step = lowered(autoencoder.loss, start, shaped(batch, n_items), 3, 0.5, 0.01)
    assert allotted(step.compile()) <= autoencoder.step_memory(n_items, shape, batch)


@pytest.mark.parametrize("hidden, factors, batch", [(32, 32, 4096), (90, 30, 64)])
def test_a_step_of_neural_mf_takes_no_more_than_is_estimated(hidden, factors, batch):
    shape = neural_mf.Shape(factors, hidden, 16, 0.01)
    start = neural_mf.initial_parameters(RATINGS, shape, np.random.default_rng(0))
    pairs = (shaped(batch, dtype=dtype) for dtype in (np.int32, np.int32, np.float32, np.float32))
    step = lowered(neural_mf.loss_of_choices, start, *pairs, 0.01)
    estimate = neural_mf.training_memory(RATINGS, shape, batch, 4)
    assert allotted(step.compile()) <= estimate


def lowered(loss: Callable[..., object], start: dict[str, np.ndarray], *batch: object) -> object:
    """A step of Adam, ready to be compiled."""
    state = ({name: shaped(*one.shape) for name, one in start.items()},) * 3
    return _step_of(loss).lower(state, jax.random.key(0), 1, 0.1, *batch)


class Small:
    """A device with a thousand bytes, 400 of them taken."""

    def memory_stats(self) -> dict[str, int]:
        return {"bytes_limit": 1000, "bytes_in_use": 400}


def test_a_kernel_counts_what_is_free_and_leaves_its_matrix():
    A = np.eye(40)
    words = "matrix of 40 rows needs 64.0 kB of the device's memory, and 600 bytes are free; leave"
    with pytest.raises(BadSetting, match=re.escape(words)):
        inverse._invert_on(Small(), A)
    assert np.array_equal(A, np.eye(40))
    devices.check_memory(Small(), 600, "this")
    with pytest.raises(BadSetting):
        devices.check_memory(Small(), 601, "this")


@pytest.mark.parametrize(
    "n_bytes, words", [(999, "999 bytes"), (1000, "1.0 kB"), (2_340_000, "2.3 MB"), (3e9, "3.0 GB")]
)
def test_memory_in_words(n_bytes, words):
    assert memory(n_bytes) == words
