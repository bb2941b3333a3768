"""Training of a variational autoencoder for choices, by JAX.

    z ~ N(mu, diag(s^2)),   mu = tanh(h W + b) V + d,   log s^2 = tanh(h W + b) L + e
    min  mean over users of  -sum_i x_ui ln softmax(Q z + c)_i + beta n_u KL(z | N(0, 1))

h is x / |x|, of which a share ``dropout`` is left out in each step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.display.plain_data import JsonObject
from matinee.kernels.devices import DeviceArray
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.encoder import Encoder
from matinee.training.gradient_framework import Adam, Parameters
from matinee.training.held_out_lists import PATIENCE, HeldOutLists
from matinee.training.network_epochs import Judge, Schedule, train_epochs
from matinee.training.progress import OnEpoch


@dataclass(frozen=True)
class Shape:
    """The sizes of a network, and how it is regularized."""

    n_hidden: int
    n_factors: int
    dropout: float
    beta: float


@dataclass(frozen=True, eq=False)
class Autoencoder:
    """A trained network as a factor model's parts: an encoder, and a linear decoder."""

    encoder: Encoder
    items: Embeddings
    rated: Rows  # the histories that are encoded

    @classmethod
    def of(cls, parameters: Parameters, rated: Rows) -> "Autoencoder":
        """The score of an empty history becomes the bias of items, so that its factors are 0."""
        W, b, V, d, Q, c = (np.array(parameters[name]) for name in ("W", "b", "V", "d", "Q", "c"))
        bias = c + Q @ (np.tanh(b) @ V + d)
        for array in (W, b, V):
            array.flags.writeable = False
        return cls(Encoder(W, b, V), Embeddings(Q, bias.astype(np.float32)), rated)

    def users(self, rows: np.ndarray) -> Embeddings:
        """The embeddings of the users in rows (n,)."""
        solved = Embeddings.zeros(len(rows), self.items.n_factors)
        self.encoder.solve(self.rated.take(rows), 0.0, self.items, solved)
        return solved

    def score_block(self, users: np.ndarray) -> np.ndarray:
        """Scores (n, n_items) float32 for the users in rows ``users`` (n,)."""
        scores: np.ndarray = self.users(users).factors @ self.items.factors.T
        scores += self.items.bias
        return scores


def train_autoencoder(
    train: Ratings, held_out: HeldOutLists | None, shape: Shape, how: Schedule, on_epoch: OnEpoch
) -> tuple[Autoencoder, JsonObject]:
    """The network of the best epoch, and what to report of the fit.

    Raises Diverged when the loss is no longer finite.
    """
    known = train if held_out is None else held_out.known
    learning = train.user_counts > 0 if held_out is None else held_out.learning
    rng = np.random.default_rng(how.seed)
    adam = Adam(loss, initial_parameters(train.n_items, shape, rng), how.seed, how.learning_rate)

    def batches_of_epoch() -> Iterator[tuple[object, ...]]:
        users = rng.permutation(np.flatnonzero(learning))
        for x, n in batches(known.by_user, users, how.batch_size, train.n_items):
            yield x, n, shape.dropout, shape.beta

    judge = None
    if held_out is not None:
        of_epoch = partial(Autoencoder.of, rated=known.by_user)
        judge = Judge(
            "validation_ndcg@10",
            lambda parameters: held_out.ndcg(of_epoch(parameters)),
            higher_is_better=True,
            patience=PATIENCE,
        )
    parameters, facts = train_epochs(adam, batches_of_epoch, judge, how, on_epoch)
    return Autoencoder.of(parameters, train.by_user), facts


def step_memory(n_items: int, shape: Shape, batch_size: int) -> int:
    """Bytes of a device that a step takes: float32 numbers of parameters and of a batch.

    Each parameter has its gradient and the means of Adam; a batch has its input, what is left of
    it, scores, and their gradients.
    """
    hidden, factors = shape.n_hidden, shape.n_factors
    parameters = n_items * (hidden + factors + 1) + hidden * (2 * factors + 1) + 2 * factors
    return 4 * (4 * parameters + batch_size * (6 * n_items + 4 * hidden + 8 * factors))


def initial_parameters(n_items: int, shape: Shape, rng: np.random.Generator) -> Parameters:
    """Weights of Glorot & Bengio (2010), and biases of zero; float32."""
    sizes = {
        "W": (n_items, shape.n_hidden),
        "V": (shape.n_hidden, shape.n_factors),
        "L": (shape.n_hidden, shape.n_factors),
        "Q": (n_items, shape.n_factors),
    }
    weights = {
        name: rng.normal(0, np.sqrt(2 / sum(size)), size).astype(np.float32)
        for name, size in sizes.items()
    }
    widths = {"b": shape.n_hidden, "d": shape.n_factors, "e": shape.n_factors, "c": n_items}
    return weights | {name: np.zeros(n, np.float32) for name, n in widths.items()}


def batches(
    rated: Rows, users: np.ndarray, size: int, n_items: int
) -> Iterator[tuple[np.ndarray, int]]:
    """Who has what, float32 (size, n_items), and how many people these are, some users at a time.

    The last batch is filled up with empty rows, so that all have one shape.
    """
    size = min(size, len(users))
    for first in range(0, len(users), size):
        some = rated.take(users[first : first + size])
        x = np.zeros((size, n_items), np.float32)
        x[np.repeat(np.arange(len(some.counts)), some.counts), some.indices] = 1.0
        yield x, len(some.counts)


def loss(
    parameters: Parameters,
    key: DeviceArray,
    x: DeviceArray,
    n_users: int,
    dropout: float,
    beta: float,
) -> DeviceArray:
    """The objective for a batch x (n, n_items) that holds so many users; a JAX number."""
    import jax
    import jax.numpy as jnp

    p, (of_input, of_factors) = parameters, jax.random.split(key)
    n = x.sum(axis=1)
    mask = jax.random.bernoulli(of_input, 1 - dropout, x.shape)
    h = x * mask / (1 - dropout) / jnp.sqrt(jnp.maximum(n, 1))[:, None]
    hidden = jnp.tanh(h @ p["W"] + p["b"])
    mu, log_variance = hidden @ p["V"] + p["d"], hidden @ p["L"] + p["e"]
    z = mu + jax.random.normal(of_factors, mu.shape) * jnp.exp(0.5 * log_variance)
    choices = (x * jax.nn.log_softmax(z @ p["Q"].T + p["c"])).sum(axis=1)
    divergence = 0.5 * (jnp.exp(log_variance) + mu**2 - 1 - log_variance).sum(axis=1)
    return (beta * n * divergence - choices).sum() / n_users
