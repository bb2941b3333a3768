"""``matinee measure MODEL``: how good a model is, saved with it for the page and the report."""

from pathlib import Path

import click

from matinee.cli.console import json_option, print_json, say, show
from matinee.cli.options.model import load, model_argument
from matinee.cli.progress import progress


@click.command("measure")
@model_argument
@json_option
def command(model_path: str, as_json: bool) -> None:
    """Measure how good MODEL is, and save it with the model.

    The same algorithm is fitted on four fifths of the model's ratings and measured on the rest,
    beside popularity: errors, lists, by activity and popularity, and the calibration of intervals.
    The page and the report show it.
    """
    from matinee.evaluation.model_quality import measure_quality
    from matinee.storage.model_files import check_place

    model = load(model_path)
    check_place(Path(model_path))
    with progress("measure", every=0) as step:
        step(0, 1, f"fitting {model.algorithm} on four fifths of the ratings")
        quality = measure_quality(model)
        step(1, 1, "done")
    quality.saved_with(model).save(Path(model_path))
    say(f"saved in {model_path}")
    if as_json:
        print_json(quality.to_dict())
    else:
        show(quality)
