"""DATA to be split, or two parts that were split before: what the measuring commands share."""

import inspect
from typing import TYPE_CHECKING, Any

import click

from matinee.cli.options.reading import AnyFunction, read
from matinee.errors import BadSetting, check_known

if TYPE_CHECKING:
    from matinee.splitting import Split

SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
OPTIONS = (
    click.argument("data", required=False),
    click.option("--train", metavar="DATA", help="Ratings to fit on, in place of DATA ..."),
    click.option("--test", metavar="DATA", help="... and ratings to measure on."),
    click.option(
        "--split",
        "split_name",
        metavar="NAME",
        help="How to split DATA: random (the default), leave-last or per-user (of each user), "
        "by-time, cold-users, cold-items, or strong (users who are folded in).",
    ),
    click.option(
        "--test-share",
        type=SHARE,
        metavar="SHARE",
        help="Share held out, of the ratings, users or items [0.2].",
    ),
    click.option(
        "--last",
        type=click.IntRange(1),
        metavar="N",
        help="Ratings of each user held out by leave-last [1].",
    ),
    click.option("--seed", type=click.IntRange(0), metavar="N", help="Of the split [0]."),
)


def split_options(command: AnyFunction) -> AnyFunction:
    """Add DATA and the options that say how it is split; ``read_split`` takes them."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def read_split(
    data: str | None,
    train: str | None,
    test: str | None,
    split_name: str | None,
    test_share: float | None,
    last: int | None,
    seed: int | None,
    **reading: Any,
) -> "Split":
    """Read DATA and split it, or both parts. Raises UsageError unless it is one of the two."""
    wishes = {"test_share": test_share, "n": last, "seed": seed}
    wishes = {name: value for name, value in wishes.items() if value is not None}
    if data is not None and train is None and test is None:
        return split_data(data, split_name or "random", wishes, reading)
    if data is None and train is not None and test is not None:
        return given_parts(train, test, split_name, wishes, reading)
    raise click.UsageError("give either DATA, or both --train and --test")


def split_data(data: str, name: str, wishes: dict[str, Any], reading: dict[str, Any]) -> "Split":
    """Read DATA and split it, refusing wishes that this kind of split does not know."""
    from matinee.splitting import SPLITS

    check_known("split", name, SPLITS)
    takes = inspect.signature(SPLITS[name]).parameters
    for wish in wishes:
        if wish not in takes:
            raise BadSetting(f"--split {name} takes no {option_of(wish)}")
    return SPLITS[name](read(data, reading), **wishes)


def given_parts(
    train: str, test: str, name: str | None, wishes: dict[str, Any], reading: dict[str, Any]
) -> "Split":
    """Read two parts that were split before."""
    from matinee.splitting import given

    for option in ["--split"] * (name is not None) + [option_of(wish) for wish in wishes]:
        raise BadSetting(f"--train and --test are split already; leave out {option}")
    return given(read(train, reading), read(test, reading))


def option_of(wish: str) -> str:
    """The option that a parameter of a split is given by."""
    return "--last" if wish == "n" else f"--{wish.replace('_', '-')}"
