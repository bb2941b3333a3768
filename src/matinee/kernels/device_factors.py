"""The other side's factors for batches on a device: kept there, or brought by each batch."""

from collections.abc import Callable

import numpy as np

from matinee.kernels.devices import Device, DeviceArray, free_memory

SHARE = 0.5  # of a device's free memory that the factors may keep

# Of columns (n, width): factors on the device, and the columns in them; None where the factors are
# those of the columns already.
Factors = Callable[[np.ndarray], tuple[DeviceArray, np.ndarray | None]]


def factors_for(device: Device, Y: np.ndarray) -> Factors:
    """Y (n_cols, d) stays on the device where it fits; else each batch brings its own part.

    So a device may be smaller than the data.
    """
    import jax

    if 4 * Y.size > SHARE * free_memory(device):
        return lambda columns: (jax.device_put(Y[columns], device), None)
    there = jax.device_put(Y, device)
    return lambda columns: (there, columns)


def of_columns(Y: DeviceArray, columns: DeviceArray | None) -> DeviceArray:
    """The factors of each column (n, width, d), inside of what is compiled."""
    return Y if columns is None else Y[columns]
