"""The row solve on dense batches of rows, compiled by JAX for a device.

Every row has its normal matrix formed and solved as ``least_squares`` states it, in float32, all
rows of a batch at once.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from matinee.kernels.dense_batches import CELLS, dense_batches, padded
from matinee.kernels.device_factors import factors_for, of_columns
from matinee.kernels.devices import Device, DeviceArray, check_memory
from matinee.kernels.least_squares import (
    Penalty,
    Regularizer,
    Terms,
    dual_rows,
    penalties_of,
)
from matinee.kernels.random import draw_normal


class Batch(NamedTuple):
    """Rows of nearly the same length, padded to one: n rows of ``width`` ratings."""

    rows: np.ndarray  # (n,)
    Y: DeviceArray  # float32 on the device: the other side's factors (n_cols, d), or these columns'
    columns: np.ndarray | None  # (n, width) int32 in Y; None where Y is (n, width, d)
    weights: np.ndarray  # (n, width) float32: 0 for padding
    targets: np.ndarray  # (n, width) float32
    diagonal: np.ndarray  # (n, d) float32, added to the matrix of each row
    counts: np.ndarray  # (n,) float32: its ratings
    base: np.ndarray  # (2, d, d) float32: a matrix for all rows, and one for each rating


def solve_rows_on(device: Device, terms: Terms, regularizer: Regularizer, X: np.ndarray) -> None:
    """``row_solve.solve_rows`` on a device; bounds are met by sweeps, so there must be some."""
    d, pull = X.shape[1], regularizer.pull
    solve, swept = _solutions()
    for batch in batches(device, terms, regularizer.penalty):
        drawn = np.zeros((len(batch.rows), d), np.float32)
        drawn[:, : pull.shape[1]] = pull[batch.rows] if pull.size else 0.0
        if regularizer.lower is None:
            solution = solve(*batch[1:], drawn)
        else:
            lower = regularizer.lower.astype(np.float32)
            solution = swept(regularizer.sweeps, *batch[1:], drawn, lower, X[batch.rows])
        X[batch.rows] = np.asarray(solution)


def draw_rows_on(
    device: Device,
    terms: Terms,
    penalty: Penalty,
    scale: float,
    seed: int,
    draw: int,
    X: np.ndarray,
) -> None:
    """``gibbs.draw_rows`` on a device, with the same random numbers.

    What is drawn in the dual there is, in d unknowns,  A x = Y'W (t - e) + D x0.
    """
    counts, d = terms.counts, X.shape[1]
    in_dual = dual_rows(counts, d) & (not penalty.has_base)
    noise = np.empty((len(X), d + int(counts[in_dual].max(initial=0))), np.float32)
    draw_normal(noise, scale, seed, draw)
    for batch in batches(device, terms, penalty):
        few, z = in_dual[batch.rows, None], noise[batch.rows]
        e, root = z[:, d : d + batch.weights.shape[1]], np.sqrt(batch.weights)
        root, targets = root[:, : e.shape[1]], batch.targets.copy()
        targets[:, : e.shape[1]] -= few * np.divide(e, root, np.zeros_like(e), where=root > 0)
        pull, beyond = few * np.sqrt(batch.diagonal) * z[:, :d], ~few * z[:, :d]
        X[batch.rows] = np.asarray(_draws()(*batch._replace(targets=targets)[1:], pull, beyond))


def batch_memory(longest: int, d: int) -> int:
    """Bytes on a device while a batch is solved, of rows of up to so many ratings."""
    return 3 * 4 * max(CELLS, longest + d) * d


def batches(device: Device, terms: Terms, penalty: Penalty) -> Iterator[Batch]:
    """All rows with ratings, batch by batch. Raises BadSetting where one needs too much memory."""
    indptr, indices, values, weights, offset, Y = terms
    counts, d = terms.counts, Y.shape[1]
    check_memory(device, batch_memory(int(counts.max(initial=1)), d), "a batch of rows")
    factors = factors_for(device, Y)
    base = np.stack([one[:d, :d] for one in (penalty.base, penalty.slope)]).astype(np.float32)
    for rows, width in dense_batches(counts, beside=d):
        place, w = padded(indptr, weights, rows, width)
        column = indices[place]
        yield Batch(
            rows,
            *factors(column),
            w,
            values[place] - offset[column],
            penalties_of(penalty, counts[rows], d).astype(np.float32),
            counts[rows].astype(np.float32),
            base,
        )


def _normal_equations(Y, columns, w, t, D, n, base, pull):
    """A and b of a batch, as ``least_squares.normal_equations`` makes those of a row."""
    import jax.numpy as jnp

    y = of_columns(Y, columns)
    A = jnp.einsum("nlf,nlg->nfg", w[:, :, None] * y, y) + base[0] + n[:, None, None] * base[1]
    A += D[:, :, None] * jnp.eye(y.shape[2], dtype=y.dtype)
    return A, jnp.einsum("nl,nlf->nf", w * t, y) + pull


@cache
def _solutions() -> tuple[Callable[..., DeviceArray], Callable[..., DeviceArray]]:
    """The solutions of a batch, by Cholesky; and sweeps of coordinate descent within bounds."""
    import jax
    import jax.numpy as jnp
    from jax.scipy.linalg import cho_solve

    def solve(*equations):
        with jax.default_matmul_precision("highest"):  # a GPU would round products to ten bits
            A, b = _normal_equations(*equations)
            L = jnp.linalg.cholesky(A)
            return jax.vmap(lambda one, right: cho_solve((one, True), right))(L, b)

    def swept(n, *rest):
        *equations, lower, x = rest
        with jax.default_matmul_precision("highest"):
            A, b = _normal_equations(*equations)

            def step(at, x):
                f = at % b.shape[1]
                slope = jnp.einsum("ng,ng->n", A[:, f], x) - b[:, f]
                return x.at[:, f].set(jnp.maximum(x[:, f] - slope / A[:, f, f], lower[f]))

            return jax.lax.fori_loop(0, n * b.shape[1], step, x)

    return jax.jit(solve), jax.jit(swept)


@cache
def _draws() -> Callable[..., DeviceArray]:
    """Solutions plus noise of covariance A^-1 times that of the numbers given."""
    import jax
    import jax.numpy as jnp
    from jax.scipy.linalg import cho_solve, solve_triangular

    def one(L, b, z):
        return cho_solve((L, True), b) + solve_triangular(L, z, trans="T", lower=True)

    def draw(*rest):
        *equations, z = rest
        with jax.default_matmul_precision("highest"):
            A, b = _normal_equations(*equations)
            return jax.vmap(one)(jnp.linalg.cholesky(A), b, z)

    return jax.jit(draw)
