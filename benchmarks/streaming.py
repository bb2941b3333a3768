"""Packed ratings and fits in blocks, on made-up ratings of any number (see power_law.py).

    python benchmarks/streaming.py                                            # 1 and 10 million
    python benchmarks/streaming.py --millions 1 10 100 --items 2000           # is time linear?
    python benchmarks/streaming.py --millions 100 --limit-gib 4               # in bounded memory
    python benchmarks/streaming.py --billion --folder /a/disk                 # by hand

Each size is made, packed and fitted in processes of their own. With ``--limit-gib`` the one that
fits may have no more addresses than that (RLIMIT_AS): its memory, its code, and all that it maps.
With ``--folder`` the packed ratings are kept there, and taken from there when they are there.
``--billion`` is a thousand million ratings and two epochs: some 40 GB of disk, and half an hour on
two cores. An epoch's seconds are those of solving all items, then all users, and gathering what the
items need of them; the first pass, which only gathers, and the last, which does not, are left out.
Fits begin when everything is compiled.
"""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from jobs import RESULTS, Row, circumstances, keep
from power_law import write_ratings

FILE = RESULTS / "streaming.jsonl"
KEY = ("millions", "items", "factors", "limit_gib")
SECONDS_BETWEEN_LOOKS = 0.05
LISTS = 200  # people whose lists are timed
GIB = 2**30


def main() -> None:
    """Make, pack, fit; show and keep."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 10])
    parser.add_argument("--billion", action="store_true", help="1,000 million, two epochs")
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--factors", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--limit-gib", type=float, default=0.0)
    parser.add_argument("--memory", default="1GB", help="of packing")
    parser.add_argument("--folder", type=Path, help="where ratings are packed, and kept")
    parser.add_argument("--make", nargs=3, help=SUPPRESS)
    parser.add_argument("--fit", nargs=2, help=SUPPRESS)
    given = parser.parse_args()
    if given.billion:
        given.millions, given.epochs = [1000], 2
    if given.make:
        source, folder, millions = given.make
        print(json.dumps(made(Path(source), Path(folder), float(millions), given)))
    elif given.fit:
        print(json.dumps(fitted(*given.fit, given)))
    else:
        with workplace(given.folder) as folder:
            for millions in given.millions:
                row = measured(folder, millions, given)
                keep(FILE, row, KEY)
                print(json.dumps(row, indent=1), flush=True)


@contextmanager
def workplace(kept: Path | None) -> Iterator[Path]:
    """A folder to work in, gone at the end unless it was given."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with TemporaryDirectory() as temporary:
        yield Path(temporary)


def measured(folder: Path, millions: float, given: Namespace) -> Row:
    """The figures of one size."""
    name = f"{millions:g}-million-of-{given.items}"
    packed, facts = folder / name, folder / f"{name}.json"
    if not facts.exists():
        source = folder / f"{name}.parquet"
        found = in_process("--make", source, packed, millions, given=given)
        facts.write_text(json.dumps(found))
        source.unlink()
    row: Row = {
        "millions": millions,
        "factors": given.factors,
        "epochs": given.epochs,
        "limit_gib": given.limit_gib,
    }
    row |= json.loads(facts.read_text())
    with TemporaryDirectory(dir=folder) as state:
        row |= in_process("--fit", packed, state, given=given)
    return row | derived(row)


def derived(row: Row) -> Row:
    """The figures that a table shows."""
    n = row["ratings"]
    wall, cpu = (float(np.median(row[f"epoch_{of}seconds"])) for of in ("", "cpu_"))
    return {
        "what": f"{n / 1e6:,.1f} million of {row['items']:,} films by {row['users']:,} people",
        "limit": f"{row['limit_gib']:g} GiB" if row["limit_gib"] else "none",
        "pack_s": round(row["pack_seconds"], 1),
        "disk_bytes": round(row["packed_bytes"] / n, 2),
        "epoch_s": round(wall, 2),
        "us": round(1e6 * wall / n, 3),
        "cpu_us": round(1e6 * cpu / n, 3),
        "own": round(row["own_mb"]),
        "own_bytes": round(row["own_mb"] * 2**20 / n, 1),
        "mapped": round(row["peak_mb"]),
        "addresses": round(row["addresses_mb"]),
        "list": round(row["list_ms"], 2),
    }


