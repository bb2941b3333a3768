"""A large model, served from a mapped file: how long it takes to be ready, to answer, and its size.

    python benchmarks/large_model.py --users 10000000 --factors 64

Writes a model of random factors (users rate 20 items each), then loads it in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

N_ITEMS, RATINGS_EACH, N_ASKED, BLOCK = 20_000, 20, 300, 100_000


def rows_on_disk(
    folder: Path, name: str, shape: tuple[int, ...], kind: str, fill: Callable[[int], np.ndarray]
) -> np.ndarray:
    """An array in a file, filled block by block."""
    array = np.memmap(folder / name, kind, "w+", shape=shape)
    for first in range(0, shape[0], BLOCK):
        array[first : first + BLOCK] = fill(len(array[first : first + BLOCK]))
    return array


def write_model(path: Path, n_users: int, n_factors: int) -> None:
    """Save a model of random factors, without ever holding it in memory."""
    from matinee.ids import IdMap
    from matinee.models.factor import FactorModel
    from matinee.models.fold_in import LeastSquares
    from matinee.models.side import Side
    from matinee.packed import PackedRows
    from matinee.ratings import Scale
    from matinee.texts import Texts

    rng = np.random.default_rng(0)
    with TemporaryDirectory(dir=path.parent) as temporary:
        folder = Path(temporary)
        P = rows_on_disk(folder, "P", (n_users, n_factors), "f4",
                         lambda n: rng.normal(0, 0.3, (n, n_factors)))  # fmt: skip
        step = N_ITEMS // RATINGS_EACH
        seen = rows_on_disk(
            folder, "seen", (n_users, RATINGS_EACH), "u2",
            lambda n: np.arange(0, N_ITEMS, step) + rng.integers(0, step, (n, 1)),
        )  # fmt: skip
        codes = rows_on_disk(folder, "codes", (n_users, RATINGS_EACH), "u1",
                             lambda n: rng.integers(0, 5, (n, RATINGS_EACH)))  # fmt: skip
        texts = [Texts.of(map(str, range(first, min(first + BLOCK, n_users))))
                 for first in range(0, n_users, BLOCK)]  # fmt: skip
        starts = np.cumsum([0, *(len(part.data) for part in texts)])
        ids = Texts(np.concatenate([part.data for part in texts]), np.concatenate(
            [part.ends + start for part, start in zip(texts, starts, strict=False)]))  # fmt: skip
        items = Side(rng.normal(0, 0.3, (N_ITEMS, n_factors)).astype("f4"), np.zeros(N_ITEMS, "f4"))
        FactorModel(
            users=IdMap.packed(ids, "user"),
            items=IdMap.of(range(N_ITEMS), "item"),
            seen=PackedRows(np.arange(n_users + 1) * RATINGS_EACH, seen.reshape(-1),
                            codes.reshape(-1), np.arange(1, 6, dtype="f4")),
            scale=Scale(1, 5), kind="rating", algorithm="mf", settings={}, data_fingerprint="",
            global_mean=3.5, user_side=Side(P, np.zeros(n_users, "f4")), item_side=items,
            fold=LeastSquares(reg=1.0),
        ).save(path)  # fmt: skip


def serve(path: str) -> dict[str, float]:
    """Load the model, recommend to many users, and say how it went."""
    started = time.perf_counter()
    from matinee.models import load

    model = load(path)
    imported_and_loaded = time.perf_counter() - started
    model.recommend("5")
    ready = time.perf_counter() - started
    rng, times = np.random.default_rng(1), []
    for user in rng.integers(0, len(model.users), N_ASKED).tolist():
        began = time.perf_counter()
        model.recommend(user, 10)
        times.append(time.perf_counter() - began)
    return {
        "load_seconds": imported_and_loaded,
        "first_answer_seconds": ready,
        "median_ms": 1e3 * float(np.median(times)),
        "p99_ms": 1e3 * float(np.percentile(times, 99)),
        "resident_mb": peak_mb(),
    }


def peak_mb() -> float:
    """The most that was resident of this program; ru_maxrss also counts who started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--users", type=int, default=10_000_000)
    options.add_argument("--factors", type=int, default=64)
    options.add_argument("--folder", type=Path, default=Path())
    options.add_argument("--serve", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        print(json.dumps(serve(given.serve)))
        return
    with TemporaryDirectory(dir=given.folder) as temporary:
        path = Path(temporary) / "model"
        started = time.perf_counter()
        write_model(path, given.users, given.factors)
        size = sum(file.stat().st_size for file in path.iterdir())
        facts = {"users": given.users, "factors": given.factors, "model_gb": size / 1e9,
                 "write_seconds": time.perf_counter() - started}  # fmt: skip
        command = [sys.executable, __file__, "--serve", str(path)]
        for _ in range(2):  # the first compiles, where this machine has not yet
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(json.dumps(facts | json.loads(done.stdout), indent=1))


if __name__ == "__main__":
    main()
