"""Training of neural matrix factorization by JAX: a product of factors and a tower, together.

s(u, i) = b_u + c_i + p_u . q_i + w . tanh(tanh(x_u + y_i) C + c)
min  mean over examples of  loss(y, s(u, i)) + reg (|p_u|^2 + |x_u|^2 + b_u^2 + ... of i)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonObject
from matinee.kernels.devices import DeviceArray
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.tower import Tower
from matinee.training.gradient_framework import Adam, Parameters
from matinee.training.network_epochs import Judge, Schedule, train_epochs
from matinee.training.progress import OnEpoch

HELD_OUT = 20  # one in so many of the ratings judges the epochs
FEWEST = 2000  # ratings for a held-out piece
PATIENCE = 3  # epochs without a lower held-out loss before the fit stops
DRAWS = 3  # of a negative that was a positive


class Start(NamedTuple):
    """The product of factors as it is before training, where it does not begin at random."""

    users: np.ndarray  # (n_users, n_factors) float32
    items: np.ndarray  # (n_items, n_factors) float32
    base: float  # the score of a pair whose product is zero


class Examples(NamedTuple):
    """Pairs of users and items, and what is to be learned of them, (n,) each."""

    user: np.ndarray
    item: np.ndarray
    target: np.ndarray  # of stars in standard deviations from the mean; of choices 1 or 0
    weight: np.ndarray  # 0 for what fills up a batch

    def take(self, rows: np.ndarray) -> "Examples":
        """The examples in ``rows`` (n,)."""
        return Examples(*(column[rows] for column in self))


@dataclass(frozen=True)
class Shape:
    """The sizes of a network, and how it is regularized."""

    n_factors: int
    n_hidden: int
    n_inner: int
    reg: float


@dataclass(frozen=True, eq=False)
class Source:
    """What examples are drawn from: the ratings, and of choices also what was not chosen."""

    train: Ratings
    mean: float
    unit: float
    n_negatives: int  # of choices for each positive; 0 for stars

    def examples(self, ratings: Ratings, rng: np.random.Generator) -> Examples:
        """The ratings; or the choices, and ``n_negatives`` other items of the user for each."""
        ones = np.ones(len(ratings), np.float32)
        if not self.n_negatives:
            targets = ((ratings.rating.astype(np.float64) - self.mean) / self.unit).astype("f4")
            return Examples(ratings.user, ratings.item, targets, ones)
        user = np.repeat(ratings.user, self.n_negatives)
        item = rng.integers(0, self.train.n_items, len(user)).astype(np.int32)
        clash = self._chosen(user, item)
        for _ in range(DRAWS):
            item[clash] = rng.integers(0, self.train.n_items, int(clash.sum()))
            clash[clash] = self._chosen(user[clash], item[clash])
        targets = np.repeat(np.array([1, 0], np.float32), [len(ratings), len(user)])
        weights = np.concatenate([ones, (~clash).astype(np.float32)])
        users, items = (
            np.concatenate(both) for both in ((ratings.user, user), (ratings.item, item))
        )
        return Examples(users, items, targets, weights)

    @cached_property
    def _keys(self) -> np.ndarray:
        """Every pair of the training part as one number, ascending: int64 (n_ratings,)."""
        return np.asarray(self._key(self.train.user, self.train.item))

    def _key(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        key: np.ndarray = user.astype(np.int64) * self.train.n_items + item
        return key

    def _chosen(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Whether each user (n,) has the item (n,) in the training part."""
        pairs = self._key(user, item)
        place = np.minimum(np.searchsorted(self._keys, pairs), len(self._keys) - 1)
        return np.asarray(self._keys[place] == pairs)


@dataclass(frozen=True, eq=False)
class Network:
    """What was trained: both sides, in units of the network, and the tower."""

    users: Embeddings
    items: Embeddings
    tower: Tower

    @classmethod
    def of(cls, parameters: Parameters) -> "Network":
        """The factors of each side and its vectors for the tower stand side by side."""
        one = {name: np.array(array) for name, array in parameters.items()}
        tower = Tower(one["C"], one["c"], one["w"])
        for array in vars(tower).values():
            array.flags.writeable = False
        sides = (("P", "X", "b_u"), ("Q", "Y", "b_i"))
        users, items = (
            Embeddings(np.column_stack([one[p], one[x]]), one[bias]) for p, x, bias in sides
        )
        return cls(users, items, tower)


def train_network(
    source: Source,
    validation: Ratings | None,
    shape: Shape,
    how: Schedule,
    on_epoch: OnEpoch,
    start_of: Callable[[Ratings], Start | None] = lambda learned: None,
) -> tuple[Network, JsonObject]:
    """The network of the best epoch, and what to report of the fit.

    ``start_of`` makes a start of the ratings that are learned from. Raises Diverged when the loss
    is no longer finite.
    """
    rng = np.random.default_rng(how.seed)
    learned, judged = parts(source, validation, rng)
    loss = loss_of_choices if source.n_negatives else loss_of_stars
    start = initial_parameters(source.train, shape, rng, start_of(learned))
    adam = Adam(loss, start, how.seed, how.learning_rate)

    def batches_of_epoch() -> Iterator[tuple[object, ...]]:
        for batch in batches(source.examples(learned, rng), how.batch_size, rng):
            yield *batch, shape.reg

    judge = None
    if judged is not None:
        judge = Judge(
            "validation_loss",
            lambda parameters: float(loss(parameters, None, *judged, 0.0)),
            higher_is_better=False,
            patience=PATIENCE,
            in_stars=lambda error: None if source.n_negatives else source.unit * error**0.5,
        )
    parameters, facts = train_epochs(adam, batches_of_epoch, judge, how, on_epoch)
    return Network.of(parameters), facts


