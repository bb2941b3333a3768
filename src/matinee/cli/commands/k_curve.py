"""``matinee k-curve DATA``: metrics against the number of factors."""

import click

from matinee.cli.console import json_option, print_json, show
from matinee.cli.options.metrics import read_names, relevant_option
from matinee.cli.options.numbers import Whole
from matinee.cli.options.reading import ReadOptions, reading_options
from matinee.cli.options.settings import (
    LearningCommand,
    algorithm_option,
    make_algorithm,
    set_option,
)
from matinee.cli.progress import progress
from matinee.errors import BadSetting, check_known


@click.command("k-curve", cls=LearningCommand)
@click.argument("data")
@algorithm_option
@set_option
@click.option(
    "--factors",
    default="2..20",
    show_default=True,
    metavar="LOW..HIGH[:STEP]|N,N,...",
    help="The numbers of factors to try.",
)
@click.option(
    "--metrics",
    callback=read_names,
    default="rmse,ndcg@10",
    show_default=True,
    metavar="NAME,NAME,...",
    help="What to measure; the first decides.",
)
@click.option(
    "--rule", default="one-se", show_default=True, metavar="NAME", help="one-se, minimum or elbow."
)
@click.option("--folds", type=Whole(2), default=5, show_default=True, help="Number of folds.")
@click.option(
    "--seeds",
    type=Whole(0),
    default=0,
    show_default=True,
    help="Fits to measure the stability of tastes by; 0 measures none.",
)
@click.option("--seed", type=Whole(0), default=0, show_default=True, help="Seed of the folds.")
@click.option(
    "--cold", is_flag=True, help="Fit each number from scratch, not from the next smaller model."
)
@relevant_option
@reading_options
@json_option
def command(
    data: str,
    algorithm: str,
    settings: tuple[str, ...],
    factors: str,
    metrics: tuple[str, ...],
    rule: str,
    folds: int,
    seeds: int,
    seed: int,
    cold: bool,
    relevant_from: float | None,
    as_json: bool,
    reading: ReadOptions,
) -> None:
    """Show error and ranking against the number of factors.

    The number chosen is the smallest that cannot be told from the best (one standard error),
    unless --rule names another. DATA is a MovieLens folder or zip, a text or Parquet file,
    or the word "sample".
    """
    from matinee.tuning.k_curve import checked_sizes, k_curve
    from matinee.tuning.rules import RULES

    base = make_algorithm(algorithm, settings)
    sizes = checked_sizes(base, read_sizes(factors))
    check_known("rule", rule, RULES)
    ratings = reading.read(data)
    with progress("k-curve", every=0) as step:
        curve = k_curve(
            base,
            ratings,
            factors=sizes,
            metrics=metrics,
            rule=rule,
            folds=folds,
            relevant_from=relevant_from,
            n_seeds=seeds,
            seed=seed,
            warm=not cold,
            on_step=step,
        )
    if as_json:
        print_json(curve.to_dict())
    else:
        show(curve)


def read_sizes(text: str) -> list[int]:
    """The whole numbers of ``2..60``, ``2..60:4`` or ``2,4,8``."""
    try:
        low, dots, rest = text.partition("..")
        if not dots:
            return [int(one) for one in text.split(",")]
        high, colon, step = rest.partition(":")
        return list(range(int(low), int(high) + 1, int(step) if colon else 1))
    except ValueError:
        raise BadSetting(f"--factors takes 2..60, 2..60:4 or 2,4,8, not {text!r}") from None
