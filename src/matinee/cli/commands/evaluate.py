"""``matinee evaluate``: fit on one part of the ratings, measure on another."""

import sys

import click

from matinee.cli.console import json_option, print_json, say, show, width, wrap
from matinee.cli.options.engine import EngineOptions, engine_options
from matinee.cli.options.metrics import MeasureOptions, measure_options
from matinee.cli.options.reading import ReadOptions, reading_options
from matinee.cli.options.settings import (
    LearnerOptions,
    LearningCommand,
    default_for,
    learner_options,
)
from matinee.cli.options.split import SplitOptions, split_options
from matinee.cli.progress import WithProgress, epochs_of
from matinee.cli.spark_jobs import evaluate_on_spark
from matinee.errors import BadSetting

OTHER_PROTOCOL = (
    "note: fit, and the table of the README, measure lists where a fifth of what each user liked "
    "is held out, not of all ratings; --split liked does so here"
)


@click.command("evaluate", cls=LearningCommand)
@split_options
@measure_options
@click.option(
    "--groups", is_flag=True, help="Show errors by user activity and item popularity as well."
)
@learner_options
@engine_options
@reading_options
@json_option
def command(
    splitting: SplitOptions,
    measuring: MeasureOptions,
    groups: bool,
    learning: LearnerOptions,
    engine: EngineOptions,
    reading: ReadOptions,
    as_json: bool,
) -> None:
    """Fit on one part of the ratings, measure on the rest.

    Either DATA, to be split, or two parts that were split before: --train A --test B. DATA is a
    MovieLens folder or zip, a text or Parquet file, or the word "sample". Spark takes two parts,
    and measures no groups.
    """
    from matinee.algorithms import MF
    from matinee.evaluation.evaluate import fit_and_evaluate
    from matinee.evaluation.list_check import METRIC, beside_popularity

    learner, split = learning.named(), None
    if engine.is_spark:
        if groups:
            raise BadSetting("groups are not measured on Spark; leave out --groups")
        result = evaluate_on_spark(learner or MF(), splitting, reading, measuring, engine.master)
    else:
        split = splitting.read(reading)
        say(str(split))
        learner = learner or default_for(split.train)
        with epochs_of(learner.name) as on_epoch:
            result = fit_and_evaluate(
                WithProgress(learner, on_epoch),
                split,
                measuring.lengths,
                measuring.relevant_from,
                measuring.metrics,
            )
    check = None
    if split is not None and split.name == "liked" and METRIC in result.metrics:
        check = beside_popularity(result, split.train, split.test)
    if as_json:
        popular = {"popularity": {METRIC: check.popularity}} if check else {}
        print_json(result.to_dict() | popular)
    else:
        show(result)
        if splitting.split_name is None and splitting.data and METRIC in result.metrics:
            say(wrap(OTHER_PROTOCOL, width(sys.stderr)))
        if check is not None:
            said = [f"{check.figures}, the same list for everybody", check.judgement]
            click.echo(wrap("; ".join(filter(None, said)), width()))
        if groups:
            click.echo(f"\n{result.groups()}")
