"""``matinee runs``: the recorded comparisons, tunings and searches."""

import click

from matinee.cli.console import json_option, print_json, width
from matinee.cli.options.record import RECORD
from matinee.display.plain_data import JsonObject
from matinee.display.text_table import text_table

NO_FIGURE = "–"


@click.command("runs")
@click.argument("record", default=RECORD, metavar="[FILE]")
@json_option
def command(record: str, as_json: bool) -> None:
    """Show the recorded runs of compare, tune and auto.

    The oldest runs come first. FILE is a record, matinee-runs.jsonl unless given.
    """
    from matinee.evaluation.run_log import Record

    runs = list(Record.of(record).runs())
    if as_json:
        print_json([without_resamples(run) for run in runs])
        return
    rows = [["time", "what", "algorithm", "result"], *map(line_of, runs)]
    for line in text_table(rows, left=(0, 1, 2, 3), flexible=(2, 3), columns=width()):
        click.echo(line)


def line_of(run: JsonObject) -> list[str]:
    """A run as a row of the table."""
    start = [str(run.get("time", ""))[:16].replace("T", " "), str(run.get("what", ""))]
    if run.get("what") == "comparison":
        entry = run["entry"]
        figures = [f"{name} {value:.4f}" for name, value in entry["metrics"].items()]
        return [*start, entry["name"], entry["failed"] or ", ".join(figures) or NO_FIGURE]
    if run.get("what") in ("trial", "auto"):
        trial = run["trial"]
        algorithm = trial["algorithm"] if run["what"] == "auto" else run["algorithm"]
        settings = [f"{name}={value}" for name, value in trial["settings"].items()]
        value = trial["value"]
        figure = trial["reason"] if value is None else f"{run['metric']} {value:.4f}"
        return [*start, " ".join([algorithm, *settings]), figure]
    return [*start, "", NO_FIGURE]


def without_resamples(run: JsonObject) -> JsonObject:
    """A run without the thousands of numbers that only a comparison needs."""
    entry = {name: part for name, part in run.get("entry", {}).items() if name != "resampled"}
    return run | ({"entry": entry} if entry else {})
