"""Running workers, and keeping what they measured: one JSON line a figure, the newest of each."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from contenders import Contender, is_ours
from data import POSITIVE_FROM, ROOT, Fold

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
LIST_LENGTH = 10

Row = dict[str, Any]


@dataclass(frozen=True)
class Workshop:
    """Where jobs run: a folder for their files, and what they may use."""

    folder: Path
    threads: int = 2
    limit_seconds: float = 3600.0
    pythons: dict[str, str] = field(default_factory=dict)  # adapter -> another interpreter

    def run(
        self, contender: Contender, task: str, fold: Path, measure: str = "fit", **more: Any
    ) -> tuple[Row, np.ndarray | None]:
        """The figures of one job, and the predictions or scores where it makes them."""
        path = self.folder / "job.json"
        for old in self.folder.glob("job.*"):
            old.unlink()
        path.write_text(
            json.dumps(
                {
                    "adapter": contender.adapter,
                    "settings": contender.settings,
                    "task": task,
                    "learns": contender.learns,
                    "positive_from": POSITIVE_FROM,
                    "fold": str(fold),
                    "measure": measure,
                    "threads": self.threads,
                    "n": LIST_LENGTH,
                    **more,
                }
            )
        )
        python = self.pythons.get(contender.adapter.removeprefix("peers."), sys.executable)
        try:
            done = subprocess.run(
                [python, str(HERE / "worker.py"), str(path)],
                env=self.environment(contender),
                capture_output=True,
                text=True,
                timeout=self.limit_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"not done in {self.limit_seconds:.0f} s"}, None
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["nothing said"])[-1]
            return {"failed": f"exit code {done.returncode}: {last}"}, None
        answer = path.with_suffix(".npy")
        result: Row = json.loads(path.with_suffix(".result.json").read_text())
        return result, np.load(answer) if answer.exists() else None

    def warm(self, contender: Contender, task: str, fold: Path) -> None:
        """Have our kernels compiled and cached before anything is measured."""
        if is_ours(contender):
            self.run(contender, task, fold, "warm")

    def environment(self, contender: Contender) -> dict[str, str]:
        """The same number of threads for all, by the variables that each of them reads."""
        threads = str(self.threads)
        blas = str(contender.blas_threads or self.threads)
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")])
            ),
            "PYTHONHASHSEED": "0",
            "MATINEE_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "NUMBA_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": blas,
            "MKL_NUM_THREADS": blas,
        }


@contextmanager
def workshop(threads: int, limit_seconds: float, pythons: list[str]) -> Iterator[Workshop]:
    """A workshop in a temporary folder; ``pythons`` are ``PEER=INTERPRETER``."""
    others = dict(one.split("=", 1) for one in pythons)
    with tempfile.TemporaryDirectory(prefix="matinee-benchmarks-") as folder:
        yield Workshop(Path(folder), threads, limit_seconds, others)


@contextmanager
def saved(shop: Workshop, fold: Fold) -> Iterator[Path]:
    """The fold as a file, for as long as it is needed."""
    path = fold.save(shop.folder)
    try:
        yield path
    finally:
        path.unlink()


def says_why(result: Row) -> str | None:
    """Why there is no figure, or None."""
    for reason in ("absent", "unfit", "failed"):
        if reason in result:
            return f"{reason}: {result[reason]}"
    return None


# What a figure is known by.


@cache
def machine() -> dict[str, Any]:
    """Processor, cores and memory of this machine."""
    facts = {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
    }
    cpuinfo, meminfo = Path("/proc/cpuinfo"), Path("/proc/meminfo")
    if cpuinfo.exists():
        facts["cpu"] = description_of_cpu(cpuinfo.read_text())
    if meminfo.exists():
        facts["memory_gb"] = round(int(meminfo.read_text().split()[1]) / 2**20)
    return facts


def description_of_cpu(cpuinfo: str) -> str:
    """Model name, family and model: the name alone is often cut to the maker's."""
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    fields = {name.strip(): value.strip() for name, _, value in lines}
    parts = (fields.get(name) for name in ("cpu family", "model"))
    numbers = " ".join(filter(None, parts))
    return f"{fields.get('model name', 'unknown')} ({numbers})" if numbers else platform.machine()


@cache
def commit() -> str:
    """The commit of this checkout, with a + where files differ from it."""
    git = ["git", "-C", str(ROOT)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            [*git, "status", "--porcelain", "src"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if changed else "")


def circumstances(threads: int) -> Row:
    """Machine, threads, commit and date, for every row."""
    return {
        "threads": threads,
        "machine": machine(),
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


# Where figures are kept.


def read_rows(path: Path) -> list[Row]:
    """The rows of a file of JSON lines; none when there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def keep(path: Path, row: Row, key: tuple[str, ...]) -> None:
    """Write a row in the place of the older one with the same key, or at the end."""
    rows = read_rows(path)
    same = [at for at, old in enumerate(rows) if all(old.get(k) == row.get(k) for k in key)]
    if same:
        rows[same[0]] = row
    else:
        rows.append(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text("".join(f"{json.dumps(one)}\n" for one in rows), encoding="utf-8")
    partial.replace(path)
