"""What a first run compiles: functions and seconds by command and by kernel, with an empty cache.

    python benchmarks/compilations.py                  # the demo, and a first fit of each algorithm
    python benchmarks/compilations.py --only fit-mf    # one of them, with its kernels

Each runs in a process of its own with a new NUMBA_CACHE_DIR. Fits are of a made-up table of 60 x
60, so what takes time is importing and compiling. Seconds are of the processor, as the clock
depends on what else the machine does. The demo and `matinee fit` let another process compile a part
meanwhile, on another core. Functions of numba that a kernel makes it compile (np.empty, a sort) are
counted apart, and their seconds are the kernel's.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from numba.core.event import Event, Listener, register

from data import ROOT
from jobs import HERE, RESULTS, Row, circumstances, keep
from matinee.algorithms import ALGORITHMS
from tables import table

KEY = ("command",)
PATHS = os.pathsep.join(map(str, (ROOT / "src", HERE)))
NEEDS_A_PART = {"hybrid", "content", "neural-mf", "mult-vae"}  # a catalog, or the extra "neural"
FIT = """
import warnings
from matinee.algorithms import ALGORITHMS
from matinee.sources.synthetic import checkerboard
warnings.simplefilter("ignore")
model = ALGORITHMS["{name}"]().fit(checkerboard(60))
"""
COMMAND = """
from matinee.cli import run
from matinee.sources.synthetic import checkerboard
lines = [f"{one.user_id},{one.item_id},{one.rating}" for one in checkerboard(60)]
with open("ratings.csv", "w", encoding="utf-8") as file:
    print("user_id,item_id,rating", *lines, sep="\\n", file=file)
run(["fit", "ratings.csv", "--algorithm", "mf", "--out", "model"])
"""
DEMO = "from matinee.cli import run; run(['demo'])"
WARM_UP = "from matinee.cli import run; run(['warm-up'])"


def commands() -> dict[str, str]:
    """The code of each command, by its name."""
    fits = {f"fit-{name}": FIT.format(name=name) for name in ALGORITHMS if name not in NEEDS_A_PART}
    return {"demo": DEMO, "warm-up": WARM_UP, "matinee fit, mf": COMMAND, **fits}


class Compilations(Listener):
    """A listener to numba: what is compiled, and the seconds of each kernel alone."""

    def __init__(self) -> None:
        self.open: list[list[Any]] = []  # name and seconds spent inside, of those being compiled
        self.seconds: Counter[str] = Counter()
        self.kernels: Counter[str] = Counter()
        self.internal: Counter[str] = Counter()  # functions of numba, by the kernel they are for

    def on_start(self, event: Event) -> None:
        """Count what begins to be compiled."""
        function = event.data["dispatcher"].py_func
        if function.__module__.startswith("matinee."):
            name = f"{function.__module__.split('.')[-1]}.{function.__qualname__}"
            self.kernels[name] += 1
        else:
            name = self.open[-1][0]
            self.internal[name] += 1
        self.open.append([name, time.thread_time(), 0.0])

    def on_end(self, event: Event) -> None:
        """Add the seconds since it began, without those of what it calls."""
        name, started, inside = self.open.pop()
        took = time.thread_time() - started
        self.seconds[name] += took - inside
        if self.open:
            self.open[-1][2] += took


def measure_here(code: str) -> None:
    """Run the code of a command and print what it compiled as one line of JSON, the last."""
    compilations = Compilations()
    register("numba:compile", compilations)
    exec(code, {})
    row = {
        "kernels": dict(compilations.kernels),
        "internal": dict(compilations.internal),
        "seconds": {name: round(value, 3) for name, value in compilations.seconds.items()},
        "cpu_seconds": time.process_time(),
        "ahead_seconds": sum(os.times()[2:4]),  # of processes that have ended
    }
    print(json.dumps(row))


def measure(name: str, code: str) -> Row:
    """What a command compiles in a new process without any cached code."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), "--here", code],
            env={**os.environ, "NUMBA_CACHE_DIR": f"{folder}/cache", "PYTHONPATH": PATHS},
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    return {"command": name, **json.loads(done.stdout.splitlines()[-1]), **circumstances(1)}


def command_lines(rows: list[Row]) -> list[Row]:
    """One line a command, for a table."""
    return [
        {
            "command": row["command"],
            "kernels": sum(row["kernels"].values()),
            "numba's own": sum(row["internal"].values()),
            "s compiling": f"{sum(row['seconds'].values()):.1f}",
            "s in all": f"{row['cpu_seconds']:.1f}",
            "s of the other process": f"{row.get('ahead_seconds', 0.0):.1f}",
        }
        for row in rows
    ]


def kernel_lines(row: Row) -> list[Row]:
    """One line a kernel, the slowest to compile first."""
    seconds = sorted(row["seconds"].items(), key=lambda pair: -pair[1])
    return [
        {
            "kernel": name,
            "times": row["kernels"].get(name, 0),
            "numba's own": row["internal"].get(name, 0),
            "s": f"{took:.2f}",
        }
        for name, took in seconds
    ]


def main() -> None:
    """Measure, keep and show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", nargs="+", help="commands to measure, and to show by kernel")
    parser.add_argument("--results", default=str(RESULTS), help="folder of the JSON lines")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        measure_here(asked.here)
        return
    rows = []
    for name, code in commands().items():
        if asked.only is None or name in asked.only:
            rows.append(measure(name, code))
            keep(Path(asked.results) / "compilations.jsonl", rows[-1], KEY)
    print(table(command_lines(rows)))
    for row in rows if asked.only else []:
        if row["kernels"]:
            print(f"\n{row['command']}\n{table(kernel_lines(row))}")


if __name__ == "__main__":
    main()
