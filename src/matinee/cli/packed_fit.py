"""Fits on packed ratings: the folder of their state, and their progress."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from matinee.cli.console import say, width, wrap
from matinee.cli.options.reading import ReadOptions
from matinee.cli.progress import progress
from matinee.display.text import seconds
from matinee.errors import BadSetting, Face

if TYPE_CHECKING:
    from matinee.algorithms import Algorithm
    from matinee.data.packed import PackedRatings
    from matinee.models import FactorModel
    from matinee.training.progress import Epoch

SECONDS_BETWEEN_LINES = 10.0


def streams(learner: "Algorithm", data: str) -> bool:
    """Whether DATA is packed and this algorithm can read it in blocks; says so where it cannot."""
    from matinee.data.packed import is_packed
    from matinee.training.alternating import ANY_TABLE

    if not is_packed(data):
        return False
    try:
        learner.alternation(ANY_TABLE)
    except BadSetting as error:
        say(f"note: {error.worded(Face.COMMAND_LINE)}; reading all of them into memory instead")
        return False
    return True


def state_of(place: Path) -> Path:
    """The hidden folder beside a model that holds the state of its fit."""
    return place.parent / f".{place.name}-fitting"


def open_packed(data: str, reading: ReadOptions, share: float | None) -> "PackedRatings":
    """Packed ratings, read as they are. Raises BadSetting for an option that would do nothing."""
    from matinee.data.packed import PackedRatings

    reading.refuse("packed ratings are read as they are")
    if share is not None:
        raise BadSetting("packed ratings are fitted for n_epochs; leave out --validation-share")
    ratings = PackedRatings.open(data)
    say(wrap(str(ratings.report.get("text", ratings)), width(sys.stderr)))
    return ratings


def fit_in_blocks(
    learner: "Algorithm", ratings: "PackedRatings", state: Path, resume: bool
) -> "FactorModel":
    """The model of packed ratings. An interruption keeps all complete epochs."""
    from matinee.training.checkpoints import STATE

    last: Epoch | None = None
    began, started = 0, time.perf_counter()

    def on_epoch(epoch: "Epoch") -> None:
        nonlocal last
        last = epoch

    if resume and not (state / STATE).is_file():
        say("note: there is no interrupted fit to resume here, so it begins afresh")
    with progress(learner.name, SECONDS_BETWEEN_LINES) as step:

        def on_part(done: int, of: int, epoch: int) -> None:
            nonlocal began
            began = began or done
            passed = time.perf_counter() - started
            left = passed * (of - done) / (done - began) if done > began else None
            words = [at_epoch(epoch, last), "" if left is None else f"{seconds(left)} left"]
            step(round(100 * done / of), 100, ", ".join(filter(None, words)))

        try:
            return learner.fit_packed(
                ratings, on_epoch, folder=state, resume=resume, on_part=on_part
            )
        except KeyboardInterrupt:
            place = "before epoch 1" if last is None else f"after epoch {last.number}"
            say(f"the same command with --resume resumes {place}")
            raise


def at_epoch(number: int, last: "Epoch | None") -> str:
    """The current epoch, and the error after the one before: ``epoch 3, RMSE 0.8512 after 2``."""
    if number == 0:
        return "first pass, before epoch 1"
    if last is None or last.train_rmse is None:
        return f"epoch {number}"
    return f"epoch {number}, RMSE {last.train_rmse:.4f} after {last.number}"
