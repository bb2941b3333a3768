"""What a fit costs: time, memory, and the size of what was learned."""

import ctypes
import gc
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee.models import Model
from matinee.models.serialization import learned_arrays

SECONDS_BETWEEN_LOOKS = 0.005
STATM = Path("/proc/self/statm")  # Linux: pages of memory, the second number is those in use


@dataclass
class Cost:
    """Seconds that something took, and how far memory rose meanwhile above what was held before."""

    seconds: float = 0.0
    peak_mb: float | None = None  # None where the system does not tell


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure what happens inside: ``with measured() as cost: ...``."""
    cost, done, peak = Cost(), threading.Event(), [0]
    give_memory_back()
    before = resident_bytes()

    def watch() -> None:
        while not done.wait(SECONDS_BETWEEN_LOOKS):
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
    """Let the system have what is free, where it can be: else the next fit fills that unseen."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):
        return  # not the C library of GNU


def resident_bytes() -> int | None:
    """Memory that this process holds; None where the system does not tell."""
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def model_mb(model: Any) -> float | None:
    """Megabytes of the numbers that a model learned, without the ratings it keeps beside them."""
    if not isinstance(model, Model):
        return None
    return float(sum(array.nbytes for array in learned_arrays(model).values()) / 1e6)
