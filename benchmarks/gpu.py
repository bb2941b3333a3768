"""A GPU beside our kernels: the epochs of alternating fits, the inverse of EASE, and lists.

It needs no data and no network: ratings are drawn by a power law. Fits of one and of several epochs
are taken apart, so that compilation and what stays on the processor are not in an epoch.

An epoch reads each rating's factors once for every product: of conjugate gradients, or of the row's
normal matrix. The roofline is that traffic over the memory bandwidth, which a copy on the device
measures.

python benchmarks/gpu.py --millions 1 10 100
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import product
from time import perf_counter

import numpy as np

from data import power_law
from jobs import RESULTS, Row, circumstances, keep
from matinee.algorithms import MF, NMF, Algorithm, BayesianMF, ImplicitALS
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.kernels.devices import accelerator, on_device
from matinee.kernels.inverse import invert
from matinee.kernels.threads import n_threads
from matinee.models import Model
from tables import table

KEY = ("what", "size", "n_factors", "device")
EPOCHS = 1, 4  # of the two fits
STEPS = 3  # of conjugate gradients for a row
BURN_IN = 1  # epochs of BayesianMF before its first sample
LISTED = 10_000  # people whose lists are made
COPIED = 1 << 28  # numbers, to measure the bandwidth


def implicit_als(n_factors: int, n_epochs: int) -> Algorithm:
    return ImplicitALS(
        n_factors=n_factors, n_epochs=n_epochs, reg=0.3, unobserved=0.05, n_steps=STEPS
    )


def mf(n_factors: int, n_epochs: int) -> Algorithm:
    return MF(n_factors=n_factors, n_epochs=n_epochs, reg=0.1, implicit_weight=0, choice=None)


def nmf(n_factors: int, n_epochs: int) -> Algorithm:
    return NMF(n_factors=n_factors, n_epochs=n_epochs, choice=None)


def bayesian_mf(n_factors: int, n_epochs: int) -> Algorithm:
    own = {"burn_in": BURN_IN, "n_samples": 1, "choice": None}
    return BayesianMF(n_factors=n_factors, n_epochs=n_epochs + BURN_IN, **own)


# By name, what makes an algorithm of so many factors and epochs, and how often an epoch reads the
# factors of a rating once they are gathered.
FITS: dict[str, tuple[Callable[[int, int], Algorithm], int]] = {
    "implicit-als": (implicit_als, 2 * (STEPS + 1)),
    "mf": (mf, 2),
    "nmf": (nmf, 2),
    "bayesian-mf": (bayesian_mf, 2),
}


def main() -> None:
    """Measure, show and keep."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--millions", nargs="+", type=float, default=[1, 10, 100], help="ratings")
    parser.add_argument("--factors", nargs="+", type=int, default=[64, 128])
    parser.add_argument("--fits", nargs="+", default=list(FITS), choices=list(FITS))
    parser.add_argument("--items", nargs="+", type=int, default=[4000, 20_000], help="of ease")
    parser.add_argument("--device", default="gpu", choices=("gpu", "cpu"), help="cpu: JAX's own")
    options = parser.parse_args()
    rows = []
    for row in measured(options):
        row |= circumstances(n_threads()) | {"versions": {"jax": version("jax")}}
        keep(RESULTS / "gpu.jsonl", row, KEY)
        rows.append({name: row.get(name, "") for name in (*KEY, "seconds", "of_roofline")})
        print(table(rows[-1:]), flush=True)
    print(table(rows))


def measured(options: Namespace) -> Iterator[Row]:
    """A row for each size on our kernels, and on the device."""
    devices = (None, options.device)
    for millions_of in options.millions:
        ratings = drawn(int(1e6 * millions_of))
        for name, k, device in product(options.fits, options.factors, devices):
            make, products = FITS[name]
            with on_device(device):
                seconds, model = seconds_of_epoch(make, ratings, k)
                row = {"size": len(ratings), "n_factors": k, "device": device or "ours"}
                yield row | {
                    "what": f"epoch of {name}",
                    "seconds": seconds,
                    "of_roofline": device and share(ratings, k, products, seconds),
                }
                yield row | {"what": f"lists of {name}", "seconds": seconds_of_lists(model)}
    for n, device in product(options.items, devices):
        with on_device(device):
            row = {"what": "inverse of ease", "size": n, "n_factors": 0}
            yield row | {"device": device or "ours", "seconds": seconds_of_inverse(n)}


def drawn(n: int) -> Ratings:
    """About ``n`` ratings by a power law, in the proportions of MovieLens 25M."""
    fold = power_law(n, max(1000, n // 150), max(500, int(n**0.5 * 4)))
    ids = (
        IdMap.of(range(size), kind)
        for size, kind in ((fold.n_users, "user"), (fold.n_items, "item"))
    )
    return Ratings.of(*ids, fold.train.user, fold.train.item, fold.train.rating)


def seconds_of_epoch(
    make: Callable[[int, int], Algorithm], ratings: Ratings, n_factors: int
) -> tuple[float, Model]:
    """The difference of fits with more and fewer epochs, after one that compiles; and the model."""
    times = []
    for n_epochs in (EPOCHS[1], *EPOCHS):
        started = perf_counter()
        model = make(n_factors, n_epochs).fit(ratings)
        times.append(perf_counter() - started)
    return round((times[2] - times[1]) / (EPOCHS[1] - EPOCHS[0]), 4), model


def seconds_of_lists(model: Model) -> float:
    """Top tens of many people, after as many that compile."""
    people = model.users.ids[:LISTED].tolist()
    for _ in range(2):
        started = perf_counter()
        model.recommend(people, 10)
        seconds = perf_counter() - started
    return round(seconds, 4)


def seconds_of_inverse(n: int) -> float:
    """The inverse of a random Gram matrix, after one that compiles."""
    rng = np.random.default_rng(0)
    B = rng.normal(size=(n, 64))
    for _ in range(2):
        A = B @ B.T + n * np.eye(n)
        started = perf_counter()
        invert(A)
        seconds = perf_counter() - started
    return round(seconds, 4)


def share(ratings: Ratings, n_factors: int, products: int, seconds: float) -> float:
    """The seconds that the memory traffic takes at least, over those of an epoch.

    Both sides; a rating's factors are gathered, which reads and writes them, and then read again by
    each of the products.
    """
    n_bytes = 2 * 4 * len(ratings) * n_factors * (2 + products)
    return round(n_bytes / bandwidth() / seconds, 3)


def bandwidth() -> float:
    """Bytes a second that a copy reads and writes on the device."""
    import jax

    x = jax.device_put(np.ones(COPIED, np.float32), accelerator())
    double = jax.jit(lambda a: 2 * a)
    double(x).block_until_ready()
    started = perf_counter()
    double(x).block_until_ready()
    return 2 * x.nbytes / (perf_counter() - started)


if __name__ == "__main__":
    main()
