"""Another device for the costliest kernels: by JAX, on its CPU backend or on a GPU.

``on_device`` says which, or else the variable ``MATINEE_DEVICE``: ``gpu``, ``cpu`` (JAX's own), or
``auto``, a GPU where there is one. Without either, our kernels run. The drivers beside these
kernels ask here, and nobody else.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from matinee.display.optional import ACCELERATED
from matinee.display.text import memory
from matinee.errors import Advice, BadSetting, Option, Remedy, known_arguments
from matinee.kernels.device_cache import use_device_cache

# JAX is an extra, and its types cannot be named without it.
Device = Any  # one of its devices
DeviceArray = Any  # one of its arrays, or what stands for it while a kernel is compiled

DEVICES = ("auto", "cpu", "gpu")
FEWER = Advice("leave the device out", "leave --device and MATINEE_DEVICE out")
IN_MEMORY = FEWER, " to compute in the memory of the machine"

_device: ContextVar[str | None] = ContextVar("device", default=None)


@known_arguments
@contextmanager
def on_device(name: str | None) -> Iterator[None]:
    """Inside the block, run the costliest kernels on a device: "gpu", "cpu" (JAX's own) or "auto".

    None leaves it to the variable ``MATINEE_DEVICE``. A model is the same to 1e-3 (relative) as
    that of our own kernels, and has the same bits on one type of device. Raises BadSetting for an
    unknown device, for one that is not there, and without JAX.
    """
    before = _device.set(name)
    try:
        accelerator()
        yield
    finally:
        _device.reset(before)


def accelerator() -> Device | None:
    """The JAX device to run kernels on; None for our own kernels. Raises as ``on_device``."""
    name = _device.get()
    source: str | Remedy = f"MATINEE_DEVICE={os.environ.get('MATINEE_DEVICE')}"
    if name is None:
        name = os.environ.get("MATINEE_DEVICE")
    else:
        source = Option("device", name)
    if not name:
        return None
    if name not in DEVICES:
        raise BadSetting("unknown device: ", source, f"; it must be one of {', '.join(DEVICES)}")
    if ACCELERATED.missing:
        if name == "auto":
            return None
        raise BadSetting(source, f" needs JAX, which is not installed: {ACCELERATED.remedy}")
    import jax

    try:
        device = jax.local_devices(backend="cpu" if name == "cpu" else "gpu")[0]
    except RuntimeError:
        if name == "auto":
            return None
        raise BadSetting(
            source, ": JAX finds no GPU here; ", FEWER, ', or pip install "jax[cuda12]"'
        ) from None
    use_device_cache()
    return device


def training_device() -> Device:
    """The JAX device to train networks on: that of ``on_device``, or the one that JAX prefers."""
    device = accelerator()
    if device is None:
        import jax

        use_device_cache()
        device = jax.local_devices()[0]
    return device


def check_memory(
    device: Device, n_bytes: int, what: str, remedy: tuple[str | Remedy, ...] = IN_MEMORY
) -> None:
    """Raise BadSetting, before anything is computed, where a device has too little memory free."""
    free = free_memory(device)
    if n_bytes > free:
        needed = f"{what} needs {memory(n_bytes)} of the device's memory"
        raise BadSetting(f"{needed}, and {memory(free)} are free; ", *remedy)


def free_memory(device: Device) -> float:
    """Bytes of a device that nothing holds; infinite where it does not say."""
    stats = device.memory_stats() or {}
    return float(stats.get("bytes_limit", math.inf)) - float(stats.get("bytes_in_use", 0))
