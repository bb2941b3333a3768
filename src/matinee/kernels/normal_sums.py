"""The row solve for rows whose ratings come in parts: blocks of users, or partitions of a cluster.

    A = sum of y y',   b = sum of t y        over the ratings of a row, in their order

What is kept of a row are A, b and its last ratings, up to a whole panel: sums are made panel by
panel, exactly as ``solve_rows`` makes them of the whole row, and so come out the same to the bit.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from matinee.kernels.cholesky import BLOCK, Work, add_products, cholesky_solve
from matinee.kernels.jit import inlined, kernel
from matinee.kernels.least_squares import (
    Regularizer,
    Terms,
    add_panel,
    add_penalty,
    add_pull,
    add_targets,
    bounds_of,
    fill_panel,
    solve_bounded,
)
from matinee.kernels.threads import n_threads, run_all, run_rows
from matinee.kernels.vectors import LANES, ROWS

ROW_COST = 8.0  # of a row whose sums are loaded and stored, beside that of its ratings


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


@inlined
def load_totals(row, d, sums, work):
    """Leave in work the A and b of a row, without the ratings that wait."""
    unpack(sums.A[row], d, work.A)
    for f in range(d):
        work.b[f] = sums.b[row, f]


@inlined
def store_totals(row, d, sums, work):
    """Keep the A and b of work; the inverse of ``load_totals``."""
    pack(work.A, d, sums.A[row])
    for f in range(d):
        sums.b[row, f] = work.b[f]


@inlined
def take_held(row, held, sums, work):
    """Copy the ratings of a row that wait into work; by loops, as slices compile for seconds."""
    for j in range(held):
        work.targets[j] = sums.targets[row, j]
        for f in range(sums.panel.shape[2]):
            work.panel[j, f] = sums.panel[row, j, f]


def add_ratings(terms: Terms, sums: NormalSums) -> None:
    """Add the ratings of the rows of ``sums``, after all that were added before."""
    cost = terms.counts * float(terms.Y.shape[1]) + ROW_COST
    d = terms.Y.shape[1]
    run_rows(lambda start, stop: _add_ratings(start, stop, terms, sums, Work.of(d)), cost)


@kernel
def _add_ratings(start, stop, terms, sums, work):
    """``add_ratings`` for rows start..stop."""
    indptr, d = terms.indptr, terms.Y.shape[1]
    for row in range(start, stop):
        j, end = indptr[row], indptr[row + 1]
        if j == end:
            continue
        held, loaded = sums.held[row], False
        take_held(row, held, sums, work)
        while j < end:
            n = min(end - j, BLOCK - held)
            fill_panel(terms, j, n, work.panel, work.targets, held)
            held += n
            j += n
            if held == BLOCK:
                if not loaded:
                    load_totals(row, d, sums, work)
                    loaded = True
                add_panel(BLOCK, work.A, work)
                held = 0
        if loaded:
            store_totals(row, d, sums, work)
        for j in range(held):
            sums.targets[row, j] = work.targets[j]
            for f in range(d):
                sums.panel[row, j, f] = work.panel[j, f]
        sums.held[row] = held
        sums.n[row] += end - indptr[row]


def sum_row(terms: Terms) -> NormalSums:
    """The sums of one row with many ratings, made by all threads together.

    Each thread sums some rows of tiles of A over all the ratings, in their order.
    """
    d, parts = terms.Y.shape[1], n_threads()
    sums = NormalSums.zeros(1, d)
    sums.n[0] = len(terms.indices)
    packed = sums.A[0], sums.b[0]
    run_all([partial(_sum_part, part, parts, terms, *packed, Work.of(d)) for part in range(parts)])
    return sums


@kernel
def _sum_part(part, parts, terms, packed, b, work):
    """One of the ``parts`` of the sums over one row's ratings: rows of tiles of A, and b for 0.

    A is ``packed``, and only the rows of the part are written.
    """
    d, n_ratings = terms.Y.shape[1], terms.indices.size
    for first in range(0, n_ratings, BLOCK):
        n = min(n_ratings - first, BLOCK)
        fill_panel(terms, first, n, work.panel, work.targets, 0)
        if part == 0:
            add_targets(n, work)
        so_far = work.nothing if first == 0 else work.A
        add_products(work.panel, n, d, so_far, work.A, part, parts)
    if part == 0:
        for f in range(d):
            b[f] = work.b[f]
    width, at = (d + LANES - 1) // LANES * LANES, 0
    for f in range(d):
        length = width - f // LANES * LANES
        if f // ROWS % parts == part:
            for g in range(length):
                packed[at + g] = work.A[f, width - length + g]
        at += length


@inlined
def load_sums(row, d, sums, work):
    """Leave in work what has been summed of a row, with what waited."""
    held = sums.held[row]
    load_totals(row, d, sums, work)
    if held > 0:
        take_held(row, held, sums, work)
        add_panel(held, work.A, work)


def flush(sums: NormalSums) -> None:
    """Add to A and b the ratings that wait for a whole panel; none wait afterwards."""
    d = sums.b.shape[1]
    run_rows(lambda start, stop: _flush(start, stop, sums, Work.of(d)), sums.held + ROW_COST)


@kernel
def _flush(start, stop, sums, work):
    """``flush`` for rows start..stop."""
    d = sums.b.shape[1]
    for row in range(start, stop):
        if sums.held[row] > 0:
            load_sums(row, d, sums, work)
            store_totals(row, d, sums, work)
            sums.held[row] = 0


def solve_sums(sums: NormalSums, regularizer: Regularizer, X: np.ndarray) -> None:
    """Overwrite the rows of X (n, d) float32 with their solutions, as ``solve_rows`` does.

    Rows without ratings are left.
    """
    d = X.shape[1]

    def solve(start: int, stop: int) -> None:
        _solve_sums(start, stop, sums, *regularizer, Work.of(d), Work.of(d), X)

    run_rows(solve, np.full(len(X), float(d) ** 3))


@kernel
def _solve_sums(start, stop, sums, penalty, pull, lower, sweeps, work, other, X):
    """``solve_sums`` for rows start..stop; ``lower`` is None where there are no bounds."""
    d = X.shape[1]
    if lower is not None:
        bounds = bounds_of(d)
    for row in range(start, stop):
        if sums.n[row] == 0:
            continue
        load_sums(row, d, sums, work)
        add_penalty(penalty, sums.n[row], work)
        add_pull(pull, row, work)
        if lower is None:
            cholesky_solve(work)
        else:
            solve_bounded(X, row, lower, sweeps, work, other, bounds)
        for f in range(d):
            X[row, f] = work.x[f]
