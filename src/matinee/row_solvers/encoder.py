"""An encoder: the network of an autoencoder, which folds people in by one forward pass."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from matinee.data.rows import Rows
from matinee.kernels.blas import one_blas_thread, rotated, row_products
from matinee.row_solvers.embeddings import Embeddings
from matinee.tastes.canonical import Freedom

ROWS_AT_ONCE = 4096  # whose hidden layers are in memory together
FLAT = 1e-6  # a path this short has the slope of its start


@dataclass(frozen=True, eq=False)
class Encoder:
    """One hidden layer from who has what to factors; of nothing, they are zero.

        h_j = 1 / sqrt(n) where u has item j, else 0
        p   = [tanh(a + b) - tanh(b)] V,   a = h W

    Terms are gradients along the straight path t h from the empty history, t = 0..1, integrated
    (Sundararajan, Taly & Yan 2017). Each hidden unit moves along a line, so the integral has a
    closed form, and the terms sum to p . q without quadrature:

        h_j int_0^1 d(p . q) / dh_j dt = h_j sum_k W_jk (V q)_k [tanh(a_k + b_k) - tanh(b_k)] / a_k
    """

    input_weights: np.ndarray  # W (n_items, n_hidden) float32
    hidden_bias: np.ndarray  # b (n_hidden,) float32
    output_weights: np.ndarray  # V (n_hidden, n_factors) float32

    @property
    def summed(self) -> None:
        return None

    @property
    def freedom(self) -> Freedom:
        return "rotation"

    def rotated(self, rotation: np.ndarray) -> "Encoder":
        """The encoder whose factors are those of this one times ``rotation`` (k, k)."""
        weights = rotated(self.output_weights, rotation.astype(np.float32))
        weights.flags.writeable = False
        return replace(self, output_weights=weights)

    def solve(self, rated: Rows, mean: float, items: Embeddings, users: Embeddings) -> None:
        known = np.flatnonzero(rated.counts)
        for first in range(0, len(known), ROWS_AT_ONCE):
            rows = known[first : first + ROWS_AT_ONCE]
            some = rated.take(rows)
            values = np.repeat(1 / np.sqrt(some.counts), some.counts).astype(np.float32)
            shape = len(rows), len(self.input_weights)
            a = csr_array((values, some.indices, some.indptr), shape=shape) @ self.input_weights
            hidden = np.tanh(a + self.hidden_bias) - np.tanh(self.hidden_bias)
            with one_blas_thread():
                users.factors[rows] = hidden @ self.output_weights

    def parts(
        self,
        rated: Rows,
        items: Embeddings,
        targets: np.ndarray,
        person: Embeddings,
        products: np.ndarray | None = None,
    ) -> np.ndarray:
        W = self.input_weights[rated.indices].astype(np.float64)
        W /= np.sqrt(len(W))  # h_j W_jk
        a, b = W.sum(axis=0), self.hidden_bias.astype(np.float64)
        flat = np.abs(a) < FLAT
        length = np.where(flat, 1.0, a)
        slope = np.where(flat, 1 - np.tanh(b) ** 2, (np.tanh(a + b) - np.tanh(b)) / length)
        worth = row_products(items.factors[targets], self.output_weights.astype(np.float64))
        return row_products(slope * worth, W)
