"""Progress of long work, on standard error: a bar on a terminal, lines elsewhere."""

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from matinee.cli.console import say
from matinee.cli.log_records import log_records
from matinee.display.plain_data import JsonObject
from matinee.display.text import seconds

if TYPE_CHECKING:
    from matinee.algorithms import Algorithm
    from matinee.data.ratings import Ratings
    from matinee.models import Model
    from matinee.training.progress import Epoch, OnEpoch

SECONDS_BETWEEN_LINES = 1.0  # of progress, where there is no terminal to draw a bar on


class Step(Protocol):
    """Report that ``done`` of ``total`` steps are done, with ``words`` on the current one.

    A total of 0 is one that nobody knows, as of a search that time ends.
    """

    def __call__(self, done: int, total: int, words: str, part: str = "") -> None:
        """Report it, of ``part`` where that is not the work as a whole."""


@contextmanager
def progress(what: str, every: float = SECONDS_BETWEEN_LINES) -> Iterator[Step]:
    """Show how far some work is: a bar on a terminal, elsewhere a line every ``every`` seconds."""
    from rich.console import Console

    console = Console(stderr=True)
    showing = _bar(console, what) if console.is_interactive else _lines(what, every)
    with showing as step:
        yield step


@contextmanager
def epochs_of(what: str) -> "Iterator[OnEpoch]":
    """Show the epochs of a fit, with their errors, and the fits that learn the choices."""
    with progress(f"{what} epoch") as step, lists_logged(f"{what} lists", step):
        yield reporter(step)


def lists_logged(what: str, step: Step) -> AbstractContextManager[None]:
    """Report as steps of ``what`` the fits for lists that are logged within, as each begins."""

    def report(record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple):
            _, done, total, words = record.args
            step(done, total, words, what)  # type: ignore[arg-type]

    return log_records("matinee.lists", report)


def reporter(step: Step) -> "OnEpoch":
    """A callback for a fit that reports each epoch as a step."""

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

        def step(done: int, total: int, words: str, part: str = "") -> None:
            bar.update(
                task,
                description=part or what,
                completed=done,
                total=total or None,
                count=f" {_count(done, total)}",
                words=words,
            )

        yield step


@contextmanager
def _lines(what: str, every: float) -> Iterator[Step]:
    started = last = time.perf_counter()
    waiting = ""

    def step(done: int, total: int, words: str, part: str = "") -> None:
        nonlocal last, waiting
        now = time.perf_counter()
        line = f"{part or what} {_count(done, total)}  {words}  ({seconds(now - started)})"
        if part and waiting:
            say(waiting)
        waiting = "" if part or now - last >= every else line
        if not waiting:
            last = now
            say(line)

    yield step
    if waiting:
        say(waiting)


def _count(done: int, total: int) -> str:
    return f"{done}/{total}" if total else str(done)


@dataclass(frozen=True)
class WithProgress:
    """An algorithm that reports the epochs of every fit, under its own name."""

    algorithm: "Algorithm"
    on_epoch: "OnEpoch"

    @property
    def name(self) -> str:
        return self.algorithm.name

    @property
    def kind(self) -> str:
        return self.algorithm.kind

    @property
    def non_default_settings(self) -> JsonObject:
        return self.algorithm.non_default_settings

    def fit(self, train: "Ratings") -> "Model":
        return self.algorithm.fit(train, on_epoch=self.on_epoch)

    def __repr__(self) -> str:
        return repr(self.algorithm)
