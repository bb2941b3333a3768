"""The row solve for rows whose ratings come in parts: blocks of users, or partitions of a cluster.

    A = sum of y y',   b = sum of t y        over the ratings of a row, in their order

What is kept of a row are A, b and its last ratings, up to a whole panel: sums are made panel by
panel, exactly as ``solve_rows`` makes them of the whole row, and so come out the same to the bit.
"""

from typing import NamedTuple

import numpy as np

from matinee.kernels.cholesky import BLOCK, add_products, workspace
from matinee.kernels.jit import kernel
from matinee.kernels.least_squares import (
    add_panel,
    add_penalty,
    add_targets,
    bounds_of,
    fill_panel,
    solve_normal,
)
from matinee.kernels.vectors import LANES, ROWS


class NormalSums(NamedTuple):
    """What has been summed of n rows of d unknowns."""

    A: np.ndarray  # (n, packed_size(d)) float64: the upper triangle by rows of whole vectors
    b: np.ndarray  # (n, d) float64
    panel: np.ndarray  # (n, BLOCK, d) float32: rows of Y that wait for a whole panel
    targets: np.ndarray  # (n, BLOCK) float32
    held: np.ndarray  # (n,) int64: how many wait
    n: np.ndarray  # (n,) int64: ratings in all

    @classmethod
    def zeros(cls, n: int, d: int) -> "NormalSums":
        """Nothing summed yet."""
        return cls(
            np.zeros((n, packed_size(d))),
            np.zeros((n, d)),
            np.zeros((n, BLOCK, d), np.float32),
            np.zeros((n, BLOCK), np.float32),
            np.zeros(n, np.int64),
            np.zeros(n, np.int64),
        )

    def clear(self) -> None:
        """Nothing summed again, in the same memory: fresh pages cost more than zeros."""
        for array in (self.A, self.b, self.held, self.n):
            array[:] = 0


def packed_size(d: int, lanes: int = LANES) -> int:
    """Numbers kept of a matrix (d, d), with vectors of ``lanes`` float32 numbers."""
    width = (d + lanes - 1) // lanes * lanes
    return sum(width - f // lanes * lanes for f in range(d))


def bytes_per_row(d: int, lanes: int = LANES) -> int:
    """Memory that the sums of one row of d unknowns take, in bytes."""
    return 8 * (packed_size(d, lanes) + d + 2) + 4 * BLOCK * (d + 1)


@kernel
def unpack(packed, d, A):
    """Write the packed rows into A."""
    width, at = (d + LANES - 1) // LANES * LANES, 0
    for f in range(d):
        for g in range(f // LANES * LANES, width):
            A[f, g] = packed[at]
            at += 1


@kernel
def pack(A, d, packed):
    """Keep the upper triangle of A; the inverse of ``unpack``."""
    width, at = (d + LANES - 1) // LANES * LANES, 0
    for f in range(d):
        for g in range(f // LANES * LANES, width):
            packed[at] = A[f, g]
            at += 1


@kernel
def add_ratings(start, stop, indptr, indices, values, weights, offset, Y, sums):
    """Add ratings of rows start..stop, given as to ``solve_rows`` and behind all before."""
    d = Y.shape[1]
    work = workspace(d)
    for row in range(start, stop):
        j, end = indptr[row], indptr[row + 1]
        if j == end:
            continue
        held, loaded = sums.held[row], False
        work.panel[:held, :d] = sums.panel[row, :held]
        work.targets[:held] = sums.targets[row, :held]
        while j < end:
            here = slice(j, min(end, j + BLOCK - held))
            fill_panel(
                Y,
                offset,
                indices[here],
                values[here],
                weights[here],
                work.panel,
                work.targets,
                held,
            )
            held += here.stop - j
            j = here.stop
            if held == BLOCK:
                if not loaded:
                    unpack(sums.A[row], d, work.A)
                    work.b[:] = sums.b[row]
                    loaded = True
                add_panel(BLOCK, work.A, work)
                held = 0
        if loaded:
            pack(work.A, d, sums.A[row])
            sums.b[row] = work.b
        sums.panel[row, :held] = work.panel[:held, :d]
        sums.targets[row, :held] = work.targets[:held]
        sums.held[row] = held
        sums.n[row] += end - indptr[row]


@kernel
def add_part(part, parts, indices, values, weights, offset, Y, packed, b):
    """One of the ``parts`` of the sums over one row's ratings: rows of tiles of A, and b for 0.

    Parts may be summed side by side: each number is summed by one of them, over all the ratings in
    their order. A is ``packed``, and only the rows of the part are written.
    """
    d = Y.shape[1]
    work = workspace(d)
    for first in range(0, indices.size, BLOCK):
        here = slice(first, first + BLOCK)
        rows = indices[here]
        fill_panel(Y, offset, rows, values[here], weights[here], work.panel, work.targets, 0)
        if part == 0:
            add_targets(rows.size, work)
        add_products(
            work.panel, rows.size, d, work.nothing if first == 0 else work.A, work.A, part, parts
        )
    if part == 0:
        b[:] = work.b
    width, at = (d + LANES - 1) // LANES * LANES, 0
    for f in range(d):
        length = width - f // LANES * LANES
        if f // ROWS % parts == part:
            packed[at : at + length] = work.A[f, f // LANES * LANES : width]
        at += length


@kernel
def load_sums(row, d, sums, work):
    """Leave in work what has been summed of a row, with what waited."""
    held = sums.held[row]
    unpack(sums.A[row], d, work.A)
    work.b[:] = sums.b[row]
    if held > 0:
        work.panel[:held, :d] = sums.panel[row, :held]
        work.targets[:held] = sums.targets[row, :held]
        add_panel(held, work.A, work)


@kernel
def flush(start, stop, sums):
    """Add to A and b of rows start..stop what waits; nothing waits afterwards."""
    d = sums.b.shape[1]
    work = workspace(d)
    for row in range(start, stop):
        if sums.held[row] > 0:
            load_sums(row, d, sums, work)
            pack(work.A, d, sums.A[row])
            sums.b[row] = work.b
            sums.held[row] = 0


@kernel
def solve_sums(start, stop, sums, penalty, pull, lower, sweeps, X):
    """Solve rows start..stop of X (n, d), as ``solve_rows`` does; rows without ratings are left."""
    d = sums.b.shape[1]
    work, other, bounds = workspace(d), workspace(d), bounds_of(d)
    for row in range(start, stop):
        if sums.n[row] == 0:
            continue
        load_sums(row, d, sums, work)
        add_penalty(penalty, sums.n[row], work)
        for f in range(pull.shape[1]):
            work.b[f] += pull[row, f]
        for f in range(d):
            work.x[f] = X[row, f]
        solve_normal(lower, sweeps, work, other, bounds)
        for f in range(d):
            X[row, f] = work.x[f]
