"""A GPU beside our kernels: the epochs of alternating fits, the inverse of EASE, and lists.

It needs no data and no network: ratings are drawn by a power law. Fits of one and of several epochs
are taken apart, so that compilation and what stays on the processor are not in an epoch. Where
``implicit`` is installed with CUDA, an epoch of its ALS stands beside ours.

An epoch reads each rating's factors once for every product: of conjugate gradients, or of the row's
normal matrix. The roofline is the longer of two times: of that traffic at the memory bandwidth,
which a copy on the device measures, and of the arithmetic at the speed of a product of matrices.

The bars, where a GPU is measured: ``times_ours`` is our kernels' seconds, on CORES threads, over
the device's, and should be at least TIMES_OURS at LARGE ratings; ``of_roofline`` should be at least
OF_ROOFLINE. ``bar`` says whether they are met.

python benchmarks/gpu.py --millions 1 10 100
"""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import version
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import numpy as np

from data import power_law
from jobs import RESULTS, Row, circumstances, keep
from matinee.algorithms import MF, NMF, Algorithm, BayesianMF, ImplicitALS
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting
from matinee.kernels.devices import Device, DeviceArray, accelerator, on_device
from matinee.kernels.inverse import invert
from matinee.kernels.threads import n_threads
from matinee.models import Model
from tables import table

T = TypeVar("T")

KEY = ("what", "size", "n_factors", "device")
EPOCHS = 1, 4  # of the two fits
STEPS = 3  # of conjugate gradients for a row
BURN_IN = 1  # epochs of BayesianMF before its first sample
LISTED = 10_000  # people whose lists are made
COPIED = 1 << 28  # numbers, to measure the bandwidth
MULTIPLIED = 8192  # rows of the matrices whose product measures the arithmetic
CORES = "2"  # threads of our kernels
LARGE, TIMES_OURS, OF_ROOFLINE = 90_000_000, 30.0, 0.5  # the bars
SHOWN = (*KEY, "seconds", "times_ours", "of_roofline", "bar")


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


# By name, what makes an algorithm of so many factors and epochs, how often an epoch reads the
# factors of a rating once they are gathered, and whether it forms the normal matrix of each row.
FITS: dict[str, tuple[Callable[[int, int], Algorithm], int, bool]] = {
    "implicit-als": (implicit_als, 2 * (STEPS + 1), False),
    "mf": (mf, 2, True),
    "nmf": (nmf, 2, True),
    "bayesian-mf": (bayesian_mf, 2, True),
}


