"""``matinee tune DATA``: the best settings of an algorithm on held-out ratings."""

import shlex
from dataclasses import fields
from typing import TYPE_CHECKING

import click

from matinee.cli.console import json_option, print_json, program, say, show
from matinee.cli.options.metrics import read_name, relevant_option
from matinee.cli.options.numbers import Real, Whole
from matinee.cli.options.reading import ReadOptions, reading_options
from matinee.cli.options.record import RecordOptions, record_options
from matinee.cli.options.settings import (
    LearningCommand,
    algorithm_option,
    make_algorithm,
    read_setting,
    set_option,
    type_of,
)
from matinee.cli.options.split import SplitOptions, split_options
from matinee.cli.progress import progress
from matinee.errors import BadSetting, check_known

if TYPE_CHECKING:
    from matinee.algorithms import Algorithm
    from matinee.algorithms.search_space import Dimension


@click.command("tune", cls=LearningCommand)
@split_options
@algorithm_option
@set_option
@click.option(
    "--space",
    "dimensions",
    multiple=True,
    metavar="NAME=LOW..HIGH[:log]|NAME=A,B,...",
    help="Values of a setting to search; may be given again [the algorithm's own].",
)
@click.option(
    "--metric",
    callback=read_name,
    default="rmse",
    show_default=True,
    metavar="NAME",
    help="The metric to optimize, such as ndcg@10.",
)
@click.option(
    "--trials",
    type=Whole(1),
    default=30,
    show_default=True,
    help="Largest number of fits.",
)
@click.option(
    "--seconds", type=Real(0, min_open=True), help="Begin no trial after so many seconds."
)
@click.option(
    "--method",
    default="random",
    show_default=True,
    metavar="NAME",
    help="random, grid, or optuna (pip install 'matinee[tune]').",
)
@click.option(
    "--folds",
    type=Whole(1),
    default=1,
    show_default=True,
    help="Folds that each trial is judged by; 1 is one validation part.",
)
@relevant_option
@record_options
@reading_options
@json_option
def command(
    algorithm: str,
    settings: tuple[str, ...],
    dimensions: tuple[str, ...],
    metric: str,
    trials: int,
    seconds: float | None,
    method: str,
    folds: int,
    relevant_from: float | None,
    splitting: SplitOptions,
    recording: RecordOptions,
    reading: ReadOptions,
    as_json: bool,
) -> None:
    """Search the best settings of an algorithm.

    Trials are judged on a part of the training ratings; the test part is used once, for the
    winner. Settings given by --set stay as they are. DATA is a MovieLens folder or zip, a text or
    Parquet file, or the word "sample". An interrupted search can --resume.
    """
    from matinee.tuning.search import METHODS
    from matinee.tuning.tune import checked_space, tune

    base = make_algorithm(algorithm, settings)
    space = checked_space(base, dict(read_dimension(base, text) for text in dimensions) or None)
    check_known("method", method, METHODS)
    recording.check()
    split = splitting.read(reading)
    say(str(split))
    with progress(f"{algorithm} trial", every=0) as step:
        tuning = tune(
            base,
            split,
            space=space,
            metric=metric,
            budget=trials,
            seconds=seconds,
            method=method,
            folds=folds,
            relevant_from=relevant_from,
            seed=splitting.seed or 0,
            record=recording.file,
            resume=recording.resume,
            on_step=step,
        )
    if as_json:
        print_json(tuning.to_dict())
    else:
        show(tuning)
    arguments = ["fit", splitting.source, *tuning.arguments, "--out", "model"]
    say(f"fit it: {program()} {shlex.join(arguments)}")


def read_dimension(base: "Algorithm", text: str) -> "tuple[str, Dimension]":
    """Name and values of ``reg=0.1..10:log`` or ``solver=als,sgd``."""
    from matinee.algorithms.search_space import Choice, Real, Whole

    name, _, values = (part.strip() for part in text.partition("="))
    low, dots, rest = values.partition("..")
    if not dots:
        listed = [read_setting(type(base), f"{name}={one}")[1] for one in values.split(",")]
        return name, Choice(*listed)
    high, _, scale = rest.partition(":")
    if scale not in ("", "log"):
        raise BadSetting(f"--space takes NAME=LOW..HIGH or NAME=LOW..HIGH:log, not {text!r}")
    first, last = (read_setting(type(base), f"{name}={end}")[1] for end in (low, high))
    field = next(one for one in fields(base) if one.name == name)
    if type_of(type(base), field)[0] not in (int, float):
        raise BadSetting(f"{name} of {base.name} is no number; list its values, {name}=A,B")
    kind = Whole if type_of(type(base), field)[0] is int else Real
    return name, kind(first, last, log=scale == "log")
