"""The cost of a fit: time, memory, and the size of the learned arrays."""

import ctypes
import gc
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from matinee.models import Model
from matinee.models.external import ExternalModel
from matinee.storage.serialization import learned_arrays

SECONDS_BETWEEN_SAMPLES = 0.005
STATM = Path("/proc/self/statm")  # Linux: pages of memory, the second number is those in use


@dataclass
class Cost:
    """Wall-clock seconds, and the peak of memory above the level at the start."""

    seconds: float = 0.0
    peak_mb: float | None = None  # None where the system does not report it


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure the body of a ``with`` statement: ``with measured() as cost: ...``."""
    cost, done, peak = Cost(), threading.Event(), [0]
    give_memory_back()
    before = resident_bytes()

    def watch() -> None:
        while not done.wait(SECONDS_BETWEEN_SAMPLES):
            peak[0] = max(peak[0], resident_bytes() or 0)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    started = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = time.perf_counter() - started
        done.set()
        watcher.join()
        if before is not None:
            cost.peak_mb = max(peak[0], resident_bytes() or 0, before) / 1e6 - before / 1e6


def give_memory_back() -> None:
    """Return free memory to the system; a fit that reused it would seem to take none."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):
        return  # not glibc


def resident_bytes() -> int | None:
    """Resident memory of this process in bytes; None where the system does not report it."""
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def model_mb(model: object) -> float | None:
    """Megabytes of the learned arrays of a model, without the training ratings."""
    if not isinstance(model, Model) or isinstance(model, ExternalModel):
        return None
    return sum(array.nbytes for array in learned_arrays(model).values()) / 1e6
