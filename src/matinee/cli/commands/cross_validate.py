"""``matinee cross-validate DATA``: every rating is tested once; the mean and how far it spreads."""

from typing import TYPE_CHECKING

import click

from matinee.cli.console import json_option, print_json, show
from matinee.cli.options.metrics import MeasureOptions, measure_options
from matinee.cli.options.numbers import Whole
from matinee.cli.options.reading import ReadOptions, reading_options
from matinee.cli.options.settings import (
    LearnerOptions,
    LearningCommand,
    default_for,
    learner_options,
)
from matinee.cli.progress import progress

if TYPE_CHECKING:
    from matinee.evaluation.results import Evaluation


@click.command("cross-validate", cls=LearningCommand)
@click.argument("data")
@learner_options
@click.option("--folds", type=Whole(2), default=5, show_default=True, help="How many parts.")
@click.option("--seed", type=Whole(0), default=0, show_default=True, help="Of the folds.")
@measure_options
@reading_options
@json_option
def command(
    data: str,
    learning: LearnerOptions,
    folds: int,
    seed: int,
    measuring: MeasureOptions,
    reading: ReadOptions,
    as_json: bool,
) -> None:
    """Fit and measure once per fold of DATA.

    Shows each fold, the mean and the standard deviation.

    DATA is a MovieLens folder or zip, a text or Parquet file, or the word "sample".
    """
    from matinee.evaluation.evaluate import cross_validate

    learner = learning.named()
    ratings = reading.read(data)
    learner = learner or default_for(ratings)
    with progress(f"{learner.name} fold", every=0) as step:

        def on_fold(fold: int, result: "Evaluation") -> None:
            first, value = next(iter(result.metrics.items()))
            step(fold, folds, f"{first.upper()} {value:.4f}")

        result = cross_validate(
            learner,
            ratings,
            folds,
            seed,
            measuring.lengths,
            measuring.relevant_from,
            on_fold,
            measuring.metrics,
        )
    if as_json:
        print_json(result.to_dict())
    else:
        show(result)
