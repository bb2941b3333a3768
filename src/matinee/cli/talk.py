"""Talk to people, on standard error: sentences and progress. Standard output is for data alone."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    from matinee.training.progress import Epoch, OnEpoch

SECONDS_BETWEEN_LINES = 1.0  # of progress, where there is no terminal to draw a bar on


class Step(Protocol):
    """Take note that ``done`` of ``total`` steps are done, and of what to say about it."""

    def __call__(self, done: int, total: int, words: str) -> None: ...


def say(text: str = "") -> None:
    """One line, or several, to the person at the terminal."""
    click.echo(text, err=True)


def program() -> str:
    """What to type to run this program again, as it can be found from here."""
    python = Path(sys.executable)
    found = shutil.which("matinee")
    if found and Path(found).parent == python.parent:
        return "matinee"
    found = shutil.which(python.name)
    return f"{python.name if found and Path(found) == python else python} -m matinee"


def seconds(duration: float) -> str:
    """A duration as people read it: ``0.42 s``, ``12.3 s``, ``2 min 5 s``."""
    if duration < 100:
        return f"{duration:.2f} s" if duration < 10 else f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes} min {rest} s"


@contextmanager
def progress(what: str, every: float = SECONDS_BETWEEN_LINES) -> Iterator[Step]:
    """Show how far something is: a bar on a terminal; elsewhere lines, ``every`` some seconds."""
    from rich.console import Console

    console = Console(stderr=True)
    showing = _bar(console, what) if console.is_interactive else _lines(what, every)
    with showing as step:
        yield step


@contextmanager
def epochs_of(what: str) -> "Iterator[OnEpoch]":
    """Show the epochs of a fit, with their error."""
    with progress(f"{what} epoch") as step:
        yield telling(step)


def telling(step: Step) -> "OnEpoch":
    """A callback for a fit that takes a step for each epoch."""

    def on_epoch(epoch: "Epoch") -> None:
        words = "" if epoch.train_rmse is None else f"training RMSE {epoch.train_rmse:.4f}"
        if epoch.validation_rmse is not None:
            words += f", held-out RMSE {epoch.validation_rmse:.4f}"
        step(epoch.number, epoch.n_epochs, words)

    return on_epoch


@contextmanager
def _bar(console: object, what: str) -> Iterator[Step]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}{task.fields[count]}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:  # type: ignore[arg-type]
        task = bar.add_task(what, total=None, count="", words="starting")

        def step(done: int, total: int, words: str) -> None:
            bar.update(task, completed=done, total=total, count=f" {done}/{total}", words=words)

        yield step


@contextmanager
def _lines(what: str, every: float) -> Iterator[Step]:
    started = last = time.perf_counter()
    waiting = ""

    def step(done: int, total: int, words: str) -> None:
        nonlocal last, waiting
        now = time.perf_counter()
        line = f"{what} {done}/{total}  {words}  ({seconds(now - started)})"
        waiting = "" if now - last >= every else line
        if not waiting:
            last = now
            say(line)

    yield step
    if waiting:
        say(waiting)
