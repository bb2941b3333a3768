"""DATA on the command line: how ratings are read, and what reading them has to say."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from matinee.cli.console import say, width, wrap
from matinee.display.text import counted
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.data.ratings import Ratings

SAMPLE = "sample"
SHAPE_OF_COLUMNS = "user=..,item=..,rating=..,timestamp=.."
AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


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


OPTIONS = (
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
        type=click.Choice(["last", "mean", "error"]),
        default="last",
        show_default=True,
        help="What to keep when a user rated an item twice.",
    ),
    click.option(
        "--positives-from",
        type=float,
        metavar="STARS",
        help="Keep the ratings of at least so many stars, as positives; leave out the others.",
    ),
    click.option("--strict", is_flag=True, help="Stop at the first row with anything wrong."),
    click.option("--encoding", metavar="NAME", help="Of a text file; UTF-8 unless given."),
    click.option(
        "--catalog",
        metavar="FILE",
        help="Titles and genres of the items; MovieLens data bring their own.",
    ),
)


def reading_options(command: AnyFunction) -> AnyFunction:
    """Add the options that all commands which read ratings share; they arrive in ``**reading``."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def read(data: str, reading: dict[str, Any], *, quiet: bool = False) -> "Ratings":
    """The ratings of a file, or of the embedded sample; says what was read and set aside."""
    from matinee.sources import read_ratings
    from matinee.sources.sample import sample

    reading = dict(reading)
    positives_from = reading.pop("positives_from")
    if data != SAMPLE:
        ratings = read_ratings(data, **reading)
    else:
        refuse_options(reading)
        ratings = sample()
        if not quiet:
            say("sample: simulated ratings of real films")
    if ratings.report is not None and not quiet:
        say(wrap(str(ratings.report), width(sys.stderr)))
    if positives_from is None:
        return ratings
    positives = ratings.positives_from(positives_from)
    if not quiet:
        say(
            f"{len(positives):,} of {counted(len(ratings), 'rating')} kept as positives: "
            f"{positives_from:g} or more"
        )
    return positives


def refuse_options(
    reading: dict[str, Any], why: str = "the embedded sample is read as it is"
) -> None:
    """Raise BadSetting for an option that would do nothing, as what is read stays as it is."""
    usual = {"duplicates": "last", "strict": False}
    for name, value in reading.items():
        if value != usual.get(name):
            raise BadSetting(f"{why}; leave out --{name.replace('_', '-')}")
