"""DATA to split into training and test parts, or two parts that were split before."""

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from matinee.cli.options.numbers import Real, Whole
from matinee.cli.options.reading import ReadOptions
from matinee.cli.options.values import gathered
from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting, check_known

if TYPE_CHECKING:
    from matinee.splitting import Split

SHARE = Real(0, 1, min_open=True, max_open=True)


@dataclass(frozen=True)
class SplitOptions:
    """What is split and how, or two parts that were split before."""

    data: str | None
    train: str | None
    test: str | None
    split_name: str | None
    test_share: float | None
    last: int | None
    seed: int | None

    @property
    def source(self) -> str:
        """The ratings to train on: DATA, or --train."""
        return self.data or self.train or ""

    @property
    def settings(self) -> JsonObject:
        """The parameters of the split that are given, by their names in Python."""
        values = {"test_share": self.test_share, "n": self.last, "seed": self.seed}
        return {name: value for name, value in values.items() if value is not None}

    def read(self, reading: ReadOptions) -> "Split":
        """Read DATA and split it, or read both parts.

        Raises UsageError unless exactly one of the two is given, and BadSetting for an unknown
        split or a setting that it does not take.
        """
        if self.data is not None and self.train is None and self.test is None:
            return self._split(self.data, reading)
        if self.data is None and self.train is not None and self.test is not None:
            return self._join(self.train, self.test, reading)
        raise click.UsageError("give either DATA, or both --train and --test")

    def _split(self, data: str, reading: ReadOptions) -> "Split":
        from matinee.splitting import SPLITS

        name = self.split_name or "random"
        check_known("split", name, SPLITS)
        parameters = inspect.signature(SPLITS[name]).parameters
        for setting in self.settings:
            if setting not in parameters:
                raise BadSetting(f"--split {name} takes no {option_of(setting)}")
        return SPLITS[name](reading.read(data), **self.settings)

    def _join(self, train: str, test: str, reading: ReadOptions) -> "Split":
        from matinee.splitting import given

        options = ["--split"] if self.split_name is not None else []
        for option in options + [option_of(setting) for setting in self.settings]:
            raise BadSetting(f"--train and --test are split already; leave out {option}")
        return given(reading.read(train), reading.read(test))


def option_of(setting: str) -> str:
    """The option that sets a parameter of a split."""
    return "--last" if setting == "n" else f"--{setting.replace('_', '-')}"


split_options = gathered(
    "splitting",
    SplitOptions,
    click.argument("data", required=False),
    click.option("--train", metavar="DATA", help="Ratings to fit on, in place of DATA ..."),
    click.option("--test", metavar="DATA", help="... and ratings to measure on."),
    click.option(
        "--split",
        "split_name",
        metavar="NAME",
        help="How to split DATA: random (the default), leave-last or per-user (of each user), "
        "liked (of what each user liked), by-time, cold-users, cold-items, or strong (users who "
        "are folded in).",
    ),
    click.option(
        "--test-share",
        type=SHARE,
        metavar="SHARE",
        help="Share held out, of the ratings, users or items [0.2].",
    ),
    click.option(
        "--last",
        type=Whole(1),
        metavar="N",
        help="Ratings of each user held out by leave-last [1].",
    ),
    click.option("--seed", type=Whole(0), metavar="N", help="Seed of the split [0]."),
)
