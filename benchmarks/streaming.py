"""Packed ratings and fits in blocks, on 1, 10 and 100 million made-up ratings of power-law films.

    python benchmarks/streaming.py --millions 1 10
    python benchmarks/streaming.py --millions 100 --limit-gib 4
    python benchmarks/streaming.py --millions 1000 --epochs 2 --factors 32      # by hand: hours

Each size is packed and fitted in a process of its own, under a limit of address space where one is
given. Results are JSON lines in results/streaming.jsonl: seconds of packing and for each epoch,
bytes per rating on disk, the peak of resident memory, and the time of a list of ten.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

RESULTS = Path(__file__).parent / "results" / "streaming.jsonl"
N_ITEMS, RATINGS_EACH = 20_000, 67
BLOCK = 1_000_000  # ratings drawn at once
STEPS = 1000  # of the inverse of the popularity's distribution


def write_ratings(path: Path, n_ratings: int, seed: int = 0) -> None:
    """A Parquet file of ratings: films by a power law, activity log-normal, planted tastes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    popularity = np.arange(1, N_ITEMS + 1) ** -0.8
    ends = np.cumsum(popularity / popularity.sum())
    Q = rng.normal(0, 0.4, (N_ITEMS, 8))
    schema = pa.schema([("user_id", pa.int32()), ("item_id", pa.int16()), ("rating", pa.float32())])
    user = 0
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, n_ratings, BLOCK):
            n = min(BLOCK, n_ratings - first)
            counts = np.maximum(rng.lognormal(np.log(RATINGS_EACH) - 0.5, 1.0, n // 20 + 9), 1)
            counts = counts.astype(int)
            counts = counts[: np.searchsorted(np.cumsum(counts), n) + 1]
            users = np.repeat(np.arange(len(counts)), counts)[:n]
            items = np.searchsorted(ends, rng.random(n)).clip(0, N_ITEMS - 1)
            P = rng.normal(0, 0.8, (len(counts), 8))
            liking = np.einsum("nf,nf->n", P[users], Q[items])
            stars = np.clip(np.round(2 * (3.4 + liking + rng.normal(0, 0.7, n))) / 2, 0.5, 5)
            columns = [(users + user).astype("i4"), items.astype("i2"), stars.astype("f4")]
            user += len(counts)
            writer.write_table(pa.table([pa.array(one) for one in columns], schema=schema))


def measure(source: str, folder: str, n_factors: int, n_epochs: int, limit_gib: float) -> None:
    """Fit packed ratings in this process and print what it took."""
    if limit_gib:
        most = int(limit_gib * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    from matinee.algorithms import MF
    from matinee.packed import PackedRatings

    packed = PackedRatings.open(source)
    warm_up(n_factors)
    ends = [time.perf_counter()]
    model = MF(n_factors=n_factors, n_epochs=n_epochs).fit_packed(
        packed, lambda epoch: ends.append(time.perf_counter()), folder=folder
    )
    seconds = np.diff(ends).tolist()
    times = []
    for row in np.random.default_rng(0).integers(0, packed.n_users, 100).tolist():
        began = time.perf_counter()
        model.recommend(packed.users.ids[row], 10)
        times.append(time.perf_counter() - began)
    middle = (
        seconds[1:-1] or seconds[1:] or seconds
    )  # the first epoch has two passes, the last half
    print(json.dumps({
        "ratings": len(packed), "users": packed.n_users, "items": packed.n_items,
        "epoch_seconds": float(np.median(middle)),
        "microseconds_per_rating": 1e6 * float(np.median(middle)) / len(packed),
        "fit_seconds": sum(seconds), "train_rmse": model.facts["train_rmse"],
        "bytes_per_rating": packed.n_bytes / len(packed),
        "peak_mb": peak_mb(),
        "list_ms": 1e3 * float(np.median(times)),
    }))  # fmt: skip


def warm_up(n_factors: int) -> None:
    """Compile, so that the first epoch is not charged for it."""
    from matinee.algorithms import MF
    from matinee.sources.packing import pack
    from matinee.sources.synthetic import planted

    small = planted(200, 50, 2)
    columns = small.users.ids[small.user], small.items.ids[small.item], small.rating
    with TemporaryDirectory() as folder:
        packed = pack(columns, Path(folder) / "small")
        MF(n_factors=n_factors, n_epochs=1).fit_packed(packed)


def peak_mb() -> float:
    """The most that was resident of this program; ru_maxrss also counts who started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--millions", type=float, nargs="+", default=[1, 10])
    options.add_argument("--factors", type=int, default=32)
    options.add_argument("--epochs", type=int, default=4)
    options.add_argument("--limit-gib", type=float, default=0.0)
    options.add_argument("--folder", type=Path, default=Path())
    options.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.measure:
        measure(*given.measure, given.factors, given.epochs, given.limit_gib)
        return
    for millions in given.millions:
        with TemporaryDirectory(dir=given.folder) as temporary:
            row = run(Path(temporary), int(millions * 1e6), given)
        print(json.dumps(row, indent=1))
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")


def run(folder: Path, n_ratings: int, given: argparse.Namespace) -> dict[str, object]:
    """Make, pack and fit ratings of one size."""
    from matinee.sources.packing import pack

    source = folder / "ratings.parquet"
    write_ratings(source, n_ratings)
    started = time.perf_counter()
    pack(source, folder / "packed")
    packing = time.perf_counter() - started
    source.unlink()
    done = subprocess.run(
        [sys.executable, __file__, "--factors", str(given.factors), "--epochs", str(given.epochs),
         "--limit-gib", str(given.limit_gib),
         "--measure", str(folder / "packed"), str(folder / "state")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout) | {
        "asked": n_ratings, "pack_seconds": packing, "factors": given.factors,
        "epochs": given.epochs, "limit_gib": given.limit_gib, "cores": os.cpu_count(),
        "load": os.getloadavg()[0], "machine": platform.machine(),
        "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip


if __name__ == "__main__":
    main()
