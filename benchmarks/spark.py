"""Matinee on Spark beside MLlib's ALS: time to the same error, memory, and bytes shuffled.

    python benchmarks/spark.py                       # MovieLens 1M, and ten million made-up ratings
    python benchmarks/spark.py --grid                # with MLlib's settings searched for again
    python benchmarks/spark.py --counters 1 10 50    # bytes that an epoch shuffles, in millions
    python benchmarks/spark.py --heaps 50            # the least heap that an epoch of so many takes

Needs ``pip install 'matinee[spark]'`` and Java 17. Both run on the same local cores, from the same
cached DataFrame, each in a process of its own. MLlib is set as well as we could: its penalty and
rank are the best of a grid on the test part, which flatters it; ours are its defaults with fewer
factors on MovieLens, and a penalty of a like grid on what is made up. What is compared are the
fewest iterations that come within NEAR of its best error, and the fewest epochs of ours that reach
that error, by the processor seconds of all their processes. Results are JSON lines in
results/spark.jsonl.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from data import ROOT, Part, folder_of_data, ml_1m
from jobs import RESULTS, Row, circumstances, keep
from power_law import write_ratings

FILE = RESULTS / "spark.jsonl"
CORES, NEAR, TURNS = 2, 0.0005, 3
HEAPS = ("512m", "1g", "2g", "3g", "4g", "6g", "9g")
HEAP = HEAPS[-1]  # for the counters
PATIENCE = 1800  # seconds after which a heap counts as too small
N_ITEMS = 20_000  # of made-up ratings
KEY = ("data", "who", "what")
FEW = {"matinee": {"n_epochs": 1}, "mllib": {"maxIter": 1}}
EPOCHS = {"matinee": "n_epochs", "mllib": "maxIter"}


class Contest(NamedTuple):
    """What is fitted to some data, by whom, and how long."""

    heap: str
    grid: list[dict[str, Any]]  # of MLlib
    most: int  # iterations of the grid
    iterations: list[int]  # of MLlib, with the best of the grid
    ours: dict[str, Any]
    epochs: list[int]  # of ours


CONTESTS = {
    "ml-1m": Contest(
        "4g",
        [{"rank": rank, "regParam": reg} for rank in (20, 50) for reg in (0.05, 0.065, 0.08)],
        10,
        [3, 5, 8, 10, 15],
        {"n_factors": 20},
        [1, 2, 3],
    ),
    "synthetic-10m": Contest(
        "6g",
        [{"rank": rank, "regParam": reg} for rank in (10, 16) for reg in (0.03, 0.05, 0.08)],
        8,
        [5, 8, 12],
        {"n_factors": 10, "reg": 0.5, "implicit_weight": 0.0},
        [3, 4, 5],
    ),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", help="the folder of the MovieLens zips")
    options.add_argument("--only", choices=CONTESTS, nargs="+", default=list(CONTESTS))
    options.add_argument("--grid", action="store_true", help="search for MLlib's settings again")
    options.add_argument("--turns", type=int, default=TURNS, help="fits with the same settings")
    options.add_argument("--counters", type=float, nargs="+", metavar="MILLIONS")
    options.add_argument("--heaps", type=float, nargs="+", metavar="MILLIONS")
    options.add_argument("--who", choices=FEW, nargs="+", default=list(FEW), help="of these")
    options.add_argument("--factors", type=int, default=64, help="of these")
    options.add_argument("--folder", type=Path, default=Path(), help="for data and shuffled bytes")
    given = options.parse_args()
    with TemporaryDirectory(dir=given.folder.absolute()) as name:
        folder = Path(name)
        for millions in given.counters or []:
            train = synthetic(folder, int(millions * 1e6), None)[0]
            for who in given.who:
                count(f"synthetic-{millions:g}m", who, train, given.factors, folder)
        for millions in given.heaps or []:
            train = synthetic(folder, int(millions * 1e6), None)[0]
            for who in given.who:
                weigh(f"synthetic-{millions:g}m", who, train, given.factors, folder)
        for data in given.only if not (given.counters or given.heaps) else ():
            parts = real(folder, given.data) if data == "ml-1m" else synthetic(folder, 10**7, 0.1)
            tried = [] if given.grid else tried_before(data)
            compete(data, parts, folder, tried, given.turns)


def tried_before(data: str) -> list[Row]:
    """The grid of MLlib as it was measured last."""
    rows = map(json.loads, FILE.read_text(encoding="utf-8").splitlines())
    return [one for row in rows if row["data"] == data for one in row.get("tried", [])]


def compete(
    data: str, parts: tuple[Path, Path | None], folder: Path, tried: list[Row], turns: int
) -> None:
    """Time to the same error."""
    contest = CONTESTS[data]
    if not tried:
        runs = [one | {"maxIter": contest.most} for one in contest.grid]
        tried = run("mllib", parts, contest.heap, {}, runs, folder)["found"]
    best = min(tried, key=lambda one: one["rmse"])["settings"]
    runs = [best | {"maxIter": n} for n in contest.iterations] * turns
    theirs = run("mllib", parts, contest.heap, {}, runs, folder)
    goal = min(one["rmse"] for one in theirs["found"]) + NEAR
    their = row_of("mllib", theirs, goal)
    runs = [{"n_epochs": n} for n in contest.epochs] * turns
    mine = run("matinee", parts, contest.heap, contest.ours, runs, folder)
    our = row_of("matinee", mine, their["rmse"])
    our["settings"] = contest.ours | our["settings"]
    our["ratio"] = their["cpu_seconds"] / our["cpu_seconds"]
    for row, more in ((their, {"tried": tried}), (our, {})):
        keep(FILE, {"data": data, "what": "time", **row, **more, **circumstances(CORES)}, KEY)
        print(json.dumps(row))


def row_of(who: str, result: Row, goal: float) -> Row:
    """The fewest epochs that reach an error, what they took, and what one more of them shuffles."""
    name = EPOCHS[who]
    good = [one for one in result["found"] if one["rmse"] <= goal] or result["found"][-1:]
    fewest = min(one["settings"][name] for one in good)
    chosen = [one for one in result["found"] if one["settings"][name] == fewest]
    return {
        "who": who,
        "settings": chosen[0]["settings"],
        "epochs": fewest,
        **{name: median(one[name] for one in chosen) for name in ("seconds", "cpu_seconds")},
        "rmse": chosen[0]["rmse"],
        "reached": chosen[0]["rmse"] <= goal,
        "ratings": result["ratings"],
        "epoch_seconds": slope(result["found"], name, "seconds"),
        "epoch_bytes": slope(result["found"], name, "shuffled"),
        "load": max(one["load"] for one in chosen),
        **{one: result[one] for one in ("peak_mb", "heap", "versions", "found")},
    }


def count(data: str, who: str, train: Path, n_factors: int, folder: Path) -> None:
    """Bytes that one more epoch shuffles, and what it takes."""
    ours = {"n_factors": n_factors, "tasks": CORES}  # not one task, as on one machine else
    settings = ours if who == "matinee" else {"rank": n_factors}
    name = EPOCHS[who]
    result = run(who, (train, None), HEAP, settings, [{name: 1}, {name: 2}], folder)
    row = {
        "data": data,
        "what": "counters",
        "who": who,
        "settings": settings,
        "ratings": result["ratings"],
        "epoch_bytes": slope(result["found"], name, "shuffled"),
        "epoch_seconds": slope(result["found"], name, "seconds"),
        "users": result["users"],
        "items": result["items"],
        "packed_bytes": result["packed_bytes"],
        "model_bytes": result["model_bytes"],
        **{one: result[one] for one in ("peak_mb", "python_mb", "heap", "versions", "found")},
        **circumstances(CORES),
    }
    keep(FILE, row, KEY)
    print(json.dumps(row))


def weigh(data: str, who: str, train: Path, n_factors: int, folder: Path) -> None:
    """The least heap of the JVM with which a fit of one epoch ends, and its memory in all."""
    settings = {"n_factors": n_factors} if who == "matinee" else {"rank": n_factors}
    tried = []
    for heap in HEAPS:
        try:
            result = run(who, (train, None), heap, settings, [{EPOCHS[who]: 1}], folder, True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            tried.append({"heap": heap, "why": type(error).__name__})
            continue
        row = {
            "data": data,
            "what": "memory",
            "who": who,
            "settings": settings,
            "ratings": result["ratings"],
            "seconds": result["found"][0]["seconds"],
            "tried": tried,
            **{one: result[one] for one in ("pss_mb", "python_pss_mb", "heap", "versions")},
            **circumstances(CORES),
        }
        keep(FILE, row, (*KEY, "settings"))
        print(json.dumps(row))
        return


def slope(found: list[Row], name: str, what: str) -> float:
    """What one more epoch adds, by least squares on the least of all turns: noise only adds."""
    turns: dict[int, list[float]] = {}
    for one in found:
        turns.setdefault(one["settings"][name], []).append(one[what])
    return float(np.polyfit(list(turns), [min(some) for some in turns.values()], 1)[0])


def run(
    who: str,
    parts: tuple[Path, Path | None],
    heap: str,
    settings: Row,
    runs: list[Row],
    folder: Path,
    weighed: bool = False,
) -> Row:
    """The figures of a worker."""
    train, test = parts
    shutil.rmtree(folder / "fit", ignore_errors=True)
    job = {
        "who": who,
        "cores": CORES,
        "heap": heap,
        "folder": str(folder),
        "settings": settings,
        "few": FEW[who],
        "weighed": weighed,
        "runs": runs,
        "train": str(train),
        "test": str(test) if test else None,
    }
    worker = Path(__file__).with_name("spark_worker.py")
    done = subprocess.run(
        [sys.executable, worker, json.dumps(job)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *paths()]),
            "TMPDIR": str(folder),
            "PYSPARK_PYTHON": sys.executable,
        },
    )
    return json.loads(done.stdout.splitlines()[-1]) | {"heap": heap}


def paths() -> Iterable[str]:
    """Where Python looks besides."""
    return filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))


def real(folder: Path, given: str | None) -> tuple[Path, Path]:
    """The first random fold of MovieLens 1M."""
    fold = next(iter(ml_1m(folder_of_data(given), [1])))
    return save(folder, *fold.train), save_test(folder, fold.test, (1.0, 5.0))


def synthetic(folder: Path, n_ratings: int, share: float | None) -> tuple[Path, Path | None]:
    """Made-up ratings of films by a power law; a share of them is for the test."""
    import pyarrow.parquet as pq

    source = folder / "made-up.parquet"
    write_ratings(source, n_ratings, N_ITEMS)
    table = pq.read_table(source)
    source.unlink()
    user, item, rating = (column.to_numpy() for column in table.columns)
    # of several ratings of a pair the first stays: MLlib would add them up
    _, first = np.unique(user.astype(np.int64) * 2**16 + item, return_index=True)
    columns = [column[first] for column in (user, item, rating)]
    tested = np.random.default_rng(1).random(len(first)) < (share or 0.0)
    train = save(folder, *(column[~tested] for column in columns))
    if share is None:
        return train, None
    return train, save_test(folder, Part(*(column[tested] for column in columns)), (0.5, 5.0))


def save(folder: Path, user: np.ndarray, item: np.ndarray, rating: np.ndarray) -> Path:
    """Training ratings as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "train.parquet"
    table = {"user": user.astype("i4"), "item": item.astype("i4"), "rating": rating.astype("f4")}
    pq.write_table(pa.table(table), path, row_group_size=500_000)
    return path


def save_test(folder: Path, part: Any, scale: tuple[float, float]) -> Path:
    """Test ratings as arrays."""
    path = folder / "test.npz"
    np.savez(path, scale=np.array(scale), **part._asdict())
    return path


if __name__ == "__main__":
    main()
