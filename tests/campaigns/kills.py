"""Kills at every file-system call of what Matinee writes, and at random moments.

    $ python tests/campaigns/kills.py                     # every call of every task
    $ python tests/campaigns/kills.py --random 300        # and 300 random moments each
    $ python tests/campaigns/kills.py --tasks pack report --step 5

A task replaces something old by something new. A forked process does it and is killed (SIGKILL)
before its n-th call. What is there then is the old or the new one, whole; doing the task again ends
with the new one, and leaves nothing else behind. Calls are those that Python makes: open, rename,
remove, make, link, change of mode, fsync. Those that DuckDB makes fall between them, and are met
by the random moments. A second writer may be at work on the same model meanwhile (``--two 1``).
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import matinee
from matinee.algorithms import NMF, Bias, Popularity
from matinee.charts.ratings import long_tail
from matinee.cli import run
from matinee.evaluation.run_log import Record

EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.chmod"}
OLD, NEW, NONE = "old", "new", "none"
ROWS = [(f"u{n % 9}", f"i{n % 7}", float(n % 5 + 1)) for n in range(63)]


@dataclass(frozen=True)
class Task:
    """Something that is written to a folder: how, and which of old and new is there."""

    name: str
    prepare: Callable[[Path], object]  # puts the old one there
    write: Callable[[Path], object]  # puts the new one there
    state: Callable[[Path], str]  # OLD, NEW or NONE; raises for anything else
    whole: frozenset[str]  # the names in the folder when the task has ended
    allowed: frozenset[str] = frozenset((OLD, NEW))


def ratings(n: int) -> matinee.Ratings:
    """The first ``n`` rows."""
    return matinee.read_ratings(ROWS[:n])


def model_state(folder: Path) -> str:
    path = folder / "model"
    if not path.exists():
        return NONE
    return {"bias": OLD, "popularity": NEW}[matinee.load(path).algorithm]


def table(folder: Path, n: int) -> Path:
    """A file of ratings, outside the folder that is looked at."""
    path = folder.parent / f"{n}.csv"
    if not path.exists():
        lines = (f"{user},{item},{rating}\n" for user, item, rating in ROWS[:n])
        path.write_text("user,item,rating\n" + "".join(lines))
    return path


def pack(folder: Path, n: int) -> object:
    return matinee.pack(table(folder, n), folder / "packed")


def pack_state(folder: Path) -> str:
    if not (folder / "packed").exists():
        return NONE
    return {50: OLD, 63: NEW}[len(matinee.PackedRatings.open(folder / "packed"))]


def inspect(folder: Path, n: int) -> None:
    with redirect_stdout(StringIO()):
        assert run(["inspect", str(table(folder, n)), "--html", str(folder / "page.html")]) == 0


def page_state(folder: Path) -> str:
    page = (folder / "page.html").read_text()
    assert page.endswith("</html>\n"), "a page that was cut"
    return OLD if "50.csv" in page else NEW


def chart(folder: Path, n: int) -> object:
    return long_tail(ratings(n)).save(folder / "chart.svg")


def chart_state(folder: Path) -> str:
    found = (folder / "chart.svg").read_text()
    return {long_tail(ratings(n)).svg(): one for n, one in ((50, OLD), (63, NEW))}[found]


def keep(folder: Path, what: str) -> None:
    Record.at(folder / "runs.jsonl").append({"what": what, "metrics": [1.0] * 500})


def record_state(folder: Path) -> str:
    """OLD with the first run, NEW where the second is there too, perhaps twice."""
    runs = [run["what"] for run in Record.of(folder / "runs.jsonl").runs()]
    assert runs[0] == OLD
    assert set(runs[1:]) <= {NEW}
    return NEW if len(runs) > 1 else OLD


def fit(folder: Path) -> object:
    packed = matinee.PackedRatings.open(folder.parent / "packed-for-fit")
    return NMF(n_factors=2, n_epochs=2).fit_packed(packed, folder=folder / "state", resume=True)


def fit_prepared(folder: Path) -> None:
    if not (folder.parent / "packed-for-fit").exists():
        matinee.pack(table(folder, 63), folder.parent / "packed-for-fit")


def fit_state(folder: Path) -> str:
    """NEW where a fit that resumes gives the factors of one that was never interrupted."""
    whole = NMF(n_factors=2, n_epochs=2).fit(ratings(63))
    copy = folder.parent / "resumed"
    shutil.rmtree(copy, ignore_errors=True)
    if (folder / "state").exists():
        shutil.copytree(folder / "state", copy / "state")
    assert (fit(copy).item_factors == whole.item_factors).all()  # type: ignore[attr-defined]
    return NEW


TASKS = {
    task.name: task
    for task in (
        Task(
            "model",
            lambda folder: Bias().fit(ratings(50)).save(folder / "model"),
            lambda folder: Popularity().fit(ratings(63)).save(folder / "model"),
            model_state,
            frozenset({"model"}),
        ),
        Task(
            "first-model",
            lambda folder: None,
            lambda folder: Popularity().fit(ratings(63)).save(folder / "model"),
            model_state,
            frozenset({"model"}),
            frozenset({NONE, NEW}),
        ),
        Task(
            "pack",
            lambda folder: pack(folder, 50),
            lambda folder: pack(folder, 63),
            pack_state,
            frozenset({"packed"}),
        ),
        Task(
            "page",
            lambda folder: inspect(folder, 50),
            lambda folder: inspect(folder, 63),
            page_state,
            frozenset({"page.html"}),
        ),
        Task(
            "chart",
            lambda folder: chart(folder, 50),
            lambda folder: chart(folder, 63),
            chart_state,
            frozenset({"chart.svg"}),
        ),
        Task(
            "record",
            lambda folder: keep(folder, OLD),
            lambda folder: keep(folder, NEW),
            record_state,
            frozenset({"runs.jsonl"}),
        ),
        Task("fit", fit_prepared, fit, fit_state, frozenset({"state"})),
    )
}


class Calls:
    """Counts the calls of this process for files in a place, and kills it before one of them."""

    def __init__(self, place: Path, killed_before: int | None) -> None:
        self.place, self.killed_before, self.n = str(place), killed_before, 0
        fsync: Callable[[Any], None] = os.fsync

        def counted_fsync(handle: Any) -> None:
            self.count()
            fsync(handle)

        os.fsync = counted_fsync
        sys.addaudithook(self.audit)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note an event that is about a file in the place."""
        path = arguments[0] if event in EVENTS else None
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.place):
            self.count()

    def count(self) -> None:
        """Note a call, or die before it."""
        self.n += 1
        if self.n == self.killed_before:
            os.kill(os.getpid(), signal.SIGKILL)


