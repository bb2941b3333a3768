"""A large model, served from a mapped file: when it is ready, how it answers, what it holds.

    python benchmarks/large_model.py --users 10000000 --factors 64

Writes a model of random factors (everybody has rated 20 of 20,000 films) without ever holding it in
memory, and serves it with ``matinee serve``: first when nothing of it is in the page cache, then
again. Ready means that the server answers, and has made and explained a first list; files are
compared with their digests before. What that costs in processor time is measured by itself.
"""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import urlsplit

import numpy as np

from jobs import RESULTS, Row, circumstances, keep
from serving import Server, serving

FILE = RESULTS / "large_model.jsonl"
KEY = ("users", "factors", "cache")
LIMITS = {"ready_seconds": 3.0, "resident_mb": 1024.0, "median_ms": 10.0}
ROUNDED = (
    "ready_seconds",
    "load_cpu_seconds",
    "median_ms",
    "p99_ms",
    "why_median_ms",
    "resident_mb",
    "own_mb",
)
LOAD = """
import sys, time
from matinee.models import load
began = time.process_time()
load(sys.argv[1])
print(time.process_time() - began)
"""
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
    from matinee.data.ids import IdMap
    from matinee.data.packed import PackedRows
    from matinee.data.scale import Scale
    from matinee.data.texts import Texts
    from matinee.models.factor import FactorModel
    from matinee.row_solvers import LeastSquares
    from matinee.row_solvers.embeddings import Embeddings

    rng = np.random.default_rng(0)
    with TemporaryDirectory(dir=path.parent) as temporary:
        folder = Path(temporary)
        P = rows_on_disk(
            folder, "P", (n_users, n_factors), "f4", lambda n: rng.normal(0, 0.3, (n, n_factors))
        )
        step = N_ITEMS // RATINGS_EACH
        seen = rows_on_disk(
            folder,
            "seen",
            (n_users, RATINGS_EACH),
            "u2",
            lambda n: np.arange(0, N_ITEMS, step) + rng.integers(0, step, (n, 1)),
        )
        codes = rows_on_disk(
            folder,
            "codes",
            (n_users, RATINGS_EACH),
            "u1",
            lambda n: rng.integers(0, 5, (n, RATINGS_EACH)),
        )
        texts = [
            Texts.of(map(str, range(first, min(first + BLOCK, n_users))))
            for first in range(0, n_users, BLOCK)
        ]
        starts = np.cumsum([0, *(len(part.data) for part in texts)])
        ids = Texts(
            np.concatenate([part.data for part in texts]),
            np.concatenate([part.ends + start for part, start in zip(texts, starts, strict=False)]),
        )
        items = Embeddings(
            rng.normal(0, 0.3, (N_ITEMS, n_factors)).astype("f4"), np.zeros(N_ITEMS, "f4")
        )
        FactorModel(
            users=IdMap.packed(ids, "user"),
            items=IdMap.of(range(N_ITEMS), "item"),
            seen=PackedRows(
                np.arange(n_users + 1) * RATINGS_EACH,
                seen.reshape(-1),
                codes.reshape(-1),
                np.arange(1, 6, dtype="f4"),
            ),
            scale=Scale(1, 5),
            kind="rating",
            algorithm="mf",
            settings={},
            data_fingerprint="",
            global_mean=3.5,
            user_embeddings=Embeddings(P, np.zeros(n_users, "f4")),
            item_embeddings=items,
            fold=LeastSquares(reg=1.0),
        ).save(path)


def main() -> None:
    """Write, serve, show and keep."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=10_000_000)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--folder", type=Path, help="where to write; the model takes 3.5 GB")
    given = parser.parse_args()
    with TemporaryDirectory(dir=given.folder) as temporary:
        where = Path(temporary)
        began = perf_counter()
        write_model(where / "model", given.users, given.factors)
        facts = {
            "users": given.users,
            "factors": given.factors,
            "limits": LIMITS,
            "write_seconds": perf_counter() - began,
            "model_bytes": size_of(where / "model"),
            **circumstances(os.cpu_count() or 1),
        }
        facts["load_cpu_seconds"] = load_cost(where / "model")
        forget(where / "model")
        for cache in ("cold", "warm"):
            row = facts | {"cache": cache} | measured(where, given)
            row["met"] = all(row[name] <= limit for name, limit in LIMITS.items())
            row["reached"] = "yes" if row["met"] else "NO"
            row["gb"] = round(row["model_bytes"] / 1e9, 1)
            row |= {name: round(value, 1) for name, value in row.items() if name in ROUNDED}
            keep(FILE, row, KEY)
            print(json.dumps(row, indent=1), flush=True)


def size_of(folder: Path) -> int:
    """Bytes of the files of a folder."""
    return sum(file.stat().st_size for file in folder.iterdir())


def load_cost(folder: Path) -> float:
    """Processor seconds that loading takes in a fresh process: digests, and the laws of arrays."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def forget(folder: Path) -> None:
    """Have the system drop what it keeps of the files in memory."""
    for file in folder.iterdir():
        handle = os.open(file, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def measured(where: Path, given: Namespace) -> Row:
    """A server of the model, asked for lists and for reasons."""
    with serving(where / "model", where) as server:
        people = np.random.default_rng(1).integers(0, given.users, (2, N_ASKED)).tolist()
        plain = answer_times(server, people[0], "n=10")
        reasons = answer_times(server, people[1], "n=10&why=true")
        return {
            "ready_seconds": server.seconds_to_start,
            "median_ms": float(np.median(plain)),
            "p99_ms": float(np.percentile(plain, 99)),
            "why_median_ms": float(np.median(reasons)),
            "resident_mb": status_mb(server, "VmHWM"),
            "own_mb": status_mb(server, "RssAnon"),
            "load_average": os.getloadavg()[0],
        }


def answer_times(server: Server, people: list[int], query: str) -> list[float]:
    """Milliseconds of a list for each of some people, one after the other."""
    connection, times = HTTPConnection(urlsplit(server.url).netloc), []
    for person in people:
        began = perf_counter()
        connection.request("GET", f"/v1/users/{person}/recommendations?{query}")
        answer = connection.getresponse()
        found = json.loads(answer.read())
        times.append(1e3 * (perf_counter() - began))
        if answer.status != 200:
            raise SystemExit(f"no list for {person}: {found}")
    return times


def status_mb(server: Server, name: str) -> float:
    """A size of the server in MB, as Linux tells it; mapped files count as resident."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
