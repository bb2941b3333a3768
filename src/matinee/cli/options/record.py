"""Where runs are kept, and taken up again: what ``compare``, ``tune`` and ``runs`` share."""

from pathlib import Path

import click

from matinee.cli.options.reading import AnyFunction

RECORD = "matinee-runs.jsonl"
OPTIONS = (
    click.option(
        "--record",
        default=RECORD,
        show_default=True,
        metavar="FILE",
        help="Where each run is kept as it ends.",
    ),
    click.option("--no-record", is_flag=True, help="Keep nothing."),
    click.option("--resume", is_flag=True, help="Take from the record what it has already."),
)


def recording_options(command: AnyFunction) -> AnyFunction:
    """Add the options of the record; ``record_of`` takes the first two."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def check_record(record: str, no_record: bool) -> None:
    """Raise MatineeError, before any work, for a record that cannot be written."""
    from matinee.models.storage import check_file

    if not no_record:
        check_file(Path(record))


def record_of(record: str, no_record: bool) -> str | None:
    """The file to keep runs in, or None."""
    return None if no_record else record
