"""One contender on one fold, in a process of its own, so that time and memory are its own.

    python worker.py JOB.json       see ``jobs.py``; needs numpy and the contender, no more

The result is written beside the job: figures as JSON, predictions or scores as ``.npy``.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

BLOCK_USERS = 500  # users scored at once


class Ratings(NamedTuple):
    """Three arrays of equal length, users and items by row number."""

    user: np.ndarray
    item: np.ndarray
    rating: np.ndarray


class Unfit(Exception):
    """The contender has no answer for this task."""


class Spent(NamedTuple):
    """Wall and processor seconds."""

    wall: float
    cpu: float


def main() -> None:
    """Do the job that is described in the file named on the command line."""
    path = Path(sys.argv[1])
    job = json.loads(path.read_text())
    hold_to(job["threads"])
    with redirect_stdout(sys.stderr):  # some peers talk
        result, array = attempt(job)
    if array is not None:
        np.save(path.with_suffix(".npy"), array)
    path.with_suffix(".result.json").write_text(json.dumps(result))


def attempt(job: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray | None]:
    """The figures and the answer, or why there are none."""
    adapter = import_module(job["adapter"])
    try:
        return MEASURES[job["measure"]](adapter, job)
    except ImportError as error:
        return {"absent": str(error)}, None
    except Unfit as error:
        return {"unfit": str(error)}, None


def measure_fit(adapter: ModuleType, job: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray]:
    """Fit once; then predict the test pairs, or score everything for the test users."""
    fold = np.load(job["fold"])
    prepared, result = get_ready(adapter, job, fold)
    fitted, spent = timed(lambda: adapter.fit(prepared, job["settings"]))
    result |= {
        "fit_wall_seconds": spent.wall,
        "fit_cpu_seconds": spent.cpu,
        "fit_peak_rss_mb": peak_rss_mb(),
    }
    if job["task"] == "ratings":
        if fitted.predict is None:
            raise Unfit("its scores are no ratings")
        answer, spent = timed(lambda: fitted.predict(fold["test_user"], fold["test_item"]))
    else:
        users, n_items = np.unique(fold["test_user"]), int(fold["n_items"])
        answer, spent = timed(lambda: all_scores(fitted.scores, users, n_items))
    result |= {
        "answer_wall_seconds": spent.wall,
        "answer_cpu_seconds": spent.cpu,
        "peak_rss_mb": peak_rss_mb(),
    }
    return result, np.asarray(answer)


def measure_epoch(adapter: ModuleType, job: dict[str, Any]) -> tuple[dict[str, Any], None]:
    """Seconds for one more pass over the data: fits with few and with more of them, by turns."""
    prepared, result = get_ready(adapter, job, np.load(job["fold"]))
    name, few, more = job["epochs"]

    def one(n_epochs: int) -> Spent:
        return timed(lambda: adapter.fit(prepared, {**job["settings"], name: n_epochs}))[1]

    one(few)
    pairs = [(one(few), one(more)) for _ in range(job["repeats"])]
    for kind in ("wall", "cpu"):
        each = [(getattr(b, kind) - getattr(a, kind)) / (more - few) for a, b in pairs]
        result[f"epoch_{kind}_seconds"] = each
    result["peak_rss_mb"] = peak_rss_mb()
    return result, None


def measure_lists(adapter: ModuleType, job: dict[str, Any]) -> tuple[dict[str, Any], None]:
    """Seconds for the contender's own top-n lists for all users."""
    fold = np.load(job["fold"])
    prepared, result = get_ready(adapter, job, fold)
    fitted = adapter.fit(prepared, job["settings"])
    if fitted.recommend is None:
        raise Unfit("it has no lists of its own")
    users = np.unique(fold["train_user"])
    fitted.recommend(users[:100], job["n"])
    times = [timed(lambda: fitted.recommend(users, job["n"]))[1] for _ in range(job["repeats"])]
    result |= {
        "lists_wall_seconds": [one.wall for one in times],
        "lists_cpu_seconds": [one.cpu for one in times],
        "peak_rss_mb": peak_rss_mb(),
    }
    return result, None


