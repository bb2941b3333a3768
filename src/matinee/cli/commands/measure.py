"""``matinee measure MODEL``: how good a model is, saved with it for the page and the report."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from matinee.cli.console import json_option, print_json, say, show
from matinee.cli.options.model import load, model_argument
from matinee.cli.options.stability import stability_options, with_stability
from matinee.cli.progress import progress
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted

if TYPE_CHECKING:
    from matinee.models import Model


@click.command("measure")
@model_argument
@stability_options
@json_option
def command(model_path: str, n_refits: int | None, samples: bool, as_json: bool) -> None:
    """Measure how good MODEL is, and save it with the model.

    The same algorithm is fitted on four fifths of the model's ratings and measured on the rest,
    beside popularity: errors, lists, by activity and popularity, and the calibration of intervals.
    With --stability the tastes are measured too. The page and the report show it.
    """
    from matinee.evaluation.model_quality import measure_quality
    from matinee.models.factor import with_tastes
    from matinee.storage.model_files import check_place

    model = load(model_path)
    check_place(Path(model_path))
    model = with_stability(model, n_refits, samples)
    with progress("measure", every=0) as step:
        step(0, 1, f"fitting {model.algorithm} on four fifths of the ratings")
        quality = measure_quality(model)
        step(1, 1, "done")
    quality.saved_with(model).save(Path(model_path))
    say(f"saved in {model_path}")
    if as_json:
        print_json(quality.to_dict() | (stability_of(model) if n_refits else {}))
        return
    show(quality)
    if n_refits:
        tastes = with_tastes(model).tastes()
        found = sum(not one.unstable for one in tastes)
        again = f"{found} of {counted(len(tastes), 'taste')}"
        click.echo(
            f"{counted(n_refits, 'refit')} found {again} again; `matinee tastes` shows which"
        )


def stability_of(model: "Model") -> JsonObject:
    """How stable each taste is, as plain values."""
    from matinee.models.factor import with_tastes

    tastes = with_tastes(model).tastes()
    return {"tastes": [{"name": one.name, "stability": one.stability} for one in tastes]}
