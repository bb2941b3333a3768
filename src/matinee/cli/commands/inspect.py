"""``matinee inspect DATA``: what a file holds, before anything is fitted to it."""

from pathlib import Path

import click

from matinee.cli.console import json_option, print_json, show, wrap
from matinee.cli.options.reading import SAMPLE, ReadOptions, reading_options


@click.command("inspect")
@click.argument("data")
@click.option("--html", metavar="FILE", help="Write it with charts to a file as well.")
@reading_options
@json_option
def command(data: str, html: str | None, as_json: bool, reading: ReadOptions) -> None:
    """Show how DATA was read and what is in it.

    DATA is a MovieLens folder or zip, a text or Parquet file, or the word "sample".
    """
    if html is not None:
        from matinee.storage.model_files import check_file

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
