"""``matinee report MODEL``: a file with data, quality, tastes, sample users and reasons."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matinee.cli.console import json_option, print_json, say
from matinee.cli.options.model import load, model_argument
from matinee.cli.options.reading import SAMPLE, ReadOptions, reading_options
from matinee.cli.options.record import RECORD
from matinee.cli.progress import progress
from matinee.display.plain_data import JsonObject
from matinee.errors import Face, MatineeError

if TYPE_CHECKING:
    from matinee.data.ratings import Ratings
    from matinee.models import Model


@click.command("report")
@model_argument
@click.option("--data", metavar="DATA", help="The training ratings, for times, source and licence.")
@click.option(
    "-o",
    "--out",
    default="report.html",
    show_default=True,
    metavar="FILE",
    help="File to write.",
)
@click.option(
    "--record",
    metavar="FILE",
    help=f"Comparisons to show, with --data [{RECORD}, if there is one].",
)
@click.option("--k-curve", "curve", metavar="FILE", help="Output of matinee k-curve --json.")
@click.option("--no-measure", is_flag=True, help="Do not fit again to measure errors.")
@reading_options
@json_option
def command(
    model_path: str,
    data: str | None,
    out: str,
    record: str | None,
    curve: str | None,
    no_measure: bool,
    reading: ReadOptions,
    as_json: bool,
) -> None:
    """Write a report on MODEL: one HTML file to send.

    The file needs no network. To measure errors, the same algorithm is fitted on four fifths of
    the ratings and measured on the rest. With --json the content goes to standard output, and
    no file is written.
    """
    from matinee.disk.places import check_file
    from matinee.evaluation.model_quality import ModelQuality
    from matinee.evaluation.recorded import read_curve
    from matinee.report import measure, report_of
    from matinee.report.origins import SAMPLE as THE_SAMPLE

    if not as_json:
        check_file(Path(out))
    k_curve = None if curve is None else read_curve(Path(curve))
    loaded = load(model_path)
    ratings = reading.read(data) if data is not None else None
    with progress("report", every=0) as step:
        rows, evaluation = comparison(record, ratings), None
        n_steps = 1 if no_measure else 2
        if not no_measure:
            step(0, n_steps, "measuring")
            evaluation = ModelQuality.of_facts(loaded) or measured(measure, loaded, ratings)
        step(n_steps - 1, n_steps, "drawing")
        report = report_of(
            loaded,
            ratings,
            origin=THE_SAMPLE if data == SAMPLE else None,
            evaluation=evaluation,
            comparison=rows,
            curve=k_curve,
        )
        step(n_steps, n_steps, "done")
    if as_json:
        print_json(report.to_dict())
    else:
        saved = report.save(out)
        say(f"report in {saved} ({saved.stat().st_size / 1e6:.1f} MB)")


def measured(measure: Any, model: "Model", ratings: "Ratings | None") -> Any:
    """The evaluation; None, with a note, where the ratings do not allow one."""
    try:
        return measure(model, ratings)
    except MatineeError as error:
        say(f"no measurements: {error.worded(Face.COMMAND_LINE)}")
        return None


def comparison(record: str | None, ratings: "Ratings | None") -> Sequence[JsonObject]:
    """The comparison in a record that is of these ratings; says so where there is none."""
    from matinee.evaluation.run_log import Record
    from matinee.report.quality import compared

    if record is None and (ratings is None or not Path(RECORD).is_file()):
        return []
    if ratings is None:
        raise MatineeError("--record needs --data, to check that both have the same ratings")
    rows = compared(Record.of(record or RECORD), ratings)
    if record is not None and not rows:
        say(f"{record} has no comparison on these ratings")
    return rows