def forked(work: Callable[[], object], seconds: float | None = None) -> int:
    """Do work in a forked process, killed after some seconds; returns its wait status."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(1, 2)
            work()
            code = 0
        finally:
            os._exit(code)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
    return os.waitpid(process, 0)[1]


def n_calls(task: Task, folder: Path) -> int:
    """How many calls a task makes."""
    counts = folder.parent / "counts"

    def work() -> None:
        calls = Calls(folder.parent, None)
        task.write(folder)
        counts.write_text(str(calls.n))

    assert forked(work) == 0, f"{task.name} fails"
    return int(counts.read_text())


@contextmanager
def prepared(task: Task) -> Iterator[Path]:
    """A folder with the old one; temporary files go beside it."""
    usual = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="kills-") as place:
        folder = Path(place).resolve() / "here"
        folder.mkdir()
        tempfile.tempdir = str(folder.parent)
        try:
            task.prepare(folder)
            restored(task, folder)
            task.write(folder)  # once, so that nothing is compiled or imported later
            yield folder
        finally:
            tempfile.tempdir = usual


def restored(task: Task, folder: Path) -> None:
    """Put the folder back to what it was before the task."""
    before = folder.parent / "before"
    if not before.exists():
        shutil.copytree(folder, before)
    shutil.rmtree(folder)
    shutil.copytree(before, folder)


def check(task: Task, folder: Path, again: bool) -> str:
    """What is there after a kill. Raises AssertionError unless all is as it must be."""
    found = task.state(folder)
    assert found in task.allowed, f"{task.name}: {found}"
    if again:
        task.write(folder)
        assert task.state(folder) == NEW, f"{task.name}: not the new one when done again"
        names = {one.name for one in folder.iterdir()}
        assert names == task.whole, f"{task.name} leaves {sorted(names - task.whole)}"
    return found


def killed_at_calls(task: Task, step: int = 1, two: bool = False) -> Counter[str]:
    """Kill a task before every ``step``-th of its calls; how often old and new were there.

    With ``two`` another process does the same thing at the same time, and is not killed.
    """
    found: Counter[str] = Counter()
    with prepared(task) as folder:
        restored(task, folder)
        last = n_calls(task, folder)
        for call in range(1, last + 1, step):
            restored(task, folder)
            found[one_kill(task, folder, call, two)] += 1
    return found


def one_kill(task: Task, folder: Path, call: int, two: bool) -> str:
    """Kill a task before one call, and check what is left."""

    def work() -> None:
        Calls(folder.parent, call)
        task.write(folder)

    other = os.fork() if two else None
    if other == 0:
        task.write(folder)
        os._exit(0)
    status = forked(work)
    if other is not None:
        assert os.waitpid(other, 0)[1] == 0, f"{task.name}: the writer that lived failed"
        assert task.state(folder) == NEW
    else:
        assert os.WIFSIGNALED(status), f"{task.name}: call {call} was not made"
    return check(task, folder, again=True)


def killed_at_moments(task: Task, n: int, seed: int = 0) -> Counter[str]:
    """Kill a task ``n`` times after random parts of the time it takes."""
    rng, found = random.Random(seed), Counter[str]()
    with prepared(task) as folder:
        restored(task, folder)
        started = time.perf_counter()
        assert forked(lambda: task.write(folder)) == 0
        seconds = time.perf_counter() - started
        for _ in range(n):
            restored(task, folder)
            forked(lambda: task.write(folder), rng.uniform(0, 1.2 * seconds))
            found[check(task, folder, again=True)] += 1
    return found


def main(arguments: Iterable[str] | None = None) -> None:
    """Run the campaign and print a line for each task."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--step", type=int, default=1, help="kill at every so many calls")
    parser.add_argument("--random", type=int, default=0, help="kills at random moments")
    parser.add_argument(
        "--two", type=int, help="kill at every so many calls beside a second writer"
    )
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    warnings.simplefilter("ignore")
    for name in chosen.tasks:
        at_calls = killed_at_calls(TASKS[name], chosen.step)
        line = f"{name}: killed at {at_calls.total()} calls, {dict(at_calls)}"
        if chosen.random:
            at_moments = killed_at_moments(TASKS[name], chosen.random)
            line += f"; at {at_moments.total()} random moments, {dict(at_moments)}"
        if chosen.two and name.endswith("model"):
            beside = killed_at_calls(TASKS[name], chosen.two, two=True)
            line += f"; beside a second writer at {beside.total()}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
