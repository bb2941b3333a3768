"""Another device for the costliest kernels: by JAX, on its CPU backend or on a GPU.

``MATINEE_DEVICE`` says which: ``gpu``, ``cpu`` (JAX's own), or ``auto``, a GPU where there is one.
Without it, our kernels run. The drivers beside these kernels ask here, and nobody else.
"""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from matinee.display.text import counted
from matinee.errors import BadSetting

DEVICES = ("auto", "cpu", "gpu")
GROWTH = 1.25  # of one width of dense batches to the next
CELLS = 1 << 18  # ratings of a batch, with its padding


def accelerator() -> Any | None:
    """The JAX device that kernels should run on; None for our own kernels.

    Raises BadSetting for an unknown device, for one that is not there, and without JAX.
    """
    name = os.environ.get("MATINEE_DEVICE")
    if not name:
        return None
    if name not in DEVICES:
        known = ", ".join(DEVICES)
        raise BadSetting(f"MATINEE_DEVICE is {name!r}; it must be one of {known}")
    try:
        import jax
    except ImportError:
        if name == "auto":
            return None
        raise BadSetting(
            f"MATINEE_DEVICE is {name!r}, which needs JAX, and that is not installed: "
            'pip install "matinee[accelerated]"'
        ) from None
    try:
        device = jax.local_devices(backend="cpu" if name == "cpu" else "gpu")[0]
    except RuntimeError:
        if name == "auto":
            return None
        raise BadSetting(
            "MATINEE_DEVICE is 'gpu', and JAX finds none here; leave it out, or install JAX for "
            'the GPU: pip install "jax[cuda12]"'
        ) from None
    return device


def check_memory(device: Any, n_bytes: int, what: str) -> None:
    """Raise BadSetting, before anything is computed, where a device has too little memory."""
    limit = (device.memory_stats() or {}).get("bytes_limit")
    if limit is not None and n_bytes > limit:
        raise BadSetting(
            f"{what} needs {n_bytes / 1e9:,.1f} GB of the device's memory, which has "
            f"{limit / 1e9:,.1f} GB; unset MATINEE_DEVICE to compute in the memory of the machine"
        )


def dense_batches(counts: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
    """Rows of nearly as many entries (n,), and the width to pad them to, batch by batch.

    ``counts`` (n_rows,) are the entries of each row; empty rows are in no batch. Widths grow by a
    quarter, so no row is padded by more.
    """
    widths = np.unique(np.ceil(GROWTH ** np.arange(0, 110)).astype(np.int64))
    place = np.searchsorted(widths, counts)
    for at in np.unique(place[counts > 0]).tolist():
        rows, width = np.flatnonzero((place == at) & (counts > 0)), int(widths[at])
        size = max(1, CELLS // width)
        for first in range(0, len(rows), size):
            yield rows[first : first + size], width


def invert_on(device: Any, A: np.ndarray) -> None:
    """Replace a symmetric positive definite matrix (n, n) float64 by its inverse, by Cholesky."""
    import jax
    from jax.scipy.linalg import cho_solve

    check_memory(device, 3 * A.nbytes, f"the inverse of a matrix of {counted(len(A), 'row')}")
    with jax.enable_x64(True), jax.default_device(device):
        L = jax.numpy.linalg.cholesky(jax.device_put(A, device))
        A[:] = np.asarray(cho_solve((L, True), jax.numpy.eye(len(A))))
