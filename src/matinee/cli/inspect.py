"""``matinee inspect DATA``: what a file holds, before anything is fitted to it."""

from typing import Any

import click

from matinee.cli.data import read, reading_options
from matinee.cli.output import json_option, print_json, wrap


@click.command("inspect")
@click.argument("data")
@reading_options
@json_option
def command(data: str, as_json: bool, **reading: Any) -> None:
    """Show how DATA was read and what is in it.

    DATA is a MovieLens folder or zip, a text or Parquet file, or the word "sample".
    """
    ratings = read(data, reading, quiet=True)
    report, description = ratings.report, ratings.describe()
    if as_json:
        plain = report.to_dict() if report else None
        print_json({"report": plain, "description": description.to_dict()})
        return
    if report:
        click.echo(wrap(f"{report}\n"))
    click.echo(str(description))
