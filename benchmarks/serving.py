"""How fast the server answers: lists for users of MovieLens 1M, asked with wrk on this machine.

    python benchmarks/serving.py                    all scenarios, some minutes
    python benchmarks/serving.py --only 'top-10*'   some of them

wrk (Debian: wrk) keeps a number of connections busy, each asking again as soon as it is answered,
and shares the cores with the server. "computed": never the same question twice, as all users are
asked for in turn by one query, and then by another; "kept": users are drawn again and again, so
that most answers are those that the server has kept. "looked up": as computed, of a server whose
lists were made ahead, in Parquet. "a second of 2 cores" is what two cores would
answer that do nothing else: 2,000 over the server's CPU ms.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from time import perf_counter
from typing import Any

from data import folder_of_data
from jobs import HERE, RESULTS, Row, circumstances, keep, read_rows
from matinee.algorithms import NMF
from matinee.cli.walkthrough import READABLE
from matinee.models import load
from matinee.sources import read_ratings
from matinee.sources.sample import sample
from tables import table

KEY = ("name",)
READY = re.compile(r"ready in .*: (http://\S+)")
TICKS = os.sysconf("SC_CLK_TCK")
MEMORY_REQUESTS = 100_000
MEMORY_GROWTH = 1.05  # of resident memory over those requests


@dataclass(frozen=True)
class Scenario:
    """What is asked, and what is to be reached: ``limits`` are at most, "per_second" at least."""

    name: str
    how: str  # as in serving.lua
    query: str
    limits: dict[str, float]
    workers: int = 1  # processes that answer
    looked_up: bool = False  # whether lists are made ahead


SCENARIOS = (
    Scenario("top-10, computed", "new", "?n=10", {"per_second": 600}),
    Scenario("top-10, computed, 2 workers", "new", "?n=10", {"per_second": 1500}, 2),
    Scenario("top-10, kept", "any", "?n=10", {"per_second": 600}),
    Scenario("top-10 with reasons, computed", "new", "?n=10&why=true", {}),
    Scenario(
        "top-10 with reasons, computed, 2 workers",
        "new",
        "?n=10&why=true",
        {"median_ms": 5, "p99_ms": 25},
        2,
    ),
    Scenario("top-10 with reasons, kept", "any", "?n=10&why=true", {"median_ms": 5, "p99_ms": 25}),
    Scenario("top-10 with reasons by history, computed", "new", "?n=10&why=history", {}),
    Scenario("top-10, looked up", "new", "?n=10", {}, looked_up=True),
    Scenario("top-10 with reasons, looked up", "new", "?n=10&why=true", {}, looked_up=True),
    Scenario("feedback, each row durable", "post", "", {}),
)
WARM_UP = 2  # times the seconds of a measurement, where answers are kept
START_SECONDS = 3.0  # until the demo model answers


@dataclass
class Server:
    """A running ``matinee serve``."""

    process: subprocess.Popen[str]
    url: str
    seconds_to_start: float

    def cpu_seconds(self) -> float:
        """Processor seconds so far, those of the workers included."""
        total, process = 0, self.process.pid
        for one in [process, *children_of(process)]:
            parts = Path(f"/proc/{one}/stat").read_text().rsplit(") ", 1)[1].split()
            total += int(parts[11]) + int(parts[12])
        return total / TICKS

    def memory_mb(self) -> float:
        """Resident memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def children_of(process: int) -> list[int]:
    """The processes that a process started."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(one) for task in tasks for one in (task / "children").read_text().split()]


def main() -> None:
    """Run what was asked for, keep it, and show it beside what is to be reached."""
    asked = arguments()
    if shutil.which("wrk") is None:
        sys.exit("this needs wrk (Debian: wrk)")
    path = Path(asked.results) / "serving.jsonl"
    with tempfile.TemporaryDirectory() as where:
        for row in rows_of(asked, Path(where)):
            print(json.dumps(row), flush=True)
            keep(path, row | circumstances(os.cpu_count() or 1), KEY)
    print(table(serving_lines(read_rows(path))))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", help="names of scenarios, with * and ?")
    parser.add_argument("--seconds", type=float, default=20, help="of each that has no end")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--model", help="a model of MovieLens 1M; nmf is fitted unless given")
    parser.add_argument("--data", help="the folder with ml-1m.zip")
    parser.add_argument("--results", default=str(RESULTS), help="the folder for JSON lines")
    return parser.parse_args()


def rows_of(asked: argparse.Namespace, where: Path) -> Iterator[Row]:
    """A row for each scenario, each on a server of its own."""
    model = Path(asked.model) if asked.model else fitted(asked, where / "model")
    n_users = len(load(model).users)
    for one in SCENARIOS:
        if fnmatchcase(one.name, asked.only):
            options = ["--workers", str(one.workers)] if one.workers > 1 else []
            options += ["--lists", str(made_ahead(model, where))] if one.looked_up else []
            with serving(model, where, options) as server:
                yield measured(server, one, asked, n_users)
    if fnmatchcase("memory", asked.only):
        with serving(model, where) as server:
            yield memory(server, asked, n_users)
    if fnmatchcase("start", asked.only):
        demo = READABLE.fit(sample()).save(where / "demo")
        took = []
        for _ in range(3):
            with serving(demo, where) as server:
                took.append(server.seconds_to_start)
        yield {
            "name": "start",
            "seconds": min(took),
            "limits": {"seconds": START_SECONDS},
            "met": min(took) <= START_SECONDS,
        }


def fitted(asked: argparse.Namespace, place: Path) -> Path:
    """The default model of MovieLens 1M."""
    return NMF().fit(read_ratings(folder_of_data(asked.data) / "ml-1m.zip")).save(place)


def made_ahead(model: Path, where: Path) -> Path:
    """The lists of all users, made once."""
    lists = where / "lists.parquet"
    if not lists.exists():
        words = ["recommend", str(model), "--all", "-n", "100", "--out", str(lists)]
        subprocess.run([sys.executable, "-m", "matinee", *words], check=True, capture_output=True)
    return lists


@contextmanager
def serving(model: Path, where: Path, options: Sequence[str] = ()) -> Iterator[Server]:
    """A server of a model on a free port, with a new store."""
    with tempfile.TemporaryDirectory(dir=where) as inside:
        words = ["serve", str(model), "--port", "0", "--store", f"{inside}/feedback.sqlite"]
        words += options
        started = perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "matinee", *words], stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            lines = iter(process.stderr)
            found = next(match for line in lines if (match := READY.search(line)))
            try:
                yield Server(process, found[1], perf_counter() - started)
            finally:
                process.terminate()


def measured(server: Server, one: Scenario, asked: argparse.Namespace, n_users: int) -> Row:
    """What wrk found, and the processor time that it took the server."""
    warm = asked.seconds * (WARM_UP if one.how == "any" else 0.2)
    wrk(server, one.how, n_users, one.query, warm, asked.connections)
    before = server.cpu_seconds()
    found = wrk(server, one.how, n_users, one.query, asked.seconds, asked.connections)
    cpu_ms = 1000 * (server.cpu_seconds() - before) / found["requests"]
    found["per_second"] = found["requests"] / found["seconds"]
    met = all(
        found[name] >= limit if name == "per_second" else found[name] <= limit
        for name, limit in one.limits.items()
    )
    return {
        "name": one.name,
        **found,
        "cpu_ms": cpu_ms,
        "connections": asked.connections,
        "load_average": os.getloadavg()[0],
        "limits": one.limits,
        "met": met and not found["wrong"],
    }


def memory(server: Server, asked: argparse.Namespace, n_users: int) -> Row:
    """Resident memory before and after many requests, once the server is warm."""
    query = "?n=10&why=true"
    wrk(server, "any", n_users, query, WARM_UP * asked.seconds, asked.connections)
    before, done = server.memory_mb(), 0
    while done < MEMORY_REQUESTS:
        done += wrk(server, "any", n_users, query, 5, asked.connections)["requests"]
    after = server.memory_mb()
    return {
        "name": "memory",
        "requests": done,
        "before_mb": before,
        "after_mb": after,
        "limits": {"growth": MEMORY_GROWTH},
        "met": after <= MEMORY_GROWTH * before,
    }


def wrk(server: Server, how: str, users: int, query: str, seconds: float, busy: int) -> Row:
    """One run of wrk."""
    words = [
        "wrk",
        "-t1",
        f"-c{busy}",
        f"-d{max(1, round(seconds))}s",
        "-s",
        str(HERE / "serving.lua"),
    ]
    done = subprocess.run(
        [*words, server.url, "--", how, str(users), query],
        capture_output=True,
        text=True,
        check=True,
    )
    found: Row = json.loads(done.stdout.splitlines()[-1])
    return found


# Showing.


def serving_lines(rows: list[Row]) -> list[Row]:
    """One line a row, for a table."""
    return [line(row) for row in rows]


def line(row: Row) -> Row:
    """A row beside what is to be reached."""
    told: dict[str, Any] = {
        "what": row["name"],
        "requests": row.get("requests"),
        "a second": f"{row['per_second']:,.0f}" if "per_second" in row else None,
        "median ms": rounded(row, "median_ms"),
        "99 % ms": rounded(row, "p99_ms"),
        "server CPU ms": rounded(row, "cpu_ms"),
        "a second of 2 cores": f"{2000 / row['cpu_ms']:,.0f}" if "cpu_ms" in row else None,
        "load": f"{row['load_average']:.1f}" if "load_average" in row else None,
        "other": other(row),
        "to be reached": ", ".join(map(limit, row["limits"].items())),
        "is": ("met" if row["met"] else "NOT met") if row["limits"] else "",
    }
    return told


def rounded(row: Row, name: str) -> str | None:
    """A figure to two decimals."""
    return f"{row[name]:.2f}" if name in row else None


def other(row: Row) -> str | None:
    """What only some rows have."""
    if "before_mb" in row:
        return f"{row['before_mb']:.0f} MB before, {row['after_mb']:.0f} MB after"
    return f"ready after {row['seconds']:.2f} s" if row["name"] == "start" else None


def limit(one: tuple[str, float]) -> str:
    """What is to be reached, in words."""
    words = {
        "per_second": "≥ {:g} a second",
        "median_ms": "median ≤ {:g} ms",
        "p99_ms": "99 % ≤ {:g} ms",
        "growth": "≤ {:g} x",
        "seconds": "≤ {:g} s",
    }
    return words[one[0]].format(one[1])


if __name__ == "__main__":
    main()
