"""How near each kernel comes to what this machine gives.

    python benchmarks/roofline.py
    python benchmarks/roofline.py --ratings 100_000_000     passes over so many ratings alone

No kernel can be done sooner than its arithmetic at the speed of large matrix products, nor sooner
than its bytes at the speed of plain reading (Williams, Waterman & Patterson 2009). Both speeds are
measured in the same run. The factors of MovieLens 1M fit into the cache, so bytes are those that
pass between cache and registers, and the speed is that of reading there. The share is the longer
of the two times over the kernel's own.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

import ours
from data import DATA_SETS, folder_of_data, power_law
from jobs import RESULTS, Row, circumstances, keep
from matinee.algorithms.item_knn import nearest_items
from matinee.algorithms.mf import MF
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.kernels.blas import one_blas_thread
from matinee.kernels.inverse import BLOCK as EASE_BLOCK
from matinee.kernels.inverse import invert
from matinee.kernels.jit import kernel, read_only
from matinee.kernels.least_squares import dual_is_cheaper
from matinee.kernels.random import draw_normal
from matinee.kernels.ranking import ItemSets, top_n
from matinee.kernels.rows import row_sums
from matinee.kernels.similarities import inner_products
from matinee.kernels.sparse import Sparse
from matinee.kernels.threads import run_all
from matinee.models.similarity import Similarity
from matinee.row_solvers import ImplicitLeastSquares, LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.grid import Grid
from tables import table

KEY = ("kernel",)
N_FACTORS = 64
STEPS = 3  # of conjugate gradients
REPEATS = 7  # the quickest counts: what disturbs only lengthens
WIDE = 14_500  # items of a catalogue for which the inverse of EASE takes 2.5 GB
SIZE = 2048  # of the matrices whose product is the peak
CACHED = 1 << 17  # float32 numbers that each thread reads again and again: half a megabyte
STREAMED = 1 << 26  # and those that come from memory: a quarter of a gigabyte
TIMES = 500  # that the cached ones are read


class Work(NamedTuple):
    """What a kernel is given to do."""

    kernel: str
    unit: str
    units: float
    flops: float  # for all units
    bytes: float  # for all units
    run: Callable[[], object]
    double: bool = False  # whether most of its arithmetic is in float64
    repeats: int = REPEATS


class Speeds(NamedTuple):
    """What the machine gives on so many threads, a second."""

    single: float  # float32 operations
    double: float  # float64 operations
    cache: float  # bytes read that lie in cache
    memory: float  # bytes read that do not


def main() -> None:
    """Measure the machine, then every kernel; keep and show it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--threads", type=int, default=2, help="%(default)s")
    parser.add_argument("--ratings", type=int, help="so many made-up ones, for the passes alone")
    parser.add_argument("--data", help="folder of the MovieLens zips")
    parser.add_argument("--results", default=str(RESULTS), help="folder of the JSON lines")
    asked = parser.parse_args()
    os.environ["MATINEE_THREADS"] = str(asked.threads)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: asked.threads])
    speeds = speeds_of_machine(asked.threads)
    if asked.ratings is None:
        fold = next(DATA_SETS["ml-1m"].read(folder_of_data(asked.data), [1]))
        todo = works(ours.prepare(fold.train, fold.n_users, fold.n_items))
    else:
        todo = large_works(asked.ratings)
    rows = [measured(work, speeds) | circumstances(asked.threads) for work in todo]
    for row in rows:
        keep(Path(asked.results) / "roofline.jsonl", row, KEY)
    print(said_of_machine(rows))
    print(table(roofline_lines(rows)))


def works(train: Ratings) -> Iterator[Work]:
    """Every kernel with the work it is timed at; counts leave out what is a few percent."""
    yield from of_passes(train)
    yield from of_pairs(train)
    users, items = embeddings(train)
    yield from of_lists(train, users, items)


