"""``matinee fit DATA --algorithm auto``: the search, its table, and the model of its winner."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from matinee.cli.console import program, say, width, wrap
from matinee.cli.options.engine import EngineOptions
from matinee.cli.options.metrics import read_name
from matinee.cli.options.numbers import Real
from matinee.cli.options.record import RECORD
from matinee.cli.options.settings import LearnerOptions
from matinee.cli.options.values import gathered
from matinee.cli.progress import progress
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.data.ratings import Ratings
    from matinee.tuning.auto import AutoResult

AUTO = "auto"


@dataclass(frozen=True)
class SearchOptions:
    """The time and the metric of a search."""

    minutes: float
    metric: str

    def run(self, ratings: "Ratings", resume: bool) -> "AutoResult":
        """Search and print the trials; each is recorded as it ends."""
        from matinee.tuning.auto import auto

        say(f"searching for {self.minutes:g} minutes; Ctrl-C takes the best so far")
        with progress("auto trial", every=0) as step:
            result = auto(
                ratings,
                metric=self.metric,
                minutes=self.minutes,
                record=RECORD,
                resume=resume,
                on_step=step,
            )
        say(wrap(str(result), width()))
        say(f"trials are recorded in {RECORD}; {program()} fit ... --resume continues from them")
        return result


def check_auto(learning: LearnerOptions, engine: EngineOptions, share: float | None) -> None:
    """Raise BadSetting for options that a search over all algorithms cannot take."""
    if learning.settings:
        raise BadSetting("--algorithm auto chooses the settings; leave out --set")
    if engine.is_spark:
        raise BadSetting("--algorithm auto reads ratings into memory; leave out --engine")
    if share is not None:
        raise BadSetting("--algorithm auto holds out its own part; leave out --validation-share")


search_options = gathered(
    "searching",
    SearchOptions,
    click.option(
        "--minutes",
        type=Real(0, min_open=True),
        default=5.0,
        show_default=True,
        help="For --algorithm auto: begin no trial after so many minutes.",
    ),
    click.option(
        "--metric",
        callback=read_name,
        default="ndcg@10",
        show_default=True,
        metavar="NAME",
        help="For --algorithm auto: the metric to optimize.",
    ),
)
