"""``matinee compare DATA``: algorithms side by side, with intervals and costs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from matinee.cli.console import json_option, print_json, say, styled, width, wrap
from matinee.cli.exit_codes import INTERRUPTED
from matinee.cli.options.metrics import MeasureOptions, measure_options
from matinee.cli.options.reading import ReadOptions, reading_options
from matinee.cli.options.record import RecordOptions, record_options
from matinee.cli.options.settings import LearningCommand, make_algorithm
from matinee.cli.options.split import SplitOptions, split_options
from matinee.cli.progress import progress
from matinee.display.text_table import aligned

if TYPE_CHECKING:
    from matinee.evaluation.compare import Comparison


@click.command("compare", cls=LearningCommand)
@split_options
@click.option("--algorithms", metavar="NAME,NAME,...", help="What to compare [all of those below].")
@click.option(
    "--also",
    multiple=True,
    metavar="'NAME SETTING=VALUE ...'",
    help="One more, with settings; may be given again.",
)
@measure_options
@record_options
@reading_options
@json_option
def command(
    algorithms: str | None,
    also: tuple[str, ...],
    splitting: SplitOptions,
    measuring: MeasureOptions,
    recording: RecordOptions,
    reading: ReadOptions,
    as_json: bool,
) -> int:
    """Compare algorithms on one split, with intervals.

    Popularity and biases are always included. Either DATA, to be split, or two parts that
    were split before: --train A --test B. DATA is a MovieLens folder or zip, a text or Parquet
    file, or the word "sample". An interrupted comparison can --resume.
    """
    from matinee.algorithms.registry import choose
    from matinee.evaluation.compare import compare

    contenders = choose(named(algorithms) if algorithms is not None else () if also else None)
    contenders += [make_algorithm(name, settings) for name, *settings in map(str.split, also)]
    recording.check()
    split = splitting.read(reading)
    say(str(split))
    with progress("compare", every=0) as step:
        comparison = compare(
            contenders,
            split,
            metrics=measuring.metrics,
            ns=measuring.lengths,
            relevant_from=measuring.relevant_from,
            record=recording.file,
            resume=recording.resume,
            on_step=step,
        )
    if as_json:
        print_json(comparison.to_dict())
    else:
        click.echo(
            "\n".join([*table(comparison), *wrap("\n".join(comparison.notes())).split("\n")])
        )
    return INTERRUPTED if comparison.unfinished else 0


def named(text: str) -> list[str]:
    """The names in ``a,b,c``."""
    return [name.strip() for name in text.split(",") if name.strip()]


def table(comparison: "Comparison") -> list[str]:
    """The lines of the table; the best are marked, and bold where the terminal supports it.

    Columns that do not fit the width go into another table below, with the names again.
    """
    columns = list(zip(*comparison.cells(), strict=True))
    widths = [max(len(text) for text, _ in column) + 2 for column in columns]
    lines: list[str] = []
    block = [0]
    for place in range(1, len(columns)):
        if len(block) > 1 and sum(widths[one] for one in block) + widths[place] > width():
            lines += [*part([columns[one] for one in block]), ""]
            block = [0]
        block.append(place)
    return [*lines, *part([columns[one] for one in block]), ""]


def part(columns: Sequence[Sequence[tuple[str, str]]]) -> list[str]:
    """The lines of some columns of (text, mark), the first to the left."""
    from matinee.evaluation.compare import MARKS

    rows = list(zip(*columns, strict=True))
    cells = aligned([[text for text, _ in row] for row in rows])
    heading, *lines = [
        " ".join(
            styled(cell + MARKS.get(mark, " "), mark)
            for cell, (_, mark) in zip(line, row, strict=True)
        ).rstrip()
        for line, row in zip(cells, rows, strict=True)
    ]
    return [styled(heading, "dim"), *lines]