def measure_nothing(adapter: ModuleType, job: dict[str, Any]) -> tuple[dict[str, Any], None]:
    """Compile only, so that the processes that are measured find the machine code."""
    warm_up(adapter, job)
    return {"versions": versions(adapter)}, None


MEASURES: dict[str, Callable[..., tuple[dict[str, Any], np.ndarray | None]]] = {
    "fit": measure_fit,
    "epoch": measure_epoch,
    "lists": measure_lists,
    "warm": measure_nothing,
}


def get_ready(adapter: ModuleType, job: dict[str, Any], fold: Any) -> tuple[Any, dict[str, Any]]:
    """What the contender learns from, in its own form, and what is known by now."""
    kind = warm_up(adapter, job)
    if kind == "preference" and job["task"] == "ratings":
        raise Unfit("its scores are no ratings")
    learns = "positives" if kind == "preference" else job["learns"]
    train = part(fold, "train")
    if job["task"] == "lists" and learns == "positives":
        train = positives(train, job["positive_from"])
    size = int(fold["n_users"]), int(fold["n_items"])
    prepared, spent = timed(lambda: adapter.prepare(train, *size))
    if hasattr(adapter, "with_catalog") and "catalog" in fold:
        prepared = adapter.with_catalog(prepared, str(fold["catalog"]))
    return prepared, {
        "versions": versions(adapter),
        "prepare_wall_seconds": spent.wall,
        "load_average": os.getloadavg()[0],
    }


def warm_up(adapter: ModuleType, job: dict[str, Any]) -> str | None:
    """Let a compiled contender compile; says the kind of its scores where it tells."""
    if not hasattr(adapter, "warm_up"):
        return None
    return str(adapter.warm_up(job["settings"]))


def part(fold: Any, name: str) -> Ratings:
    """The training or the test ratings of a fold."""
    return Ratings(*(fold[f"{name}_{column}"] for column in Ratings._fields))


def positives(ratings: Ratings, at_least: float) -> Ratings:
    """Who liked what, with a rating of 1 for each."""
    liked = ratings.rating >= at_least
    ones = np.ones(np.count_nonzero(liked), np.float32)
    return Ratings(ratings.user[liked], ratings.item[liked], ones)


def all_scores(
    scores: Callable[[np.ndarray], np.ndarray], users: np.ndarray, n_items: int
) -> np.ndarray:
    """The scores (n_users, n_items) float32 of all items for these users, blocks at a time."""
    out = np.empty((len(users), n_items), np.float32)
    for first in range(0, len(users), BLOCK_USERS):
        here = slice(first, first + BLOCK_USERS)
        out[here] = scores(users[here])
    return out


def timed(work: Callable[[], Any]) -> tuple[Any, Spent]:
    """What the work returns, and the wall and processor seconds of the family."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    done = work()
    return done, Spent(time.perf_counter() - wall, cpu_seconds() - cpu)


def hold_to(threads: int) -> None:
    """Keep this process and its threads on so many cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def versions(adapter: ModuleType) -> dict[str, str]:
    """Versions of the contender and what it stands on."""
    found = {"python": sys.version.split()[0]}
    for name in (adapter.DISTRIBUTION, "numpy", "scipy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            module = sys.modules.get(name)
            found[name] = getattr(module, "__version__", "unknown")
    return found


def family() -> list[int]:
    """This process and its living descendants: Spark works in a child."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int(
                (entry / "stat").read_text().rpartition(")")[2].split()[1]
            )
        except OSError:
            continue
    ours = [os.getpid()]
    for one in ours:
        ours += [child for child, parent in parents.items() if parent == one]
    return ours


def cpu_seconds() -> float:
    """Processor seconds of the family so far."""
    total = time.process_time()
    for child in family()[1:]:
        try:
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            continue
    return total


def peak_rss_mb() -> float | None:
    """Highest resident memory so far, of the family together; None where Linux does not tell."""
    total = 0
    for one in family():
        try:
            status = Path(f"/proc/{one}/status").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)
    return total / 1024 or None


if __name__ == "__main__":
    main()