def training_memory(train: Ratings, shape: Shape, batch_size: int, n_negatives: int) -> int:
    """Bytes of a device that the steps take, or the examples that judge an epoch.

    They are float32 numbers: each parameter with its gradient and the means of Adam, and of each
    example its vectors and the gradients of these.
    """
    factors, hidden, inner = shape.n_factors, shape.n_hidden, shape.n_inner
    parameters = (train.n_users + train.n_items) * (factors + hidden + 1) + (hidden + 2) * inner
    example = 5 * (factors + hidden + inner)
    judges = len(train) // HELD_OUT * (1 + n_negatives)
    return 4 * max(
        4 * parameters + min(batch_size, len(train) * (1 + n_negatives)) * example,
        3 * parameters + judges * example,
    )


def parts(
    source: Source, validation: Ratings | None, rng: np.random.Generator
) -> tuple[Ratings, Examples | None]:
    """The ratings to learn from, and the examples that judge: a held-out piece, or none."""
    train = source.train
    if validation is not None and len(validation):
        return train, source.examples(validation, rng)
    if len(train) < FEWEST:
        return train, None
    held_out = rng.random(len(train)) < 1 / HELD_OUT
    return train.subset(~held_out), source.examples(train.subset(held_out), rng)


def initial_parameters(
    train: Ratings, shape: Shape, rng: np.random.Generator, start: Start | None = None
) -> Parameters:
    """Vectors of standard deviation 0.1, weights of Glorot & Bengio (2010), zero biases.

    The product and the users' biases are those of ``start`` where there is one.
    """
    k, hidden, inner = shape.n_factors, shape.n_hidden, shape.n_inner
    sizes = {"P": (train.n_users, k), "X": (train.n_users, hidden)}
    sizes |= {"Q": (train.n_items, k), "Y": (train.n_items, hidden)}
    vectors = {name: rng.normal(0, 0.1, size) for name, size in sizes.items()}
    vectors["C"] = rng.normal(0, np.sqrt(2 / (hidden + inner)), (hidden, inner))
    vectors["w"] = rng.normal(0, np.sqrt(2 / (inner + 1)), inner)
    vectors |= {"b_u": np.zeros(train.n_users), "b_i": np.zeros(train.n_items)}
    vectors["c"] = np.zeros(inner)
    if start is not None:
        vectors |= {"P": start.users, "Q": start.items}
        vectors["b_u"] += start.base
    return {name: one.astype(np.float32) for name, one in vectors.items()}


def batches(examples: Examples, size: int, rng: np.random.Generator) -> Iterator[Examples]:
    """The examples in random order, the last batch filled up by some of weight 0."""
    n = len(examples.user)
    size = min(size, n)
    order = rng.permutation(n)
    for first in range(0, n, size):
        batch = examples.take(order[first : first + size])
        lacking = size - len(batch.user)
        if lacking:
            more = examples.take(order[:lacking])
            more = more._replace(weight=np.zeros(lacking, np.float32))
            batch = Examples(*map(np.concatenate, zip(batch, more, strict=True)))
        yield batch


def loss_of_stars(p: Parameters, key: DeviceArray, *batch: DeviceArray) -> DeviceArray:
    """The mean squared error of a batch, and the penalty."""
    return _mean(p, lambda s, y: (s - y) ** 2, *batch)


def loss_of_choices(p: Parameters, key: DeviceArray, *batch: DeviceArray) -> DeviceArray:
    """The mean log loss of a batch, and the penalty."""
    import jax

    return _mean(p, lambda s, y: jax.nn.softplus(s) - y * s, *batch)


def _mean(
    p: Parameters,
    error: Callable[[DeviceArray, DeviceArray], DeviceArray],
    user: DeviceArray,
    item: DeviceArray,
    y: DeviceArray,
    weight: DeviceArray,
    reg: float,
) -> DeviceArray:
    import jax.numpy as jnp

    sides = [p["P"][user], p["X"][user], p["b_u"][user], p["Q"][item], p["Y"][item], p["b_i"][item]]
    P, X, b_u, Q, Y, b_i = sides
    inner = jnp.tanh(jnp.tanh(X + Y) @ p["C"] + p["c"])
    s = b_u + b_i + (P * Q).sum(axis=1) + inner @ p["w"]
    penalty = sum((one**2).reshape(len(user), -1).sum(axis=1) for one in sides)
    return (weight * (error(s, y) + reg * penalty)).sum() / weight.sum()
