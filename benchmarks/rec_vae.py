"""What RecVAE's changes to Mult-VAE bring: lists of the whole catalogue, and processor seconds.

RecVAE (Shenbin et al. 2020) changes four things of Mult-VAE (Liang et al. 2018). ``mult-vae`` of
Matinee has two of them: the penalty grows with the history (beta n_u KL), and the decoder is
linear. The deeper encoder is left out, since integrated gradients of one hidden layer have a closed
form. The other two are measured here, alone and together, and the constant penalty of the paper
before (beta mean(n) KL):

* ``composite``: the prior is a mixture of N(0, 1), of the posterior as it was an epoch before, and
  of a wide normal; weights .15, .75 and .10, and variance e^10, as in the paper's code. The
  divergence is estimated by the drawn z.
* ``alternating``: the encoder learns for three passes, with dropout, on a fixed decoder; then the
  decoder for one pass, without dropout, on a fixed encoder. Such an epoch has four passes.

Everything else is as in ``mult-vae``, with its default settings: nothing was tuned for a variant.

python benchmarks/rec_vae.py --data-set filmtrust lastfm
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from time import process_time

import numpy as np

from beside_peers import Lists, error_of
from data import folder_of_data
from jobs import RESULTS, Row, circumstances, keep
from matinee.algorithms import MultVAE
from matinee.data.ratings import Ratings
from matinee.kernels.devices import DeviceArray
from matinee.kernels.threads import n_threads
from matinee.training.autoencoder import Autoencoder, Shape, batches, initial_parameters
from matinee.training.gradient_framework import Adam, Parameters
from matinee.training.held_out_lists import PATIENCE, HeldOutLists
from other_data import held_out, ratings_of
from tables import table

KEY = ("data_set", "variant", "seed")
ENCODER, DECODER = ("W", "b", "V", "d", "L", "e"), ("Q", "c")
MIXTURE = (("standard", 0.15), ("old", 0.75), ("wide", 0.10))
WIDE = 10.0  # log of the variance of the wide prior
ENCODER_PASSES = 3  # for one of the decoder


@dataclass(frozen=True)
class Variant:
    """What is changed of Mult-VAE."""

    by_history: bool = True  # whether the penalty grows with the history
    composite: bool = False
    alternating: bool = False


VARIANTS = {
    "constant penalty": Variant(by_history=False),
    "mult-vae of Matinee": Variant(),
    "composite prior": Variant(composite=True),
    "alternating": Variant(alternating=True),
    "composite, alternating": Variant(composite=True, alternating=True),
}


def main() -> None:
    """Measure, show and keep."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips, with the others in more/")
    parser.add_argument("--data-set", nargs="+", default=["filmtrust", "lastfm"])
    parser.add_argument("--variant", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[42, 43, 44])
    options = parser.parse_args()
    rows = []
    for name in options.data_set:
        train, test = held_out(ratings_of(name, folder_of_data(options.data)))
        lists = Lists(train, test)
        for variant in options.variant:
            for seed in options.seeds:
                row = {"data_set": name, "variant": variant, "seed": seed}
                rows.append(row | measured(VARIANTS[variant], train, lists, seed))
                versions = {"versions": {"jax": version("jax")}}
                keep(
                    RESULTS / "rec_vae.jsonl", rows[-1] | circumstances(n_threads()) | versions, KEY
                )
                print(table(rows[-1:]), flush=True)
    print(table(rows))


def measured(variant: Variant, train: Ratings, lists: Lists, seed: int) -> Row:
    """NDCG@10 of a fit, and what it took."""
    started = process_time()
    fitted, n_passes = fit(variant, train, MultVAE(seed=seed))
    seconds = process_time() - started
    each = lists.ndcg(fitted.score_block(block) for block in lists.blocks)
    return {
        "ndcg@10": round(float(each.mean()), 4),
        "error": round(error_of(each), 4),
        "passes": n_passes,
        "processor_seconds": round(seconds, 1),
    }


def fit(variant: Variant, train: Ratings, settings: MultVAE) -> tuple[Autoencoder, int]:
    """The network of the epoch with the best lists of held-out users, and passes over the data."""
    judge = HeldOutLists.of(train, None, settings.seed)
    assert judge is not None
    steps = Steps(variant, train, settings, judge)
    best, best_ndcg, since = steps.parameters, -np.inf, 0
    n_passes = 0
    while n_passes < settings.n_epochs and since < PATIENCE:
        n_passes += steps.epoch()
        ndcg = judge.ndcg(Autoencoder.of(steps.parameters, judge.known.by_user))
        since += 1
        if ndcg > best_ndcg:
            best_ndcg, since = ndcg, 0
            best = {name: np.array(one) for name, one in steps.parameters.items()}
    return Autoencoder.of(best, train.by_user), n_passes


