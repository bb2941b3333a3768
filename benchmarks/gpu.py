"""A GPU beside our kernels: the epochs of implicit ALS, and the inverse of EASE.

It needs no data and no network: ratings are drawn by a power law. Fits of one and of several epochs
are taken apart, so that compilation and what stays on the processor are not in an epoch.

An epoch of ALS reads each rating's factors once for every product of conjugate gradients. The
roofline is that traffic over the memory bandwidth, which a copy on the device measures.

python benchmarks/gpu.py --millions 1 10 100
"""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from time import perf_counter

import numpy as np

from data import power_law
from jobs import RESULTS, Row, circumstances, keep
from matinee.algorithms import ImplicitALS
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.kernels.devices import accelerator
from matinee.kernels.inverse import invert
from matinee.kernels.threads import n_threads
from tables import table

KEY = ("what", "size", "n_factors", "device")
EPOCHS = 1, 4  # of the two fits
STEPS = 3  # of conjugate gradients for a row
COPIED = 1 << 28  # numbers, to measure the bandwidth


def main() -> None:
    """Measure, show and keep."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--millions", nargs="+", type=float, default=[1, 10, 100], help="ratings")
    parser.add_argument("--factors", nargs="+", type=int, default=[64, 128])
    parser.add_argument("--items", nargs="+", type=int, default=[4000, 20_000], help="of ease")
    parser.add_argument("--device", default="gpu", choices=("gpu", "cpu"), help="cpu: JAX's own")
    options = parser.parse_args()
    rows = []
    for row in measured(options.millions, options.factors, options.items, options.device):
        row |= circumstances(n_threads()) | {"versions": {"jax": version("jax")}}
        keep(RESULTS / "gpu.jsonl", row, KEY)
        rows.append({name: row.get(name, "") for name in (*KEY, "seconds", "of_roofline")})
        print(table(rows[-1:]), flush=True)
    print(table(rows))


def measured(
    millions: list[float], factors: list[int], items: list[int], device: str
) -> Iterator[Row]:
    """A row for each size on our kernels, and on the device."""
    for millions_of in millions:
        ratings = drawn(int(1e6 * millions_of))
        for k in factors:
            for name in (None, device):
                with chosen(name):
                    seconds = seconds_of_epoch(ratings, k)
                    yield {
                        "what": "epoch of implicit-als",
                        "size": len(ratings),
                        "n_factors": k,
                        "device": name or "ours",
                        "seconds": seconds,
                        "of_roofline": None if name is None else share(ratings, k, seconds),
                    }
    for n in items:
        for name in (None, device):
            with chosen(name):
                row = {"what": "inverse of ease", "size": n, "n_factors": 0}
                yield row | {"device": name or "ours", "seconds": seconds_of_inverse(n)}


@contextmanager
def chosen(name: str | None) -> Iterator[None]:
    """Our kernels for None, else a device."""
    os.environ["MATINEE_DEVICE"] = name or ""
    try:
        yield
    finally:
        del os.environ["MATINEE_DEVICE"]


def drawn(n: int) -> Ratings:
    """About ``n`` choices of a power law, in the proportions of MovieLens 25M."""
    fold = power_law(n, max(1000, n // 150), max(500, int(n**0.5 * 4)))
    ids = (
        IdMap.of(range(size), kind)
        for size, kind in ((fold.n_users, "user"), (fold.n_items, "item"))
    )
    return Ratings.of(*ids, fold.train.user, fold.train.item, np.ones(len(fold.train.user)))


def seconds_of_epoch(ratings: Ratings, n_factors: int) -> float:
    """The difference of fits with more and fewer epochs, after one that compiles."""
    times = []
    for n_epochs in (EPOCHS[1], *EPOCHS):
        algorithm = ImplicitALS(
            n_factors=n_factors, n_epochs=n_epochs, reg=0.3, unobserved=0.05, n_steps=STEPS
        )
        started = perf_counter()
        algorithm.fit(ratings)
        times.append(perf_counter() - started)
    return round((times[2] - times[1]) / (EPOCHS[1] - EPOCHS[0]), 4)


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


def share(ratings: Ratings, n_factors: int, seconds: float) -> float:
    """The seconds that the memory traffic takes at least, over those of an epoch.

    Both sides; a row's factors are gathered once, and read twice for each product with A.
    """
    products = 2 * (STEPS + 1)
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