def main() -> None:
    """Measure, show and keep; without the device, say so and write nothing."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--millions", nargs="+", type=float, default=[1, 10, 100], help="ratings")
    parser.add_argument("--factors", nargs="+", type=int, default=[64, 128])
    parser.add_argument("--fits", nargs="+", default=list(FITS), choices=list(FITS))
    parser.add_argument("--items", nargs="*", type=int, default=[4000, 20_000], help="of ease")
    parser.add_argument("--device", default="gpu", choices=("gpu", "cpu"), help="cpu: JAX's own")
    parser.add_argument("--results", default=str(RESULTS), help="folder of the JSON lines")
    options = parser.parse_args()
    os.environ["MATINEE_THREADS"] = CORES
    try:
        with on_device(options.device):
            accelerator()
    except BadSetting as error:
        sys.exit(f"nothing is measured, and nothing written: {error}")
    rows: list[Row] = []
    for row in measured(options):
        row |= bars(row, rows)
        row |= circumstances(n_threads()) | {"versions": {"jax": version("jax")}}
        keep(Path(options.results) / "gpu.jsonl", row, KEY)
        rows.append(row)
        print(table([shown(row)]), flush=True)
    print(table([shown(row) for row in rows]))


def shown(row: Row) -> Row:
    """The columns for a terminal."""
    return {name: "" if row.get(name) is None else row[name] for name in SHOWN}


def bars(row: Row, before: list[Row]) -> Row:
    """How a row of a GPU stands beside our kernels' and the roofline, and whether that is enough.

    ``bar`` is None where there is none: of our own rows, of other devices, and of other work than
    epochs.
    """
    ours = [
        one["seconds"]
        for one in before
        if one["device"] == "ours" and all(one[k] == row[k] for k in ("what", "size", "n_factors"))
    ]
    if row["device"] == "ours" or not ours:
        return {"times_ours": None, "bar": None}
    times = round(ours[0] / row["seconds"], 1)
    if row["device"] != "gpu" or row.get("of_roofline") is None:
        return {"times_ours": times, "bar": None}
    missed = [] if row["of_roofline"] >= OF_ROOFLINE else [f"{OF_ROOFLINE:.0%} of the roofline"]
    if row["size"] >= LARGE and times < TIMES_OURS:
        missed.append(f"{TIMES_OURS:.0f} times ours")
    return {"times_ours": times, "bar": f"misses {' and '.join(missed)}" if missed else "met"}


def measured(options: Namespace) -> Iterator[Row]:
    """A row for each size on our kernels, and on the device."""
    devices = (None, options.device)
    for millions_of in options.millions:
        ratings = drawn(int(1e6 * millions_of))
        for name, k, device in product(options.fits, options.factors, devices):
            make, products, exact = FITS[name]
            with on_device(device):
                seconds, model = seconds_of_epoch(make, ratings, k)
                row = {"size": len(ratings), "n_factors": k, "device": device or "ours"}
                yield row | {
                    "what": f"epoch of {name}",
                    "seconds": seconds,
                    "of_roofline": device and share(ratings, k, products, exact, seconds),
                }
                yield row | {"what": f"lists of {name}", "seconds": seconds_of_lists(model)}
        if options.device == "gpu":
            yield from peer_rows(ratings, options.factors)
    for n, device in product(options.items, devices):
        with on_device(device):
            row = {"what": "inverse of ease", "size": n, "n_factors": 0}
            yield row | {"device": device or "ours", "seconds": seconds_of_inverse(n)}


def peer_rows(ratings: Ratings, factors: list[int]) -> Iterator[Row]:
    """An epoch of the ALS of ``implicit`` on the GPU; nothing where it has no CUDA here."""
    try:
        als, gpu = import_module("implicit.gpu.als"), import_module("implicit.gpu")
    except ImportError:
        print("implicit is not installed, so there is no row of its ALS on the GPU")
        return
    if not gpu.HAS_CUDA:
        print("implicit is installed without CUDA, so there is no row of its ALS on the GPU")
        return
    matrix = ratings.csr().astype(np.float32)

    def fit(n_factors: int, n_epochs: int) -> None:
        als.AlternatingLeastSquares(factors=n_factors, iterations=n_epochs).fit(
            matrix, show_progress=False
        )

    for k in factors:
        seconds = seconds_of_fits(lambda n_epochs, k=k: fit(k, n_epochs))[0]
        row = {"what": "epoch of implicit-als", "size": len(ratings), "n_factors": k}
        yield row | {"device": "gpu, implicit", "seconds": seconds, "peer": version("implicit")}


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
    """Seconds of an epoch, and the model."""
    return seconds_of_fits(lambda n_epochs: make(n_factors, n_epochs).fit(ratings))


def seconds_of_fits(fit: Callable[[int], T]) -> tuple[float, T]:
    """The difference of fits with more and fewer epochs, after one that compiles; and the last."""
    times = []
    for n_epochs in (EPOCHS[1], *EPOCHS):
        started = perf_counter()
        fitted = fit(n_epochs)
        times.append(perf_counter() - started)
    return round((times[2] - times[1]) / (EPOCHS[1] - EPOCHS[0]), 4), fitted


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


def share(ratings: Ratings, n_factors: int, products: int, exact: bool, seconds: float) -> float:
    """The least seconds that an epoch could take, by its traffic or its arithmetic, over its own.

    Both sides; a rating's factors are gathered, which reads and writes them, and then read again by
    each of the products. A product with a vector takes 2 d operations of a rating; the normal
    matrix takes 2 d^2, and its solution d^3 / 3 of a row.
    """
    n, d = len(ratings), n_factors
    n_bytes = 2 * 4 * n * d * (2 + products)
    n_rows = ratings.n_users + ratings.n_items
    n_operations = 2 * n * 2 * d**2 + n_rows * d**3 / 3 if exact else 2 * n * 2 * d * products
    least = max(n_bytes / bandwidth(accelerator()), n_operations / arithmetic(accelerator()))
    return round(least / seconds, 3)


@cache
def bandwidth(device: Device) -> float:
    """Bytes a second that a copy reads and writes on the device."""
    import jax

    x = jax.device_put(np.ones(COPIED, np.float32), device)
    return 2 * x.nbytes / seconds_of_call(jax.jit(lambda a: 2 * a), x)


@cache
def arithmetic(device: Device) -> float:
    """Operations a second of a product of float32 matrices, at the precision of the row solves."""
    import jax

    x = jax.device_put(np.ones((MULTIPLIED, MULTIPLIED), np.float32), device)
    with jax.default_matmul_precision("highest"):
        return 2 * MULTIPLIED**3 / seconds_of_call(jax.jit(lambda a: a @ a), x)


def seconds_of_call(function: Callable[[DeviceArray], DeviceArray], x: DeviceArray) -> float:
    """Of what is compiled, after a call that compiles it: the quickest of three."""
    times = []
    for _ in range(4):
        started = perf_counter()
        function(x).block_until_ready()
        times.append(perf_counter() - started)
    return min(times[1:])


if __name__ == "__main__":
    main()
