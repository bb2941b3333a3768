"""DATA on the command line: how ratings are read."""

import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from matinee.cli.console import say, width, wrap
from matinee.cli.options.numbers import Real
from matinee.cli.options.values import gathered
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.data.ratings import Ratings

SAMPLE = "sample"
SHAPE_OF_COLUMNS = "user=..,item=..,rating=..,timestamp=..,sample_weight=.."
OPTION_OF = {"positives_from": "positives-from", "quoting": "no-quoting"}
SAMPLE_UNCHANGED = "the embedded sample is read as it is"


def read_columns(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> dict[str, str] | None:
    """``user=userId,item=movieId``: the columns of a file, by name, or by number from 0."""
    if value is None:
        return None
    pairs = [part.partition("=") for part in value.split(",")]
    if not all(field.strip() and column.strip() for field, _, column in pairs):
        raise click.BadParameter(f"it reads {SHAPE_OF_COLUMNS}, not {value!r}", ctx, param)
    return {field.strip(): column.strip() for field, _, column in pairs}


def read_scale(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[float, float] | None:
    """``1,5``: the lowest and the highest rating."""
    if value is None:
        return None
    try:
        low, high = map(float, value.replace("..", ",").split(","))
    except ValueError:
        message = f"it reads LOW,HIGH, such as 1,5, not {value!r}"
        raise click.BadParameter(message, ctx, param) from None
    return low, high


def read_events(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> dict[str, float] | None:
    """``view=1,cart=3``: the weights of words in the column of ratings."""
    if value is None:
        return None
    pairs = [part.partition("=") for part in value.split(",")]
    try:
        return {event.strip(): float(weight) for event, _, weight in pairs}
    except ValueError:
        message = f"it reads EVENT=WEIGHT,.., such as view=1,cart=3, not {value!r}"
        raise click.BadParameter(message, ctx, param) from None


@dataclass(frozen=True)
class ReadOptions:
    """How ratings are read."""

    columns: dict[str, str] | None = None
    scale: tuple[float, float] | None = None
    duplicates: str = "last"
    positives_from: float | None = None
    strict: bool = False
    encoding: str | None = None
    catalog: str | None = None
    quoting: bool = True
    decimal: str | None = None
    events: dict[str, float] | None = None
    wide: str | None = None
    table: str | None = None

    def read(self, data: str, *, quiet: bool = False) -> "Ratings":
        """The ratings of a file, or the embedded sample; reports what was read and set aside.

        Raises BadRatings for what cannot be read, and BadSetting for options that do not apply.
        """
        from matinee.sources import read_ratings
        from matinee.sources.sample import sample

        if data != SAMPLE:
            ratings = read_ratings(data, **self.arguments())
        else:
            self.refuse(SAMPLE_UNCHANGED, allowed=("positives_from",))
            ratings = sample()
            if not quiet:
                say("sample: simulated ratings of real films")
        every = len(ratings)
        if self.positives_from is not None:
            ratings = ratings.positives_from(self.positives_from)
        if quiet:
            return ratings
        if ratings.report is not None:
            say(wrap(str(ratings.report), width(sys.stderr)))
        elif self.positives_from is not None:
            least = f"{self.positives_from:g} or more"
            say(f"{len(ratings):,} of {counted(every, 'rating')} kept as positives: {least}")
        return ratings

    def arguments(self) -> JsonObject:
        """The keyword arguments of ``read_ratings``."""
        return {name: value for name, value in vars(self).items() if name != "positives_from"}

    def refuse(self, why: str, allowed: Collection[str] = ()) -> None:
        """Raise BadSetting for an option that does not apply, as the data stay as they are."""
        usual = vars(ReadOptions())
        for name, value in vars(self).items():
            if name not in allowed and value != usual[name]:
                raise BadSetting(f"{why}; leave out --{OPTION_OF.get(name, name)}")


reading_options = gathered(
    "reading",
    ReadOptions,
    click.option(
        "--columns",
        callback=read_columns,
        metavar=SHAPE_OF_COLUMNS,
        help="The columns of a file, by name; by number, the first is 0, where it has no header.",
    ),
    click.option(
        "--scale",
        callback=read_scale,
        metavar="LOW,HIGH",
        help="The lowest and highest rating.",
    ),
    click.option(
        "--duplicates",
        type=click.Choice(["last", "mean", "sum", "count", "error"]),
        default="last",
        show_default=True,
        help="What to keep when a user rated an item twice; count takes no ratings.",
    ),
    click.option(
        "--positives-from",
        type=Real(),
        metavar="STARS",
        help="Keep the ratings of at least so many stars, as positives; leave out the others.",
    ),
    click.option("--strict", is_flag=True, help="Stop at the first row with anything wrong."),
    click.option("--encoding", metavar="NAME", help="Encoding of a text file; UTF-8 unless given."),
    click.option(
        "--catalog",
        metavar="FILE",
        help="Titles and genres of the items; MovieLens data bring their own.",
    ),
    click.option(
        "--quoting/--no-quoting",
        default=True,
        help='Whether " encloses fields of a text file.',
    ),
    click.option(
        "--decimal",
        type=click.Choice([".", ","]),
        help="The decimal mark of ratings, where a comma could be either.",
    ),
    click.option(
        "--events",
        callback=read_events,
        metavar="EVENT=WEIGHT,..",
        help="Weights of words in the column of ratings, such as view=1,cart=3.",
    ),
    click.option(
        "--wide",
        metavar="MISSING",
        help="A line per user, a column per item; MISSING, such as 99, or empty is unrated.",
    ),
    click.option("--table", metavar="FILE", help="The file to read in a zip or folder."),
)
