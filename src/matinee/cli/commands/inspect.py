"""``matinee inspect DATA``: what a file holds, before anything is fitted to it, or a model."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from matinee.cli.console import json_option, print_json, say, show, wrap
from matinee.cli.options.model import load
from matinee.cli.options.reading import SAMPLE, ReadOptions, reading_options
from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.models import Model


@click.command("inspect")
@click.argument("data")
@click.option("--html", metavar="FILE", help="Write it with charts to a file as well.")
@reading_options
@json_option
def command(data: str, html: str | None, as_json: bool, reading: ReadOptions) -> None:
    """Show how DATA was read and what is in it.

    DATA is a MovieLens folder or zip, a text or Parquet file, or the word "sample". Of the folder
    of a model it shows what it was fitted by and to, and what each kind of feedback counts as.
    """
    from matinee.storage.model_files import is_model

    if is_model(Path(data)):
        if html is not None:
            raise BadSetting("--html is for data; matinee report MODEL writes the page of a model")
        show_model(load(data), as_json)
        return
    if html is not None:
        from matinee.disk.places import check_file

        check_file(Path(html))
    ratings = reading.read(data, quiet=True)
    report, description = ratings.report, ratings.describe()
    if html is not None:
        from matinee.report import data_report
        from matinee.report.origins import SAMPLE as THE_SAMPLE

        data_report(ratings, THE_SAMPLE if data == SAMPLE else None).save(html)
    if as_json:
        plain = report.to_dict() if report else None
        print_json({"report": plain, "description": description.to_dict()})
        return
    if report:
        click.echo(wrap(f"{report}\n"))
    show(description)


def show_model(model: "Model", as_json: bool) -> None:
    """Print what a model is."""
    facts = facts_of(model)
    if as_json:
        print_json({"model": facts})
        return
    show(model)
    weights = [f"{kind} {one:g}" for kind, one in facts["event_weights"].items() if one is not None]
    click.echo(wrap(f"feedback counts as: {', '.join(['rating as given', *weights])}"))
    say("matinee recommend, explain, tastes, report and serve take this folder")


def facts_of(model: "Model") -> JsonObject:
    """What a model was fitted by and to, and what each kind of feedback counts as."""
    from matinee.feedback.actions import EVENT_WEIGHTS, weights

    return {
        "algorithm": model.algorithm,
        "kind": model.kind,
        "scale": list(model.scale),
        "settings": dict(model.settings),
        "facts": dict(model.facts),
        "n_users": len(model.users),
        "n_items": len(model.items),
        "n_ratings": int(model.seen.counts.sum()),
        "views": list(model.views),
        "data_fingerprint": model.data_fingerprint,
        EVENT_WEIGHTS: weights(model.scale, model.kind == "rating"),
    }
