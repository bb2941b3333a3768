"""Steps of conjugate gradients on a dense batch of rows, compiled by JAX for a device."""

from collections.abc import Callable
from functools import cache

import numpy as np

from matinee.kernels.dense_batches import CELLS
from matinee.kernels.device_factors import factors_for, of_columns
from matinee.kernels.devices import Device, DeviceArray

VECTORS = 8  # of d numbers that a row holds while it takes steps


def steps_memory(longest: int, d: int) -> int:
    """Bytes on a device while a batch takes steps, of rows of up to so many ratings."""
    return 3 * 4 * max(CELLS, longest + VECTORS) * (d + 3)


def batch_steps(device: Device, Y: np.ndarray, n_steps: int) -> Callable[..., np.ndarray]:
    """What takes ``n_steps`` steps with Y (n_cols, d), which stays on the device where it fits.

    Its arguments are, for a batch of rows, the entries' rows of Y, weights (0 for padding) and
    targets, (n, width) each, and pull, D, one over the conditioner's diagonal and x, (n, d) each;
    it returns the new x.
    """
    import jax

    factors, steps = factors_for(device, Y), _compiled()

    def take(columns: np.ndarray, *batch: np.ndarray) -> np.ndarray:
        arrays = (jax.device_put(np.asarray(one, np.float32), device) for one in batch)
        return np.asarray(steps(n_steps, *factors(np.asarray(columns, np.int32)), *arrays))

    return take


@cache
def _compiled() -> Callable[..., DeviceArray]:
    """The steps that ``conjugate_gradients.take_steps`` takes, for all rows of a batch at once."""
    import jax
    import jax.numpy as jnp

    def steps(n, Y, columns, w, t, pull, D, over, x):
        with jax.default_matmul_precision("highest"):  # a GPU would round products to ten bits
            y = of_columns(Y, columns)

            def push(targets, v):
                errors = w * (targets - jnp.einsum("nld,nd->nl", y, v))
                return jnp.einsum("nl,nld->nd", errors, y)

            left = push(t, x) + pull - D * x
            square = (over * left * left).sum(axis=1)

            def step(_, state):
                x, left, p, square, active = state
                Ap = D * p - push(0.0, p)
                curvature = (p * Ap).sum(axis=1)
                active = active & (curvature > 0)
                length = jnp.where(active, square / jnp.where(active, curvature, 1), 0)[:, None]
                x, left = x + length * p, left - length * Ap
                after = (over * left * left).sum(axis=1)
                more = jnp.where(active, after / jnp.where(square > 0, square, 1), 0)[:, None]
                return x, left, over * left + more * p, after, active

            start = x, left, over * left, square, square >= 0
            return jax.lax.fori_loop(0, n, step, start)[0]

    return jax.jit(steps)
