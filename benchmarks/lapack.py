"""The row solve beside LAPACK and BLAS, called through the pointers that scipy exports.

One row of least squares is a rank-n update, A = sum of y y' over its ratings, and A x = b for d
unknowns. Ours sums in float32 blocks that are gathered in float64, and factors in float64. Beside
it stand ``dsyrk`` (float64) and ``ssyrk`` (float32) for the update, ``dposv`` and ``sposv`` for the
solve, all called from compiled code without any Python between, on one thread, by turns.

python benchmarks/lapack.py
"""

import ctypes
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numba
import numpy as np
import scipy.linalg  # before BLAS is held to one thread: scipy brings one of its own
from numba.extending import get_cython_function_address

from jobs import RESULTS, Row, circumstances, keep
from matinee import __version__
from matinee.kernels.blas import one_blas_thread
from matinee.kernels.cholesky import BLOCK, Work, add_products, cholesky_solve
from tables import table

SIZES = (16, 32, 64, 128)
RATINGS = 256  # of the row: 4 blocks
TURNS = 15
SECONDS = 0.02  # of each turn, about
KEY = ("factors",)

Solver = Callable[..., None]
Timed = Callable[[int], float]


def exported(module: str, name: str, n_arguments: int) -> Any:
    """A routine of scipy's LAPACK or BLAS, which takes pointers alone."""
    address = get_cython_function_address(f"scipy.linalg.cython_{module}", name)
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * n_arguments)(address)


def solver_of(name: str) -> Solver:
    """``repeat(times, A, b, room, x)``: x solves A x = b by ``dposv`` or ``sposv``."""
    posv = exported("lapack", name, 8)
    upper = np.frombuffer(b"U", np.uint8)

    @numba.njit(nogil=True)
    def repeat(times: int, A: Any, b: Any, room: Any, x: Any) -> None:
        n, one, info = np.array([b.size], np.int32), np.ones(1, np.int32), np.zeros(1, np.int32)
        for _ in range(times):
            room[:] = A
            x[:] = b
            posv(
                upper.ctypes,
                n.ctypes,
                one.ctypes,
                room.ctypes,
                n.ctypes,
                x.ctypes,
                n.ctypes,
                info.ctypes,
            )

    return repeat


def update_of(name: str) -> Solver:
    """``repeat(times, Y, A)``: A, its lower triangle by rows, is Y'Y by ``dsyrk`` or ``ssyrk``."""
    syrk = exported("blas", name, 10)
    upper, plain = np.frombuffer(b"U", np.uint8), np.frombuffer(b"N", np.uint8)

    @numba.njit(nogil=True)
    def repeat(times: int, Y: Any, A: Any) -> None:
        k, d = np.array([Y.shape[0]], np.int32), np.array([Y.shape[1]], np.int32)
        one, nought = np.ones(1, Y.dtype), np.zeros(1, Y.dtype)
        for _ in range(times):  # Y by rows is Y' by columns, as Fortran has it
            syrk(
                upper.ctypes,
                plain.ctypes,
                d.ctypes,
                k.ctypes,
                one.ctypes,
                Y.ctypes,
                d.ctypes,
                nought.ctypes,
                A.ctypes,
                d.ctypes,
            )

    return repeat


@numba.njit(nogil=True)
def our_solves(times: int, A: Any, b: Any, work: Any) -> None:
    """The same by ``cholesky_solve``."""
    d = b.size
    for _ in range(times):
        for f in range(d):
            work.b[f] = b[f]
            for g in range(f, d):
                work.A[f, g] = A[f, g]
        cholesky_solve(work)


@numba.njit(nogil=True)
def our_updates(times: int, Y: Any, work: Any) -> None:
    """The same by ``add_products``, a block of ratings after another."""
    d = Y.shape[1]
    for _ in range(times):
        for first in range(0, Y.shape[0], BLOCK):
            for j in range(BLOCK):
                for f in range(d):
                    work.panel[j, f] = Y[first + j, f]
            add_products(work.panel, BLOCK, d, work.nothing if first == 0 else work.A, work.A, 0, 1)


def main() -> None:
    """Measure, show and keep."""
    rows = []
    with one_blas_thread():
        for d in SIZES:
            row: Row = {"factors": d} | updates(d) | solves(d)
            versions = {
                "matinee": __version__,
                "scipy": scipy.__version__,
                "numba": numba.__version__,
            }
            keep(RESULTS / "lapack.jsonl", row | {"versions": versions} | circumstances(1), KEY)
            rows.append(row)
            print(table(rows[-1:]), flush=True)
    print(table(rows))


def solves(d: int) -> Row:
    """Microseconds of one solve, each way."""
    rng = np.random.default_rng(d)
    Y = rng.normal(size=(RATINGS, d))
    A, b = Y.T @ Y + np.eye(d), rng.normal(size=d)
    work, found = Work.of(d), np.linalg.solve(A, b)
    double, single = solver_of("dposv"), solver_of("sposv")
    A32, b32, room, room32 = A.astype(np.float32), b.astype(np.float32), A.copy(), np.float32(A)
    x, x32 = np.empty(d), np.empty(d, np.float32)
    ways: dict[str, Timed] = {
        "solve ours": timed(our_solves, A, b, work),
        "dposv": timed(double, A, b, room, x),
        "sposv": timed(single, A32, b32, room32, x32),
    }
    taken = by_turns(ways)
    for answer, tolerance in ((work.x[:d], 1e-9), (x, 1e-9), (x32, 1e-3)):
        np.testing.assert_allclose(answer, found, rtol=tolerance, atol=tolerance)
    return taken


def updates(d: int) -> Row:
    """Microseconds of one update of ``RATINGS`` ratings, each way."""
    Y = np.random.default_rng(d).normal(size=(RATINGS, d))
    Y32, A, A32 = Y.astype(np.float32), np.zeros((d, d)), np.zeros((d, d), np.float32)
    work, upper = Work.of(d), np.triu_indices(d)
    ways: dict[str, Timed] = {
        "update ours": timed(our_updates, Y32, work),
        "dsyrk": timed(update_of("dsyrk"), Y, A),
        "ssyrk": timed(update_of("ssyrk"), Y32, A32),
    }
    taken = by_turns(ways)
    for answer, tolerance in ((work.A[:d, :d], 1e-3), (A.T, 1e-9), (A32.T, 1e-3)):
        np.testing.assert_allclose(
            answer[upper], (Y.T @ Y)[upper], rtol=tolerance, atol=tolerance * RATINGS
        )
    return taken


def timed(compute: Solver, *arrays: Any) -> Timed:
    """Seconds that so many times take."""

    def seconds(times: int) -> float:
        started = perf_counter()
        compute(times, *arrays)
        return perf_counter() - started

    return seconds


def by_turns(ways: dict[str, Timed]) -> Row:
    """The median microseconds of each way, measured in turn so that noise meets all alike."""
    times = {}
    for name, seconds in ways.items():
        seconds(1)  # compiles
        times[name] = max(1, round(SECONDS / (seconds(20) / 20)))
    turns = [{name: ways[name](n) / n for name, n in times.items()} for _ in range(TURNS)]
    return {name: 1e6 * median(turn[name] for turn in turns) for name in ways}


if __name__ == "__main__":
    main()