def large_works(n_ratings: int) -> Iterator[Work]:
    """The passes over many made-up ratings, whose factors of users do not fit the cache."""
    fold = power_law(n_ratings, n_ratings // 50, 20_000)
    train = ours.prepare(fold.train, fold.n_users, fold.n_items)
    for work in of_passes(train):
        yield work._replace(kernel=f"{work.kernel}, {n_ratings / 1e6:,.0f} M ratings", repeats=2)


def embeddings(train: Ratings) -> tuple[Embeddings, Embeddings]:
    """Users and items with factors by chance."""
    users, items = (Embeddings.zeros(size, N_FACTORS) for size in (train.n_users, train.n_items))
    for which, side in enumerate((users, items)):
        draw_normal(side.factors, 0.1, 0, which)
    return users, items


def of_passes(train: Ratings) -> Iterator[Work]:
    """One pass over the ratings, by each way of learning from them."""
    k, n = N_FACTORS, len(train)
    users, items = embeddings(train)
    by_user = train.by_user

    fold = LeastSquares(reg=1.3, reg_power=0.5, bias_reg=2.0)
    yield Work(
        "row solve: mf, nmf",
        "rating",
        n,
        solve_flops(by_user, k + 1),
        n * (4 * k + 8),
        partial(fold.solve, by_user, train.mean, items, users),
    )

    exact = ImplicitLeastSquares(0.35, 0.3, 0.5)
    yield Work(
        "row solve: implicit-als, exact",
        "rating",
        n,
        solve_flops(by_user, k),
        n * (4 * k + 4),
        partial(exact.solve, by_user, 0.0, items, users),
    )

    steps = ImplicitLeastSquares(0.35, 0.3, 0.5, n_steps=STEPS)
    passes = n * (STEPS + 1)  # a rating's factors are read, and twice multiplied, in each
    yield Work(
        f"conjugate gradients, {STEPS} steps",
        "rating",
        n,
        passes * 4 * k,
        passes * (4 * k + 4),
        partial(steps.solve, by_user, 0.0, items, users),
    )

    yield Work(
        "sums over histories",
        "rating",
        n,
        n * k,
        n * (4 * k + 4),
        partial(row_sums, by_user, items.factors),
        double=True,
    )

    grid = Grid.of(train, 0)
    penalties = MF(solver="sgd", n_factors=k)._gradient_descent.penalties(train)
    placed = grid.place((users, items), penalties)
    yield Work(
        "gradient step: mf",
        "rating",
        n,
        n * 8 * k,
        n * (16 * k + 12),
        partial(grid.descend, 1, train.mean, 0.01, *placed),
    )


def of_pairs(train: Ratings) -> Iterator[Work]:
    """Kernels that go through all pairs of items that somebody rated both."""
    pairs = float((train.by_user.counts.astype(np.float64) ** 2).sum())
    n, sides = train.n_items, (train.by_item, train.by_user)
    rated = tuple(Sparse(one.indptr, one.indices, one.values) for one in sides)
    yield Work(
        "ease: items together",
        "pair",
        pairs,
        pairs,
        pairs * 20,
        partial(inner_products, *rated),
        double=True,
    )
    A = inner_products(*rated) + 500.0 * np.eye(n)
    yield Work(
        "ease: inverse",
        "item^3",
        float(n) ** 3,
        float(n) ** 3,
        8.0 * float(n) ** 3 / EASE_BLOCK,
        lambda: invert(A.copy()),
        double=True,
    )
    yield wide_inverse()
    cosine = Similarity("cosine", 0.0, 1.0, 0.5, binary=False)
    yield Work(
        "item-knn: similarities",
        "pair",
        pairs,
        pairs * 3,
        pairs * 40,
        partial(nearest_items, train, train.rating, cosine, 30),
        double=True,
    )


def wide_inverse() -> Work:
    """The inverse that EASE takes of a wide catalogue, by turns of a matrix and of its inverse."""
    Y = np.random.default_rng(0).standard_normal((WIDE, N_FACTORS))
    A = Y @ Y.T
    A[np.diag_indices_from(A)] += 500.0
    operations = float(WIDE) ** 3
    return Work(
        f"ease: inverse, {WIDE:,} items",
        "item^3",
        operations,
        operations,
        8.0 * operations / EASE_BLOCK,
        partial(invert, A),
        double=True,
        repeats=1,
    )


def of_lists(train: Ratings, users: Embeddings, items: Embeddings) -> Iterator[Work]:
    """Ranking: the comparisons alone, and lists for all from the factors on."""
    size = 128
    rng = np.random.default_rng(0)
    scores = read_only(rng.normal(size=(size, train.n_items)), np.float32)
    banned = ItemSets(np.zeros(size + 1, np.int64), np.zeros(0, np.int32))
    times = 20

    def rank() -> None:
        for _ in range(times):
            top_n(scores, banned, 10)

    n = scores.size * times
    yield Work("ranking: top 10 of scores", "score", n, n, 4 * n, rank)
    model = MF(n_factors=N_FACTORS, n_epochs=1).fit(train)
    known = np.flatnonzero(train.by_user.counts > 0)
    ids = train.users.ids[known].tolist()
    n = len(ids) * train.n_items
    yield Work(
        "recommend: top 10 from ids to table",
        "score",
        n,
        n * 2 * N_FACTORS,
        n * 8,
        partial(model.recommend, ids, 10),
    )


def solve_flops(rated: Rows, d: int) -> float:
    """Operations of the row solve: products and Cholesky, in whichever unknowns are fewer."""
    counts = rated.counts[rated.counts > 0]
    short = np.array([dual_is_cheaper(n, d) for n in counts.tolist()])
    unknowns, terms = np.where(short, counts, d), np.where(short, d, counts)
    own = unknowns.astype(np.float64)
    return float((terms * own * (own + 1) + own**3 / 3 + 2 * own**2 + 2 * counts * d).sum())


def measured(work: Work, speeds: Speeds) -> Row:
    """A kernel's seconds, beside the least that its arithmetic and its bytes could take."""
    took = quickest(work.run, work.repeats)
    arithmetic = work.flops / (speeds.double if work.double else speeds.single)
    reading = work.bytes / speeds.cache
    return {
        "kernel": work.kernel,
        "unit": work.unit,
        "units": work.units,
        "flops_per_unit": work.flops / work.units,
        "bytes_per_unit": work.bytes / work.units,
        "seconds": took,
        "arithmetic_seconds": arithmetic,
        "reading_seconds": reading,
        "share": max(arithmetic, reading) / took,
        "double": work.double,
        "speeds": speeds._asdict(),
        "load_average": os.getloadavg()[0],
    }


def quickest(run: Callable[[], object], repeats: int = REPEATS) -> float:
    """Fewest wall seconds, after one run that compiles and warms the cache."""
    run()
    took = []
    for _ in range(repeats):
        started = perf_counter()
        run()
        took.append(perf_counter() - started)
    return min(took)


# What the machine gives.


@kernel
def read_again(times, numbers):
    """The sum of all numbers, read so many times."""
    total = np.float32(0.0)
    for _ in range(times):
        for j in range(len(numbers)):
            total += numbers[j]
        numbers[0] = total  # so that no reading can be left out
    return total


def speeds_of_machine(threads: int) -> Speeds:
    """Operations and bytes a second, all threads together."""
    return Speeds(
        *(operations(threads, dtype) for dtype in (np.float32, np.float64)),
        reading(threads, CACHED, TIMES),
        reading(threads, STREAMED, 1),
    )


def operations(threads: int, dtype: type) -> float:
    """Of a product of large matrices, one for each thread."""
    rng = np.random.default_rng(0)
    A, B = (rng.random((SIZE, SIZE)).astype(dtype) for _ in range(2))
    outs = [np.empty_like(A) for _ in range(threads)]
    jobs = [partial(np.matmul, A, B, out=out) for out in outs]
    with one_blas_thread():
        return threads * 2.0 * SIZE**3 / quickest(lambda: run_all(jobs))


def reading(threads: int, size: int, times: int) -> float:
    """Of numbers read one after the other, by each thread its own."""
    jobs = [partial(read_again, times, np.ones(size, np.float32)) for _ in range(threads)]
    return threads * 4.0 * size * times / quickest(lambda: run_all(jobs))


# Showing.


def said_of_machine(rows: list[Row]) -> str:
    """The speeds in words."""
    speeds = Speeds(**rows[0]["speeds"])
    return (
        f"{rows[0]['threads']} threads: {speeds.single / 1e9:,.0f} billion float32 operations a "
        f"second in a matrix product, {speeds.double / 1e9:,.0f} in float64; "
        f"{speeds.cache / 1e9:,.0f} GB a second read from cache, {speeds.memory / 1e9:,.0f} from "
        f"memory; load average {max(row['load_average'] for row in rows):.1f}."
    )


def roofline_lines(rows: list[Row]) -> list[Row]:
    """One line a kernel, for a table."""
    return [
        {
            "kernel": row["kernel"],
            "per": row["unit"],
            "operations": f"{row['flops_per_unit']:,.1f}",
            "bytes": f"{row['bytes_per_unit']:,.1f}",
            "ns": f"{row['seconds'] / row['units'] * 1e9:,.3g}",
            "G operations/s": f"{row['flops_per_unit'] * row['units'] / row['seconds'] / 1e9:,.1f}",
            "GB/s": f"{row['bytes_per_unit'] * row['units'] / row['seconds'] / 1e9:,.1f}",
            "bound by": "arithmetic"
            if row["arithmetic_seconds"] > row["reading_seconds"]
            else "reading",
            "share": f"{row['share']:.0%}",
        }
        for row in rows
    ]


if __name__ == "__main__":
    main()
