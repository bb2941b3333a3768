"""``matinee evaluate``: fit on one part of the ratings, measure on another."""

import inspect
from typing import TYPE_CHECKING, Any

import click

from matinee.cli.data import read, reading_options
from matinee.cli.measuring import Told, lengths_option, relevant_option
from matinee.cli.output import json_option, print_json, wrap
from matinee.cli.settings import LearningCommand, algorithm_option, make_algorithm, set_option
from matinee.cli.talk import epochs_of, say
from matinee.errors import BadSetting, did_you_mean

if TYPE_CHECKING:
    from matinee.splits import Split


@click.command("evaluate", cls=LearningCommand)
@click.argument("data", required=False)
@click.option("--train", metavar="DATA", help="Ratings to fit on, in place of DATA ...")
@click.option("--test", metavar="DATA", help="... and ratings to measure on.")
@click.option(
    "--split", "split_name", metavar="NAME",
    help="How to split DATA: random (the default), leave-last (of each user) or by-time.",
)  # fmt: skip
@click.option("--test-share", type=float, metavar="SHARE",
              help="Share held out by random and by-time [0.2].")  # fmt: skip
@click.option(
    "--last", type=int, metavar="N", help="Ratings of each user held out by leave-last [1]."
)
@click.option("--seed", type=int, metavar="N", help="Of the split [0].")
@lengths_option
@relevant_option
@algorithm_option
@set_option
@reading_options
@json_option
def command(
    data: str | None, train: str | None, test: str | None, split_name: str | None,
    test_share: float | None, last: int | None, seed: int | None, lengths: tuple[int, ...],
    relevant_from: float | None, algorithm: str, settings: tuple[str, ...], as_json: bool,
    **reading: Any,
) -> None:  # fmt: skip
    """Fit on one part of the ratings, measure on the rest.

    Either DATA, to be split, or two parts that were split before: --train A --test B. DATA is a
    MovieLens folder or zip, a text or Parquet file, or the word "sample".
    """
    from matinee.evaluation import fit_and_evaluate

    learner = make_algorithm(algorithm, settings)
    wishes = {"test_share": test_share, "n": last, "seed": seed}
    wishes = {name: value for name, value in wishes.items() if value is not None}
    if data is not None and train is None and test is None:
        split = split_data(data, split_name or "random", wishes, reading)
    elif data is None and train is not None and test is not None:
        split = given_parts(train, test, split_name, wishes, reading)
    else:
        raise click.UsageError("give either DATA, or both --train and --test")
    say(str(split))
    with epochs_of(algorithm) as on_epoch:
        result = fit_and_evaluate(Told(learner, on_epoch), split, lengths, relevant_from)
    if as_json:
        print_json(result.to_dict())
    else:
        click.echo(wrap(str(result)))


def split_data(data: str, name: str, wishes: dict[str, Any], reading: dict[str, Any]) -> "Split":
    """Read DATA and split it, refusing wishes that this kind of split does not know."""
    from matinee.splits import SPLITS

    if name not in SPLITS:
        there_are = ", ".join(SPLITS)
        hint = did_you_mean(name, SPLITS)
        raise BadSetting(f"there is no split {name!r} (there are {there_are}){hint}")
    takes = inspect.signature(SPLITS[name]).parameters
    for wish in wishes:
        if wish not in takes:
            raise BadSetting(f"--split {name} takes no {option_of(wish)}")
    return SPLITS[name](read(data, reading), **wishes)


def given_parts(
    train: str, test: str, name: str | None, wishes: dict[str, Any], reading: dict[str, Any]
) -> "Split":
    """Read two parts that were split before."""
    from matinee.splits import given

    for option in ["--split"] * (name is not None) + [option_of(wish) for wish in wishes]:
        raise BadSetting(f"--train and --test are split already; leave out {option}")
    return given(read(train, reading), read(test, reading))


def option_of(wish: str) -> str:
    """The option that a parameter of a split is given by."""
    return "--last" if wish == "n" else f"--{wish.replace('_', '-')}"