def in_process(task: str, *arguments: Any, given: Namespace) -> Row:
    """What a task prints that runs alone."""
    settings = {
        "--items": given.items,
        "--factors": given.factors,
        "--epochs": given.epochs,
        "--limit-gib": given.limit_gib,
        "--memory": given.memory,
    }
    words = [task, *arguments, *(word for pair in settings.items() for word in pair)]
    done = subprocess.run(
        [sys.executable, __file__, *map(str, words)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{task[2:]} failed with exit code {done.returncode}")
    found: Row = json.loads(done.stdout.splitlines()[-1])
    return found


def made(source: Path, folder: Path, millions: float, given: Namespace) -> Row:
    """Ratings made and packed, and what that took."""
    from matinee.sources.packing.pack import pack

    began = time.perf_counter()
    write_ratings(source, round(millions * 1e6), given.items)
    written = time.perf_counter()
    packed = pack(source, folder, memory=given.memory)
    return {
        "make_seconds": written - began,
        "pack_seconds": time.perf_counter() - written,
        "pack_peak_mb": peak_mb(),
        "source_bytes": source.stat().st_size,
        "packed_bytes": packed.n_bytes,
        "ratings": len(packed),
        "users": packed.n_users,
        "items": packed.n_items,
    }


def fitted(source: str, state: str, given: Namespace) -> Row:
    """A fit on packed ratings in this process, lists of it, and what they took."""
    if given.limit_gib:
        most = int(given.limit_gib * GIB)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    import scipy

    import matinee
    from matinee.data.packed import PackedRatings
    from matinee.kernels.threads import n_threads

    packed = PackedRatings.open(source)
    algorithm = matinee.MF(n_factors=given.factors, n_epochs=given.epochs)
    warm_up(given.factors)
    watch = Watch()
    began = time.perf_counter()
    model = algorithm.fit_packed(packed, folder=state, on_part=watch.on_part)
    fit_seconds = time.perf_counter() - began
    times = list_times(model)
    watch.over.set()
    walls, cpus = watch.passes
    return {
        "epoch_seconds": walls[:-1],
        "epoch_cpu_seconds": cpus[:-1],
        "fit_seconds": fit_seconds,
        "train_rmse": model.facts["train_rmse"],
        "own_mb": watch.own_mb,
        "peak_mb": peak_mb(),
        "addresses_mb": status_mb("VmPeak"),
        "list_ms": 1e3 * float(np.median(times)),
        "load_average": os.getloadavg()[0],
        "versions": {
            "matinee": matinee.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
        **circumstances(n_threads()),
    }


class Watch:
    """The ends of passes, by the wall and by the processor, and the most memory in between."""

    def __init__(self) -> None:
        self.ends: dict[int, tuple[float, float]] = {}
        self.own_mb, self.over = 0.0, threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def on_part(self, done: int, of: int, epoch: int) -> None:
        """Look at the clocks after a block."""
        self.ends[epoch] = (time.perf_counter(), time.process_time())

    def _look(self) -> None:
        while not self.over.wait(SECONDS_BETWEEN_LOOKS):
            self.own_mb = max(self.own_mb, status_mb("RssAnon"))

    @property
    def passes(self) -> list[list[float]]:
        """Seconds from the last block of a pass to that of the next: of the wall, and processor."""
        found: list[list[float]] = np.diff(list(self.ends.values()), axis=0).T.tolist()
        return found


def warm_up(n_factors: int) -> None:
    """Compile, so that the first epoch is not charged for it."""
    from matinee import MF, pack
    from matinee.sources.synthetic import planted

    small = planted(200, 50, 2)
    columns = small.users.ids[small.user], small.items.ids[small.item], small.rating
    with TemporaryDirectory() as folder:
        packed = pack(columns, Path(folder) / "small")
        MF(n_factors=n_factors, n_epochs=2).fit_packed(packed).recommend(packed.users.ids[0])


def list_times(model: Any) -> list[float]:
    """Seconds of a list of ten, for some people each."""
    times = []
    for row in np.random.default_rng(0).integers(0, len(model.users), LISTS).tolist():
        person = model.users.ids[row]
        began = time.perf_counter()
        model.recommend(person, 10)
        times.append(time.perf_counter() - began)
    return times


def status_mb(name: str) -> float:
    """A size of this process in MB, as Linux tells it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def peak_mb() -> float:
    """The most that was resident of this program, mapped files included."""
    return status_mb("VmHWM")  # ru_maxrss also counts who started it


if __name__ == "__main__":
    main()