class Steps:
    """Epochs of a variant; encoder and decoder learn together or in turn."""

    def __init__(
        self, variant: Variant, train: Ratings, settings: MultVAE, judge: HeldOutLists
    ) -> None:
        self.variant, self.settings, self.n_items = variant, settings, train.n_items
        self.known, self.learning = judge.known.by_user, np.flatnonzero(judge.learning)
        self.rng = np.random.default_rng(settings.seed)
        shape = Shape(settings.n_hidden, settings.n_factors, settings.dropout, settings.beta)
        start = initial_parameters(train.n_items, shape, self.rng)
        self.mean_n = float(self.known.counts[self.learning].mean())
        parts = [ENCODER, DECODER] if variant.alternating else [ENCODER + DECODER]
        self.adams = [
            Adam(loss, {name: start[name] for name in names}, settings.seed, settings.learning_rate)
            for names in parts
        ]

    @property
    def parameters(self) -> Parameters:
        """Those of all parts."""
        return {name: one for adam in self.adams for name, one in adam.parameters.items()}

    def epoch(self) -> int:
        """All passes of an epoch; how many there were."""
        old = {name: np.array(self.parameters[name]) for name in ENCODER}
        if not self.variant.alternating:
            self._learn(self.adams[0], old, self.settings.dropout)
            return 1
        for _ in range(ENCODER_PASSES):
            self._learn(self.adams[0], old, self.settings.dropout)
        self._learn(self.adams[1], old, 0.0)
        return ENCODER_PASSES + 1

    def _learn(self, adam: Adam, old: Parameters, dropout: float) -> None:
        """One pass over the users for one of the parts, the others fixed."""
        fixed = {n: np.array(p) for n, p in self.parameters.items() if n not in adam.parameters}
        mean_n = 0.0 if self.variant.by_history else self.mean_n
        for x, n in self._batches():
            how = dropout, self.settings.beta, mean_n, float(self.variant.composite)
            adam.step(fixed, old, x, n, *how)

    def _batches(self) -> Iterator[tuple[np.ndarray, int]]:
        users = self.rng.permutation(self.learning)
        return batches(self.known, users, self.settings.batch_size, self.n_items)


def loss(
    learned: Parameters,
    key: DeviceArray,
    fixed: Parameters,
    old: Parameters,
    x: DeviceArray,
    n_users: int,
    dropout: float,
    beta: float,
    mean_n: float,  # of histories, where the penalty is to be constant; else 0
    composite: float,  # 1 for the composite prior, 0 for N(0, 1)
) -> DeviceArray:
    """The objective of ``training.autoencoder``, with the changes of a variant."""
    import jax
    import jax.numpy as jnp

    p, (of_input, of_factors) = learned | fixed, jax.random.split(key)
    n = x.sum(axis=1)
    mask = jax.random.bernoulli(of_input, 1 - dropout, x.shape)
    h = x * mask / (1 - dropout) / jnp.sqrt(jnp.maximum(n, 1))[:, None]

    def encoded(p: Parameters, h: DeviceArray) -> tuple[DeviceArray, DeviceArray]:
        hidden = jnp.tanh(h @ p["W"] + p["b"])
        return hidden @ p["V"] + p["d"], hidden @ p["L"] + p["e"]

    def log_normal(z: DeviceArray, mean: DeviceArray, log_variance: DeviceArray) -> DeviceArray:
        square = (z - mean) ** 2 / jnp.exp(log_variance)
        return -0.5 * (jnp.log(2 * jnp.pi) + log_variance + square)

    mu, log_variance = encoded(p, h)
    z = mu + jax.random.normal(of_factors, mu.shape) * jnp.exp(0.5 * log_variance)
    whole = x / jnp.sqrt(jnp.maximum(n, 1))[:, None]
    zero = jnp.zeros_like(mu)
    priors = {
        "standard": log_normal(z, zero, zero),
        "old": log_normal(z, *encoded(old, whole)),
        "wide": log_normal(z, zero, zero + WIDE),
    }
    mixed = jax.nn.logsumexp(
        jnp.stack([priors[name] + jnp.log(weight) for name, weight in MIXTURE]), axis=0
    )
    drawn = log_normal(z, mu, log_variance) - mixed
    exact = 0.5 * (jnp.exp(log_variance) + mu**2 - 1 - log_variance)
    divergence = jnp.where(composite > 0, drawn, exact).sum(axis=1)
    choices = (x * jax.nn.log_softmax(z @ p["Q"].T + p["c"])).sum(axis=1)
    weights = jnp.where(mean_n > 0, mean_n * (n > 0), n)
    return (beta * weights * divergence - choices).sum() / n_users


if __name__ == "__main__":
    main()
